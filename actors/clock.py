"""Watch time itself: the venues' offsets, steps of the wall clock, and suspends.

[clock] --ClockStepped (latest)--> feeds, accounts
[clock] --Record----------------> journal

After a step or a sleep nothing known before is fresh: feeds reconnect, accounts
reconcile, and every offset is measured at once, because requests are signed with it (D-6,
R-29). A venue that does not answer is asked again; that crashes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import ClockMeasured, ClockStepped
from actors.ports import Market, VenueError, WallClock
from actors.records import JournalWish, note

LOOK_S = 1.0
STEP_MS_MAX = 1_000  # wall against monotonic, between two looks
SLEEP_MS_MAX = 1_000  # boot time against monotonic
MEASURE_EVERY_S = 600.0
MEASURE_RETRY_S = 15.0
MEASURE_S = 15.0


async def run_clock(
    wall: WallClock,
    markets: Mapping[str, Market],
    readers: Sequence[Mailbox[Any]],
    journal: Mailbox[JournalWish],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Compare the clocks every second and measure every venue's offset until cancelled."""
    steps = _Steps()
    async with trio.open_nursery() as nursery:
        for exchange, market in markets.items():
            nursery.start_soon(_keep_measured, exchange, market, journal, steps)
        task_status.started()
        seen = Reading.of(wall)
        while True:
            await trio.sleep(LOOK_S)
            now = Reading.of(wall)
            stepped = judge_step(seen, now, trio.current_time())
            seen = now
            if stepped is not None:
                steps.tell()
                for reader in readers:
                    reader.latest("clock", stepped)


@attrs.define(eq=False)
class _Steps:
    """Wakes those who must measure again."""

    next: trio.Event = attrs.Factory(trio.Event)

    def tell(self) -> None:
        self.next.set()
        self.next = trio.Event()


@attrs.frozen
class Reading:
    """Three clocks read at one moment, in milliseconds."""

    wall_ms: int
    awake_ms: int
    elapsed_ms: int

    @classmethod
    def of(cls, wall: WallClock) -> Reading:
        return cls(wall.now_ms(), int(wall.awake_s() * 1e3), int(wall.elapsed_s() * 1e3))


def judge_step(before: Reading, now: Reading, at_s: float) -> ClockStepped | None:
    """Return the jump between two readings, or None when the clocks agree."""
    awake_ms = now.awake_ms - before.awake_ms
    slept_ms = now.elapsed_ms - before.elapsed_ms - awake_ms
    if slept_ms > SLEEP_MS_MAX:
        return ClockStepped(slept_ms, at_s, f"the machine slept for {slept_ms / 1e3:.1f} s")
    jump_ms = now.wall_ms - before.wall_ms - awake_ms
    if abs(jump_ms) > STEP_MS_MAX:
        return ClockStepped(
            jump_ms, at_s, f"the wall clock jumped by {jump_ms / 1e3:+.1f} s"
        )
    return None


async def _keep_measured(
    exchange: str, market: Market, journal: Mailbox[JournalWish], steps: _Steps
) -> None:
    while True:
        next_step = steps.next
        measured = await _measure(exchange, market)
        if measured is not None:
            await note(journal, measured)
        with trio.move_on_after(MEASURE_EVERY_S if measured else MEASURE_RETRY_S):
            await next_step.wait()


async def _measure(exchange: str, market: Market) -> ClockMeasured | None:
    """Measure once; without an answer signing goes on with the last offset."""
    with trio.move_on_after(MEASURE_S):
        try:
            return ClockMeasured(exchange, *await market.measure_offset())
        except VenueError:
            await trio.lowlevel.checkpoint()
    return None
