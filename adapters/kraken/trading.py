"""The private side of one account: orders, queries, and the private stream.

Orders go over the WebSocket while its connection lives, else over REST; once either way. A
question that fails says nothing about the order it asked for (R-01). The venue answers for
the whole account at once, so what one symbol's question brought is there for the others
for a moment: the key may ask little.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs
import msgspec
import trio

from actors.messages import (
    OrderRequest,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReplaced,
)
from actors.ports import PrivateStream
from adapters.errors import ConnectionLost
from adapters.kraken.caller import Caller, Tier
from adapters.kraken.codec import orders
from adapters.kraken.codec.private import decode_token
from adapters.kraken.dead_man import OFF_S, DeadMan
from adapters.kraken.history import History, Open
from adapters.kraken.order_roads import OrderRoads
from adapters.kraken.order_socket import OrderSocket
from adapters.kraken.own_orders import OwnOrders
from adapters.kraken.private_stream import KrakenPrivateStream, open_private_stream
from adapters.kraken.replaced import replace
from adapters.kraken.venue import Venue
from adapters.kraken.verdict import Outcome


@attrs.define(eq=False)
class KrakenTrading:
    """Implements `Trading`."""

    forgets_canceled = False

    _venue: Venue
    _caller: Caller
    _dead_man: DeadMan
    _own: OwnOrders = attrs.Factory(OwnOrders)
    _open: Open | None = None
    _roads: OrderRoads = attrs.field(init=False)
    _history: History = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._roads = OrderRoads(self._venue, self._caller, self._own)
        self._history = History(self._venue, self._caller)

    @asynccontextmanager
    async def open_private(self) -> AsyncGenerator[PrivateStream, None]:
        """Connect the stream of executions and balances.

        Raises:
          VenueError: could not connect, or the venue refused.
        """
        await self._venue.know_symbols()
        opened: AbstractAsyncContextManager[KrakenPrivateStream] = open_private_stream(
            self._venue, self._own, await self._token(), self._caller.learn_tier
        )
        async with opened as stream:
            yield stream

    @asynccontextmanager
    async def open_orders_connection(
        self,
    ) -> AsyncGenerator[Callable[[], Awaitable[None]], None]:
        """Connect the socket that carries orders; the value serves it until it ends.

        Raises:
          VenueError: could not connect.
        """
        token = await self._token()
        async with self._venue.socket(self._venue.endpoints.ws_api_url) as websocket:
            socket = OrderSocket(websocket, token, self._dead_man.renew)
            self._roads.socket = socket
            is_lost = False
            try:
                yield socket.serve
            except ConnectionLost:
                is_lost = True
                raise
            finally:
                socket.end("the orders connection was closed")
                if self._roads.socket is socket:
                    self._roads.socket = None
                if not is_lost:
                    with trio.move_on_after(OFF_S, shield=True):
                        await self._dead_man.switch_off(self._caller)

    @property
    def tier(self) -> Tier:
        """What the venue grants the account; told with its stream."""
        return self._caller.tier

    async def place(self, request: OrderRequest) -> Outcome:
        """Send one order once. Bounded by the deadlines of the road it takes."""
        return await self._roads.place(request)

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Ask for a cancel once. The final state is read back by the caller (R-08)."""
        return await self._roads.cancel(symbol, client_order_id)

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        """Cancel an order, see that it has ended with nothing executed, place another."""
        return await replace(self._roads, self.order, client_order_id, request)

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order, or None when the venue says that it does not exist (R-04).

        Asked among the open ones first: one that ends meanwhile is then among the closed.
        The key may ask little: an end that the stream has told is not asked for, nor what
        a question about all open orders has just told.
        """
        await trio.lowlevel.checkpoint()
        is_open_told = self._is_open_told()
        told = self._own.ended(client_order_id)
        if told is None and self._open is not None and is_open_told:
            told = self._open.orders.get(client_order_id)
        if told is not None:
            return told
        known = self._own.find(client_order_id)
        if known is not None:
            result = await self._ask("QueryOrders", {"txid": known.venue_order_id})
            for found in orders.decode_known_orders(result, self._venue.symbol_of):
                if found.venue_order_id == known.venue_order_id:
                    return attrs.evolve(found, client_order_id=client_order_id)
        for path in ("ClosedOrders",) if is_open_told else ("OpenOrders", "ClosedOrders"):
            listed = await self._listed(path, client_order_id)
            found = [each for each in listed if each.client_order_id == client_order_id]
            if found:
                self._own.learn(found)
                return found[-1]
        return None

    async def _listed(self, path: str, client_order_id: str) -> list[VenueOrder]:
        result = await self._ask(path, {"cl_ord_id": client_order_id})
        if path == "OpenOrders":
            return orders.decode_open_orders(result, self._venue.symbol_of)
        return orders.decode_closed_orders(result, self._venue.symbol_of)[0]

    def _is_open_told(self) -> bool:
        """Tell whether what was open a moment ago is still known to be all."""
        now_s, changes = trio.current_time(), self._own.changes
        return self._open is not None and self._open.holds(changes, now_s)

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        """Return the open orders on `symbols`, ours and others'."""
        now_s, changes = trio.current_time(), self._own.changes
        result = await self._ask("OpenOrders", {})
        listed = orders.decode_open_orders(result, self._venue.symbol_of)
        self._own.learn(listed)
        by_id = {order.client_order_id: order for order in listed if order.client_order_id}
        self._open = Open(now_s, changes, by_id)
        return [order for order in listed if order.symbol in symbols]

    async def past_orders(self, symbol: str, *, since_ms: int) -> Sequence[VenueOrder]:
        """Return orders that have ended since `since_ms`, oldest first, to the end."""
        return await self._history.orders(symbol, since_ms)

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's executions on `symbol`, oldest first, paged to the end."""
        found = await self._history.fills(symbol, since_ms)
        return [
            attrs.evolve(
                fill, client_order_id=self._own.client_order_id(fill.venue_order_id)
            )
            for fill in found
        ]

    async def balances(self) -> Sequence[VenueBalance]:
        """Return every balance of the account.

        Raises:
          VenueRefused: also where the dead man's switch that was asked for is refused: a
            pass must not succeed without it.
        """
        self._dead_man.check()
        result = await self._ask("BalanceEx", {})
        return orders.decode_balances(result, self._venue.asset_of)

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        return self._venue.now_ms()

    async def _token(self) -> str:
        """Return a token for one more private socket: good for a quarter of an hour."""
        return decode_token(await self._ask("GetWebSocketsToken", {}))

    async def _ask(self, path: str, params: dict[str, str | int]) -> msgspec.Raw:
        await self._venue.know_symbols()
        return await self._caller.ask(path, params)
