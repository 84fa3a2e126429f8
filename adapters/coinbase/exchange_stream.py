"""One account's user channel of the Exchange feed.

Only `received` carries our id; an order that is heard of first by the venue's is asked for
once. The channel drops messages without a trace, so its word is never the last: the account
reconciles over REST.

Source: Exchange WebSocket channels, "User channel"; WIRE 3.3.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

import attrs
import trio

from actors.messages import OrderStatus, PrivateMessage, VenueOrder
from adapters.coinbase.codec import channels
from adapters.coinbase.codec.exchange_user import (
    Done,
    Matched,
    Received,
    Rests,
    UserHeard,
    decode_user,
)
from adapters.coinbase.codec.feed import EXCHANGE, Subscribed
from adapters.coinbase.exchange_client import ExchangeClient
from adapters.coinbase.known_orders import KnownOrders
from adapters.errors import (
    ConnectionLost,
    RemoteProtocolError,
    VenueError,
    VenueRefused,
)
from adapters.sockets import Socket

SUBSCRIBED_S: Final = 10.0
SILENT_S: Final = 20.0  # one product's heartbeat comes every second
LIVES_MAX: Final = 1024
NO_FEE: Final = "a match that does not tell our fee"

OrderBy = Callable[[str], Awaitable[VenueOrder | None]]


@attrs.define(eq=False)
class ExchangeUserStream:
    """Implements `PrivateStream`."""

    _socket: Socket
    _client: ExchangeClient
    _known: KnownOrders
    _order_by: OrderBy
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first
    _lives: OrderedDict[str, VenueOrder] = attrs.Factory(OrderedDict[str, VenueOrder])

    async def receive(self) -> Sequence[PrivateMessage]:
        """Return what a frame says of an order of this account.

        Raises:
          ConnectionLost: the connection ended, or nothing came for too long.
          RemoteProtocolError: an event could not be read, or its order not be found;
            reconcile.
        """
        while True:
            said = await self._said_in(await self._next())
            if said:
                return said

    async def subscribe(self) -> None:
        """Ask for the account's orders on every product, and wait until it is granted.

        Raises:
          VenueRefused: the venue does not grant it.
          ConnectionLost: no answer.
        """
        products = sorted(self._client.venue.symbols)
        signature = self._client.signer.subscription(self._client.venue.now_ms())
        wanted = {channels.USER: products, channels.HEARTBEAT: products[:1]}
        command = channels.encode_command("subscribe", wanted, signature)
        await self._socket.send(command)
        with trio.move_on_after(SUBSCRIBED_S):
            while True:
                heard = await self._granted()
                if isinstance(heard, Subscribed) and channels.USER in heard.channels:
                    return
        raise ConnectionLost(f"no answer to the subscription within {SUBSCRIBED_S:g} s")

    async def _granted(self) -> UserHeard:
        """Return what the next frame says, before anything is granted."""
        try:
            return decode_user(await self._next(), self._client.venue.symbols)
        except RemoteProtocolError as error:
            refused = VenueRefused("subscription", str(error))
        await self._client.mend_clock()
        raise refused

    async def _next(self) -> str | bytes:
        if not self._unread:
            with trio.move_on_after(SILENT_S) as waiting:
                self._unread = list(await self._socket.receive_all())[::-1]
            if waiting.cancelled_caught:
                raise ConnectionLost(f"no heartbeat for {SILENT_S:g} s")
        await trio.lowlevel.checkpoint()
        return self._unread.pop()

    async def _said_in(self, text: str | bytes) -> Sequence[PrivateMessage]:
        heard = decode_user(text, self._client.venue.symbols)
        await trio.lowlevel.checkpoint()
        match heard:
            case Received():
                return self._received(heard)
            case Rests() | Done() | Matched():
                life = await self._life(heard.venue_order_id)
            case _:
                return []
        if life is None or not life.client_order_id:
            return []  # somebody else's, or gone: the next pass shows it
        match heard:
            case Rests():
                return [self._rests(life, heard)]
            case Matched():
                return self._matched(life, heard)
            case Done():
                return [await self._done(life, heard)]

    def _received(self, heard: Received) -> Sequence[PrivateMessage]:
        life = VenueOrder(
            exchange=EXCHANGE,
            symbol=heard.symbol,
            client_order_id=heard.client_order_id,
            venue_order_id=heard.venue_order_id,
            side=heard.side,
            order_type=heard.order_type,
            status=OrderStatus.OPEN,
            base=heard.base or Decimal(0),
            filled_base=Decimal(0),
            limit_price=heard.limit_price,
            stop_price=None,
            update_ms=heard.at_ms,
        )
        self._keep(life)
        self._known.saw(life)
        return [life] if life.client_order_id else []

    def _rests(self, life: VenueOrder, heard: Rests) -> VenueOrder:
        filled_base = life.filled_base
        if heard.remaining_base is not None and life.base >= heard.remaining_base:
            filled_base = max(filled_base, life.base - heard.remaining_base)
        is_filling = bool(filled_base)
        status = OrderStatus.PARTIALLY_FILLED if is_filling else OrderStatus.OPEN
        life = attrs.evolve(
            life,
            status=status,
            filled_base=filled_base,
            update_ms=heard.at_ms or life.update_ms,
        )
        self._keep(life)
        return life

    def _matched(self, life: VenueOrder, heard: Matched) -> Sequence[PrivateMessage]:
        """Return the execution; the order's state follows with `open` or `done`."""
        if heard.fee is None:
            raise RemoteProtocolError(NO_FEE)
        return [heard.fill(life.client_order_id, heard.fee)]

    async def _done(self, life: VenueOrder, heard: Done) -> VenueOrder:
        """Return how the order has ended; the venue is asked where the frame is silent."""
        self._lives.pop(heard.venue_order_id, None)
        await trio.lowlevel.checkpoint()
        if heard.status is OrderStatus.FILLED and life.base:
            return self._ended(life, heard, life.base)
        if heard.remaining_base is not None and life.base >= heard.remaining_base > 0:
            return self._ended(life, heard, life.base - heard.remaining_base)
        found = await self._ask(heard.venue_order_id)
        if found is None:
            raise RemoteProtocolError("an order that ended is not to be found")
        return found

    def _ended(self, life: VenueOrder, heard: Done, filled_base: Decimal) -> VenueOrder:
        return attrs.evolve(
            life, status=heard.status, filled_base=filled_base, update_ms=heard.at_ms
        )

    async def _life(self, venue_order_id: str) -> VenueOrder | None:
        """Return an order as it was heard of last, or as the venue tells it."""
        life = self._lives.get(venue_order_id)
        if life is None and self._known.client_id(venue_order_id) != "":
            life = await self._ask(venue_order_id)
            if life is not None:
                self._keep(life)
        await trio.lowlevel.checkpoint()
        return life

    async def _ask(self, venue_order_id: str) -> VenueOrder | None:
        try:
            return await self._order_by(venue_order_id)
        except VenueError as error:
            text = f"an order could not be asked for: {error}"
            raise RemoteProtocolError(text[:200]) from error

    def _keep(self, life: VenueOrder) -> None:
        self._lives[life.venue_order_id] = life
        if len(self._lives) > LIVES_MAX:
            self._lives.popitem(last=False)


@asynccontextmanager
async def open_user_stream(
    client: ExchangeClient, known: KnownOrders, order_by: OrderBy
) -> AsyncGenerator[ExchangeUserStream, None]:
    """Connect and subscribe for the length of the block.

    Raises:
      VenueError: could not connect, or the venue refused the subscription.
    """
    venue = client.venue
    await venue.know_symbols()
    async with venue.socket(venue.endpoints.url) as socket:
        stream = ExchangeUserStream(socket, client, known, order_by)
        await stream.subscribe()
        yield stream
