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
    VenueAck,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from actors.ports import PrivateStream
from adapters.binance.codec import orders
from adapters.binance.codec.envelope import Answer
from adapters.binance.codec.rest import decode_fault
from adapters.binance.gate import TOO_MANY_ORDERS
from adapters.binance.history import ask_history
from adapters.binance.order_socket import OrderSocket
from adapters.binance.private_stream import CONNECT_WEIGHT, close_gate, open_private_stream
from adapters.binance.sign import Signer
from adapters.binance.venue import Venue
from adapters.binance.verdict import Endpoint, judge_fault
from adapters.errors import (
    ConnectionLost,
    LocalProtocolError,
    RateLimited,
    RemoteProtocolError,
    VenueError,
    VenueRefused,
)
from adapters.http import HttpAnswer, NotSent

Outcome = VenueAck | VenueReject | VenueUnknown
NOT_SENT: Final = "not_sent"
NO_SUCH_ORDER: Final = "-2013"
ALL_WEIGHT: Final = 80  # of the open orders of every symbol at once
ONE_WEIGHT: Final = 6
ORDERS_WAIT_S: Final = 10.0  # the venue's shortest window for orders

_ROADS: Final = {
    Endpoint.PLACE: ("order.place", "POST"),
    Endpoint.CANCEL: ("order.cancel", "DELETE"),
}


@attrs.define(eq=False)
class BinanceTrading:
    """Implements `Trading`."""

    _venue: Venue
    _signer: Signer
    _socket: OrderSocket | None = None
    _orders_wait_until_s: float = 0.0  # the venue counts this account's new orders

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
            self._socket = socket
            try:
                yield socket.serve
            finally:
                socket.end("the orders connection was closed")
                if self._socket is socket:
                    self._socket = None

    async def place(self, request: OrderRequest) -> Outcome:
        """Send one order once. Bounded by the deadlines of the road it takes."""
        params = orders.place_params(request)
        return await self._send(
            Endpoint.PLACE, request.symbol, request.client_order_id, params
        )

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Ask for a cancel once. The final state is read back by the caller (R-08)."""
        params = {"origClientOrderId": client_order_id}
        return await self._send(Endpoint.CANCEL, symbol, client_order_id, params)

    async def _send(
        self,
        endpoint: Endpoint,
        symbol: str,
        client_order_id: str,
        params: Mapping[str, str],
    ) -> Outcome:
        """Say what becomes of one request; before the road is chosen no byte leaves."""
        try:
            if not self._venue.names:
                await self._venue.know_symbols()
            params = {"symbol": self._venue.name(symbol), **params}
            now_s = trio.current_time()
            self._venue.gate.enter(0, now_s, is_urgent=True)
            if endpoint is Endpoint.PLACE and now_s < self._orders_wait_until_s:
                wait_s = self._orders_wait_until_s - now_s
                raise RateLimited("too many new orders", retry_after_s=wait_s)
        except (VenueError, LocalProtocolError) as error:
            outcome = VenueReject(client_order_id, NOT_SENT, str(error))
        else:
            return await self._send_once(endpoint, client_order_id, params)
        await trio.lowlevel.checkpoint()
        return outcome

    async def _send_once(
        self, endpoint: Endpoint, client_order_id: str, params: Mapping[str, str]
    ) -> Outcome:
        socket = self._socket
        outcome: Outcome
        try:
            if socket is not None and not socket.lost:
                send = self._send_by_socket(socket, endpoint, client_order_id, params)
            else:
                send = self._send_by_rest(endpoint, client_order_id, params)
            outcome = await send
        except NotSent as error:
            outcome = VenueReject(client_order_id, NOT_SENT, str(error))
        except RateLimited as error:  # the venue's answer to this very request
            outcome = VenueReject(client_order_id, "rate_limited", str(error))
        except (ConnectionLost, RemoteProtocolError) as error:
            outcome = VenueUnknown(client_order_id, str(error))
        if isinstance(outcome, VenueReject):
            await self._venue.mend_clock(outcome.code)
        await trio.lowlevel.checkpoint()
        return outcome

    async def _send_by_socket(
        self,
        socket: OrderSocket,
        endpoint: Endpoint,
        client_order_id: str,
        params: Mapping[str, str],
    ) -> Outcome:
        venue = self._venue
        signed = self._signer.params(venue.stamped(params))
        answer = await socket.ask(_ROADS[endpoint][0], signed)
        _note_weight(venue, answer)
        if answer.status == 200:
            return orders.decode_placed(bytes(answer.result), venue.symbols)
        forbidden = close_gate(venue.gate, answer, venue.now_ms())
        if answer.error is None:
            return VenueUnknown(client_order_id, f"status {answer.status} without an error")
        if forbidden is not None:
            raise forbidden
        if answer.error.code == TOO_MANY_ORDERS:
            self._wait_with_orders(answer.retry_after_ms())
        return judge_fault(
            endpoint,
            client_order_id,
            status=answer.status,
            code=answer.error.code,
            text=answer.error.msg,
        )

    async def _send_by_rest(
        self, endpoint: Endpoint, client_order_id: str, params: Mapping[str, str]
    ) -> Outcome:
        venue = self._venue
        answer = await venue.send(
            venue.orders_http, _ROADS[endpoint][1], "/api/v3/order", params, self._signer
        )
        if answer.status == 200:
            return orders.decode_placed(answer.body, venue.symbols)
        if answer.status == 429:  # venue.send lets only too many orders through
            told = answer.headers.get("retry-after", "")
            self._wait_with_orders(
                venue.now_ms() + 1000 * int(told) if told.isdecimal() else None
            )
        return _judged(endpoint, client_order_id, answer)

    def _wait_with_orders(self, until_ms: int | None) -> None:
        """Send no new orders for a while; cancels and questions go on."""
        wait_s = ORDERS_WAIT_S if until_ms is None else (until_ms - self.now_ms()) / 1000
        self._orders_wait_until_s = trio.current_time() + wait_s

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order, or None when the venue says that it does not exist (R-04)."""
        params = {"origClientOrderId": client_order_id}
        try:
            body = await self._ask("/api/v3/order", params, weight=4, symbol=symbol)
        except VenueRefused as error:
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
            page_by="orderId",
            id_of=lambda order: int(order.venue_order_id),
        )

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's executions on `symbol`, oldest first, paged to the end."""
        await self._venue.know_symbols()
        return await ask_history(
            lambda params: self._ask("/api/v3/myTrades", params, weight=20, symbol=symbol),
            lambda body: orders.decode_trades(body, self._venue.symbols),
            since_ms=since_ms,
            now_ms=self.now_ms(),
            page_by="fromId",
            id_of=lambda fill: int(fill.trade_id),
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


def _judged(endpoint: Endpoint, client_order_id: str, answer: HttpAnswer) -> Outcome:
    fault = decode_fault(answer.body)
    if fault is None:
        text = f"HTTP {answer.status} {answer.body[:100]!a}"
        return VenueUnknown(client_order_id, text)
    return judge_fault(
        endpoint, client_order_id, status=answer.status, code=fault.code, text=fault.msg
    )


def _note_weight(venue: Venue, answer: Answer) -> None:
    for usage in answer.rate_limits:
        if usage.rate_limit_type == "REQUEST_WEIGHT":
            venue.gate.heard(usage.count)
