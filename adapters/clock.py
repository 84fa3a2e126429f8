"""Read the clocks of this machine."""

from __future__ import annotations

import time


class SystemClock:
    """The wall clock, and the two that count since boot (`actors.ports.WallClock`)."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def awake_s(self) -> float:
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def elapsed_s(self) -> float:
        # macOS has no CLOCK_BOOTTIME: there a suspend shows as a step of the wall clock.
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
