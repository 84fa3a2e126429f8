"""The orders actor's road to the venue: send once, cancel, hear, and end in good time.

[orders] --request--> venue --answer--> [orders] --Record--> journal, or the emergency file

Each request has a task and a shield of its own, with a deadline: an answer in flight
still arrives while the life ends. What nobody answers is UNKNOWN, never sent again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    CancelRejected,
    CancelRequested,
    Ended,
    Fact,
    ListingDoubted,
    OrderStatus,
    OutcomeUnknown,
    VenueAck,
    VenueReject,
    VenueUnknown,
)
from actors.orders_safe import KEEP_S, SafeMode
from actors.ports import Random, Trading, VenueError
from actors.pure.order_gate import Gate, request_of
from actors.pure.order_life import Order
from actors.pure.reconnect import ReconnectPolicy
from actors.pure.venue_facts import (
    facts_of_answer,
    facts_of_order,
    facts_of_replacement,
)
from actors.reconnecting import keep_connected

EXPIRED = "expired"  # before it could be sent: our own word, not the venue's
LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
SEND_S = 15.0  # the transport answers UNKNOWN well before
LATE_MS = 2_000  # from the attempt to its first byte; reconciliation counts on it (I-10)
TELL_S = 2.0  # longest wait for the journal; then the emergency file has it
GOODBYE_S = 2.0  # for answers in flight, and for cancelling entries, when a life ends


@attrs.define(eq=False)
class Road:
    """What one life of the orders actor has under way."""

    trading: Trading
    safe: SafeMode
    gate: Gate
    reconnect: ReconnectPolicy
    random: Random
    catalogue: Mailbox[Any] | None = None
    # Shielded, so that answers in flight still arrive while the life ends; its deadline
    # is set by `end_soon`.
    connection: trio.CancelScope = attrs.Factory(
        lambda: trio.CancelScope(shield=True, deadline=math.inf)
    )
    in_flight: set[trio.CancelScope] = attrs.Factory(set[trio.CancelScope])
    ends_s: float = math.inf  # of what is in flight, and of what only begins

    async def keep_connection(self) -> None:
        """Keep the orders' own socket; REST is the second road, so this never gives up."""

        async def serve(connected: Callable[[], None]) -> VenueError:
            async with self.trading.open_orders_connection() as serve_socket:
                connected()
                await serve_socket()
            return VenueError("the orders' connection ended")

        async def say_nothing(_error: VenueError, _n: int, _delay_s: float | None) -> None:
            pass  # the account's stream and the feed tell of outages

        with self.connection:
            await keep_connected(
                serve,
                policy=self.reconnect,
                random=self.random,
                on_lost=say_nothing,
                is_endless=lambda: True,
            )

    async def send(self, order: Order, valid_until_s: float) -> None:
        """Send one attempt once, and make its outcome durable."""
        silence = VenueUnknown(order.client_order_id, "the sender heard no answer")
        facts = facts_of_answer(order, silence)
        deadline = min(trio.current_time() + SEND_S, self.ends_s)
        with trio.CancelScope(shield=True, deadline=deadline) as scope:
            self.in_flight.add(scope)
            try:
                facts = await self._outcome(order, valid_until_s)
            finally:
                self.in_flight.discard(scope)
        for fact in facts:
            if _is_refusal(fact):
                self.doubt_listing(order.symbol, f"{order.client_order_id} was refused")
        if self._is_answered(order):
            facts = [fact for fact in facts if not isinstance(fact, OutcomeUnknown)]
        await self.tell(facts)
        replaced = order.intended.replaces
        if replaced and not any(_is_end_of(replaced, fact) for fact in facts):
            await self._read_back(order.symbol, replaced)
        await trio.lowlevel.checkpoint()

    def doubt_listing(self, symbol: str, why: str) -> None:
        """Have the filters asked for again that may have refused an order.

        They change, and what they refuse is asked for again until they are known (I-12).
        """
        if self.catalogue is not None:
            self.catalogue.latest(symbol, ListingDoubted(symbol, why))

    async def cancel(self, symbol: str, order_id: str, reason: str = "") -> None:
        """Ask for a cancel, then read the final state back in any case (R-08)."""
        order = self.gate.books.orders.get(order_id)
        if order is None or order.is_terminal:
            await trio.lowlevel.checkpoint()
            return
        request = _cancel_of(order, reason)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.tell, (request,))  # no cancel waits for it (I-12)
            with trio.move_on_after(SEND_S):
                answer = await self.trading.cancel(symbol, order_id)
                is_open = await self._read_back(symbol, order_id)
                if is_open and isinstance(answer, VenueReject):
                    await self.tell((_refusal_of(request, answer),))
        await trio.lowlevel.checkpoint()

    async def cancel_entries(self) -> None:
        """Cancel what would add risk while nobody watches; stops and exits stay (R-39)."""
        entries = [order for order in self.gate.books.orders.live() if order.is_entry]
        async with trio.open_nursery() as nursery:
            for order in entries:
                order_id, why = order.client_order_id, "the program stops"
                nursery.start_soon(self.cancel, order.symbol, order_id, why)

    async def tell(self, facts: Sequence[Fact]) -> None:
        """Record an outcome; if that fails, the account's next pass finds it again."""
        with trio.move_on_after(TELL_S + KEEP_S, shield=True):
            await self.safe.settle(facts, within_s=TELL_S)

    def end_soon(self) -> None:
        """Give answers in flight a short while, then end them: UNKNOWN."""
        self.ends_s = trio.current_time() + GOODBYE_S
        self.connection.deadline = self.ends_s + TELL_S + GOODBYE_S
        for scope in self.in_flight:
            scope.deadline = min(scope.deadline, self.ends_s)

    async def _read_back(self, symbol: str, order_id: str) -> bool:
        """Make durable how an order has ended, if it has and nobody has told (R-08).

        Tells whether the venue says that it is still open.
        """
        order = self.gate.books.orders.get(order_id)
        if order is None or order.is_terminal:
            await trio.lowlevel.checkpoint()
            return False
        venue = None
        with trio.move_on_after(SEND_S):
            try:
                venue = await self.trading.order(symbol, order_id)
            except VenueError:
                await trio.lowlevel.checkpoint()  # the account's next pass reads it back
        if venue is not None:
            await self.tell(facts_of_order(order, venue))
        await trio.lowlevel.checkpoint()
        return venue is not None and venue.status in LIVE

    async def _outcome(self, order: Order, valid_until_s: float) -> Sequence[Fact]:
        """Send one attempt, alone or in the place of a stop; return what is known then."""
        old = self.gate.books.orders.get(order.intended.replaces)
        if old is None or self._is_late(order, valid_until_s):
            return facts_of_answer(order, await self._ask(order, valid_until_s))
        request = request_of(order.intended, order.client_order_id)
        both = await self.trading.replace(old.client_order_id, request)
        return facts_of_replacement(order, old, both)

    async def _ask(
        self, order: Order, valid_until_s: float
    ) -> VenueAck | VenueReject | VenueUnknown:
        if not self._is_late(order, valid_until_s):
            return await self.trading.place(
                request_of(order.intended, order.client_order_id)
            )
        late = "durable too late to be sent"
        await trio.lowlevel.checkpoint()
        return VenueReject(order.client_order_id, EXPIRED, late)

    def _is_late(self, order: Order, valid_until_s: float) -> bool:
        """Tell whether the journal took so long that the attempt may not be sent (I-16)."""
        waited_ms = self.trading.now_ms() - order.attempt_ms
        return trio.current_time() > valid_until_s or waited_ms > LATE_MS

    def _is_answered(self, order: Order) -> bool:
        """Tell whether the stream has told what a lost answer would have."""
        known = self.gate.books.orders.get(order.client_order_id)
        return known is not None and known.status is not OrderStatus.NEW


def _cancel_of(order: Order, reason: str) -> CancelRequested:
    return CancelRequested(
        order.bot,
        order.intended.account,
        order.symbol,
        order.client_order_id,
        order.cancels_asked + 1,
        reason,
    )


def _refusal_of(request: CancelRequested, answer: VenueReject) -> CancelRejected:
    return CancelRejected(
        request.bot,
        request.account,
        request.symbol,
        request.client_order_id,
        request.number,
        answer.code,
        answer.reason,
    )


def _is_end_of(order_id: str, fact: Fact) -> bool:
    return isinstance(fact, Ended) and fact.client_order_id == order_id


def _is_refusal(fact: Fact) -> bool:
    """Tell whether the venue took no such order; one that came too late never left."""
    if not isinstance(fact, Ended):
        return False
    return fact.status is OrderStatus.REJECTED and fact.code != EXPIRED
