"""Look whether the lives of one supervisor move, are healthy, and end when told.

Liveness is progress, not a flag (R-33): a life whose own work is due and does not move
is ended. One task for all children, so that ten thousand bots cost one timer. It may be
late by a tenth of `progress_s`, never early. A sender that waits for another actor's
full mailbox is not to blame; that reader is, and has its own look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import trio

from actors.errors import NoProgress
from actors.messages.supervision import Event, State, Transition
from actors.seat import Seat

Report = Callable[[Transition], None]

LOOKS_PER_DEADLINE = 10
SEATS_PER_SLICE = 500  # looked at before others may run


async def watch(seats: Sequence[Seat], report: Report) -> None:
    """Look at every life from time to time, until cancelled."""
    deadlines_s = [seat.child.progress_s for seat in seats]
    every_s = min(deadlines_s, default=30.0) / LOOKS_PER_DEADLINE
    while True:
        await trio.sleep(every_s)
        for first in range(0, len(seats), SEATS_PER_SLICE):
            now_s = trio.current_time()
            for seat in seats[first : first + SEATS_PER_SLICE]:
                _look_at(seat, report, now_s)
            await trio.lowlevel.checkpoint()


def doom(seat: Seat, reason: Exception) -> bool:
    """End the present life as if it had raised `reason`; False when there is none."""
    scope = seat.scope
    if scope is None or not seat.is_alive or scope.cancel_called:
        return False
    seat.doom = reason
    scope.cancel()
    return True


def note_health(seat: Seat, report: Report, now_s: float) -> None:
    """Forget the failures of a life that proved itself."""
    proven = seat.breaker.healthy(health_s=now_s - seat.since_s, units=seat.units())
    if proven is not seat.breaker:
        seat.breaker = proven
        report(seat.told(Event.HEALTHY, proven.state, now_s))


def note_late(seat: Seat, report: Report, now_s: float) -> None:
    """Say once that a life told to end does not."""
    if seat.is_occupied and seat.late_at_s != math.inf:
        seat.late_at_s = math.inf
        state = seat.breaker.state
        report(seat.told(Event.OVERRAN, state, now_s, delay_s=seat.stop_s))


def _look_at(seat: Seat, report: Report, now_s: float) -> None:
    scope, breaker = seat.scope, seat.breaker
    if scope is None:
        return
    if scope.cancel_called:
        _look_at_end(seat, report, now_s)
    elif breaker.state is State.RUNNING:
        if breaker.consecutive:
            note_health(seat, report, now_s)
        if seat.is_stuck(now_s):
            doom(seat, NoProgress(f"no progress for {seat.child.progress_s:g} s"))


def _look_at_end(seat: Seat, report: Report, now_s: float) -> None:
    if seat.late_at_s is None:
        seat.late_at_s = now_s + seat.stop_s
    if seat.is_alive and now_s >= seat.late_at_s:
        note_late(seat, report, now_s)
