"""One child's place under its supervisor: it outlives the lives that sit in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import trio

from actors.errors import MailboxOverfull, NotReady, is_from_below
from actors.mailbox import Mailbox, waits_for_a_reader
from actors.messages.supervision import ActorState, Event, State, Transition
from actors.pure.breaker import Breaker, Policy
from actors.pure.transition_line import next_step

DEFAULT_POLICY = Policy()
ALIVE = frozenset({State.STARTING, State.HALF_OPEN, State.RUNNING, State.STOPPING})
CLOSED = frozenset({State.OPEN, State.FAILED})
BEGINNING = frozenset({State.STARTING, State.HALF_OPEN})
LEAVE_S = 5.0  # for a life to begin that has a goodbye to say

Report = Callable[[Transition], None]


@attrs.frozen(weakref_slot=False)
class Child:
    """One actor to keep alive: its body, and the numbers that judge it.

    `run(task_status=...)` calls `started()` once it can serve, and lives until it is
    cancelled. `mailbox` is rearmed before each life and tells whether work moves; an
    actor without one is judged by its exceptions and by `healthy_s` alone.
    """

    name: str
    run: Callable[..., Awaitable[None]]
    mailbox: Mailbox[Any] | None = None
    policy: Policy = DEFAULT_POLICY
    start_s: float = 30.0
    stop_s: float = 5.0
    progress_s: float = 30.0
    is_permanent: bool = True  # False: it may return, and is then finished
    is_enabled: bool = True  # False: only an operator starts it
    is_bulkhead: bool = False  # what it cannot keep alive ends it, not its neighbours
    while_down: str = ""  # what its absence means, for the log
    left: Callable[[], str] = str  # what it leaves when it has stopped, for the log
    has_goodbye: bool = False  # so important that it begins a life to say it
    closed_code: str = ""  # with which wishes are refused while its circuit is open


@attrs.define(eq=False, weakref_slot=False)
class Seat:
    """The bookkeeping of one child. Only its supervisor writes it."""

    child: Child
    path: str
    breaker: Breaker
    is_wanted: bool
    start_s: float
    stop_s: float
    nested: object | None  # the supervisor whose body this child is
    incarnation: int = 0
    task: trio.lowlevel.Task | None = None  # that one, once it runs
    scope: trio.CancelScope | None = None  # of the present life, or of the wait
    since_s: float = 0.0  # when this life was ready; before that, when it began
    units_before: int = 0
    doom: Exception | None = None  # why the supervisor itself ends this life
    error: str = ""  # the last one
    late_at_s: float | None = None  # a life told to end is late from here; inf: said
    is_leaving: bool = False  # this life, or the next, ends once it is ready
    is_occupied: bool = False  # a task runs lives here, or waits between them

    @property
    def is_alive(self) -> bool:
        return self.breaker.state in ALIVE

    def begin(self, now_s: float) -> trio.CancelScope:
        """Begin a life; return the scope around it, which ends it when it is not ready.

        Shielded: the supervisor above may be cancelled, but this life ends in its turn.
        """
        mailbox = self.child.mailbox
        self.breaker = self.breaker.starting()
        self.incarnation += 1
        self.since_s, self.doom, self.late_at_s = now_s, None, None
        start_s = min(self.start_s, LEAVE_S) if self.is_leaving else self.start_s
        self.scope = scope = trio.CancelScope(shield=True, deadline=now_s + start_s)
        if mailbox is not None:
            mailbox.rearm()
            mailbox.reader, mailbox.closed_because = scope, ""
            self.units_before = mailbox.completed
        return scope

    def end(self) -> None:
        """Leave the seat empty, until the next life."""
        self.scope = None
        if self.child.mailbox is not None:
            self.child.mailbox.reader = None

    def tell_to_stop(self, report: Report) -> bool:
        """End the life in this seat, or the wait for the next; do not wait for it."""
        old, now_s = self.breaker.state, trio.current_time()
        if not self.is_occupied or self.scope is None or old is State.STOPPING:
            return False
        if self.is_alive:
            self.breaker = self.breaker.stopping()
            self.late_at_s = now_s + self.stop_s
            report(self.told(Event.STOPPING, old, now_s))
        else:
            self.breaker = self.breaker.stopped()
            report(self.told(Event.STOPPED, old, now_s))
        self.scope.cancel()
        return True

    def take_leave(self, report: Report) -> None:
        """Tell it to stop, as its tree does; once it is ready if its goodbye matters.

        It may have crashed a moment ago, and what its goodbye takes back is still there.
        """
        is_waiting = self.breaker.next_try_s is not None
        is_beginning = is_waiting or self.breaker.state in BEGINNING
        if self.scope is None or not (self.child.has_goodbye and is_beginning):
            self.tell_to_stop(report)
            return
        self.is_leaving = True
        if is_waiting:
            self.scope.cancel()
        else:
            soon_s = trio.current_time() + LEAVE_S
            self.scope.deadline = min(self.scope.deadline, soon_s)

    def may_live(self, *, is_stopping: bool) -> bool:
        """Tell whether another life may begin; in a tree that stops, only for a goodbye."""
        is_owed = self.child.has_goodbye and self.breaker.state is not State.STOPPED
        return self.is_wanted and (is_owed or not is_stopping)

    def close_door(self) -> None:
        """Tell senders at the mailbox, while the circuit is open, that nobody serves it."""
        if self.child.mailbox is not None and self.breaker.state in CLOSED:
            self.child.mailbox.closed_because = self.child.closed_code

    def contains(self, raised: Exception) -> bool:
        """Tell whether what ended this group for good is kept from its neighbours."""
        return self.child.is_bulkhead and is_from_below(raised)

    def verdict(self, scope: trio.CancelScope, raised: Exception | None) -> Exception:
        """Return what ended this life, blaming the supervisor's own reason first."""
        if raised is not None and not scope.cancel_called:
            return raised
        reason = self.doom
        mailbox = self.child.mailbox
        if reason is None and mailbox is not None and mailbox.is_overfull:
            reason = MailboxOverfull(f"more than {mailbox.facts_max} facts waited")
        if reason is None:
            reason = NotReady(f"not ready in {self.start_s:g} s")
        if raised is not None:
            reason.__cause__ = raised
        return reason

    def units(self) -> int:
        """Units of work in this life; an actor without a mailbox has nothing to count."""
        if self.child.mailbox is None:
            return self.breaker.policy.units_min
        return self.child.mailbox.completed - self.units_before

    def is_stuck(self, now_s: float) -> bool:
        """Tell whether due work did not move, unless another actor's mailbox is full."""
        mailbox = self.child.mailbox
        if mailbox is None or mailbox.stalled_s(now_s) < self.child.progress_s:
            return False
        return self.task is None or not _is_any_waiting(self.task)

    def told(
        self,
        event: Event,
        old: State,
        now_s: float,
        *,
        error: str = "",
        delay_s: float | None = None,
    ) -> Transition:
        """Return this step in words and numbers."""
        child, new = self.child, self.breaker.state
        step = child.left() if event is Event.STOPPED else ""
        if event is Event.FAILED:
            step = next_step(new, self.breaker.policy, delay_s, while_down=child.while_down)
        return Transition(
            at_s=now_s,
            path=self.path,
            incarnation=self.incarnation,
            event=event,
            old=old,
            new=new,
            error=error,
            consecutive=self.breaker.consecutive,
            delay_s=delay_s,
            uptime_s=now_s - self.since_s if self.incarnation else 0.0,
            mailbox_depth=child.mailbox.depth if child.mailbox is not None else 0,
            next=step,
        )

    def seen(self, now_s: float) -> ActorState:
        """Return what an operator is told of this actor now."""
        breaker, mailbox = self.breaker, self.child.mailbox
        next_try_s = breaker.next_try_s
        return ActorState(
            path=self.path,
            state=breaker.state,
            consecutive=breaker.consecutive,
            incarnation=self.incarnation,
            uptime_s=now_s - self.since_s if self.is_alive else 0.0,
            error=self.error,
            next_try_s=None if next_try_s is None else max(0.0, next_try_s - now_s),
            depth=mailbox.depth if mailbox is not None else 0,
            taken=mailbox.taken if mailbox is not None else 0,
            replaced=mailbox.replaced if mailbox is not None else 0,
            completed=mailbox.completed if mailbox is not None else 0,
        )


@attrs.frozen(eq=False, weakref_slot=False)
class Readiness:
    """The `task_status` of one life."""

    note_ready: Callable[[Seat], None]
    seat: Seat

    def started(self, value: None = None) -> None:
        """Say that this life serves."""
        del value  # an actor's readiness carries nothing
        self.note_ready(self.seat)


def _is_any_waiting(task: trio.lowlevel.Task) -> bool:
    """Tell whether a task of this life waits for another actor's reader."""
    tasks = [task]
    while tasks:
        task = tasks.pop()
        if waits_for_a_reader(task):
            return True
        for nursery in task.child_nurseries:
            tasks.extend(nursery.child_tasks)
    return False
