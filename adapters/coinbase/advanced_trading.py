"""The private side of one account by Advanced Trade: orders and questions over REST.

No request is sent twice for one attempt (R-05). A question that fails says nothing about
the order it asked for (R-01). The venue knows no query by our id: an order is looked for
among the open ones of its product, then in its history from the moment it was sent, or of
one day where another life sent it.

Source: Advanced Trade REST API; WIRE 3.12.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Final

import attrs
import trio

from actors.messages import (
    OrderRequest,
    OrderStatus,
    VenueAck,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueReplaced,
)
from actors.ports import PrivateStream
from adapters.coinbase.advanced_client import PREFIX, AdvancedClient
from adapters.coinbase.advanced_lists import AdvancedLists
from adapters.coinbase.advanced_stream import open_user_stream
from adapters.coinbase.codec import advanced_answers as answers
from adapters.coinbase.codec import advanced_orders as orders
from adapters.coinbase.codec.times import rfc3339
from adapters.coinbase.known_orders import KnownOrders
from adapters.coinbase.replacing import replace_in_two
from adapters.coinbase.verdict import (
    ADVANCED_CANCEL,
    ADVANCED_PLACE,
    BEING_CANCELLED,
    NOT_SENT,
    ROAD_ERRORS,
    UNSIGNED,
    Outcome,
    judge_advanced,
    judge_error,
    judge_refusal,
)
from adapters.errors import RemoteProtocolError, VenueError, VenueRefused
from adapters.http import HttpAnswer

OVERLAP_MS: Final = 60_000  # an order is looked for from this much before it was sent
# Where that is not known here: a whole history may be longer than any pass. Who concludes
# from it that there is no such order asks for the history since its attempt, too.
RECENT_MS: Final = 24 * 3600 * 1000
NOT_FOUND: Final = "404"


@attrs.define(eq=False)
class AdvancedTrading:
    """Implements `Trading`."""

    forgets_canceled = False

    _client: AdvancedClient
    _known: KnownOrders = attrs.Factory(KnownOrders)
    _lists: AdvancedLists = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lists = AdvancedLists(self._client, self._known)

    def open_private(self) -> AbstractAsyncContextManager[PrivateStream]:
        return open_user_stream(self._client, self._known, self.fills_of)

    @asynccontextmanager
    async def open_orders_connection(
        self,
    ) -> AsyncGenerator[Callable[[], Awaitable[None]], None]:
        """Orders go over REST: there is nothing to connect, and nothing that ends."""
        yield trio.sleep_forever

    async def place(self, request: OrderRequest) -> Outcome:
        """Send one order once. Bounded by the client's deadlines."""
        await trio.lowlevel.checkpoint()
        client_order_id, venue = request.client_order_id, self._client.venue
        try:
            await venue.know_symbols()
            body = orders.encode_order(request, venue.name(request.symbol))
        except VenueError as error:
            return VenueReject(client_order_id, NOT_SENT, str(error))
        self._known.sent(client_order_id, venue.now_ms() - OVERLAP_MS)

        def read(answer: HttpAnswer) -> Outcome:
            told = answers.decode_created(answer.body)
            if isinstance(told, answers.Refusal):
                return judge_refusal(client_order_id, told, ADVANCED_PLACE)
            return self._created(told, client_order_id)

        path = f"{PREFIX}/orders"
        return await self._send(path, body, client_order_id, read, ADVANCED_PLACE)

    def _created(self, created: answers.Created, client_order_id: str) -> VenueAck:
        if created.client_order_id not in {"", client_order_id}:
            named = created.client_order_id[:40]
            raise RemoteProtocolError(f"the answer is about {named!a}")
        self._known.note(client_order_id, created.order_id)
        return VenueAck(
            client_order_id,
            created.order_id,
            OrderStatus.OPEN,
            Decimal(0),
            self.now_ms(),
        )

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Ask for a cancel once. The final state is read back by the caller (R-08)."""
        await trio.lowlevel.checkpoint()
        try:
            order_id = await self._venue_id(symbol, client_order_id)
        except VenueError as error:
            return VenueReject(client_order_id, NOT_SENT, str(error))
        if not order_id:
            text = "the venue lists no such order"
            return VenueReject(client_order_id, NOT_SENT, text)

        def read(answer: HttpAnswer) -> Outcome:
            return self._cancelled(answers.decode_cancelled(answer.body), client_order_id)

        path, body = f"{PREFIX}/orders/batch_cancel", orders.encode_cancel(order_id)
        return await self._send(path, body, client_order_id, read, ADVANCED_CANCEL)

    def _cancelled(self, told: answers.CancelResult, client_order_id: str) -> Outcome:
        reason = told.failure_reason
        if not told.success and reason != BEING_CANCELLED:
            refusal = answers.Refusal((reason,), "the cancel was refused")
            return judge_refusal(client_order_id, refusal, ADVANCED_CANCEL)
        return VenueAck(
            client_order_id,
            told.order_id,
            OrderStatus.PENDING_CANCEL,
            Decimal(0),
            self.now_ms(),
        )

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        """Cancel an order nothing of which was executed, then place another."""
        return await replace_in_two(self, client_order_id, request)

    async def _send(
        self,
        path: str,
        body: bytes,
        client_order_id: str,
        read: Callable[[HttpAnswer], Outcome],
        known: frozenset[str],
    ) -> Outcome:
        await trio.lowlevel.checkpoint()
        try:
            answer = await self._client.post(path, body)
            if answer.status == 200:
                return read(answer)
        except ROAD_ERRORS as error:
            return judge_error(client_order_id, error)
        if answer.status == UNSIGNED:
            await self._client.mend_clock()
        return judge_advanced(client_order_id, answer, known)

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order, or None when no recent list of the venue has it (R-04)."""
        order_id = self._known.venue_id(client_order_id)
        if order_id is not None:
            found = await self._order_by(order_id)
            if found is not None:
                return found
        sent_ms = self._known.sent_ms(client_order_id)
        if sent_ms is None:
            sent_ms = self.now_ms() - RECENT_MS
        for params in ([("order_status", "OPEN")], _since(sent_ms)):
            listed = await self._lists.orders([symbol], params, only=client_order_id)
            if listed:
                return listed[0]
        return None

    async def _order_by(self, order_id: str) -> VenueOrder | None:
        """Return the order with this id of the venue's; None where it is not there yet."""
        await self._client.venue.know_symbols()
        try:
            body = await self._client.ask(f"{PREFIX}/orders/historical/{order_id}")
        except VenueRefused as error:
            if error.code != NOT_FOUND:
                raise
            await trio.lowlevel.checkpoint()
            return None
        return orders.decode_order(body, self._client.venue.symbols)

    async def _venue_id(self, symbol: str, client_order_id: str) -> str | None:
        known = self._known.venue_id(client_order_id)
        if known is None:
            order = await self.order(symbol, client_order_id)
            known = order.venue_order_id if order is not None else None
        await trio.lowlevel.checkpoint()
        return known

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        """Return the open orders on `symbols`, ours and others'."""
        if not symbols:
            await trio.lowlevel.checkpoint()
            return []
        return await self._lists.orders(symbols, [("order_status", "OPEN")])

    async def past_orders(self, symbol: str, *, since_ms: int) -> Sequence[VenueOrder]:
        """Return orders of any status since `since_ms`, oldest first, paged to the end."""
        return (await self._lists.orders([symbol], _since(since_ms)))[::-1]

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's executions on `symbol`, oldest first, paged to the end."""
        await self._client.venue.know_symbols()
        product = ("product_ids", self._client.venue.name(symbol))
        begin = ("start_sequence_timestamp", rfc3339(since_ms))
        return await self._lists.fills([product, begin])

    async def fills_of(self, venue_order_id: str) -> Sequence[VenueFill]:
        """Return the executions of one order, oldest first."""
        return await self._lists.fills([("order_ids", venue_order_id)])

    async def balances(self) -> Sequence[VenueBalance]:
        """Return every balance of the account."""
        return await self._lists.balances()

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        return self._client.venue.now_ms()


def _since(at_ms: int) -> list[tuple[str, str]]:
    return [("start_date", rfc3339(at_ms))]
