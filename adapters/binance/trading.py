"""The private side of one account: orders, queries, and the private stream.

Orders go over the WS-API while its connection lives, else over REST; once either way. No
road is taken twice for one attempt (R-05). A question that fails says nothing about the
order it asked for (R-01).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import (
    OrderRequest,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.ports import PrivateStream
from adapters.binance.codec import orders
from adapters.binance.codec.replace import replace_params
from adapters.binance.history import ask_history
from adapters.binance.order_roads import CANCEL, PLACE, REPLACE, Errand, OrderRoads
from adapters.binance.order_socket import OrderSocket
from adapters.binance.private_stream import CONNECT_WEIGHT, open_private_stream
from adapters.binance.replaced import judge_replaced
from adapters.binance.sign import Signer
from adapters.binance.venue import INVALID_TIMESTAMP, Venue
from adapters.binance.verdict import Endpoint, Outcome
from adapters.errors import (
    Archived,
    ConnectionLost,
    RateLimited,
    RemoteProtocolError,
    VenueRefused,
)
from adapters.http import NotSent

NOT_SENT: Final = "not_sent"
NO_SUCH_ORDER: Final = "-2013"
ORDER_ARCHIVED: Final = "-2026"  # canceled or expired unfilled, more than 90 days ago
ALL_WEIGHT: Final = 80  # of the open orders of every symbol at once
ONE_WEIGHT: Final = 6
ROAD_ERRORS: Final = (ConnectionLost, RateLimited, RemoteProtocolError)


@attrs.define(eq=False)
class BinanceTrading:
    """Implements `Trading`."""

    forgets_canceled = False

    _venue: Venue
    _signer: Signer
    _roads: OrderRoads = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._roads = OrderRoads(self._venue, self._signer)

    def open_private(self) -> AbstractAsyncContextManager[PrivateStream]:
        return open_private_stream(self._venue, self._signer)

    @asynccontextmanager
    async def open_orders_connection(
        self,
    ) -> AsyncGenerator[Callable[[], Awaitable[None]], None]:
        """Connect the socket that carries orders; the value serves it until it ends.

        Raises:
          VenueError: could not connect.
        """
        venue = self._venue
        url = venue.endpoints.ws_api_url
        async with venue.socket(url, weight=CONNECT_WEIGHT) as websocket:
            socket = OrderSocket(websocket)
            self._roads.socket = socket
            try:
                yield socket.serve
            finally:
                socket.end("the orders connection was closed")
                if self._roads.socket is socket:
                    self._roads.socket = None

    async def place(self, request: OrderRequest) -> Outcome:
        """Send one order once. Bounded by the deadlines of the road it takes."""
        params = orders.place_params(request)
        return await self._send(PLACE, request.symbol, request.client_order_id, params)

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Ask for a cancel once. The final state is read back by the caller (R-08)."""
        params = {"origClientOrderId": client_order_id}
        return await self._send(CANCEL, symbol, client_order_id, params)

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        """Cancel an order nothing of which was executed, and place another, once."""
        params = replace_params(client_order_id, request)
        new_id, symbols = request.client_order_id, self._venue.symbols
        try:
            reply = await self._roads.send(REPLACE, request.symbol, params)
            replaced = judge_replaced(reply, client_order_id, new_id, symbols)
        except ROAD_ERRORS as error:
            replaced = VenueReplaced(
                _judge_error(client_order_id, error), _judge_error(new_id, error)
            )
        await self._mend_clock(replaced.cancelled, replaced.placed)
        return replaced

    async def _send(
        self, errand: Errand, symbol: str, client_order_id: str, params: Mapping[str, str]
    ) -> Outcome:
        outcome: Outcome
        try:
            reply = await self._roads.send(errand, symbol, params)
            if reply.status == 200:
                outcome = orders.decode_placed(reply.body, self._venue.symbols)
            else:
                endpoint = Endpoint.PLACE if errand is PLACE else Endpoint.CANCEL
                outcome = reply.judge(endpoint, client_order_id)
        except ROAD_ERRORS as error:
            outcome = _judge_error(client_order_id, error)
        await self._mend_clock(outcome)
        return outcome

    async def _mend_clock(self, *outcomes: Outcome) -> None:
        for outcome in outcomes:
            if isinstance(outcome, VenueReject) and outcome.code == INVALID_TIMESTAMP:
                await self._venue.mend_clock(outcome.code)
                return
        await trio.lowlevel.checkpoint()

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order, or None when the venue says that it does not exist (R-04).

        Source: errors.md, "-2013", "-2026", 2026-07-21.
        """
        params = {"origClientOrderId": client_order_id}
        try:
            body = await self._ask("/api/v3/order", params, weight=4, symbol=symbol)
        except VenueRefused as error:
            if error.code == ORDER_ARCHIVED:
                raise Archived(str(error)) from error
            if error.code != NO_SUCH_ORDER:
                raise
            await trio.lowlevel.checkpoint()
            return None
        return orders.decode_order(body, self._venue.symbols)

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        """Return the open orders on `symbols`, ours and others'."""
        if len(symbols) * ONE_WEIGHT > ALL_WEIGHT:
            body = await self._ask("/api/v3/openOrders", {}, weight=ALL_WEIGHT)
            found = orders.decode_orders(body, self._venue.symbols)
            return [order for order in found if order.symbol in symbols]
        listed: list[VenueOrder] = []
        await trio.lowlevel.checkpoint()
        for symbol in symbols:
            body = await self._ask(
                "/api/v3/openOrders", {}, weight=ONE_WEIGHT, symbol=symbol
            )
            listed += orders.decode_orders(body, self._venue.symbols)
        return listed

    async def past_orders(self, symbol: str, *, since_ms: int) -> Sequence[VenueOrder]:
        """Return orders of any status since `since_ms`, oldest first, paged to the end."""
        await self._venue.know_symbols()
        return await ask_history(
            lambda params: self._ask("/api/v3/allOrders", params, weight=20, symbol=symbol),
            lambda body: orders.decode_orders(body, self._venue.symbols),
            since_ms=since_ms,
            now_ms=self.now_ms(),
        )

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's executions on `symbol`, oldest first, paged to the end."""
        await self._venue.know_symbols()
        return await ask_history(
            lambda params: self._ask("/api/v3/myTrades", params, weight=20, symbol=symbol),
            lambda body: orders.decode_trades(body, self._venue.symbols),
            since_ms=since_ms,
            now_ms=self.now_ms(),
        )

    async def balances(self) -> Sequence[VenueBalance]:
        """Return every balance of the account."""
        return orders.decode_account(await self._ask("/api/v3/account", {}, weight=20))

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        return self._venue.now_ms()

    async def _ask(
        self, path: str, params: Mapping[str, str | int], *, weight: int, symbol: str = ""
    ) -> bytes:
        await self._venue.know_symbols()
        if symbol:
            params = {"symbol": self._venue.name(symbol), **params}
        return await self._venue.ask(path, params, weight=weight, signer=self._signer)


def _judge_error(
    client_order_id: str, error: ConnectionLost | RateLimited | RemoteProtocolError
) -> VenueReject | VenueUnknown:
    """Return what a request that got no readable answer means for an order."""
    if isinstance(error, NotSent):
        return VenueReject(client_order_id, NOT_SENT, str(error))
    if isinstance(error, RateLimited):  # the venue's answer to this very request
        return VenueReject(client_order_id, "rate_limited", str(error))
    return VenueUnknown(client_order_id, str(error))
