"""Longer candles from shorter ones and from trades: whole, closed by what follows only."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Candle, Side, Traded
from actors.pure.candle_builder import Built, CandleBuilder, longer
from tests.words import SYMBOL, candle

MINUTE_MS = 60_000
FIVE_MS = 5 * MINUTE_MS


def traded(number: int, at_ms: int, price: int = 100, base: int = 1) -> Traded:
    money, quantity = Decimal(price), Decimal(base)
    return Traded("coinbase", SYMBOL, number, money, quantity, Side.BUY, at_ms, 0.0)


def closed(built: list[Built]) -> list[Candle]:
    return [each for step in built for each in step.candles if each.is_closed]


def test_five_minutes_are_closed_with_the_last_of_them() -> None:
    builder = CandleBuilder("5m")
    built = [builder.take(candle(number, 10 + number)) for number in range(5)]
    assert [len(closed([step])) for step in built] == [0, 0, 0, 0, 1]
    (made,) = closed(built)
    assert (made.open_ms, made.close_ms) == (0, FIVE_MS - 1)
    assert (made.open, made.high, made.low, made.close) == (10, 14, 10, 14)
    assert (made.volume_base, made.volume_quote, made.trades) == (5, 60, 5)


def test_the_running_part_counts_once() -> None:
    builder = CandleBuilder("5m")
    builder.take(candle(0, 10))
    builder.take(candle(1, 30, is_closed=False))
    (shown,) = builder.take(candle(1, 20, is_closed=False)).candles
    assert (shown.high, shown.close, shown.volume_base) == (20, 20, 2)
    assert not shown.is_closed


def test_a_candle_whose_last_part_never_came_is_closed_by_a_later_one() -> None:
    """Nobody traded in the last minutes, and the venue tells no such candles."""
    builder = CandleBuilder("5m")
    builder.take(candle(0, 10))
    builder.take(candle(2, 12))
    first, second = builder.take(candle(6, 20, is_closed=False)).candles
    assert (first.is_closed, first.close, first.volume_base) == (True, 12, 2)
    assert (second.is_closed, second.open_ms) == (False, FIVE_MS)


def test_what_began_in_the_middle_is_not_shown_and_is_named() -> None:
    builder = CandleBuilder("5m")
    steps = [builder.take(candle(number, 10)) for number in (3, 4, 5)]
    assert [step.candles for step in steps[:2]] == [(), ()]
    assert [step.missed_ms for step in steps] == [None, 0, None]
    assert [each.open_ms for each in steps[2].candles] == [FIVE_MS]


def test_a_break_spoils_the_running_candle_only() -> None:
    builder = CandleBuilder("5m")
    builder.take(candle(0, 10))
    builder.broken()
    steps = [builder.take(candle(number, 10)) for number in range(2, 10)]
    assert [step.missed_ms for step in steps] == [None, None, 0, *[None] * 5]
    assert [each.open_ms for each in closed(steps)] == [FIVE_MS]


def test_a_part_that_comes_late_is_passed_over() -> None:
    builder = CandleBuilder("5m")
    builder.take(candle(5, 10))
    assert builder.take(candle(4, 99)) == Built()


def test_trades_are_closed_by_a_trade_of_the_next_minute_only() -> None:
    builder = CandleBuilder("1m")
    builder.trade(traded(1, MINUTE_MS - 1))  # of a minute that began before us
    builder.trade(traded(2, MINUTE_MS, 100))
    (last,) = builder.trade(traded(3, 2 * MINUTE_MS - 1, 120)).candles
    assert (last.is_closed, last.close) == (False, 120)
    ended, begun = builder.trade(traded(4, 5 * MINUTE_MS, 90)).candles
    assert (ended.is_closed, ended.open, ended.close, ended.trades) == (True, 100, 120, 2)
    assert (ended.open_ms, ended.close_ms) == (MINUTE_MS, 2 * MINUTE_MS - 1)
    assert (begun.is_closed, begun.open_ms) == (False, 5 * MINUTE_MS)


def test_the_minute_in_which_we_began_is_named_once_it_is_over() -> None:
    builder = CandleBuilder("1m")
    assert builder.trade(traded(1, 30_000)) == Built()
    assert builder.trade(traded(2, 61_000)).missed_ms == 0


def test_a_missing_trade_spoils_its_minute() -> None:
    builder = CandleBuilder("1m")
    for number, at_ms in ((1, 0), (2, MINUTE_MS), (4, MINUTE_MS + 1)):
        builder.trade(traded(number, at_ms))
    step = builder.trade(traded(5, 2 * MINUTE_MS))
    assert (step.missed_ms, [each.open_ms for each in step.candles]) == (
        MINUTE_MS,
        [2 * MINUTE_MS],
    )


def test_a_trade_told_twice_counts_once() -> None:
    builder = CandleBuilder("1m")
    builder.trade(traded(1, 0))
    builder.trade(traded(2, MINUTE_MS))
    assert builder.trade(traded(2, MINUTE_MS)) == Built()


def test_a_history_is_built_without_its_broken_beginning() -> None:
    parts = [candle(number, 10) for number in range(3, 13)]
    made = longer([*parts, candle(13, 10, is_closed=False)], "5m")
    assert [(each.open_ms, each.is_closed) for each in made] == [
        (FIVE_MS, True),
        (2 * FIVE_MS, False),
    ]


PRICES = st.integers(1, 1000)
MINUTES = st.lists(st.lists(PRICES, min_size=1, max_size=3), min_size=5, max_size=60)


@given(MINUTES)
def test_built_candles_are_what_the_minutes_add_up_to(minutes: list[list[int]]) -> None:
    builder = CandleBuilder("5m")
    steps: list[Built] = []
    finals: list[Candle] = []
    for number, prices in enumerate(minutes):
        for place, price in enumerate(prices):
            is_last = place == len(prices) - 1
            part = attrs.evolve(
                candle(number, price, is_closed=is_last), high=Decimal(max(prices))
            )
            steps.append(builder.take(part))
            if is_last:
                finals.append(part)
    fives = [finals[n : n + 5] for n in range(0, len(finals) // 5 * 5, 5)]
    assert [
        (c.open, c.high, c.low, c.close, c.volume_base, c.trades) for c in closed(steps)
    ] == [
        (
            five[0].open,
            max(each.high for each in five),
            min(each.low for each in five),
            five[-1].close,
            sum(each.volume_base for each in five),
            sum(each.trades for each in five),
        )
        for five in fives
    ]


@given(st.lists(st.integers(0, 90_000), min_size=1, max_size=80))
def test_trades_make_the_minutes_they_fall_into(waits: list[int]) -> None:
    """Whole minutes only, each closed once, and by a later trade (R-26)."""
    builder = CandleBuilder("1m")
    at_ms, times, minutes = 0, list[int](), list[Candle]()
    for number, wait_ms in enumerate(waits, 1):
        at_ms += wait_ms
        times.append(at_ms)
        minutes += closed([builder.trade(traded(number, at_ms))])
        assert all(each.close_ms < at_ms for each in minutes)
    first, last = times[0] // MINUTE_MS, times[-1] // MINUTE_MS
    counted = dict.fromkeys(sorted({each // MINUTE_MS for each in times}), 0)
    for each in times:
        counted[each // MINUTE_MS] += 1
    assert {each.open_ms // MINUTE_MS: each.trades for each in minutes} == {
        minute: count for minute, count in counted.items() if first < minute < last
    }


@given(
    st.lists(st.booleans(), min_size=30, max_size=60),
    st.integers(0, 25),
)
def test_no_candle_with_a_missing_part_is_ever_shown(
    is_told: list[bool], breaks_at: int
) -> None:
    builder = CandleBuilder("5m")
    built: list[Built] = []
    for number, told in enumerate(is_told):
        if number == breaks_at or not told:
            builder.broken()
        if number != breaks_at and told:
            built.append(builder.take(candle(number, 10)))
    missing = {n for n, told in enumerate(is_told) if not told or n == breaks_at}
    for each in closed(built):
        parts = range(each.open_ms // MINUTE_MS, each.open_ms // MINUTE_MS + 5)
        assert missing.isdisjoint(parts)
        assert each.trades == 5
