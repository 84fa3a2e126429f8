"""Bugs to be planted: the mistakes of other engines, and some of our own.

Each is a set of patches on the engine or the disk, put in for one run. A simulation that
does not find them proves nothing; `test_planted.py` and `just simulate --plant` see to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any, Final

import attrs
import trio

import actors.journal_rows
import actors.orders_road
import actors.orders_safe
import actors.reconciliation
from actors.mailbox import Mailbox
from actors.messages import (
    Attempted,
    Ended,
    ExitIntent,
    Fact,
    Filled,
    Instrument,
    OrderStatus,
    VenueAck,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from actors.orders_road import Road
from actors.ports_store import Query, StoredRow
from actors.pure.facts import key_of
from actors.pure.order_gate import Gate, request_of
from actors.pure.order_life import Order
from actors.pure.position_math import sellable_base
from actors.pure.protective_stop import ProtectiveStop, StopWanted
from actors.pure.venue_facts import not_placed
from actors.reconciliation import Reconciliation
from actors.records import JournalWish, Receipt, Record, Recorded, record
from actors.seat import Seat
from actors.supervisor import Supervisor
from tests.simulation.disk import Disk, SimStore

LINGER_S: Final = 5.0

Patch = tuple[Any, str, Any]  # place, name, what stands there instead
Outcome = VenueAck | VenueReject | VenueUnknown


@contextmanager
def planted(name: str) -> Generator[None]:
    """Put one bug in for the length of the block; "" is none."""
    patches = PLANTS[name] if name else ()
    before = [(place, what, getattr(place, what)) for place, what, _ in patches]
    try:
        for place, what, instead in patches:
            setattr(place, what, instead)
        yield
    finally:
        for place, what, original in before:
            setattr(place, what, original)


def _visible_only(disk: Disk) -> None:
    """Answer before the platter has it."""
    disk.visible = len(disk.rows)


async def _send_first(journal: Mailbox[JournalWish], *facts: Fact) -> Recorded:
    """Do not wait for the disk where an order is about to leave."""
    if not any(isinstance(fact, Attempted) for fact in facts):
        return await record(journal, *facts)
    await journal.wish(Record(facts, Receipt[Recorded]()))
    return Recorded((), ())


async def _judge_at_once(
    self: Reconciliation,
    missing: Sequence[Order],
    still_open: Sequence[VenueOrder],
    lost: list[str],
) -> int:
    """Take one "no such order" for the truth."""
    return await self.tell([not_placed(order, "planted") for order in missing])


async def _send_again(self: Road, order: Order, valid_until_s: float) -> Outcome:
    """Send the same order again when nobody answered."""
    request = request_of(order.intended, order.client_order_id)
    answer = await self.trading.place(request)
    return await self.trading.place(request) if _is_unknown(answer) else answer


async def _send_anew(self: Road, order: Order, valid_until_s: float) -> Outcome:
    """Send it under a new id when nobody answered."""
    request = request_of(order.intended, order.client_order_id)
    answer = await self.trading.place(request)
    if _is_unknown(answer):
        changed = request.client_order_id[:-1] + "x"
        await self.trading.place(attrs.evolve(request, client_order_id=changed))
    return answer


def _is_unknown(answer: Outcome) -> bool:
    return isinstance(answer, VenueUnknown)


def _no_dedupe(fact: Fact) -> str | None:
    """Count every report of an execution as another one."""
    return None if isinstance(fact, Filled) else key_of(fact)


def _sell_all(
    self: Gate, intent: ExitIntent, instrument: Instrument
) -> Decimal | tuple[str, str]:
    """Sell what is held, whatever other exits are selling."""
    held = self.books.of(intent.bot, intent.symbol)
    return sellable_base(held.base, intent.price, instrument) or ("no_position", "")


def _never_late(self: Road, order: Order, valid_until_s: float) -> bool:
    """Send a wish however old it is."""
    return False


def _unknown_is_no(
    order: Order, answer: VenueAck | VenueReject | VenueUnknown
) -> tuple[Fact, ...]:
    """Take silence for a refusal."""
    if isinstance(answer, VenueUnknown):
        answer = VenueReject(answer.client_order_id, "planted", answer.reason)
    return _facts_of_answer(order, answer)


_facts_of_answer: Callable[[Order, Outcome], tuple[Fact, ...]] = (
    actors.orders_road.facts_of_answer
)


async def _cancel_assumed(
    self: Road, symbol: str, order_id: str, _reason: str = ""
) -> None:
    """Take a cancel for done without asking the venue."""
    order = self.gate.books.orders.get(order_id)
    if order is None or order.is_terminal:
        return
    await self.trading.cancel(symbol, order_id)
    word = OrderStatus.CANCELED
    await self.tell([
        Ended(
            order.bot,
            order.intended.account,
            symbol,
            order_id,
            word,
            order.filled_base,
        )
    ])  # fmt: skip


_SUPERVISOR: Final[Any] = Supervisor
_live: Callable[[Any, Seat], Awaitable[float | None]] = _SUPERVISOR._live


async def _live_beside(self: Any, seat: Seat) -> float | None:
    """Begin the next life of orders while the one before still takes mail."""
    nursery = self._nursery
    if seat.incarnation and seat.child.name.startswith("orders") and nursery is not None:
        nursery.start_soon(_linger, seat, name=seat.path)
    return await _live(self, seat)


async def _linger(seat: Seat) -> None:
    with suppress(Exception):
        with trio.move_on_after(LINGER_S):
            await seat.child.run(task_status=trio.TASK_STATUS_IGNORED)


def _is_old(order: Order, known_s: float) -> bool:
    """Believe after two seconds that the venue never took an order."""
    return known_s > 2.0


def _never_resized(
    self: ProtectiveStop, aim: StopWanted, resting: Order | None
) -> float | None:
    """Ask for a stop when there is none, and leave it at that."""
    return 0.0 if resting is None else None


def _freed_quote(order: Order) -> Decimal:
    """Take back what was reserved for an order of which nobody has heard."""
    return Decimal(0) if order.is_unknown else _reserved_quote(order)


_reserved_quote: Callable[[Order], Decimal] = vars(Order)["reserved_quote"].fget


def _nothing_since(self: Gate, facts: object, *rest: object) -> None:
    """Do not look again at what forbids an entry once its attempt is durable."""


async def _forgetful(self: SimStore, query: Query) -> tuple[int, Sequence[StoredRow]]:
    """Let a new life of an actor know nothing of what an operator has said."""
    forgotten = {"halted", "bot_paused", "bot_stopped"}
    kept = [kind for kind in query.kinds or () if kind not in forgotten]
    return await _read(self, attrs.evolve(query, kinds=kept))


_read = SimStore.read


PLANTS: Final[Mapping[str, tuple[Patch, ...]]] = {
    "send_before_journal": ((actors.orders_safe, "record", _send_first),),
    "no_fsync": ((Disk, "sync", _visible_only),),
    "new_id_on_timeout": ((Road, "_ask", _send_anew),),
    "blind_resend": ((Road, "_ask", _send_again),),
    "one_not_found_is_failure": ((Reconciliation, "_judge_due", _judge_at_once),),
    "no_dedupe": ((actors.journal_rows, "key_of", _no_dedupe),),
    "unknown_is_a_no": ((actors.orders_road, "facts_of_answer", _unknown_is_no),),
    "exits_flip": ((Gate, "exit_base", _sell_all),),
    "stale_command": (
        (Road, "_is_late", _never_late),
        (Gate, "bar_since", _nothing_since),
        (actors.orders_safe, "ENTRY_S", 5.0),
    ),
    "cancel_assumed_done": ((Road, "cancel", _cancel_assumed),),
    "not_found_after_2_s": ((actors.reconciliation, "is_judged", _is_old),),
    "stop_not_resized": ((ProtectiveStop, "_pause_s", _never_resized),),
    "released_on_unknown": ((Order, "reserved_quote", property(_freed_quote)),),
    "halt_not_durable": ((SimStore, "read", _forgetful),),
    "two_incarnations": ((Supervisor, "_live", _live_beside),),
}
