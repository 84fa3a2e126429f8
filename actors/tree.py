"""What an operator may do with a tree of supervisors: look, stop, start, crash.

Every act names one actor, by its path ("bots/bot:dawn") or by its name where that is
unique. It is granted at once or refused with False, and never waits: `states` and the
supervision log tell how it went.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import trio

from actors.errors import CrashInjected
from actors.messages.supervision import ActorState
from actors.pure.breaker import Breaker
from actors.seat import Child, Seat
from actors.watchdog import doom


class Tree(ABC):
    """Some seats, and the trees that sit in them. A supervisor fills in the rest."""

    def __init__(self, seats: list[Seat]) -> None:
        self._seats = seats

    def stop(self, name: str) -> bool:
        """Stop an actor; it stays stopped until an operator starts it."""
        owner, seat = self._find(name)
        seat.is_wanted = False
        return owner.tell_to_stop(seat)

    def start(self, name: str) -> bool:
        """Start an actor now, its failures forgotten; one that runs is left alone."""
        owner, seat = self._find(name)
        seat.is_wanted = True
        return owner.start_now(seat)

    def crash(self, name: str) -> bool:
        """End the present life of an actor as if it had raised `CrashInjected`."""
        _, seat = self._find(name)
        return doom(seat, CrashInjected("an operator or a test asked for it"))

    def hurry(self) -> None:
        """Tell every actor to end now, in no order: each has only its own goodbye left.

        For a tree that is being stopped already, when somebody loses patience.
        """
        for owner, seat in self.seats():
            owner.tell_to_stop(seat)

    def states(self) -> Sequence[ActorState]:
        """Return every actor of this tree, top to bottom."""
        now_s = trio.current_time()
        return [seat.seen(now_s) for _, seat in self.seats()]

    def seats(self) -> Iterator[tuple[Tree, Seat]]:
        """Walk the tree, top to bottom."""
        for seat in self._seats:
            yield self, seat
            if isinstance(seat.nested, Tree):
                yield from seat.nested.seats()

    @property
    @abstractmethod
    def stop_s(self) -> float:
        """The longest orderly stop of all children."""

    @abstractmethod
    def start_now(self, seat: Seat) -> bool:
        """Begin a life, unless there is one; cut short a wait for the next one."""

    @abstractmethod
    def tell_to_stop(self, seat: Seat) -> bool:
        """End the life in this seat, or the wait for the next; do not wait for it."""

    def _find(self, name: str) -> tuple[Tree, Seat]:
        found = [
            (owner, seat)
            for owner, seat in self.seats()
            if name in {seat.path, seat.child.name}
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found) or 'no'} actors are called {name!r}")
        return found[0]


def place(path: str, child: Child, margin_s: float) -> Seat:
    """Prepare the place of a child. A nested supervisor brings its own deadlines."""
    owner = getattr(child.run, "__self__", None)
    nested = owner if isinstance(owner, Tree) else None
    return Seat(
        child,
        f"{path}/{child.name}".lstrip("/"),
        Breaker(child.policy),
        is_wanted=child.is_enabled,
        start_s=child.start_s if nested is None else math.inf,
        stop_s=child.stop_s if nested is None else nested.stop_s + margin_s,
        nested=nested,
    )
