"""A venue in memory that does what a test says: the ports of `actors/ports.py`, no wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import trio

from actors.messages import (
    BookSnapshot,
    Candle,
    Instrument,
    OrderRequest,
    OrderStatus,
    PrivateMessage,
    StreamMessage,
    StreamTerms,
    Subscription,
    Ticker,
    VenueAck,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.ports import NotListed, VenueError
from tests.words import BTC

Answer = VenueAck | VenueReject | VenueUnknown
TERMS = StreamTerms(subscriptions_max=1024, timeframes=frozenset({"1m"}))
LIVE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
DAY_MS = 86_400_000


class Middle:
    """The middle of every jitter."""

    def random(self) -> float:
        return 0.5


@attrs.define(eq=False)
class Pipe:
    """What the venue sends on one connection; an exception is raised where it is read."""

    _items: Any = attrs.Factory(lambda: trio.open_memory_channel[Any](10_000))

    def put(self, item: object) -> None:
        self._items[0].send_nowait(item)

    async def take(self) -> Any:
        item = await self._items[1].receive()
        if isinstance(item, Exception):
            raise item
        return item


@attrs.define(eq=False)
class ScriptedStream:
    """One market-data connection."""

    unlisted: frozenset[str] = frozenset()
    pipe: Pipe = attrs.Factory(Pipe)
    is_open: bool = True
    subscribed: set[Subscription] = attrs.Factory(set[Subscription])
    commands: list[tuple[str, frozenset[Subscription]]] = attrs.Factory(
        list[tuple[str, frozenset[Subscription]]]
    )

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        for each in subscriptions:
            if each.symbol in self.unlisted:
                raise NotListed(each.symbol)
        self.commands.append(("+", frozenset(subscriptions)))
        self.subscribed.update(subscriptions)

    async def unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        self.commands.append(("-", frozenset(subscriptions)))
        self.subscribed.difference_update(subscriptions)

    async def receive(self) -> Sequence[StreamMessage]:
        return await self.pipe.take()

    def tell(self, *messages: StreamMessage) -> None:
        self.pipe.put(messages)

    def fail(self, error: VenueError) -> None:
        self.pipe.put(error)


@attrs.define(eq=False)
class ScriptedMarket:
    """The public side. What is not scripted fails as a venue that cannot be reached."""

    tickers: dict[str, Ticker] = attrs.Factory(dict[str, Ticker])
    history: dict[str, list[Candle]] = attrs.Factory(dict[str, list[Candle]])
    books: dict[str, list[BookSnapshot]] = attrs.Factory(dict[str, list[BookSnapshot]])
    terms: StreamTerms = TERMS
    listed: Mapping[str, Instrument] | VenueError = attrs.Factory(lambda: {BTC.symbol: BTC})
    unlisted: frozenset[str] = frozenset()
    refusals: list[VenueError] = attrs.Factory(list[VenueError])  # of the next connections
    errors: dict[str, VenueError] = attrs.Factory(dict[str, VenueError])  # by symbol
    slow_s: dict[str, float] = attrs.Factory(dict[str, float])  # by symbol
    offset_ms: int = 0
    streams: list[ScriptedStream] = attrs.Factory(list[ScriptedStream])
    asked: list[tuple[float, str, str]] = attrs.Factory(list[tuple[float, str, str]])

    @property
    def stream(self) -> ScriptedStream:
        """The newest connection."""
        return self.streams[-1]

    def open_streams(self) -> list[ScriptedStream]:
        """Return the connections that are open, oldest first."""
        return [stream for stream in self.streams if stream.is_open]

    def carrying(self, subscription: Subscription) -> ScriptedStream:
        """Return the oldest open connection that carries a subscription."""
        return next(s for s in self.open_streams() if subscription in s.subscribed)

    def asked_for(self, what: str, symbol: str = "") -> list[float]:
        """Return when a REST question was asked."""
        return [s for s, kind, of in self.asked if kind == what and symbol in {"", of}]

    @asynccontextmanager
    async def open_stream(self) -> AsyncGenerator[ScriptedStream]:
        await trio.lowlevel.checkpoint()
        if self.refusals:
            raise self.refusals.pop(0)
        stream = ScriptedStream(self.unlisted)
        self.streams.append(stream)
        try:
            yield stream
        finally:
            stream.is_open = False

    async def instruments(self) -> Mapping[str, Instrument]:
        await self._answer("instruments", "")
        if isinstance(self.listed, VenueError):
            raise self.listed
        return self.listed

    async def ticker(self, symbol: str) -> Ticker:
        await self._answer("ticker", symbol)
        if symbol not in self.tickers:
            raise VenueError("no ticker")
        return self.tickers[symbol]

    async def candles(self, symbol: str, timeframe: str, *, limit: int) -> Sequence[Candle]:
        await self._answer("candles", symbol)
        if symbol not in self.history:
            raise VenueError("no candles")
        return self.history[symbol][-limit:]

    async def book(self, symbol: str) -> BookSnapshot:
        await self._answer("book", symbol)
        if not self.books.get(symbol):
            raise VenueError("no book")
        return self.books[symbol].pop(0)

    async def measure_offset(self) -> tuple[int, int]:
        await self._answer("time", "")
        return self.offset_ms, 10

    async def _answer(self, what: str, symbol: str) -> None:
        self.asked.append((trio.current_time(), what, symbol))
        await trio.sleep(self.slow_s.get(symbol, 0.0))
        if symbol in self.errors:
            raise self.errors[symbol]


@attrs.define(eq=False)
class ScriptedPrivate:
    pipe: Pipe = attrs.Factory(Pipe)

    async def receive(self) -> Sequence[PrivateMessage]:
        return await self.pipe.take()

    def tell(self, *messages: PrivateMessage) -> None:
        self.pipe.put(messages)


@attrs.define(eq=False)
class ScriptedTrading:
    """The private side: what the venue knows of our orders is what a test puts here."""

    orders: dict[str, VenueOrder] = attrs.Factory(dict[str, VenueOrder])
    past: list[VenueOrder] = attrs.Factory(list[VenueOrder])
    executed: list[VenueFill] = attrs.Factory(list[VenueFill])
    held: list[VenueBalance] = attrs.Factory(list[VenueBalance])
    answers: list[Answer | Exception | None] = attrs.Factory(
        list[Answer | Exception | None]
    )  # to the next orders; None never comes
    answer_s: float = 0.0
    forgets_canceled: bool = False
    errors: dict[str, VenueError] = attrs.Factory(dict[str, VenueError])  # by question
    refusals: list[VenueError] = attrs.Factory(list[VenueError])  # of the next streams
    placed: list[OrderRequest] = attrs.Factory(list[OrderRequest])
    cancelled: list[str] = attrs.Factory(list[str])
    cancels: Answer | None = None  # the answer to every cancel; None: as the orders are
    replacing: list[tuple[str, OrderRequest]] = attrs.Factory(
        list[tuple[str, OrderRequest]]
    )
    replaced: list[VenueReplaced | None] = attrs.Factory(
        list[VenueReplaced | None]
    )  # to the next replacements; None never comes; none left: as the orders are
    asked: list[tuple[float, str]] = attrs.Factory(list[tuple[float, str]])
    streams: list[ScriptedPrivate] = attrs.Factory(list[ScriptedPrivate])
    on_place: Callable[[OrderRequest], Awaitable[None]] | None = None
    clock_ms: int = 0  # added to the run's own time
    slow_s: float = 0.0  # of every question
    day_s: float = 0.0  # it takes to page through a day of executions
    goodbye_s: float = 0.0  # of a private stream
    hang: str = ""  # the question that is never answered
    hang_for: str = ""  # the order that is asked for in vain
    hidden: set[str] = attrs.Factory(set[str])  # from the query of one order
    refused: dict[str, VenueError] = attrs.Factory(dict[str, VenueError])  # by order
    unlisted_open: set[str] = attrs.Factory(set[str])  # from the list of open orders
    unlisted: frozenset[str] = frozenset()

    @property
    def stream(self) -> ScriptedPrivate:
        return self.streams[-1]

    def asked_for(self, what: str) -> list[float]:
        return [s for s, kind in self.asked if kind == what]

    @asynccontextmanager
    async def open_private(self) -> AsyncGenerator[ScriptedPrivate]:
        await trio.lowlevel.checkpoint()
        if self.refusals:
            raise self.refusals.pop(0)
        self.streams.append(ScriptedPrivate())
        try:
            yield self.stream
        finally:
            with trio.move_on_after(self.goodbye_s, shield=True):
                await trio.sleep_forever()

    @asynccontextmanager
    async def open_orders_connection(
        self,
    ) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
        await trio.lowlevel.checkpoint()
        yield trio.sleep_forever

    async def place(self, request: OrderRequest) -> Answer:
        self.placed.append(request)
        if self.on_place is not None:
            await self.on_place(request)
        await trio.sleep(self.answer_s)
        answer = self.answers.pop(0) if self.answers else ack(request)
        if answer is None:
            await trio.sleep_forever()
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return attrs.evolve(answer, client_order_id=request.client_order_id)

    async def cancel(self, symbol: str, client_order_id: str) -> Answer:
        self.asked.append((trio.current_time(), "cancel"))
        self.cancelled.append(client_order_id)
        await trio.sleep(self.answer_s)
        if self.cancels is not None:
            return self.cancels
        known = self.orders.get(client_order_id)
        if known is None or known.status not in LIVE:
            return VenueReject(client_order_id, "-2011", "Unknown order sent.")
        ended = attrs.evolve(known, status=OrderStatus.CANCELED)
        self.orders[client_order_id] = ended
        return VenueAck(
            client_order_id, known.venue_order_id, ended.status, known.filled_base, 0
        )

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        """Cancel and place as the venue does; `replaced` scripts the next answers.

        The halves are those of `cancel` and `place`, but that an order which has begun to
        fill stays, and that nothing is placed unless the cancel succeeded.
        """
        self.replacing.append((client_order_id, request))
        if self.replaced:
            await trio.sleep(self.answer_s)
            scripted = self.replaced.pop(0)
            if scripted is None:
                await trio.sleep_forever()
            assert scripted is not None
            return scripted
        known = self.orders.get(client_order_id)
        cancelled: Answer
        if known is not None and known.status is OrderStatus.PARTIALLY_FILLED:
            text = "Order was not canceled due to cancel restrictions."
            cancelled = VenueReject(client_order_id, "-2011", text)
        else:
            cancelled = await self.cancel(request.symbol, client_order_id)
        if not isinstance(cancelled, VenueAck):
            text = "the venue did not attempt it"
            return VenueReplaced(
                cancelled, VenueReject(request.client_order_id, "not_replaced", text)
            )
        return VenueReplaced(cancelled, await self.place(request))

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        await self._answer("order")
        if client_order_id == self.hang_for:
            await trio.sleep_forever()
        if client_order_id in self.refused:
            raise self.refused[client_order_id]
        if client_order_id in self.hidden:
            return None
        return self.orders.get(client_order_id)

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        await self._answer("open_orders")
        for symbol in self.unlisted.intersection(symbols):
            raise NotListed(symbol)
        listed = (o for name, o in self.orders.items() if name not in self.unlisted_open)
        return [o for o in listed if o.status in LIVE and o.symbol in symbols]

    async def past_orders(self, symbol: str, *, since_ms: int) -> Sequence[VenueOrder]:
        await self._answer("past_orders")
        self._check_listed(symbol)
        return [order for order in self.past if order.symbol == symbol]

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        await self._answer("fills")
        self._check_listed(symbol)
        await trio.sleep(self.day_s * (self.now_ms() - since_ms) / DAY_MS)
        return [f for f in self.executed if f.symbol == symbol and f.trade_ms >= since_ms]

    def _check_listed(self, symbol: str) -> None:
        if symbol in self.unlisted:
            raise NotListed(symbol)

    async def balances(self) -> Sequence[VenueBalance]:
        await self._answer("balances")
        return list(self.held)

    def now_ms(self) -> int:
        return self.clock_ms + int(trio.current_time() * 1000)

    async def _answer(self, what: str) -> None:
        self.asked.append((trio.current_time(), what))
        await trio.sleep(self.slow_s)
        if what == self.hang:
            await trio.sleep_forever()
        if what in self.errors:
            raise self.errors[what]


def ack(request: OrderRequest) -> VenueAck:
    """Return the plain yes of a venue."""
    return VenueAck(
        request.client_order_id,
        f"v-{request.client_order_id[-4:]}",
        OrderStatus.OPEN,
        Decimal(0),
        0,
    )
