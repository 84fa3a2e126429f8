"""Trio's run loop for simulations: no waiting for I/O, time that jumps, callbacks by time.

Each turn is that of `trio._core._run.unrolled_run`: expire deadlines, sort and shuffle the
batch, step each task. What is left out is what a simulation has none of (sockets, other
instruments, guest mode). `test_loop.py` runs the same programs under both and compares.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Awaitable, Callable, Generator
from itertools import count
from operator import attrgetter
from typing import Any, Final

import trio
import trio._core._run as _trio_run
from outcome import Error, Outcome, Value
from trio._core._ki import enable_ki_protection
from trio._core._traps import CancelShieldedCheckpoint, WaitTaskRescheduled

BY_AGE: Final = attrgetter("_counter")

trio_run: Any = _trio_run  # its names are private, and watched by test_seeding.py


Hook = Callable[[trio.lowlevel.Task], None]
Sift = Callable[[list[trio.lowlevel.Task]], list[trio.lowlevel.Task]]


class Deadlock(Exception):
    """Nobody runs, and no time is set at which anybody would."""


class JumpingClock(trio.abc.Clock):
    """Time that stands still while anything runs, and then jumps to what is due next."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.timers: list[tuple[float, int, Callable[[], None]]] = []
        self.sift: Sift | None = None  # what may run of a batch; None: all of it
        self._numbers = count()

    def start_clock(self) -> None:
        pass

    def current_time(self) -> float:
        return self.now_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        raise AssertionError("only the loop of simulations may run with this clock")

    def call_at(self, at_s: float, callback: Callable[[], None]) -> None:
        """Call `callback` at `at_s`, before any task runs; it must not raise."""
        heapq.heappush(self.timers, (at_s, next(self._numbers), callback))

    def jump(self, deadline_s: float) -> None:
        """Go to the next deadline or timer, whichever comes first."""
        if self.timers:
            deadline_s = min(deadline_s, self.timers[0][0])
        if deadline_s == math.inf:
            raise Deadlock("every task waits, and nothing will ever happen")
        while self.now_s < deadline_s:  # one addition may fall short by a rounding
            self.now_s += deadline_s - self.now_s

    def call_due(self) -> None:
        """Call what is due now."""
        timers = self.timers
        while timers and timers[0][0] <= self.now_s:
            heapq.heappop(timers)[2]()


class _Wakeup:
    """Stands for Trio's socket pair: the loop looks at what was queued on every turn."""

    def __init__(self) -> None:
        self._waiting: list[trio.lowlevel.Task] = []

    async def wait_woken(self) -> None:
        def abort(_: trio.lowlevel.RaiseCancelT) -> trio.lowlevel.Abort:
            self._waiting.clear()
            return trio.lowlevel.Abort.SUCCEEDED

        self._waiting.append(trio.lowlevel.current_task())
        await trio.lowlevel.wait_task_rescheduled(abort)

    def wake(self) -> None:
        while self._waiting:
            trio.lowlevel.reschedule(self._waiting.pop())

    def wakeup_thread_and_signal_safe(self) -> None:
        pass

    def close(self) -> None:
        pass


def call_at(at_s: float, callback: Callable[[], None]) -> None:
    """Let the world do something at a time, without a task of its own."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, JumpingClock)
    clock.call_at(at_s, callback)


@enable_ki_protection
def loop(
    runner: Any,
    async_fn: Callable[..., Awaitable[Any]],
    args: Any,
    host_uses_signal_set_wakeup_fd: bool = False,
) -> Generator[float, Any, None]:
    """Stand for `unrolled_run`; yield where its host would poll, and heed no answer.

    Whatever a run has lies in its memory, so that a run may fork.
    """
    try:
        before, after = _hooks(runner)
        runner.entry_queue.wakeup.close()
        runner.entry_queue.wakeup = wakeup = _Wakeup()
        runner.init_task = runner.spawn_impl(
            runner.init, (async_fn, args), None, "<init>", system_task=True
        )
        entries, deadlines, clock = runner.entry_queue, runner.deadlines, runner.clock
        while runner.tasks:
            if entries.queue or entries.idempotent_queue:  # Ctrl-C comes this way, too
                yield 0.0
                wakeup.wake()
            if not runner.runq:
                _jump(runner)
            if clock.timers:
                clock.call_due()
            deadlines.expire(clock.now_s)
            _run_batch(runner, before, after)
    except BaseException as error:
        raise trio.TrioInternalError("in the loop") from error  # noqa: ASYNC104 -- as Trio
    finally:
        _close(runner)


def _jump(runner: Any) -> None:
    """Let time pass; without anything to wait for the main task fails."""
    try:
        runner.clock.jump(runner.deadlines.next_deadline())
    except Deadlock as error:
        runner.main_task._attempt_abort(Error(error).unwrap)


def _hooks(runner: Any) -> tuple[Hook | None, Hook | None]:
    """Return what to call before and after a step; nobody is called for anything else."""
    hooks = runner.instruments.data
    before, after = (
        next((getattr(it, name) for it in hooks.get(name, ())), None)
        for name in ("before_task_step", "after_task_step")
    )
    runner.instruments = {}
    return before, after


def _run_batch(runner: Any, before: Hook | None, after: Hook | None) -> None:
    batch = list(runner.runq)
    runner.runq.clear()
    if runner.clock.sift is not None:
        batch = runner.clock.sift(batch)
    if len(batch) > 1:
        batch.sort(key=BY_AGE)
        trio_run._r.shuffle(batch)
    context = trio_run.GLOBAL_RUN_CONTEXT
    while batch:
        context.task = task = batch.pop()
        if before is not None:
            before(task)
        _step(runner, task)
        if after is not None:
            after(task)
        del context.task, task


def _step(runner: Any, task: Any) -> None:
    """Let a task run to its next yield, and do what it asks for there."""
    send, value = task._next_send_fn, task._next_send
    task._next_send_fn = task._next_send = None
    final: Outcome[Any] | None = None
    asked: Any = None
    try:
        asked = task.context.run(send, value)
    except StopIteration as stop:
        final = Value(stop.value)
    except BaseException as error:  # noqa: BLE001, ASYNC103 -- the nursery has it
        below = error.__traceback__
        final = Error(error.with_traceback(below.tb_next if below else None))
        del below
    if final is not None:
        runner.task_exited(task, final)
        return
    task._schedule_points += 1
    if asked is CancelShieldedCheckpoint:
        runner.reschedule(task)
        return
    if type(asked) is not WaitTaskRescheduled:
        raise TypeError(f"a task asks for {asked!r}, which simulations know nothing of")
    task._cancel_points += 1
    task._abort_func = asked.abort_func
    if runner.ki_pending and task is runner.main_task:
        task._attempt_delivery_of_pending_ki()
    task._attempt_delivery_of_any_pending_cancel()


def _close(runner: Any) -> None:
    runner.close()
    trio_run.GLOBAL_RUN_CONTEXT.__dict__.clear()
    if runner.ki_pending:
        interrupt = KeyboardInterrupt()
        if isinstance(runner.main_task_outcome, Error):
            interrupt.__context__ = runner.main_task_outcome.error
        runner.main_task_outcome = Error(interrupt)
