"""This machine's clocks, in the units that the port promises."""

from __future__ import annotations

import time

import pytest

from adapters.clock import SystemClock


def test_the_wall_clock_is_in_unix_milliseconds() -> None:
    assert SystemClock().now_ms() == pytest.approx(time.time() * 1000, abs=1000)


def test_the_clocks_since_boot_only_go_forward() -> None:
    clock = SystemClock()
    before = clock.awake_s(), clock.elapsed_s()
    time.sleep(0.002)
    after = clock.awake_s(), clock.elapsed_s()
    assert all(late > early for early, late in zip(before, after, strict=True))


def test_time_asleep_is_never_negative() -> None:
    """Read in the other order, the pause between the two reads would count as sleep."""
    clock = SystemClock()
    awake_s = clock.awake_s()
    assert clock.elapsed_s() >= awake_s


def test_without_a_clock_that_counts_sleep_the_other_one_stands_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    clock = SystemClock()
    assert clock.elapsed_s() == pytest.approx(clock.awake_s(), abs=0.5)
