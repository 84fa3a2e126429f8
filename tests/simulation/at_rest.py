"""What must be over once the faults are: the ledger and the screens say so, too.

Ledger and exchange may agree on every order while somebody still waits for something: a
cancel that nobody answered, an exit that was decided on and never made, a symbol that stays
frozen, an alarm that nobody takes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from actors.messages import (
    CancelRejected,
    CancelRequested,
    ExitTriggered,
    PositionClosed,
    Reconciled,
)
from actors.messages.supervision import State
from actors.pure.facts import decode
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.disk import DiskRow
from tests.simulation.process import Process

TOO_LITTLE: Final = "less than a stop may sell"  # of a position; that does not pass


@attrs.define
class AtRest:
    """A fold over the ledger that knows what is not over yet."""

    rows: int = 0  # read so far
    asked: dict[str, int] = attrs.Factory(dict[str, int])  # the newest cancel
    refused: dict[str, int] = attrs.Factory(dict[str, int])  # the newest that was
    exits: dict[str, str] = attrs.Factory(dict[str, str])  # position: why it must go
    closed: set[str] = attrs.Factory(set[str])  # positions; a trigger may be told later
    drifts: tuple[str, ...] = ("there was no pass",)

    def read(self, rows: Sequence[DiskRow]) -> None:
        """Take rows in their order."""
        self.rows += len(rows)
        for each in rows:
            if each.row.kind in _KINDS:
                self.take(decode(each.row.kind, each.row.body))

    def take(self, fact: object) -> None:
        """Take one fact."""
        match fact:
            case CancelRequested():
                self.asked[fact.client_order_id] = fact.number
            case CancelRejected():  # may be written before the request is
                self.refused[fact.client_order_id] = fact.number
            case ExitTriggered() if fact.position_id not in self.closed:
                self.exits[fact.position_id] = f"{fact.reason.value} of {fact.bot}"
            case PositionClosed():
                self.closed.add(fact.position_id)
                self.exits.pop(fact.position_id, None)
            case Reconciled():
                self.drifts = fact.drifts
            case _:
                pass

    def unsettled(self, books: BookKeeping) -> Iterator[str]:
        """Return what is not over; `books` know which orders have ended."""
        for order_id, number in self.asked.items():
            order, refused = books.orders.get(order_id), self.refused.get(order_id, 0)
            if order is not None and order.ended is None and refused < number:
                yield f"I-8: cancel {number} of {order_id} has no answer"
        for order_id, order in books.orders.items():
            told = order.ended.filled_base if order.ended is not None else None
            if told is not None and told != order.filled_base:
                yield f"I-7: {order_id} ended with {told}, its fills: {order.filled_base}"
        yield from (f"R-41: {what} was triggered, not done" for what in self.exits.values())
        yield from (f"R-17: still said to drift: {line}" for line in self.drifts)


def restless(process: Process) -> Iterator[str]:
    """Return the alarms that are up, and the actors that do not run."""
    if process.fleet is None or process.owner.is_dead:
        return
    for alarm in process.alarms.values():
        if TOO_LITTLE not in alarm.text:
            yield f"R-33: {alarm.actor} says {alarm.code}: {alarm.text}"
    for _, seat in process.fleet.root.seats():
        if seat.is_wanted and seat.breaker.state is not State.RUNNING:
            yield f"I-24: {seat.path} is {seat.breaker.state.value}"


_KINDS: Final = frozenset({
    "cancel_requested", "cancel_rejected", "exit_triggered", "position_closed",
    "reconciled",
})  # fmt: skip
