"""Two roads for one account's orders: its WebSocket while that lives, else REST.

One request takes one road once, whatever becomes of it (R-05). Each order carries a
deadline of the venue's own, after which it is not placed any more (I-10).
"""

from __future__ import annotations

from typing import Final

import attrs
import trio

from actors.messages import (
    OrderRequest,
    OrderStatus,
    Side,
    VenueAck,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from adapters.errors import (
    ConnectionLost,
    LocalProtocolError,
    RateLimited,
    RemoteProtocolError,
    VenueError,
)
from adapters.http import NotSent
from adapters.kraken.caller import Caller
from adapters.kraken.codec.numbers import ZERO, unix_ms
from adapters.kraken.codec.orders import decode_placed, place_fields, place_form
from adapters.kraken.codec.private import Answer
from adapters.kraken.order_socket import OrderSocket
from adapters.kraken.own_orders import OwnOrders
from adapters.kraken.venue import Venue
from adapters.kraken.verdict import BAD_SESSION, TOO_FAST, TOO_LATE, Outcome, judge_fault

DEADLINE_MS: Final = 5000  # from sending to the engine
NOT_SENT: Final = "not_sent"
EXIT_SHARE: Final = 1.0  # of the engine's counter: nothing fills it up before (I-12)
MOVE_SHARE: Final = 0.8  # of stops
ENTRY_SHARE: Final = 0.6  # a stop of what was bought finds room, and grows with it
ROAD_ERRORS: Final = (ConnectionLost, RateLimited, RemoteProtocolError)


@attrs.define(eq=False)
class OrderRoads:
    """The way out for one account's orders."""

    _venue: Venue
    _caller: Caller
    _own: OwnOrders
    socket: OrderSocket | None = None

    async def place(self, request: OrderRequest, *, is_counted: bool = False) -> Outcome:
        """Send one order once. Bounded by the deadlines of the road it takes."""
        order_id = request.client_order_id
        try:
            await self._prepare(request.symbol)
            if not is_counted:
                self._enter(request)
            self._own.asked(request, self._venue.now_ms())
            socket = self._living()
            if socket is not None:
                return await self._place_by_socket(socket, request)
            outcome = await self._place_by_rest(request)
        except ROAD_ERRORS as error:
            await trio.lowlevel.checkpoint()
            return judge_error(order_id, error)
        if isinstance(outcome, VenueReject) and outcome.code.startswith(TOO_LATE):
            await self._venue.mend_clock()
        return outcome

    async def count_replacement(self, client_order_id: str, request: OrderRequest) -> None:
        """Count a cancel and the order in its place before either leaves.

        A cancel is never held back, an order may be: between the two nothing would rest.

        Raises:
          NotSent: they may not both be sent now.
        """
        await self._prepare(request.symbol)
        age_ms = self._own.age_ms(client_order_id, self._venue.now_ms())
        share = EXIT_SHARE if request.stop_price is None else MOVE_SHARE
        try:
            self._caller.enter_replacement(request.symbol, age_ms, share=share)
        except RateLimited as error:
            raise NotSent(str(error)) from error

    async def cancel(
        self, symbol: str, client_order_id: str, *, is_counted: bool = False
    ) -> Outcome:
        """Ask for a cancel once; an acknowledgement says that it was asked for.

        It goes by our id alone: what the venue lists, or does not, holds up none (I-12).
        """
        try:
            self._check_open()
            now_ms = self._venue.now_ms()
            if not is_counted:
                age_ms = self._own.age_ms(client_order_id, now_ms)
                self._caller.count_cancel(symbol, age_ms)
            self._own.changes += 1
            socket = self._living()
            if socket is not None:
                params = {"cl_ord_id": [client_order_id]}
                answer = await socket.ask("cancel_order", params)
                return self._judge_answer(answer, symbol, client_order_id, is_cancel=True)
            form = {"cl_ord_id": client_order_id}
            said = await self._caller.order("CancelOrder", lambda: form)
            if said.errors:
                text = said.errors[0]
                return self._judge(text, symbol, client_order_id, is_cancel=True)
            return _acked(client_order_id, "", now_ms)
        except ROAD_ERRORS as error:
            await trio.lowlevel.checkpoint()
            return judge_error(client_order_id, error)

    def told_end(self, client_order_id: str) -> VenueOrder | None:
        """Return an order whose end the stream has told."""
        return self._own.ended(client_order_id)

    async def _prepare(self, symbol: str) -> None:
        try:
            await self._venue.know_symbols()
            self._venue.instrument(symbol)
        except VenueError as error:
            raise NotSent(str(error)) from error
        self._check_open()

    def _check_open(self) -> None:
        try:
            self._caller.check_open()
        except RateLimited as error:
            raise NotSent(str(error)) from error

    def _enter(self, request: OrderRequest) -> None:
        share = EXIT_SHARE if request.side is Side.SELL else ENTRY_SHARE
        try:
            self._caller.enter_engine(request.symbol, share=share)
        except RateLimited as error:
            raise NotSent(str(error)) from error

    def _living(self) -> OrderSocket | None:
        is_living = self.socket is not None and not self.socket.lost
        return self.socket if is_living else None

    async def _place_by_socket(self, socket: OrderSocket, request: OrderRequest) -> Outcome:
        deadline_ms = self._venue.now_ms() + DEADLINE_MS
        try:
            fields = place_fields(request, deadline_ms=deadline_ms)
        except LocalProtocolError as error:
            raise NotSent(str(error)) from error
        answer = await socket.ask("add_order", fields)
        order_id = request.client_order_id
        outcome = self._judge_answer(answer, request.symbol, order_id, is_cancel=False)
        if isinstance(outcome, VenueAck):
            self._own.placed(request, outcome.venue_order_id, outcome.transact_ms)
        return outcome

    async def _place_by_rest(self, request: OrderRequest) -> Outcome:
        pair = self._venue.instrument(request.symbol).venue_symbol

        def form() -> dict[str, str]:
            deadline_ms = self._venue.now_ms() + DEADLINE_MS
            return place_form(request, pair, deadline_ms=deadline_ms)

        try:
            said = await self._caller.order("AddOrder", form)
        except LocalProtocolError as error:
            raise NotSent(str(error)) from error
        order_id = request.client_order_id
        if said.errors:
            return self._judge(said.errors[0], request.symbol, order_id, is_cancel=False)
        ack = _acked(order_id, decode_placed(said.result), self._venue.now_ms())
        self._own.placed(request, ack.venue_order_id, ack.transact_ms)
        return ack

    def _judge_answer(
        self, answer: Answer, symbol: str, client_order_id: str, *, is_cancel: bool
    ) -> Outcome:
        if answer.error.startswith(TOO_LATE) and answer.at is not None:
            venue = self._venue  # which has just told its time
            venue.offset_ms = unix_ms(answer.at) - venue.clock.now_ms()
        if answer.error:
            if answer.error.startswith(BAD_SESSION) and self.socket is not None:
                self.socket.end(answer.error)  # the next request goes by REST
            return self._judge(answer.error, symbol, client_order_id, is_cancel=is_cancel)
        acked = answer.acked
        is_other = acked.cl_ord_id not in {"", client_order_id}
        if is_other or not (acked.order_id or is_cancel):
            return VenueUnknown(client_order_id, "the answer is about another order")
        at_ms = unix_ms(answer.at) if answer.at is not None else self._venue.now_ms()
        return _acked(client_order_id, acked.order_id, at_ms)

    def _judge(
        self, text: str, symbol: str, client_order_id: str, *, is_cancel: bool
    ) -> Outcome:
        self._caller.note(text)
        if text.startswith(TOO_FAST):
            self._caller.fill_engine(symbol)
        return judge_fault(client_order_id, text, is_cancel=is_cancel)


def judge_error(
    client_order_id: str, error: ConnectionLost | RateLimited | RemoteProtocolError
) -> VenueReject | VenueUnknown:
    """Return what a request that got no readable answer means for an order."""
    if isinstance(error, NotSent):
        return VenueReject(client_order_id, NOT_SENT, str(error))
    if isinstance(error, RateLimited):  # the venue's answer to this very request
        return VenueReject(client_order_id, "rate_limited", str(error))
    return VenueUnknown(client_order_id, str(error))


def _acked(client_order_id: str, venue_order_id: str, at_ms: int) -> VenueAck:
    return VenueAck(client_order_id, venue_order_id, OrderStatus.OPEN, ZERO, at_ms)
