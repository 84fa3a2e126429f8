"""One account's user channel of Advanced Trade, with the executions it does not tell.

The channel tells how much of an order is filled in all; the single executions are asked for
over REST whenever that grew. Frames are numbered per connection: a number that is missing
asks for reconciliation. Heartbeats keep a quiet connection open, and their absence ends a
dead one.

Source: Advanced Trade WebSocket channels; WIRE 3.12.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

import attrs
import trio

from actors.messages import PrivateMessage, VenueFill, VenueOrder
from adapters.coinbase.advanced_client import AdvancedClient
from adapters.coinbase.codec.advanced_user import (
    Frame,
    decode_frame,
    encode_subscription,
)
from adapters.coinbase.known_orders import KnownOrders
from adapters.errors import (
    ConnectionLost,
    RemoteProtocolError,
    VenueError,
    VenueRefused,
)
from adapters.sockets import Socket

SUBSCRIBED_S: Final = 10.0
SILENT_S: Final = 20.0  # heartbeats come every second
FETCH_S: Final = 4.0  # for the executions of one update
PAUSES_S: Final = (0.1, 0.5, 1.0)  # executions may lag behind the order's state
TOLD_MAX: Final = 1024  # orders
FILLED: Final = "executions of an order are told later than its state"

FillsOf = Callable[[str], Awaitable[Sequence[VenueFill]]]


@attrs.define(eq=False)
class _Told:
    """What was told of one order on this connection."""

    filled_base: Decimal = Decimal(0)
    trade_ids: set[str] = attrs.Factory(set[str])


@attrs.define(eq=False)
class AdvancedUserStream:
    """Implements `PrivateStream`."""

    _socket: Socket
    _client: AdvancedClient
    _known: KnownOrders
    _fills_of: FillsOf
    _number: int | None = None  # of the last frame
    _trouble: str = ""  # told by the next call, as reason to reconcile
    _ready: list[VenueOrder] = attrs.Factory(list[VenueOrder])  # oldest first
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first
    _told: OrderedDict[str, _Told] = attrs.Factory(OrderedDict[str, _Told])

    async def receive(self) -> Sequence[PrivateMessage]:
        """Return an order's executions and its new state.

        Raises:
          ConnectionLost: the connection ended, or nothing came for too long.
          RemoteProtocolError: an event was missed, late or unreadable; reconcile.
        """
        while True:
            if self._trouble:
                trouble, self._trouble = self._trouble, ""
                raise RemoteProtocolError(trouble)
            if self._ready:
                return await self._tell(self._ready.pop(0))
            self.take(await self._next_frame())

    async def subscribe(self) -> None:
        """Ask for heartbeats and the account's orders, and wait until they are granted.

        Raises:
          VenueRefused: the venue does not grant them.
          ConnectionLost: no answer.
        """
        for channel in ("heartbeats", "user"):
            token = self._client.signer.token(self._client.venue.now_ms())
            await self._socket.send(encode_subscription(channel, token))
        with trio.move_on_after(SUBSCRIBED_S):
            while True:
                frame = await self._granted()
                self.take(frame)
                if "user" in (frame.subscribed or {}):
                    return
        raise ConnectionLost(f"no answer to the subscription within {SUBSCRIBED_S:g} s")

    async def _granted(self) -> Frame:
        """Return the next frame, before anything is granted."""
        try:
            return await self._next_frame()
        except RemoteProtocolError as error:
            refused = VenueRefused("subscription", str(error))
        await self._client.mend_clock()
        raise refused

    async def _next_frame(self) -> Frame:
        if not self._unread:
            with trio.move_on_after(SILENT_S) as waiting:
                self._unread = list(await self._socket.receive_all())[::-1]
            if waiting.cancelled_caught:
                raise ConnectionLost(f"no heartbeat for {SILENT_S:g} s")
        await trio.lowlevel.checkpoint()
        return decode_frame(self._unread.pop(), self._client.venue.symbols)

    def take(self, frame: Frame) -> None:
        """Note what a frame says, and whether one before it was missed."""
        if frame.number is not None:
            expected = 0 if self._number is None else self._number + 1
            if self._number is not None and frame.number != expected:
                self._trouble = f"frame {frame.number} came after {self._number}"
            self._number = frame.number
        for order in frame.orders:
            self._known.note(order.client_order_id, order.venue_order_id)
            if frame.is_snapshot:
                self._told_of(order).filled_base = order.filled_base
            self._ready.append(order)

    async def _tell(self, order: VenueOrder) -> Sequence[PrivateMessage]:
        told = self._told_of(order)
        fills: list[VenueFill] = []
        if order.filled_base > told.filled_base:
            fills = await self._new_fills(order, told)
            told.filled_base = order.filled_base
        await trio.lowlevel.checkpoint()
        return [*fills, order]

    async def _new_fills(self, order: VenueOrder, told: _Told) -> list[VenueFill]:
        """Return the executions not told yet; what is missing asks for reconciliation."""
        found: Sequence[VenueFill] = ()
        with trio.move_on_after(FETCH_S):
            for pause_s in (0.0, *PAUSES_S):
                await trio.sleep(pause_s)
                try:
                    found = await self._fills_of(order.venue_order_id)
                except VenueError:
                    await trio.lowlevel.checkpoint()
                if _sum(found) >= order.filled_base:
                    break
        if _sum(found) < order.filled_base:
            self._trouble = FILLED
        fresh = [fill for fill in found if fill.trade_id not in told.trade_ids]
        told.trade_ids.update(fill.trade_id for fill in fresh)
        ours = order.client_order_id
        return [attrs.evolve(fill, client_order_id=ours) for fill in fresh]

    def _told_of(self, order: VenueOrder) -> _Told:
        told = self._told.setdefault(order.venue_order_id, _Told())
        self._told.move_to_end(order.venue_order_id)
        if len(self._told) > TOLD_MAX:
            self._told.popitem(last=False)
        return told


def _sum(fills: Sequence[VenueFill]) -> Decimal:
    return sum((fill.base for fill in fills), Decimal(0))


@asynccontextmanager
async def open_user_stream(
    client: AdvancedClient, known: KnownOrders, fills_of: FillsOf
) -> AsyncGenerator[AdvancedUserStream, None]:
    """Connect and subscribe for the length of the block.

    Raises:
      VenueError: could not connect, or the venue refused the subscription.
    """
    venue = client.venue
    await venue.know_symbols()
    async with venue.socket(venue.endpoints.ws_api_url) as socket:
        stream = AdvancedUserStream(socket, client, known, fills_of)
        await stream.subscribe()
        yield stream
