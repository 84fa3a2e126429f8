"""The feed: subscribes, proves, reconnects, and tells its readers GAP and RESUMED."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    BookDelta,
    BookSnapshot,
    Candles,
    Channel,
    ClockStepped,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    Link,
    PricesReplaced,
    Subscription,
    SubscriptionRefused,
    Ticker,
    VenueClosing,
)
from actors.ports import ConnectionLost, RateLimited, RemoteProtocolError
from actors.reconnecting import AttemptsSpent
from tests.actors.feed_house import (
    BOOK,
    CANDLES,
    ETH,
    ETH_TICKER,
    TICKER,
    TRADES,
    House,
    open_house,
)
from tests.actors.ledger_room import settle
from tests.pure.desks import desk
from tests.words import SYMBOL, candle, ticker

LOST = ConnectionLost("the other side went away")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def test_a_feed_is_ready_though_the_venue_is_not(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.refusals = [ConnectionLost("refused")]
    house.want("dawn", TICKER)
    with trio.fail_after(0.5):
        await house.start()
    assert house.market.streams == []


async def test_nothing_is_connected_before_somebody_wants_something(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.at(100)
    assert house.market.streams == []
    house.want("dawn", TICKER)
    await settle()
    assert house.market.stream.subscribed == {TICKER}


async def test_it_subscribes_and_unsubscribes_by_reference_count(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    house.want("dusk", TICKER, TRADES)
    await settle()
    house.want("dawn")
    await settle()
    house.want("dusk", TRADES)
    await settle()
    assert house.market.stream.commands == [
        ("+", {TICKER}),
        ("+", {TRADES}),
        ("-", {TICKER}),
    ]


async def test_resumed_is_said_after_every_subscription_was_proven(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER, ETH_TICKER)
    await house.start()
    await house.tick(100)
    assert house.links() == [Link.CONNECTING]
    await house.tick(10, ETH)
    assert house.links() == [Link.CONNECTING, Link.RESUMED]


async def test_a_subscription_without_a_limit_needs_no_proof(
    house: House, autojump_clock: MockClock
) -> None:
    """A quiet market trades seldom: nobody waits for its first trade (R-22)."""
    house.want("dawn", TICKER, TRADES)
    await house.start()
    await house.tick(100)
    assert house.links()[-1] is Link.RESUMED


async def test_a_lost_connection_is_a_gap_and_comes_back_inside_the_life(
    house: House,
    autojump_clock: MockClock,
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    await house.tick(100)
    house.look()
    house.market.stream.fail(LOST)
    await settle()
    assert house.links()[-1] is Link.GAP
    await house.at(1.0)
    assert len(house.market.streams) == 2
    assert house.links()[-1] is Link.GAP
    await house.tick(101)
    assert house.links() == [Link.RESUMED, Link.GAP, Link.RESUMED]


async def test_the_ledger_tells_the_outage_with_its_numbers(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", TICKER)
    await house.start()
    await house.tick(100)
    house.market.stream.fail(LOST)
    await house.at(1.5)
    await house.tick(101)
    assert await house.room.recorded(
        ExchangeConnected, ExchangeDisconnected, ExchangeReconnecting
    ) == [
        ExchangeConnected("binance", 0, 1, 0, 2, 0),
        ExchangeDisconnected("binance", "the other side went away"),
        ExchangeReconnecting("binance", 1, 5, 1000),
        ExchangeConnected("binance", 1, 1, 500, 2, 1500),
    ]


async def test_five_attempts_spent_end_the_life(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.refusals = [ConnectionLost("refused")] * 6
    house.want("dawn", TICKER)
    begun_s = trio.current_time()
    spent = pytest.RaisesExc(AttemptsSpent, match="5 attempts spent")
    with pytest.RaisesGroup(spent, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(house.run)
            await trio.sleep_forever()
    assert trio.current_time() - begun_s == pytest.approx(31.0)
    assert house.links()[-1] is Link.GAP


async def test_the_next_life_serves_the_same_demand(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", TRADES)
    life = await house.start()
    await house.tick(100)
    life.cancel()
    await settle()
    assert house.links()[-1] is Link.GAP  # whoever reads is told, however a life ends
    await house.start()
    assert house.market.stream.subscribed == {TICKER, TRADES}
    await house.tick(101)
    house.look()
    assert (house.states[-1].link, house.seen[-1].last) == (Link.RESUMED, 101)


async def test_unreadable_frames_are_counted_and_a_few_change_nothing(
    house: House,
    autojump_clock: MockClock,
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    for _ in range(19):
        house.market.stream.fail(RemoteProtocolError("bad frame"))
    await house.tick(100)
    assert (house.fan_outs[0].states.bad_frames, len(house.market.streams)) == (19, 1)
    assert house.links()[-1] is Link.RESUMED


async def test_many_unreadable_frames_at_once_end_the_connection(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    for _ in range(20):
        house.market.stream.fail(RemoteProtocolError("bad frame"))
    await house.at(1.1)
    (told,) = await house.room.recorded(ExchangeDisconnected)
    assert told.reason == "20 unreadable frames: bad frame"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (VenueClosing(), "the exchange announced that it closes this connection"),
        (SubscriptionRefused(1, 2, "no"), "subscription refused: 2 no"),
    ],
)
async def test_the_venues_own_word_ends_the_connection(
    house: House, autojump_clock: MockClock, message: Any, reason: str
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    house.market.stream.tell(message)
    await house.at(1.1)
    assert [f.reason for f in await house.room.recorded(ExchangeDisconnected)] == [reason]
    assert len(house.market.streams) == 2


async def test_the_venues_own_wait_is_kept(house: House, autojump_clock: MockClock) -> None:
    """R-28: nothing is tried before Retry-After."""
    house.market.refusals = [RateLimited("418", retry_after_s=120.0)]
    house.want("dawn", TICKER)
    await house.start()
    await house.at(119)
    assert house.market.streams == []
    await house.at(2)
    assert len(house.market.streams) == 1


async def test_a_step_of_the_clock_makes_everything_stale(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    await house.tick(100)
    house.look()
    house.mailbox.latest("clock", ClockStepped(3_600_000, 0.0, "slept for 3600.0 s"))
    await settle()
    assert house.links()[-1] is Link.GAP
    await house.at(1.1)
    assert len(house.market.streams) == 2


async def test_a_symbol_that_is_not_listed_costs_the_others_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.unlisted = frozenset({ETH})
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await house.start()
    await house.tick(100)
    await house.at(5)
    assert house.market.stream.subscribed == {TICKER}
    assert (house.links()[-1], len(house.market.streams)) == (Link.RESUMED, 1)


async def test_a_symbol_that_is_refused_alone_costs_the_others_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    house.want("dusk", ETH_TICKER)
    await house.start()
    house.market.stream.tell(SubscriptionRefused(1, 0, "not supported", ETH))
    await house.tick(100)
    await house.at(5)
    assert house.market.stream.subscribed == {TICKER}
    assert (house.links()[-1], len(house.market.streams)) == (Link.RESUMED, 1)


async def test_history_is_loaded_and_loaded_again_until_it_comes(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.tickers[SYMBOL] = ticker(100)
    house.want("dawn", CANDLES)
    await house.start()
    await house.at(6)
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100)]
    await house.at(5)
    house.look()
    (shown,) = [each for each in house.seen if isinstance(each, Candles)]
    assert shown.window == (candle(1, 100), candle(2, 100))
    assert len(house.market.asked_for("candles")) == 3


async def test_after_a_gap_candles_are_shown_again_though_none_is_new(
    house: House, autojump_clock: MockClock
) -> None:
    """Who reads them has forgotten them at the gap."""
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    house.want("dawn", CANDLES)
    await house.start()
    await house.at(1)
    house.market.stream.fail(LOST)
    await settle()
    house.look()
    house.seen.clear()
    await house.at(3)
    house.look()
    assert [each.window for each in house.seen] == [(candle(1, 100),)]


async def test_candles_that_are_whole_again_stay_shown_while_the_gap_goes_on(
    house: House, autojump_clock: MockClock
) -> None:
    """R-20: the gap is told again with other counts, and nobody loads candles again."""
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    house.want("dawn", TICKER, CANDLES)
    await house.start()
    await house.at(1)
    house.market.stream.fail(LOST)
    await house.at(3)
    told = desk()
    house.hand_to(told)
    assert told.sight.window == (candle(1, 100),)
    house.market.stream.tell(PricesReplaced(5))
    await house.at(1)
    house.hand_to(told)
    assert told.sight.window == (candle(1, 100),)


async def test_candles_that_were_not_lost_stay_shown_in_a_gap_of_prices(
    house: House, autojump_clock: MockClock
) -> None:
    """The connection that carries them lives on: it would not load them again."""
    house.market.terms = attrs.evolve(house.market.terms, subscriptions_max=1)
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    house.want("dawn", TICKER, CANDLES)
    await house.start()
    await house.at(3)
    told = desk()
    house.hand_to(told)
    (prices,) = [each for each in house.market.streams if TICKER in each.subscribed]
    prices.fail(LOST)
    await house.at(3)
    house.hand_to(told)
    assert (house.states[-1].link, told.sight.window) == (Link.GAP, (candle(1, 100),))


async def test_a_slow_reader_has_the_candles_that_were_loaded_after_a_gap(
    house: House, autojump_clock: MockClock
) -> None:
    """What waits in its mailbox from before the gap is replaced where it stands."""
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    house.want("dawn", TICKER, CANDLES)
    await house.start()
    await house.at(1)
    house.readers["dawn"].receive_nowait()
    house.market.stream.fail(LOST)
    await house.at(3)
    told = desk()
    house.hand_to(told)
    assert (house.states[-1].link, told.sight.window) == (Link.GAP, (candle(1, 100),))


async def test_a_life_that_begins_in_a_gap_is_shown_no_candles_from_before_it(
    house: House, autojump_clock: MockClock
) -> None:
    """R-20: they are shown once they are whole."""
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    house.want("dawn", CANDLES)
    await house.start()
    await house.at(1)
    told = house.market.history.pop(SYMBOL)
    house.market.stream.fail(LOST)
    await house.at(3)
    house.want("dusk", CANDLES)
    await settle()
    house.look("dusk")
    assert [each.window for each in house.seen] == []
    house.market.history[SYMBOL] = told
    await house.at(6)
    house.look("dusk")
    assert [each.window for each in house.seen] == [(candle(1, 100),)]


async def test_who_outlives_a_feed_is_shown_none_of_its_candles(
    house: House, autojump_clock: MockClock
) -> None:
    """R-20: the next life of the feed has prices before REST has told what was missed."""
    house.market.history[SYMBOL] = [candle(1, 100), candle(2, 100, is_closed=False)]
    house.want("dawn", CANDLES)
    life, told = await house.start(), desk()
    await house.at(1)
    house.hand_to(told)
    life.cancel()
    await settle()
    house.hand_to(told)
    assert told.sight.window == ()


async def test_a_symbol_whose_history_fails_delays_no_other(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.slow_s[ETH] = 9.0
    house.market.history[SYMBOL] = [candle(1, 100)]
    house.want("dawn", CANDLES, Subscription(ETH, Channel.CANDLES, "1m"))
    await house.start()
    await house.at(0.1)
    house.look()
    assert [each.symbol for each in house.seen if isinstance(each, Candles)] == [SYMBOL]


async def test_a_snapshot_that_is_too_old_is_asked_for_again_after_a_pause(
    house: House, autojump_clock: MockClock
) -> None:
    """A deep snapshot weighs 250: asking in a loop would be a ban (R-28)."""
    too_old = BookSnapshot("binance", SYMBOL, 5, (), (), 0.0)
    house.market.books[SYMBOL] = [too_old] * 30
    house.market.slow_s[SYMBOL] = 0.1
    house.want("dawn", BOOK)
    await house.start()
    house.market.stream.tell(BookDelta("binance", SYMBOL, 10, 11, (), (), 0))
    await house.at(5.0)
    assert len(house.market.asked_for("book")) == 5
    house.market.books[SYMBOL] = [attrs.evolve(too_old, last_id=10)]
    await house.at(2.0)
    assert house.fan_outs[0].books[SYMBOL].last_id == 11


async def test_a_snapshot_is_asked_for_once_the_changes_are_subscribed_to(
    house: House, autojump_clock: MockClock
) -> None:
    """WIRE 2.5: the stream first, or nothing bridges."""
    house.market.refusals = [ConnectionLost("refused")]
    house.want("dawn", BOOK)
    await house.start()
    await house.at(0.9)
    assert house.market.asked_for("book") == []
    await house.at(0.2)
    assert len(house.market.asked_for("book")) == 1


async def test_a_silent_journal_delays_no_reconnect(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    await house.tick(100)
    house.room.disk.slow_s = 1000.0
    house.market.stream.fail(LOST)
    await house.at(1.1)
    assert len(house.market.streams) == 2


async def test_a_feed_that_works_shows_progress(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    before = house.mailbox.completed
    await house.tick(100)
    assert house.mailbox.completed == before + 1


async def test_only_the_newest_price_is_kept_for_a_slow_reader(
    house: House, autojump_clock: MockClock
) -> None:
    house.want("dawn", TICKER)
    await house.start()
    await house.tick(1)
    house.look()
    house.seen.clear()
    before = house.readers["dawn"].replaced
    for price in range(1, 1001):
        house.market.stream.tell(ticker(price))
    await settle()
    house.look()
    assert [each.last for each in house.seen if isinstance(each, Ticker)] == [1000]
    assert house.readers["dawn"].replaced - before == 999
