"""Several timeframes of one symbol by one stream, or of trades; holes come from REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from trio.testing import MockClock

from actors.fan_out import FanOut
from actors.mailbox import Mailbox
from actors.messages import (
    Candle,
    Candles,
    Channel,
    FeedState,
    Link,
    Side,
    StreamTerms,
    Subscription,
    Traded,
    Wanted,
)
from actors.ports import ConnectionLost
from tests.actors.feed_house import House as FeedHouse
from tests.actors.feed_house import open_house
from tests.actors.ledger_room import settle
from tests.words import SYMBOL, candle

MINUTE_MS = 60_000
ONE = Decimal(1)
TOLD = StreamTerms(100, timeframes=frozenset({"1m", "5m", "15m"}))
SPARSE = attrs.evolve(TOLD, timeframes=frozenset({"1m"}), has_quiet_candles=False)
UNTOLD = StreamTerms(100)
TRADES = Subscription(SYMBOL, Channel.TRADES)


def candles_of(timeframe: str) -> Subscription:
    return Subscription(SYMBOL, Channel.CANDLES, timeframe)


SECOND = candles_of("1s")
ONE_MINUTE, FIVE, QUARTER = map(candles_of, ("1m", "5m", "15m"))


def five(number: int, close: int, *, is_closed: bool = True) -> Candle:
    made = candle(5 * number, close, is_closed=is_closed)
    close_ms = made.open_ms + 5 * MINUTE_MS - 1
    return attrs.evolve(made, timeframe="5m", close_ms=close_ms)


def traded(number: int, at_ms: int) -> Traded:
    return Traded("binance", SYMBOL, number, Decimal(number), ONE, Side.BUY, at_ms, 0.0)


def opened(candles: tuple[Candle, ...]) -> list[int]:
    """Return which minutes these open in."""
    return [each.open_ms // MINUTE_MS for each in candles]


@attrs.define(eq=False)
class House:
    fan_out: FanOut
    readers: dict[str, Mailbox[Any]]

    def want(self, reader: str, *subscriptions: Subscription, candles_min: int = 0) -> None:
        self.fan_out.want(Wanted(reader, frozenset(subscriptions), candles_min))

    def shown(self, reader: str = "dawn") -> dict[str, Candles]:
        """Return the newest candles of each timeframe that a reader was sent."""
        told: dict[str, Candles] = {}
        while (message := self.readers[reader].receive_nowait()) is not None:
            if isinstance(message, Candles):
                told[message.timeframe] = message
        return told

    def load(self, subscription: Subscription, *history: Candle) -> None:
        self.fan_out.to_load.discard(subscription)
        self.fan_out.load_candles(subscription, history)


def open_fan_out(terms: StreamTerms) -> House:
    readers = {name: Mailbox[Any](name) for name in ("dawn", "dusk")}
    return House(FanOut("binance", readers, terms=terms), readers)


async def test_one_stream_tells_every_timeframe_of_a_symbol() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE, FIVE, QUARTER)
    assert house.fan_out.on_wire() == {ONE_MINUTE}
    assert house.fan_out.wire_of(QUARTER) == ONE_MINUTE


async def test_five_minutes_are_closed_with_their_last_minute() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE, FIVE)
    house.load(ONE_MINUTE, candle(4, 4))
    house.load(FIVE, five(0, 4))
    for number in range(5, 10):
        house.shown()
        house.fan_out.deliver(candle(number, number), 0.0)
    told = house.shown()
    assert opened(told["5m"].closed) == [5]
    assert opened(told["5m"].window) == [0, 5]
    assert told["5m"].closed[0].close == 9
    assert opened(told["1m"].closed) == [9]


async def test_the_candle_that_runs_is_shown_in_every_timeframe() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE, FIVE)
    house.load(ONE_MINUTE, candle(4, 4))
    house.load(FIVE, five(0, 4))
    house.fan_out.deliver(candle(5, 5), 0.0)
    house.fan_out.deliver(candle(6, 9, is_closed=False), 0.0)
    running = house.shown()["5m"].running
    assert running is not None
    assert (running.open_ms, running.close, running.volume_base) == (5 * MINUTE_MS, 9, 2)


async def test_a_timeframe_that_joins_late_is_built_from_what_is_known() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE)
    house.load(ONE_MINUTE, *(candle(number, number) for number in range(8)))
    house.want("dusk", FIVE)
    house.load(FIVE, five(0, 4))
    for number in (8, 9):
        house.fan_out.deliver(candle(number, number), 0.0)
    (closed,) = house.shown("dusk")["5m"].closed
    assert (closed.open, closed.close, closed.trades) == (5, 9, 5)


async def test_a_hole_in_the_minutes_is_filled_for_the_longer_ones_too() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE, FIVE)
    house.load(ONE_MINUTE, candle(4, 4))
    house.load(FIVE, five(0, 4))
    house.fan_out.deliver(candle(5, 5), 0.0)
    house.fan_out.deliver(candle(8, 8), 0.0)  # 6 and 7 are missing
    assert house.fan_out.to_load == {ONE_MINUTE}
    house.load(ONE_MINUTE, *(candle(number, number) for number in range(3, 9)))
    house.fan_out.deliver(candle(9, 9), 0.0)
    (closed,) = house.shown()["5m"].closed
    assert (closed.open, closed.close, closed.trades) == (5, 9, 5)


async def test_after_a_loss_every_timeframe_is_asked_for() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE, FIVE, QUARTER)
    house.fan_out.to_load.clear()
    house.fan_out.lost({ONE_MINUTE})
    assert house.fan_out.to_load == {ONE_MINUTE, FIVE, QUARTER}


async def test_a_candle_that_began_before_a_loss_is_not_built() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE, FIVE)
    house.load(ONE_MINUTE, candle(4, 4))
    house.load(FIVE, five(0, 4))
    house.fan_out.deliver(candle(5, 5), 0.0)
    house.fan_out.lost({ONE_MINUTE})
    house.load(ONE_MINUTE, candle(7, 7), candle(8, 8))  # too short to tell 6
    house.shown()
    house.fan_out.deliver(candle(9, 9), 0.0)
    assert "5m" not in house.shown()
    assert FIVE in house.fan_out.to_load
    house.load(FIVE, five(0, 4), five(1, 9))
    assert opened(house.shown()["5m"].closed) == [5]


async def test_what_a_reader_does_not_want_is_built_from_and_not_shown() -> None:
    house = open_fan_out(SPARSE)
    house.want("dawn", FIVE)
    assert house.fan_out.on_wire() == {ONE_MINUTE}
    house.load(FIVE, five(0, 4))
    house.load(ONE_MINUTE, candle(4, 4))
    house.fan_out.deliver(candle(5, 5, is_closed=False), 0.0)
    assert house.shown().keys() == {"5m"}


async def test_the_last_reader_takes_along_what_was_built_for_it() -> None:
    house = open_fan_out(UNTOLD)
    house.want("dawn", candles_of("1h"))
    assert house.fan_out.on_wire() == {TRADES}
    house.want("dawn")
    assert (house.fan_out.routes, house.fan_out.windows) == ({}, {})


async def test_a_stream_gives_way_to_a_shorter_one_and_comes_back() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", FIVE)
    assert house.fan_out.on_wire() == {FIVE}
    house.want("dusk", ONE_MINUTE)
    assert house.fan_out.on_wire() == {ONE_MINUTE}
    house.want("dusk")
    assert house.fan_out.on_wire() == {FIVE}


async def test_quiet_minutes_need_no_history() -> None:
    house = open_fan_out(SPARSE)
    house.want("dawn", ONE_MINUTE, FIVE)
    house.load(ONE_MINUTE, candle(4, 4))
    house.load(FIVE, five(0, 4))
    for number in (5, 8, 14):
        house.fan_out.deliver(candle(number, number), 0.0)
    told = house.shown()
    assert house.fan_out.to_load == set()
    assert opened(told["1m"].window) == list(range(4, 15))
    assert opened(told["5m"].window) == [0, 5, 10]
    assert told["5m"].window[1].trades == 2


async def test_where_no_candles_are_told_trades_make_them() -> None:
    house = open_fan_out(UNTOLD)
    house.want("dawn", ONE_MINUTE)
    assert house.fan_out.on_wire() == {TRADES}
    house.load(ONE_MINUTE, candle(0, 1))
    house.fan_out.deliver(traded(7, MINUTE_MS + 1), 0.0)
    assert house.shown().get("1m") is not None  # the history
    house.fan_out.deliver(traded(8, 2 * MINUTE_MS), 0.0)
    assert ONE_MINUTE in house.fan_out.to_load  # the minute in which we began
    house.load(ONE_MINUTE, candle(0, 1), candle(1, 7))
    told = house.shown()["1m"]
    assert (opened(told.closed), opened(told.window)) == ([1], [0, 1])
    house.fan_out.deliver(traded(9, 3 * MINUTE_MS), 0.0)
    (closed,) = house.shown()["1m"].closed
    assert (closed.open_ms, closed.close, closed.is_closed) == (2 * MINUTE_MS, 8, True)


@pytest.mark.parametrize("has_quiet_candles", [True, False])
async def test_seconds_that_no_history_tells_are_shown_from_the_first_whole_one_on(
    has_quiet_candles: bool,
) -> None:
    terms = attrs.evolve(
        UNTOLD, history=frozenset({"1m"}), has_quiet_candles=has_quiet_candles
    )
    house = open_fan_out(terms)
    house.want("dawn", SECOND)
    house.load(SECOND)
    house.fan_out.deliver(traded(7, 500), 0.0)
    house.fan_out.deliver(traded(8, 1_000), 0.0)  # the second in which we began is over
    house.load(SECOND)
    house.fan_out.deliver(traded(9, 2_000), 0.0)

    assert [each.open_ms for each in house.shown()["1s"].window] == [1_000]


async def test_a_trade_that_is_missing_has_its_minute_asked_for() -> None:
    house = open_fan_out(UNTOLD)
    house.want("dawn", ONE_MINUTE)
    house.load(ONE_MINUTE, candle(0, 1))
    for number, minute in ((7, 1), (8, 2)):
        house.fan_out.deliver(traded(number, minute * MINUTE_MS), 0.0)
    house.load(ONE_MINUTE, candle(0, 1), candle(1, 7))
    house.fan_out.deliver(traded(10, 2 * MINUTE_MS + 1), 0.0)
    house.fan_out.deliver(traded(11, 3 * MINUTE_MS), 0.0)
    assert house.fan_out.to_load == {ONE_MINUTE}
    house.load(ONE_MINUTE, candle(0, 1), candle(1, 7))  # does not tell it yet
    house.shown()
    house.fan_out.deliver(traded(12, 4 * MINUTE_MS), 0.0)
    assert house.shown() == {}
    house.load(ONE_MINUTE, *(candle(number, 5) for number in range(4)))
    assert opened(house.shown()["1m"].closed) == [2, 3]


async def test_hours_are_built_from_trades_by_the_minute() -> None:
    house = open_fan_out(UNTOLD)
    hour = candles_of("1h")
    house.want("dawn", hour)
    assert house.fan_out.wire_of(hour) == TRADES
    house.load(ONE_MINUTE, candle(59, 1))
    old = attrs.evolve(candle(0, 1), timeframe="1h", close_ms=60 * MINUTE_MS - 1)
    house.load(hour, old)
    house.fan_out.deliver(traded(1, 60 * MINUTE_MS - 1), 0.0)
    for number, minute in enumerate((60, 61, 119, 120, 121), 2):
        house.fan_out.deliver(traded(number, minute * MINUTE_MS), 0.0)
        house.fan_out.to_load.clear()
        for window in house.fan_out.windows.values():
            if not window.is_loaded:
                window.load([*window.candles, candle(59, 1)])
    closed = [c for c in house.fan_out.windows[hour].candles if c.open_ms]
    assert [(each.open_ms // MINUTE_MS, each.trades) for each in closed] == [(60, 3)]


async def test_a_reader_of_longer_candles_is_told_the_state_of_their_stream() -> None:
    house = open_fan_out(TOLD)
    house.want("dawn", ONE_MINUTE)
    house.want("dusk", FIVE)
    house.fan_out.announce(FeedState("binance", Link.GAP, 1.0), {ONE_MINUTE})
    states = [
        message
        for _ in range(9)
        if isinstance(message := house.readers["dusk"].receive_nowait(), FeedState)
    ]
    assert [state.link for state in states] == [Link.GAP]
    assert house.fan_out.states.readers({ONE_MINUTE}) == 2


@pytest.fixture
async def feed(tmp_path: Path) -> AsyncIterator[FeedHouse]:
    async with open_house(tmp_path) as made:
        yield made


async def test_history_is_built_where_rest_does_not_tell_it(
    feed: FeedHouse, autojump_clock: MockClock
) -> None:
    feed.market.terms = attrs.evolve(SPARSE, history=frozenset({"1m"}))
    feed.market.history[SYMBOL] = [candle(number, number) for number in range(5, 20)]
    feed.want("dawn", FIVE)
    await feed.start()
    await feed.at(1)
    feed.look()
    shown = [each for each in feed.seen if isinstance(each, Candles)]
    assert opened(shown[-1].window) == [5, 10, 15]
    assert feed.market.stream.subscribed == {ONE_MINUTE}


async def test_a_reconnect_leaves_no_hole_in_any_timeframe(
    feed: FeedHouse, autojump_clock: MockClock
) -> None:
    feed.market.terms = attrs.evolve(SPARSE, history=frozenset({"1m"}))
    feed.market.history[SYMBOL] = [candle(number, number) for number in range(5, 12)]
    feed.want("dawn", ONE_MINUTE, FIVE)
    await feed.start()
    await feed.at(1)
    feed.market.stream.tell(candle(12, 12))
    await settle()
    feed.market.stream.fail(ConnectionLost("away"))
    feed.market.history[SYMBOL] = [candle(number, number) for number in range(5, 18)]
    await feed.at(3)
    feed.market.stream.tell(candle(18, 18))
    await feed.at(3)
    feed.market.stream.tell(candle(19, 19))
    await settle()
    feed.look()
    windows = {c.timeframe: opened(c.window) for c in feed.seen if isinstance(c, Candles)}
    assert windows == {"1m": list(range(5, 20)), "5m": [5, 10, 15]}
