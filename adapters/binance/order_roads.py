"""Two roads for one account's orders: the WS-API while its connection lives, else REST.

One request takes one road once, whatever becomes of it (R-05).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
import trio

from actors.messages import VenueReject, VenueUnknown
from adapters.binance.codec.envelope import Answer
from adapters.binance.codec.rest import decode_fault
from adapters.binance.gate import TOO_MANY_ORDERS
from adapters.binance.order_socket import OrderSocket
from adapters.binance.private_stream import close_gate
from adapters.binance.sign import Signer
from adapters.binance.venue import Venue
from adapters.binance.verdict import Endpoint, judge_fault
from adapters.errors import LocalProtocolError, RateLimited, VenueError
from adapters.http import HttpAnswer, NotSent

ORDERS_WAIT_S: Final = 10.0  # the venue's shortest window for orders


@attrs.frozen
class Errand:
    """One kind of request about orders, on both roads."""

    method: str  # of the WS-API
    verb: str
    path: str
    is_new_order: bool  # counts for the account's limit on new orders


PLACE: Final = Errand("order.place", "POST", "/api/v3/order", is_new_order=True)
CANCEL: Final = Errand("order.cancel", "DELETE", "/api/v3/order", is_new_order=False)
REPLACE: Final = Errand(
    "order.cancelReplace", "POST", "/api/v3/order/cancelReplace", is_new_order=True
)


@attrs.frozen
class Reply:
    """What the venue answered, by whichever road."""

    status: int
    body: bytes = b""  # of a success
    code: int | None = None  # None: the error is not the venue's own (a proxy's page)
    text: str = ""
    data: bytes = b""  # what comes with an error

    def judge(self, endpoint: Endpoint, client_order_id: str) -> VenueReject | VenueUnknown:
        """Return what this error means for one order."""
        if self.code is None:
            return VenueUnknown(client_order_id, self.text)
        return judge_fault(
            endpoint, client_order_id, status=self.status, code=self.code, text=self.text
        )


@attrs.define(eq=False)
class OrderRoads:
    """The way out for one account's orders."""

    _venue: Venue
    _signer: Signer
    socket: OrderSocket | None = None
    _orders_wait_until_s: float = 0.0  # the venue counts this account's new orders

    async def send(self, errand: Errand, symbol: str, params: Mapping[str, str]) -> Reply:
        """Send one request once and return its answer, whatever it says.

        Raises:
          NotSent: no byte left.
          RateLimited: the venue's answer to this very request.
          ConnectionLost: anything may have become of it.
          RemoteProtocolError: the same; the answer cannot be read.
        """
        try:
            if not self._venue.names:
                await self._venue.know_symbols()
            params = {"symbol": self._venue.name(symbol), **params}
            self._enter(errand)
        except (VenueError, LocalProtocolError) as error:
            raise NotSent(str(error)) from error
        await trio.lowlevel.checkpoint()
        socket = self.socket
        if socket is not None and not socket.lost:
            return await self._send_by_socket(socket, errand, params)
        return await self._send_by_rest(errand, params)

    def _enter(self, errand: Errand) -> None:
        now_s = trio.current_time()
        self._venue.gate.enter(0, is_urgent=True)
        if errand.is_new_order and now_s < self._orders_wait_until_s:
            wait_s = self._orders_wait_until_s - now_s
            raise RateLimited("too many new orders", retry_after_s=wait_s)

    async def _send_by_socket(
        self, socket: OrderSocket, errand: Errand, params: Mapping[str, str]
    ) -> Reply:
        venue = self._venue
        signed = self._signer.params(venue.stamped(params))
        answer = await socket.ask(errand.method, signed)
        _note_weight(venue, answer)
        if answer.status == 200:
            return Reply(200, bytes(answer.result))
        forbidden = close_gate(venue.gate, answer, venue.now_ms())
        error = answer.error
        if error is None:
            return Reply(answer.status, text=f"status {answer.status} without an error")
        if forbidden is not None:
            raise forbidden
        if error.code == TOO_MANY_ORDERS:
            self._wait_with_orders(answer.retry_after_s(venue.now_ms()))
        return Reply(answer.status, b"", error.code, error.msg, bytes(error.data))

    async def _send_by_rest(self, errand: Errand, params: Mapping[str, str]) -> Reply:
        venue = self._venue
        answer = await venue.send(
            venue.orders_http, errand.verb, errand.path, params, self._signer
        )
        if answer.status == 200:
            return Reply(200, answer.body)
        if answer.status == 429:  # venue.send lets only too many orders through
            told = answer.headers.get("retry-after", "")
            self._wait_with_orders(float(told) if told.isdecimal() else None)
        return _fault(answer)

    def _wait_with_orders(self, wait_s: float | None) -> None:
        """Send no new orders for a while; cancels and questions go on."""
        wait_s = ORDERS_WAIT_S if wait_s is None else wait_s
        self._orders_wait_until_s = trio.current_time() + wait_s


def _fault(answer: HttpAnswer) -> Reply:
    fault = decode_fault(answer.body)
    if fault is None:
        text = f"HTTP {answer.status} {answer.body[:100]!a}"
        return Reply(answer.status, text=text)
    return Reply(answer.status, b"", fault.code, fault.msg, bytes(fault.data))


def _note_weight(venue: Venue, answer: Answer) -> None:
    for usage in answer.rate_limits:
        if usage.rate_limit_type == "REQUEST_WEIGHT":
            venue.gate.heard(usage.count)
