"""Counts the engine's steps, and ends tasks and processes at the step that was drawn.

A crash goes the way of `Cancelled`, into a task parked at a cancel point, so that every
promise of Trio's primitives holds. Throwing into a coroutine at its resumption would reach
states that Trio cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final, NoReturn

import attrs
import trio

LOOK_STEPS: Final = 200_000  # so many without simulated time going on are a livelock

LIFE: ContextVar[int] = ContextVar("LIFE", default=0)  # of the process a task belongs to


class Crashed(Exception):
    """An actor's task was made to fail."""


@attrs.define(eq=False)
class Shot:
    """Something to be done after so many more steps of the engine."""

    steps: int
    fire: Callable[[], None]
    is_at_order: bool


@attrs.define(eq=False)
class Assassin(trio.abc.Instrument):
    """The instrument of one run."""

    life: int = 0  # the process that is alive; 0 is none
    steps: int = 0
    all_steps: int = 0  # those of the world, too
    shots: list[Shot] = attrs.Factory(list[Shot])
    on_livelock: Callable[[str], None] = print  # who runs and runs while time stands still
    _looked_at_s: float = -1.0

    def aim(self, shot: Shot) -> None:
        self.shots.append(shot)

    def order_left(self) -> None:
        """Start the count of the shots that wait for an order."""
        for shot in self.shots:
            shot.is_at_order = False

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.all_steps += 1
        if self.all_steps % LOOK_STEPS == 0:
            self._look_for_livelock(task)
        if not self.life or task.context.get(LIFE, 0) != self.life:
            return
        self.steps += 1
        if not self.shots:
            return
        due: list[Shot] = []
        for shot in self.shots:
            if not shot.is_at_order:
                shot.steps -= 1
                if shot.steps < 0:
                    due.append(shot)
        for shot in due:
            self.shots.remove(shot)
            shot.fire()

    def _look_for_livelock(self, task: trio.lowlevel.Task) -> None:
        now_s = trio.current_time()
        if now_s == self._looked_at_s:
            self.on_livelock(task.name)
        self._looked_at_s = now_s


def tasks_below(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    """Return a task and all that its nurseries hold, in the order of their making."""
    yield task
    for nursery in task.child_nurseries:
        for child in sorted(nursery.child_tasks, key=_counter):
            yield from tasks_below(child)


def is_parked(task: trio.lowlevel.Task) -> bool:
    """Tell whether the task waits where a cancellation could reach it."""
    hidden: Any = task
    return hidden._abort_func is not None


def crash(task: trio.lowlevel.Task, text: str) -> None:
    """Let a parked task raise, as if it were cancelled with another exception."""

    def raise_crash() -> NoReturn:
        raise Crashed(text)

    hidden: Any = task
    hidden._attempt_abort(raise_crash)


def _counter(task: trio.lowlevel.Task) -> int:
    hidden: Any = task
    return hidden._counter
