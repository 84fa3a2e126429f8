"""The wait before a reconnect."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.pure.backoff import reconnect_delay_s

delay_s = partial(reconnect_delay_s, initial_s=1.0, max_s=30.0, multiplier=2.0)


def test_five_attempts_double_from_one_second() -> None:
    waits = [delay_s(attempt, jitter=0.1, unit=0.5) for attempt in range(1, 6)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_the_bound_holds_from_the_sixth_attempt_on() -> None:
    waits = [delay_s(attempt, jitter=0.0, unit=0.9) for attempt in (6, 7, 10_000)]
    assert waits == [30.0, 30.0, 30.0]


@pytest.mark.parametrize(("unit", "wait_s"), [(0.0, 0.9), (0.5, 1.0), (0.75, 1.05)])
def test_jitter_spreads_to_both_sides(unit: float, wait_s: float) -> None:
    assert delay_s(1, jitter=0.1, unit=unit) == pytest.approx(wait_s)


def test_full_jitter_reaches_nothing() -> None:
    assert delay_s(3, jitter=1.0, unit=0.0) == 0.0


@given(st.integers(1, 100), st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_no_wait_leaves_its_band(attempt: int, jitter: float, unit: float) -> None:
    middle_s = min(30.0, 2.0 ** (attempt - 1))
    wait_s = delay_s(attempt, jitter=jitter, unit=unit)
    assert abs(wait_s - middle_s) <= middle_s * jitter + 1e-9


def test_attempts_count_from_one() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        delay_s(0, jitter=0.1, unit=0.5)
