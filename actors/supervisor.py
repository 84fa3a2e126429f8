"""Keep actors alive: start them in order, restart them, break the circuit, stop them.

A supervisor is itself an actor, so trees are made by nesting:

    bots = Supervisor("bots", [...], report=report, random=random, start_together=True)
    root = Supervisor("", [Child("journal", ...), Child("bots", bots.run)], ...)

Starting goes from top to bottom, each child when the one above is ready. A child that is
not there to carry others (its policy says "stop" or "retry") holds up the boot only until
its circuit opens, so that one venue or one bot cannot keep the fleet from starting; a
child that escalates holds it up until it is ready, because those below need it.

Stopping goes from bottom to top, each child within its deadline. A child that overruns is
reported and the next one is told; Trio cannot kill it, so the supervisor ends only when
it does, and the fleet's hard limit is the end of the process. Nothing starts in a tree
that stops, but a child whose goodbye matters and who had crashed: it begins one more life.

Survived: any Exception of a child, by the policy of `pure/breaker.py`. Not survived: a
broken invariant, KeyboardInterrupt, SystemExit. `Cancelled` is never a failure. A child
that is a bulkhead, a supervisor itself, keeps even a broken invariant from its neighbours:
it has failed for good and they go on, until the last of them fails.
A restart of a supervisor forgets its children's failures, not what an operator stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import trio

from actors.errors import ActorReturned, Escalated, is_beyond_restart, nobody_left
from actors.messages.supervision import Event, State, Transition
from actors.ports import Random
from actors.pure.breaker import Breaker, Exhausted
from actors.pure.error_text import error_text
from actors.seat import Child, Readiness, Seat
from actors.tree import Tree, place
from actors.watchdog import note_health, note_late, watch

__all__ = ["Child", "Supervisor"]

STOP_MARGIN_S = 1.0  # for a supervisor to end after its last child
BULKHEADS_S = 10.0  # that a boot waits for them: one that hangs holds up no other


class Supervisor(Tree):
    """The life and death of some children. `run` is its body, as of any actor."""

    def __init__(
        self,
        path: str,
        children: Sequence[Child],
        *,
        report: Callable[[Transition], None],  # called, never awaited
        random: Random,
        strategy: Literal["one_for_one"] = "one_for_one",
        start_together: bool = False,  # then they stop together, too
    ) -> None:
        if len({child.name for child in children}) < len(children):
            raise ValueError(f"two children of {path or 'the root'} have one name")
        self.path = path
        self.strategy = strategy
        super().__init__([place(path, child, STOP_MARGIN_S) for child in children])
        self._report = report
        self._random = random
        self._start_together = start_together
        self._nursery: trio.Nursery | None = None
        self._is_stopping = False
        self._pending: set[Seat] = set()  # whom the boot, or the stop, waits for
        self._settled = trio.Event()
        self._ended = trio.Event()
        self.escalated: Escalated | None = None
        has_bulkheads = any(child.is_bulkhead for child in children)
        self._boot_s = BULKHEADS_S if has_bulkheads else math.inf

    async def run(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Keep the children alive until cancelled, or until one cannot be kept alive.

        Raises:
          Escalated: after the others were stopped in order. In a group if a child broke
            an invariant while it was being stopped, so catch it with `except*`.
        """
        self._is_stopping, self.escalated = False, None
        self._ended = trio.Event()
        for seat in self._seats:
            seat.breaker = Breaker(seat.child.policy)
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                nursery.start_soon(watch, self._seats, self._report)
                await self._start_all()
                if not self._ended.is_set():
                    task_status.started()
                await self._ended.wait()
            finally:
                self._is_stopping = True
                with trio.move_on_after(self.stop_s + STOP_MARGIN_S, shield=True):
                    await self._stop_all()
                nursery.cancel_scope.cancel()
                self._nursery = None
        if self.escalated is not None:
            raise self.escalated from self.escalated.error

    @property
    def stop_s(self) -> float:
        """The longest orderly stop of all children."""
        budgets = [seat.stop_s for seat in self._seats]
        return max(budgets, default=0.0) if self._start_together else sum(budgets)

    def start_now(self, seat: Seat) -> bool:
        """Begin a life, unless there is one; cut short a wait for the next one."""
        if self._nursery is None or self._is_stopping:
            return False
        if seat.is_alive and seat.breaker.state is not State.STOPPING:
            return False
        seat.breaker = seat.breaker.reset()
        if not seat.is_occupied:
            self._occupy(seat)
        elif not seat.is_alive and seat.scope is not None:
            seat.breaker = seat.breaker.stopped()
            seat.scope.cancel()
        return True

    def tell_to_stop(self, seat: Seat) -> bool:
        """End the life in this seat, or the wait for the next; do not wait for it."""
        return seat.tell_to_stop(self._report)

    def note_ready(self, seat: Seat) -> None:
        """Let the boot go on; from here the watchdog judges this life."""
        old = seat.breaker.state
        if old is State.RUNNING:
            raise RuntimeError(f"{seat.path} called started() twice")
        if seat.scope is None or seat.scope.cancel_called:
            return  # too late: this life is ending
        seat.scope.deadline = math.inf
        seat.since_s = trio.current_time()
        seat.breaker = seat.breaker.ready()
        self._report(seat.told(Event.READY, old, seat.since_s))
        if seat.is_leaving:
            self.tell_to_stop(seat)
        else:
            self._settle(seat)

    async def _start_all(self) -> None:
        await trio.lowlevel.checkpoint()
        wanted = [seat for seat in self._seats if seat.is_wanted]
        together = [wanted] if wanted else []
        for batch in together if self._start_together else [[seat] for seat in wanted]:
            self._pending, self._settled = set(batch), trio.Event()
            for seat in batch:  # an operator may have been faster with this one
                if seat.breaker.state is State.RUNNING:
                    self._settle(seat)
                elif not seat.is_occupied:
                    self._occupy(seat)
            with trio.move_on_after(self._boot_s):
                await self._settled.wait()
            if self._ended.is_set():
                return

    async def _stop_all(self) -> None:
        await trio.lowlevel.checkpoint()  # inside the shield of `run`
        seats = self._seats[::-1]
        for batch in [seats] if self._start_together else [[seat] for seat in seats]:
            self._pending = {seat for seat in batch if seat.is_occupied}
            self._settled = trio.Event()
            if not self._pending:
                continue
            for seat in batch:
                seat.take_leave(self._report)
            with trio.move_on_after(max(seat.stop_s for seat in batch)):
                await self._settled.wait()
            for seat in batch:
                note_late(seat, self._report, trio.current_time())

    def _occupy(self, seat: Seat) -> None:
        if self._nursery is not None:
            seat.is_occupied = True
            self._nursery.start_soon(self._keep_alive, seat, name=seat.path)

    async def _keep_alive(self, seat: Seat) -> None:
        """Live, wait, live again. One task, so that no two lives ever overlap (I-24)."""
        seat.task = trio.lowlevel.current_task()
        try:
            while (delay_s := await self._live(seat)) is not None and not seat.is_leaving:
                with trio.move_on_after(delay_s, shield=True) as seat.scope:
                    await trio.sleep_forever()
        finally:
            self._vacate(seat)

    async def _live(self, seat: Seat) -> float | None:
        """Live once; return the wait before the next life, or None after the last."""
        if seat.child.has_goodbye:  # it may live once more though all is cancelled
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await trio.lowlevel.checkpoint()
        if not seat.may_live(is_stopping=self._is_stopping):
            return None
        child, old = seat.child, seat.breaker.state
        now_s = trio.current_time()
        scope = seat.begin(now_s)
        self._report(seat.told(Event.STARTING, old, now_s))
        raised = None
        try:
            with scope:
                await child.run(task_status=Readiness(self.note_ready, seat))
                if child.is_permanent and not scope.cancel_called:
                    raise ActorReturned(f"{seat.path} came back without crashing")
        except Exception as error:  # noqa: BLE001 -- the one place that outlives errors
            raised = error
        return self._judge(seat, scope, raised)

    def _judge(
        self, seat: Seat, scope: trio.CancelScope, raised: Exception | None
    ) -> float | None:
        seat.end()
        old, now_s = seat.breaker.state, trio.current_time()
        if raised is not None and seat.contains(raised):
            seat.breaker = seat.breaker.broken()
            return self._contain(seat, old, raised)
        if raised is not None and is_beyond_restart(raised):
            seat.breaker = seat.breaker.broken()
            return self._escalate(seat, old, raised)
        if old is State.STOPPING:
            seat.breaker = seat.breaker.stopped()
            said = error_text(raised) if raised is not None else ""
            self._report(seat.told(Event.STOPPED, old, now_s, error=said))
            return 0.0  # an operator may have started it again meanwhile
        if raised is None and not scope.cancel_called:
            seat.breaker = seat.breaker.stopped()
            self._report(seat.told(Event.FINISHED, old, now_s))
            return None
        return self._count(seat, seat.verdict(scope, raised))

    def _count(self, seat: Seat, error: Exception) -> float | None:
        """Count a failure by the policy; return what it says about the next life."""
        old, now_s = seat.breaker.state, trio.current_time()
        note_health(seat, self._report, now_s)
        seat.breaker, decision = seat.breaker.failed(now_s, self._random.random())
        if isinstance(decision, Exhausted) and decision.then == "escalate":
            return self._escalate(seat, old, error)
        seat.error = error_text(error)
        seat.close_door()
        self._report(
            seat.told(Event.FAILED, old, now_s, error=seat.error, delay_s=decision.delay_s)
        )
        policy = seat.breaker.policy
        is_broken = seat.breaker.consecutive >= min(
            policy.threshold, policy.max_consecutive
        )
        if is_broken and policy.on_exhausted != "escalate":
            self._settle(seat)
        return decision.delay_s

    def _contain(self, seat: Seat, old: State, error: Exception) -> None:
        """Leave a bulkhead FAILED and its neighbours alive; without any, escalate."""
        walls = [each for each in self._seats if each.child.is_bulkhead]
        if all(each.breaker.state is State.FAILED for each in walls):
            self._escalate(seat, old, nobody_left(seat.path, error))
            return
        seat.error = error_text(error)
        now_s = trio.current_time()
        self._report(seat.told(Event.FAILED, old, now_s, error=seat.error))

    def _escalate(self, seat: Seat, old: State, error: Exception) -> None:
        """End this supervisor; its own supervisor decides what happens next."""
        seat.error = error_text(error)
        now_s = trio.current_time()
        self._report(seat.told(Event.ESCALATED, old, now_s, error=seat.error))
        if self.escalated is not None:
            return
        self.escalated = Escalated(seat.path, error)
        if self._is_stopping:
            raise self.escalated from error
        self._ended.set()
        self._settled.set()

    def _vacate(self, seat: Seat) -> None:
        old = seat.breaker.state
        if seat.is_alive or seat.breaker.next_try_s is not None:
            # Nothing starts in a tree that stops; or KeyboardInterrupt is passing through.
            seat.end()
            seat.breaker = seat.breaker.stopped()
            self._report(seat.told(Event.STOPPED, old, trio.current_time()))
        seat.is_occupied, seat.is_leaving, seat.task, seat.scope = False, False, None, None
        self._settle(seat)

    def _settle(self, seat: Seat) -> None:
        self._pending.discard(seat)
        if not self._pending:
            self._settled.set()
