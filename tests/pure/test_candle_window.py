"""Closed candles: final by the venue's word only, without holes, whatever comes late."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Candle
from actors.pure.candle_window import CandleStep, CandleWindow

MINUTE_MS = 60_000
ONE = Decimal(1)


def candle(number: int, *, is_closed: bool = True, close: int = 1) -> Candle:
    open_ms = number * MINUTE_MS
    return Candle(
        "binance",
        "BTC/USDT",
        "1m",
        open_ms,
        open_ms + MINUTE_MS - 1,
        ONE,
        ONE,
        ONE,
        Decimal(close),
        ONE,
        ONE,
        1,
        is_closed,
    )


def closed(*numbers: int) -> list[Candle]:
    return [candle(number) for number in numbers]


def numbers(candles: Sequence[Candle]) -> list[int]:
    return [each.open_ms // MINUTE_MS for each in candles]


def loaded(*history: int, depth: int = 5) -> CandleWindow:
    window = CandleWindow(depth)
    window.load(closed(*history))
    return window


def test_the_first_history_is_no_news() -> None:
    window = CandleWindow(5)
    assert (window.load(closed(1, 2, 3)), numbers(window.candles)) == ((), [1, 2, 3])


def test_a_candle_is_final_by_the_venues_flag_only() -> None:
    """R-26: however old the running candle is, it stays the running one."""
    window = loaded(1, 2)
    running = candle(3, is_closed=False)
    assert window.take(running) is CandleStep.RUNNING
    assert (numbers(window.candles), window.running) == ([1, 2], running)
    assert window.take(candle(3)) is CandleStep.CLOSED
    assert (numbers(window.candles), window.running) == ([1, 2, 3], None)


def test_a_candle_whose_end_was_not_heard_is_closed_by_history() -> None:
    window = loaded(1, 2)
    window.take(candle(3, is_closed=False))
    assert window.take(candle(4, is_closed=False)) is CandleStep.HOLE
    assert numbers(window.candles) == [1, 2]
    new = window.load([*closed(1, 2, 3), candle(4, is_closed=False)])
    assert (numbers(new), numbers(window.candles)) == ([3], [1, 2, 3])


def test_a_closed_candle_told_again_is_old() -> None:
    window = loaded(1, 2, 3)
    assert window.take(candle(3, close=9)) is CandleStep.OLD
    assert window.candles[-1].close == ONE


def test_a_hole_of_closed_candles_is_filled_and_told_in_order() -> None:
    window = loaded(1, 2)
    assert window.take(candle(5)) is CandleStep.HOLE
    assert not window.is_loaded
    assert numbers(window.load(closed(1, 2, 3, 4, 5))) == [3, 4, 5]
    assert numbers(window.candles) == [1, 2, 3, 4, 5]


def test_a_history_that_comes_late_keeps_what_the_stream_has_closed_since() -> None:
    window = loaded(1, 2)
    window.take(candle(3))
    assert window.load(closed(1, 2)) == ()
    assert (numbers(window.candles), window.is_loaded) == ([1, 2, 3], True)


def test_a_history_that_ends_before_the_window_begins_is_of_no_use() -> None:
    window = loaded(7, 8)
    window.is_loaded = False
    assert window.load(closed(1, 2, 3)) == ()
    assert (numbers(window.candles), window.is_loaded) == ([7, 8], False)


def test_a_history_that_does_not_reach_back_replaces_the_window() -> None:
    window = loaded(1, 2)
    assert numbers(window.load(closed(9, 10))) == [9, 10]
    assert numbers(window.candles) == [9, 10]


def test_the_window_keeps_its_depth() -> None:
    window = loaded(1, 2, 3, 4, 5, 6, 7, depth=3)
    window.take(candle(8))
    assert numbers(window.candles) == [6, 7, 8]


def test_a_deeper_history_reaches_further_back() -> None:
    window = loaded(4, 5, depth=2)
    window.depth = 4
    assert window.load(closed(2, 3, 4, 5)) == ()
    assert numbers(window.candles) == [2, 3, 4, 5]


def test_the_running_candle_of_the_stream_outlives_an_older_history() -> None:
    window = loaded(1, 2)
    running = candle(3, is_closed=False, close=7)
    window.take(running)
    window.load([*closed(1, 2), candle(3, is_closed=False, close=5)])
    assert window.running == running


def test_a_running_candle_that_history_has_closed_is_gone() -> None:
    window = loaded(1, 2)
    window.take(candle(3, is_closed=False))
    window.load(closed(1, 2, 3))
    assert (numbers(window.candles), window.running) == ([1, 2, 3], None)


def test_a_symbol_without_any_closed_candle_begins_with_the_running_one() -> None:
    window = CandleWindow(5)
    window.load([candle(1, is_closed=False)])
    steps = [window.take(candle(1, is_closed=False)), window.take(candle(1))]
    assert steps == [CandleStep.RUNNING, CandleStep.CLOSED]
    assert numbers(window.candles) == [1]


def test_before_any_history_every_candle_asks_for_one() -> None:
    assert CandleWindow(5).take(candle(1)) is CandleStep.HOLE


def test_a_hole_in_the_venues_own_history_is_no_hole_of_ours() -> None:
    """The venue was closed for maintenance: its running candle follows candle 2."""
    window = CandleWindow(5)
    window.load([*closed(1, 2), candle(60, is_closed=False)])
    assert window.take(candle(60, is_closed=False)) is CandleStep.RUNNING
    assert window.take(candle(60)) is CandleStep.CLOSED
    assert numbers(window.candles) == [1, 2, 60]


@given(st.data())
def test_whatever_is_lost_the_window_has_no_hole_and_tells_each_candle_once(
    data: st.DataObject,
) -> None:
    """The stream loses candles at random; each HOLE loads the venue's true history."""
    window = loaded(0)
    told: list[int] = []
    for number in range(1, data.draw(st.integers(2, 30))):
        for is_closed in (False, True):
            if data.draw(st.booleans()):
                continue  # this frame is lost
            step = window.take(candle(number, is_closed=is_closed))
            if step is CandleStep.CLOSED:
                told.append(number)
            elif step is CandleStep.HOLE:
                known = range(max(0, number - 5), number + is_closed)
                history = [*closed(*known)]
                if not is_closed:
                    history.append(candle(number, is_closed=False))
                told += numbers(window.load(history))
        shown = numbers(window.candles)
        assert shown == list(range(shown[0], shown[0] + len(shown)))
    assert told == sorted(set(told))
