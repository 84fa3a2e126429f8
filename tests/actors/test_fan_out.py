"""The fan-out: by reference count, newest at once for who joins late, nothing lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.charts import CANDLES_MIN
from actors.fan_out import FanOut
from actors.mailbox import Mailbox
from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candles,
    Channel,
    FeedState,
    Link,
    PricesReplaced,
    Side,
    StreamTerms,
    Subscription,
    Ticker,
    Traded,
    Trades,
    Wanted,
)
from actors.pure.book import BookStep
from tests.words import SYMBOL, candle, ticker

TICKER = Subscription(SYMBOL, Channel.TICKER)
TRADES = Subscription(SYMBOL, Channel.TRADES)
CANDLES = Subscription(SYMBOL, Channel.CANDLES, "1m")
BOOK = Subscription(SYMBOL, Channel.BOOK)
BOOK_TOP = Subscription(SYMBOL, Channel.BOOK_TOP)
ONE = Decimal(1)


def traded(number: int) -> Traded:
    return Traded("binance", SYMBOL, number, ONE, ONE, Side.BUY, 0, 0.0)


def delta(first_id: int, last_id: int) -> BookDelta:
    level = (Decimal(last_id), ONE)
    return BookDelta("binance", SYMBOL, first_id, last_id, (level,), (), 0)


def snapshot(last_id: int) -> BookSnapshot:
    return BookSnapshot("binance", SYMBOL, last_id, ((ONE, ONE),), (), 0.0)


@attrs.define(eq=False)
class House:
    readers: dict[str, Mailbox[Any]]
    fan_out: FanOut

    def want(self, reader: str, *subscriptions: Subscription, candles_min: int = 0) -> None:
        self.fan_out.want(Wanted(reader, frozenset(subscriptions), candles_min))

    def taken(self, reader: str) -> list[Any]:
        messages: list[Any] = []
        while (message := self.readers[reader].receive_nowait()) is not None:
            messages.append(message)
        return messages


@pytest.fixture
async def house() -> House:
    readers = {name: Mailbox[Any](name) for name in ("dawn", "dusk")}
    return House(readers, FanOut("binance", readers))


async def test_a_subscription_lives_as_long_as_somebody_wants_it(house: House) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", TICKER, TRADES)
    house.want("dawn")
    assert house.fan_out.routes.keys() == {TICKER, TRADES}
    house.want("dusk")
    assert (house.fan_out.routes, house.fan_out.states.readers({TICKER, TRADES})) == ({}, 0)


async def test_what_a_reader_wants_replaces_what_it_wanted(house: House) -> None:
    house.want("dawn", TICKER, CANDLES)
    house.want("dawn", TRADES)
    assert house.fan_out.routes.keys() == {TRADES}


async def test_wanting_the_same_again_subscribes_nobody_twice(house: House) -> None:
    house.want("dawn", TRADES)
    house.want("dawn", TRADES)
    house.fan_out.deliver(traded(1), 0.0)
    assert [t.trade_id for t in house.taken("dawn")[0].trades] == [1]


async def test_who_is_not_on_the_stage_is_not_served(house: House) -> None:
    house.want("nobody", TICKER)
    assert house.fan_out.routes == {}


async def test_each_datum_reaches_those_who_want_it_and_no_others(house: House) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", TRADES)
    house.fan_out.deliver(ticker(100), 0.0)
    assert (house.taken("dawn"), house.taken("dusk")) == ([ticker(100)], [])


async def test_who_joins_late_is_shown_the_newest_at_once(house: House) -> None:
    house.want("dawn", TICKER, CANDLES)
    house.fan_out.load_candles(CANDLES, [candle(1, 10), candle(2, 20)])
    house.fan_out.announce(FeedState("binance", Link.RESUMED, 0.0))
    house.fan_out.deliver(ticker(100), 0.0)
    house.want("dusk", TICKER, CANDLES)
    shown: dict[Any, Any] = {type(each): each for each in house.taken("dusk")}
    assert shown.keys() == {FeedState, Ticker, Candles}
    assert shown[Candles].window == (candle(1, 10), candle(2, 20))
    assert shown[Candles].closed == ()


async def test_prices_are_replaced_and_counted(house: House) -> None:
    house.want("dawn", TICKER)
    for price in (1, 2, 3):
        house.fan_out.deliver(ticker(price), 0.0)
    assert (house.taken("dawn"), house.readers["dawn"].replaced) == ([ticker(3)], 2)


async def test_replaced_prices_are_counted_and_told_once_a_second(house: House) -> None:
    house.want("dawn", TICKER)
    house.fan_out.announce(FeedState("binance", Link.RESUMED, 0.0))
    for at_s in (1.0, 1.5, 2.5):
        house.fan_out.deliver(PricesReplaced(7), at_s)
        house.fan_out.deliver(ticker("100"), at_s)
    assert house.fan_out.states.prices_replaced == 21
    told = [each for each in house.taken("dawn") if isinstance(each, FeedState)]
    assert [(each.link, each.prices_replaced) for each in told] == [(Link.RESUMED, 21)]
    house.fan_out.deliver(PricesReplaced(7), 3.0)
    assert house.taken("dawn") == []


async def test_trades_are_merged_and_none_is_lost(house: House) -> None:
    house.want("dawn", TRADES)
    house.want("dusk", TRADES)
    taken: list[int] = []
    for number in range(1, 101):
        house.fan_out.deliver(traded(number), 0.0)
        if number % 7 == 0:
            taken += [t.trade_id for each in house.taken("dawn") for t in each.trades]
    taken += [t.trade_id for each in house.taken("dawn") for t in each.trades]
    (all_at_once,) = house.taken("dusk")
    assert taken == list(range(1, 101))
    assert [t.trade_id for t in all_at_once.trades] == taken


async def test_closed_candles_are_merged_while_the_reader_is_slow(house: House) -> None:
    house.want("dawn", CANDLES)
    house.fan_out.load_candles(CANDLES, [candle(1, 10)])
    house.taken("dawn")
    for number in (2, 3):
        house.fan_out.deliver(candle(number, number, is_closed=False), 0.0)
        house.fan_out.deliver(candle(number, number), 0.0)
    house.fan_out.deliver(candle(4, 4, is_closed=False), 0.0)
    (shown,) = house.taken("dawn")
    assert shown.closed == (candle(2, 2), candle(3, 3))
    assert shown.window[-1] == candle(3, 3)
    assert shown.running == candle(4, 4, is_closed=False)


async def test_received_is_delivered_plus_merged_plus_replaced(house: House) -> None:
    """R-32: on every channel, what came is what was taken or accounted for."""
    house.want("dawn", TICKER, TRADES, BOOK_TOP)
    delivered, sent = 0, 0
    for number in range(1, 200):
        top = BookTop("binance", SYMBOL, ONE, ONE, ONE, ONE, number, 0.0)
        for datum in (ticker(number), traded(number), top):
            house.fan_out.deliver(datum, 0.0)
            sent += 1
        if number % 5 == 0:
            delivered += len(house.taken("dawn"))
    delivered += len(house.taken("dawn"))
    mailbox = house.readers["dawn"]
    assert sent == delivered + mailbox.merged + mailbox.replaced
    assert sum(route.received for route in house.fan_out.routes.values()) == sent


async def test_a_hole_in_the_candles_asks_for_history_once_and_shows_nothing(
    house: House,
) -> None:
    house.want("dawn", CANDLES)
    house.fan_out.load_candles(CANDLES, [candle(1, 10)])
    house.fan_out.to_load.clear()
    house.taken("dawn")
    house.fan_out.deliver(candle(4, 40), 0.0)
    assert (house.taken("dawn"), house.fan_out.to_load) == ([], {CANDLES})
    history = [candle(number, 10 * number) for number in (1, 2, 3, 4)]
    house.fan_out.load_candles(CANDLES, history)
    assert house.taken("dawn")[0].closed == tuple(history[1:])


async def test_a_strategy_that_needs_more_candles_asks_for_more_history(
    house: House,
) -> None:
    house.want("dawn", CANDLES)
    house.fan_out.load_candles(CANDLES, [candle(1, 10)])
    house.fan_out.to_load.clear()
    house.want("dusk", CANDLES, candles_min=500)
    window = house.fan_out.windows[CANDLES]
    assert (window.depth, window.is_loaded) == (500, False)
    assert house.fan_out.to_load == {CANDLES}


async def test_a_window_keeps_at_least_its_minimum(house: House) -> None:
    house.want("dawn", CANDLES, candles_min=3)
    assert house.fan_out.windows[CANDLES].depth == CANDLES_MIN


async def test_a_book_is_shown_once_its_snapshot_is_bridged(house: House) -> None:
    house.want("dawn", BOOK)
    house.fan_out.deliver(delta(5, 6), 0.0)
    assert house.taken("dawn") == []
    assert house.fan_out.load_book(snapshot(5), 0.0) is BookStep.APPLIED
    assert house.taken("dawn")[0].last_id == 6


async def test_a_gap_in_the_book_asks_for_a_snapshot_and_shows_nothing(
    house: House,
) -> None:
    house.want("dawn", BOOK)
    house.fan_out.load_book(snapshot(5), 0.0)
    house.fan_out.to_load.clear()
    house.taken("dawn")
    house.fan_out.deliver(delta(9, 9), 0.0)
    assert (house.taken("dawn"), house.fan_out.to_load) == ([], {BOOK})


async def test_a_streamed_book_needs_no_rest_and_is_shown_at_once(house: House) -> None:
    house.fan_out.terms = StreamTerms(100, is_book_streamed=True)
    house.want("dawn", BOOK)
    house.fan_out.deliver(snapshot(5), 1.0)
    house.fan_out.deliver(delta(6, 6), 1.5)
    (shown,) = house.taken("dawn")
    assert (shown.last_id, house.fan_out.to_load) == (6, set())


async def test_a_streamed_book_begins_anew_whenever_a_snapshot_comes(house: House) -> None:
    """The venue's checksum failed: the stream has asked for the book once more."""
    house.fan_out.terms = StreamTerms(100, is_book_streamed=True)
    house.want("dawn", BOOK)
    for told in (snapshot(5), delta(6, 6), snapshot(7), delta(8, 8)):
        house.fan_out.deliver(told, 1.0)
    (shown,) = house.taken("dawn")
    assert shown.bids == ((Decimal(8), ONE), (ONE, ONE))


async def test_changes_before_a_streamed_snapshot_are_not_applied_to_it(
    house: House,
) -> None:
    house.fan_out.terms = StreamTerms(100, is_book_streamed=True)
    house.want("dawn", BOOK)
    for told in (delta(3, 3), delta(6, 6), snapshot(5)):
        house.fan_out.deliver(told, 1.0)
    (shown,) = house.taken("dawn")
    assert (shown.last_id, shown.bids) == (5, ((ONE, ONE),))


async def test_a_streamed_book_is_not_asked_for_after_a_loss(house: House) -> None:
    house.fan_out.terms = StreamTerms(100, is_book_streamed=True)
    house.want("dawn", BOOK)
    house.fan_out.deliver(snapshot(5), 1.0)
    house.fan_out.lost(house.fan_out.routes)
    house.fan_out.deliver(delta(6, 6), 2.0)
    assert (house.fan_out.to_load, house.fan_out.books[SYMBOL].is_synced) == (set(), False)


async def test_after_a_loss_nothing_is_proven_and_everything_is_loaded_anew(
    house: House,
) -> None:
    house.want("dawn", TICKER, CANDLES, BOOK)
    house.fan_out.load_book(snapshot(5), 0.0)
    house.fan_out.load_candles(CANDLES, [candle(1, 10)])
    house.fan_out.deliver(ticker(100), 1.0)
    house.fan_out.to_load.clear()
    house.fan_out.lost(house.fan_out.routes)
    assert all(route.data_s is None for route in house.fan_out.routes.values())
    assert house.fan_out.to_load == {CANDLES, BOOK}
    assert not house.fan_out.books[SYMBOL].is_synced


async def test_what_nobody_wants_any_more_is_not_loaded(house: House) -> None:
    house.want("dawn", CANDLES, BOOK)
    house.want("dawn")
    assert (house.fan_out.to_load, house.fan_out.books) == (set[Subscription](), {})
    assert house.fan_out.load_book(snapshot(1), 0.0) is None


async def test_the_fallback_sees_every_ticker(house: House) -> None:
    watcher = Mailbox[Any]("fallback")
    house.fan_out.watcher = watcher
    house.want("dawn", TICKER, TRADES)
    house.fan_out.deliver(ticker(7), 0.0)
    house.fan_out.deliver(traded(1), 0.0)
    assert (watcher.receive_nowait(), watcher.receive_nowait()) == (ticker(7), None)


async def test_trades_of_one_reader_are_not_the_list_of_another(house: House) -> None:
    house.want("dawn", TRADES)
    house.want("dusk", TRADES)
    house.fan_out.deliver(traded(1), 0.0)
    first: Trades = house.taken("dawn")[0]
    house.fan_out.deliver(traded(2), 0.0)
    assert [t.trade_id for t in first.trades] == [1]
