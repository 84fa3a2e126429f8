"""Lets one actor have no turn for a while, as if it were busy: its runnable tasks wait.

Whatever would cancel it, or let it fail, is heard when it has turns again; so a stall ends
early where its process dies or is told to stop, where one of its tasks is made to fail, and
with the last fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs
import trio

from tests.simulation.loop import JumpingClock, call_at, trio_run


@attrs.define(eq=False)
class Stalls:
    """At most one actor that has no turn; it lies in the memory of a run that may fork."""

    _root: trio.lowlevel.Task | None = None
    _held: list[trio.lowlevel.Task] = attrs.Factory(list[trio.lowlevel.Task])
    _number: int = 0  # of the stall

    def begin(self, root: trio.lowlevel.Task, duration_s: float) -> None:
        """Let a task and all below it have no turn from now on; one stall ends another."""
        self.release()
        self._root, self._number = root, self._number + 1
        _clock().sift = self.sift
        call_at(trio.current_time() + duration_s, partial(self._end, self._number))

    def sift(self, batch: Sequence[trio.lowlevel.Task]) -> list[trio.lowlevel.Task]:
        """Return the tasks that may run now; keep the others."""
        free: list[trio.lowlevel.Task] = []
        for task in batch:
            (self._held if self.holds(task) else free).append(task)
        return free

    def holds(self, task: trio.lowlevel.Task) -> bool:
        """Tell whether a task belongs to the actor that has no turn."""
        each: trio.lowlevel.Task | None = task
        while each is not None:
            if each is self._root:
                return True
            nursery = each.parent_nursery
            each = nursery.parent_task if nursery is not None else None
        return False

    def release(self) -> None:
        """Give turns again, at once."""
        if self._root is None:
            return
        self._root, _clock().sift = None, None
        runner: Any = trio_run.GLOBAL_RUN_CONTEXT.runner
        runner.runq.extend(self._held)
        self._held.clear()

    def _end(self, number: int) -> None:
        if number == self._number:
            self.release()


def _clock() -> JumpingClock:
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, JumpingClock)
    return clock
