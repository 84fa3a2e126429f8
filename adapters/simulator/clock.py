"""The simulator's clock: Unix time that runs on Trio's clock, real or mocked."""

from __future__ import annotations

import time

import trio


class SimulatorClock:
    """Unix milliseconds; steps of the machine's wall clock do not reach it."""

    def __init__(self, unix_ms: int) -> None:
        """Let it be `unix_ms` now; make it inside `trio.run`."""
        self._began_s = trio.current_time()
        self._unix_ms = unix_ms

    def elapsed_s(self) -> float:
        return trio.current_time() - self._began_s

    def now_ms(self) -> int:
        return self._unix_ms + round(self.elapsed_s() * 1000)

    def unix_s(self, at_ms: int) -> float:
        """Return when, on Trio's clock, it will be `at_ms`."""
        return self._began_s + (at_ms - self._unix_ms) / 1000


def wall_clock() -> SimulatorClock:
    """Return a clock that starts at this machine's time."""
    return SimulatorClock(time.time_ns() // 1_000_000)
