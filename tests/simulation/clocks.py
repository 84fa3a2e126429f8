"""The clocks of engine and exchange: they run with simulated time, and may be wrong."""

from __future__ import annotations

from typing import Final

import attrs
import trio

from adapters.simulator.clock import SimulatorClock

AWAKE_S: Final = 1000.0  # of the machine, when a run begins
UNIX_MS: Final = 1_790_000_000_000  # of the venue, when a run begins


@attrs.frozen
class Step:
    """A jump of the wall clock that somebody made."""

    awake_s: float  # when
    by_ms: int


class MachineClock:
    """Implements `actors.ports.WallClock`."""

    def __init__(self, unix_ms: int, skew_ms: int) -> None:
        self.ahead_ms = skew_ms
        self.slept_s = 0.0
        self.steps: list[Step] = []
        self._unix_ms = unix_ms
        self._began_s = trio.current_time()

    def now_ms(self) -> int:
        elapsed_s = trio.current_time() - self._began_s
        return self._unix_ms + self.ahead_ms + round(elapsed_s * 1000)

    def step(self, by_ms: int) -> None:
        """Let the wall clock jump, and remember it."""
        self.ahead_ms += by_ms
        self.steps.append(Step(self.awake_s(), by_ms))

    def awake_s(self) -> float:
        return AWAKE_S + trio.current_time()

    def elapsed_s(self) -> float:
        return self.awake_s() + self.slept_s


class VenueClock(SimulatorClock):
    """The exchange's clock: it goes on while the engine's machine sleeps."""

    def __init__(self, unix_ms: int) -> None:
        super().__init__(unix_ms)
        self.skipped_s = 0.0

    def now_ms(self) -> int:
        return super().now_ms() + round(self.skipped_s * 1000)

    def unix_s(self, at_ms: int) -> float:
        return super().unix_s(at_ms) - self.skipped_s
