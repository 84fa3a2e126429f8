"""Windows of candles where the venue tells none of quiet times."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Candle
from actors.pure.candle_window import CandleStep
from actors.pure.money import ZERO
from actors.pure.sparse_window import SparseWindow
from tests.words import candle


def loaded(*numbers: int) -> SparseWindow:
    window = SparseWindow(10)
    window.load([candle(number, number) for number in numbers])
    return window


def numbers(candles: tuple[Candle, ...]) -> list[int]:
    return [each.open_ms // 60_000 for each in candles]


def running(number: int, close: int) -> Candle:
    return candle(number, close, is_closed=False)


def flat(number: int, close: int) -> Candle:
    made = candle(number, close)
    return attrs.evolve(made, volume_base=ZERO, volume_quote=ZERO, trades=0)


def test_a_quiet_time_is_no_hole_and_is_flat() -> None:
    window = loaded(1)
    assert window.take(candle(4, 4)) is CandleStep.CLOSED
    assert window.closed_late == (flat(2, 1), flat(3, 1))
    assert window.candles == (candle(1, 1), flat(2, 1), flat(3, 1), candle(4, 4))


def test_a_long_quiet_time_fills_the_window_and_no_more() -> None:
    window = loaded(1)
    window.take(candle(1_000_000, 4))
    assert numbers(window.candles) == list(range(999_991, 1_000_001))


def test_a_later_candle_closes_the_one_before() -> None:
    window = loaded(1)
    window.take(running(2, 20))
    window.take(running(2, 21))
    assert window.take(running(5, 50)) is CandleStep.RUNNING
    assert window.closed_late == (candle(2, 21), flat(3, 21), flat(4, 21))
    assert window.candles == (candle(1, 1), *window.closed_late)
    assert window.running == running(5, 50)


def test_an_older_candle_changes_nothing() -> None:
    window = loaded(1)
    window.take(running(3, 30))
    assert window.take(running(2, 20)) is CandleStep.OLD
    assert window.take(candle(1, 9)) is CandleStep.OLD
    assert window.running == running(3, 30)


def test_after_a_break_history_is_needed_and_what_came_meanwhile_is_kept() -> None:
    window = loaded(1)
    window.break_off()
    assert window.take(running(4, 40)) is CandleStep.HOLE
    assert window.take(running(4, 41)) is CandleStep.HOLE
    told = window.load([candle(1, 1), candle(3, 3), running(4, 39)])
    assert (numbers(told), window.running) == ([2, 3], running(4, 41))
    assert window.is_loaded


def test_what_the_venue_calls_final_is_not_undone_by_what_was_heard_of_it() -> None:
    window = loaded(1)
    window.break_off()
    window.take(running(4, 40))
    window.load([candle(1, 1), candle(4, 44)])
    assert window.candles[-1] == candle(4, 44)
    assert window.running is None


def test_a_history_that_does_not_tell_what_is_needed_is_too_early() -> None:
    window = loaded(1)
    window.is_loaded, window.needs_ms = False, 4 * 60_000
    assert window.load([candle(1, 1), candle(3, 3)]) == ()
    assert not window.is_loaded
    assert numbers(window.load([candle(3, 3), candle(4, 4)])) == [3, 4]
    assert window.is_loaded


def test_what_is_needed_must_be_final_if_something_later_came() -> None:
    window = loaded(1)
    window.is_loaded, window.needs_ms = False, 4 * 60_000
    window.take(running(5, 50))
    window.load([candle(1, 1), running(4, 4)])
    assert not window.is_loaded
    window.load([candle(1, 1), candle(4, 4)])
    assert numbers(window.candles) == [1, 2, 3, 4]
    assert window.running == running(5, 50)


def test_a_history_that_does_not_reach_back_replaces_the_window() -> None:
    window = loaded(1, 2)
    window.break_off()
    window.load([candle(7, 7), candle(8, 8)])
    assert numbers(window.candles) == [7, 8]


def test_it_takes_over_a_candle_that_ends_none_but_its_own() -> None:
    window = loaded(1)
    window.take(running(3, 30))
    assert window.follows(running(3, 31))
    assert not window.follows(running(4, 40))


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_closed_candles_rise_and_each_is_closed_once(steps: list[tuple[int, bool]]) -> None:
    window, number = loaded(0), 1
    closed: list[int] = []
    for forward, is_closed in steps:
        number += forward
        made = candle(number, 1, is_closed=is_closed)
        step = window.take(made)
        closed += numbers(window.closed_late)
        if step is CandleStep.CLOSED:
            closed.append(number)
    assert closed == sorted(set(closed))
    assert closed == list(range(1, len(closed) + 1))
    assert numbers(window.candles) == [0, *closed][-10:]
    assert all(each.is_closed for each in window.candles)
    assert window.running is None or window.running == attrs.evolve(
        window.running, is_closed=False
    )
