"""One account's user channel of the Exchange feed.

Only `received` carries our id; an order that is heard of first by the venue's is asked for
once. The channel drops messages without a trace, so its word is never the last: the account
reconciles over REST. What an order lost need not have been executed: self-trade prevention
takes from its size, too. So its end is told as the executions heard prove it, or by REST.

Source: Exchange WebSocket channels, "User channel"; WIRE 3.3; Exchange Matching Engine,
"Self-Trade Prevention".
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

import attrs
import trio

from actors.messages import OrderStatus, PrivateMessage, SubscriptionRefused, VenueOrder
from adapters.coinbase.codec import channels
from adapters.coinbase.codec.exchange_user import (
    Done,
    Matched,
    Received,
    Rests,
    UserHeard,
    decode_refusal,
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

ENDED: Final = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)

OrderBy = Callable[[str], Awaitable[VenueOrder | None]]


@attrs.define(eq=False)
class _Life:
    """An order as it was heard of last, and how much of it we heard executed."""

    order: VenueOrder
    matched_base: Decimal = Decimal(0)


@attrs.define(eq=False)
class ExchangeUserStream:
    """Implements `PrivateStream`."""

    _socket: Socket
    _client: ExchangeClient
    _known: KnownOrders
    _order_by: OrderBy
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first
    _lives: OrderedDict[str, _Life] = attrs.Factory(OrderedDict[str, _Life])

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
        venue = self._client.venue
        products = sorted(venue.symbols.keys() - venue.delisted)
        with trio.move_on_after(SUBSCRIBED_S):
            await self._ask_for(products)
            while True:
                heard = await self._granted()
                if isinstance(heard, Subscribed) and channels.USER in heard.channels:
                    return
                gone = heard.symbol if isinstance(heard, SubscriptionRefused) else ""
                left = [each for each in products if venue.symbols[each] != gone]
                if len(left) < len(products):  # else it was said of another channel, too
                    products = left
                    await self._ask_for(products)
        raise ConnectionLost(f"no answer to the subscription within {SUBSCRIBED_S:g} s")

    async def _ask_for(self, products: Sequence[str]) -> None:
        signature = self._client.signer.subscription(self._client.venue.now_ms())
        wanted = {channels.USER: products, channels.HEARTBEAT: products[:1]}
        command = channels.encode_command("subscribe", wanted, signature)
        await self._socket.send(command)

    async def _granted(self) -> UserHeard | SubscriptionRefused:
        """Return what the next frame says, before anything is granted.

        A product that is named as the reason, delisted meanwhile, is no refusal of all.
        """
        text, symbols = await self._next(), self._client.venue.symbols
        try:
            return decode_user(text, symbols)
        except RemoteProtocolError as error:
            refused = VenueRefused("subscription", str(error))
        named = decode_refusal(text, symbols)
        if named is None:
            await self._client.mend_clock()
            raise refused
        return named

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
        if life is None or not life.order.client_order_id:
            return []  # somebody else's, or gone: the next pass shows it
        match heard:
            case Rests():
                return [self._rests(life, heard)]
            case Matched():
                return self._matched(life, heard)
            case Done():
                return [await self._done(life, heard)]

    def _received(self, heard: Received) -> Sequence[PrivateMessage]:
        order = VenueOrder(
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
        self._keep(_Life(order))
        self._known.saw(order)
        return [order] if order.client_order_id else []

    def _rests(self, life: _Life, heard: Rests) -> VenueOrder:
        filled_base = max(life.order.filled_base, life.matched_base)
        is_filling = bool(filled_base)
        life.order = attrs.evolve(
            life.order,
            status=OrderStatus.PARTIALLY_FILLED if is_filling else OrderStatus.OPEN,
            filled_base=filled_base,
            update_ms=heard.at_ms or life.order.update_ms,
        )
        return life.order

    def _matched(self, life: _Life, heard: Matched) -> Sequence[PrivateMessage]:
        """Return the execution; the order's state follows with `open` or `done`."""
        life.matched_base += heard.base
        if heard.fee is None:
            raise RemoteProtocolError(NO_FEE)
        return [heard.fill(life.order.client_order_id, heard.fee)]

    async def _done(self, life: _Life, heard: Done) -> VenueOrder:
        """Return how the order has ended, as what was executed of it proves.

        What the frame makes of its size is the most that can have been executed, what we
        heard the least. Where they differ, REST is asked: executions were dropped, or
        self-trade prevention has decremented the size.
        """
        self._lives.pop(heard.venue_order_id, None)
        await trio.lowlevel.checkpoint()
        if life.order.base and _filled_at_most(life.order, heard) == life.matched_base:
            return attrs.evolve(
                life.order,
                status=heard.status,
                filled_base=life.matched_base,
                update_ms=heard.at_ms,
            )
        found: VenueOrder | None = life.order
        if life.order.status not in ENDED:  # else REST was asked after it had ended
            found = await self._ask(heard.venue_order_id)
        if found is None or found.status not in ENDED:
            raise RemoteProtocolError("an order that ended is not to be found so")
        return attrs.evolve(found, client_order_id=life.order.client_order_id)

    async def _life(self, venue_order_id: str) -> _Life | None:
        """Return an order as it was heard of last, or as the venue tells it."""
        life = self._lives.get(venue_order_id)
        if life is None and self._known.client_id(venue_order_id) != "":
            found = await self._ask(venue_order_id)
            if found is not None:
                life = _Life(found)
                self._keep(life)
        await trio.lowlevel.checkpoint()
        return life

    async def _ask(self, venue_order_id: str) -> VenueOrder | None:
        try:
            return await self._order_by(venue_order_id)
        except VenueError as error:
            text = f"an order could not be asked for: {error}"
            raise RemoteProtocolError(text[:200]) from error

    def _keep(self, life: _Life) -> None:
        self._lives[life.order.venue_order_id] = life
        if len(self._lives) > LIVES_MAX:
            self._lives.popitem(last=False)


def _filled_at_most(order: VenueOrder, heard: Done) -> Decimal | None:
    """Return what a frame leaves for executions; None where it does not tell that."""
    if heard.status is OrderStatus.FILLED:
        return order.base
    remaining = heard.remaining_base
    return None if remaining is None else order.base - remaining


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
