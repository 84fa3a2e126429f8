"""The private side of one account with an Exchange key: orders and questions over REST.

No request is sent twice for one attempt (R-05). A question that fails says nothing about
the order it asked for (R-01). An order that ended without an execution may be gone from
the venue altogether: where it is known to have been there, and neither the open orders nor
the executions have it any more, it was cancelled.

Source: Exchange REST API, "Get single order"; WIRE 3.7.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import (
    OrderRequest,
    OrderStatus,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueReplaced,
)
from actors.ports import PrivateStream
from adapters.coinbase.codec import exchange_orders as orders
from adapters.coinbase.exchange_client import ExchangeClient, with_query
from adapters.coinbase.exchange_lists import ExchangeLists
from adapters.coinbase.exchange_stream import open_user_stream
from adapters.coinbase.known_orders import KnownOrders
from adapters.coinbase.replacing import replace_in_two
from adapters.coinbase.verdict import (
    EXCHANGE_CANCEL,
    EXCHANGE_PLACE,
    NOT_SENT,
    ROAD_ERRORS,
    UNSIGNED,
    Outcome,
    judge_error,
    judge_exchange,
)
from adapters.errors import RemoteProtocolError, VenueError, VenueRefused
from adapters.http import HttpAnswer

NOT_FOUND: Final = "404"
GONE: Final = "the venue has it no more, and it was not executed"
GONE_MS: Final = 20_000  # a new order is listed everywhere by then
OPEN: Final = [("status", each) for each in ("open", "pending", "active", "received")]


@attrs.define(eq=False)
class ExchangeTrading:
    """Implements `Trading`."""

    forgets_canceled = True  # it answers 404, after a while (WIRE 3.7)

    _client: ExchangeClient
    _known: KnownOrders = attrs.Factory(KnownOrders)
    _lists: ExchangeLists = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lists = ExchangeLists(self._client, self._known)

    def open_private(self) -> AbstractAsyncContextManager[PrivateStream]:
        return open_user_stream(self._client, self._known, self.order_by)

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

        def read(answer: HttpAnswer) -> Outcome:
            order = orders.decode_order(answer.body, venue.symbols)
            if order.client_order_id not in {"", client_order_id}:
                named = order.client_order_id[:40]
                raise RemoteProtocolError(f"the answer is about {named!a}")
            mine = attrs.evolve(order, client_order_id=client_order_id)
            self._known.saw(mine)
            return orders.ack_of(mine)

        return await self._send(
            "POST", "/orders", body, client_order_id, read, EXCHANGE_PLACE
        )

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Ask for a cancel once. The final state is read back by the caller (R-08)."""
        await trio.lowlevel.checkpoint()
        try:
            await self._client.venue.know_symbols()
            product = self._client.venue.name(symbol)
        except VenueError as error:
            return VenueReject(client_order_id, NOT_SENT, str(error))

        def read(answer: HttpAnswer) -> Outcome:
            self._known.cancelling(client_order_id)
            return orders.decode_cancelled(answer.body, client_order_id, self.now_ms())

        path = f"/orders/client:{client_order_id}"
        target = with_query(path, [("product_id", product)])
        return await self._send(
            "DELETE", target, b"", client_order_id, read, EXCHANGE_CANCEL
        )

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        """Cancel an order nothing of which was executed, then place another."""
        return await replace_in_two(self, client_order_id, request)

    async def _send(
        self,
        method: str,
        target: str,
        body: bytes,
        client_order_id: str,
        read: Callable[[HttpAnswer], Outcome],
        texts: tuple[str, ...],
    ) -> Outcome:
        await trio.lowlevel.checkpoint()
        try:
            answer = await self._client.order(method, target, body)
            if answer.status == 200:
                return read(answer)
        except ROAD_ERRORS as error:
            return judge_error(client_order_id, error)
        if answer.status == UNSIGNED:
            await self._client.mend_clock()
        return judge_exchange(client_order_id, answer, texts)

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order, or None when the venue says that it does not exist (R-04)."""
        await self._client.venue.know_symbols()
        product = ("product_id", self._client.venue.name(symbol))
        found = await self._ask_order(f"client:{client_order_id}", [product])
        if found is not None:
            return found
        last = self._known.last(client_order_id)
        return None if last is None else await self._gone(last)

    async def order_by(self, venue_order_id: str) -> VenueOrder | None:
        """Return the order with this id of the venue's."""
        await self._client.venue.know_symbols()
        return await self._ask_order(venue_order_id, ())

    async def _ask_order(
        self, name: str, params: Sequence[tuple[str, str]]
    ) -> VenueOrder | None:
        try:
            answer = await self._client.ask(f"/orders/{name}", params)
        except VenueRefused as error:
            if error.code != NOT_FOUND:
                raise
            await trio.lowlevel.checkpoint()
            return None
        order = orders.decode_order(answer.body, self._client.venue.symbols)
        self._known.saw(order)
        return order

    async def _gone(self, last: VenueOrder) -> VenueOrder | None:
        """Return how an order has ended that was there and is not found any more.

        Its cancel was taken, or it was seen a while ago; and neither its other name, nor
        the open orders, nor the executions have it.
        """
        await trio.lowlevel.checkpoint()
        is_due = self.now_ms() - last.update_ms > GONE_MS
        if last.filled_base or not (
            is_due or self._known.is_cancelling(last.client_order_id)
        ):
            return None
        found = await self.order_by(last.venue_order_id)
        if found is not None:
            return found
        still_open = await self.open_orders([last.symbol])
        fills = await self._lists.fills([("order_id", last.venue_order_id)], since_ms=0)
        if fills or any(it.venue_order_id == last.venue_order_id for it in still_open):
            return None
        return attrs.evolve(
            last, status=OrderStatus.CANCELED, update_ms=self.now_ms(), reason=GONE
        )

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        """Return the open orders on `symbols`, ours and others'."""
        await self._client.venue.know_symbols()
        found: list[VenueOrder] = []
        for symbol in symbols:
            product = ("product_id", self._client.venue.name(symbol))
            found += await self._lists.orders([*OPEN, product], since_ms=0)
        return found

    async def past_orders(self, symbol: str, *, since_ms: int) -> Sequence[VenueOrder]:
        """Return orders of any status since `since_ms`, oldest first, paged to the end."""
        await self._client.venue.know_symbols()
        product = ("product_id", self._client.venue.name(symbol))
        params = [("status", "all"), product]
        return await self._lists.orders(params, since_ms=since_ms)

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's executions on `symbol`, oldest first, paged to the end."""
        await self._client.venue.know_symbols()
        product = ("product_id", self._client.venue.name(symbol))
        return await self._lists.fills([product], since_ms=since_ms)

    async def balances(self) -> Sequence[VenueBalance]:
        """Return every balance of the account."""
        return orders.decode_accounts((await self._client.ask("/accounts")).body)

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        return self._client.venue.now_ms()
