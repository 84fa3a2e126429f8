"""Moments of the road from a tick to its order, noted from outside the production code.

Mailboxes, ports and strategies are wrapped where the stage hands them out. All times are
microseconds of CLOCK_MONOTONIC, the one clock that all processes of a machine share.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    Approved,
    Attempted,
    ExitIntent,
    OrderIntent,
    OrderRequest,
    Signal,
    SignalType,
    Ticker,
)
from actors.ports import Trading
from actors.ports_store import Row, Store, Stored
from actors.pure.market_view import MarketView
from actors.records import Record
from tests.bench.exchange import stamp_us


def now_us() -> int:
    return time.monotonic_ns() // 1000


@attrs.define
class Marks:
    """Everything noted in one process."""

    ticks: list[dict[str, int]] = attrs.Factory(list[dict[str, int]])
    orders: dict[str, dict[str, int]] = attrs.Factory(dict[str, dict[str, int]])
    posted: dict[str, int] = attrs.Factory(dict[str, int])  # into a bot's mailbox
    taken: dict[str, tuple[Ticker, int, int]] = attrs.Factory(
        dict[str, tuple[Ticker, int, int]]
    )  # by bot: what it has in hand, when that was posted and taken
    _by_intent: dict[str, dict[str, int]] = attrs.Factory(dict[str, dict[str, int]])
    _clock_us: int | None = None  # Trio's clock less the machine's

    def took(self, bot: str, ticker: Ticker) -> None:
        at_us = now_us()
        self.taken[bot] = ticker, self.posted.pop(bot, at_us), at_us

    def road(self, bot: str) -> dict[str, int]:
        """Return where the tick in this bot's hand has been until now."""
        ticker, posted, taken = self.taken[bot]
        if self._clock_us is None:
            self._clock_us = int((trio.current_time() - time.monotonic()) * 1e6)
        received = int(ticker.received_s * 1e6) - self._clock_us
        sent = stamp_us(ticker.exchange_ms)
        return {"sent": sent, "received": received, "posted": posted, "taken": taken}

    def evaluated(self, bot: str) -> None:
        self.ticks.append(self.road(bot) | {"evaluated": now_us()})

    def wished(self, intent: OrderIntent | ExitIntent) -> None:
        road = self.road(f"bot:{intent.bot}")
        road |= {"wished": now_us(), "is_entry": isinstance(intent, OrderIntent)}
        self._by_intent[intent.intent_id] = road

    def intent(self, intent_id: str, moment: str) -> None:
        if intent_id in self._by_intent:
            self._by_intent[intent_id].setdefault(moment, now_us())

    def attempted(self, fact: Attempted) -> None:
        road = self._by_intent.pop(fact.intent_id, None)
        if road is not None:
            self.orders[fact.client_order_id] = road | {"recorded": now_us()}

    def order(self, client_order_id: str, moment: str) -> None:
        if client_order_id in self.orders:
            self.orders[client_order_id].setdefault(moment, now_us())


class MarkedMailbox(Mailbox[Any]):
    """A mailbox of the same layout that notes who puts in and takes out what."""

    __slots__ = ()
    marks: ClassVar[Marks]

    async def wish(self, message: Any) -> None:
        match message:
            case OrderIntent():
                self.marks.wished(message)
            case ExitIntent() if f"bot:{message.bot}" in self.marks.taken:
                self.marks.wished(message)
            case Approved(intent=intent):
                self.marks.intent(intent.intent_id, "approved")
            case Record(facts=(_, Attempted() as attempted)):
                self.marks.attempted(attempted)
            case _:
                pass
        await super().wish(message)

    def latest(
        self, key: Hashable, message: Any, merge: Callable[[Any, Any], Any] | None = None
    ) -> None:
        if type(message) is Ticker:
            self.marks.posted[self.name] = now_us()
        super().latest(key, message, merge)

    async def receive(self) -> Any:
        message = await super().receive()
        match message:
            case Ticker() if self.name.startswith("bot:"):
                self.marks.took(self.name, message)
            case OrderIntent():
                self.marks.intent(message.intent_id, "judged")
            case Approved(intent=intent):
                self.marks.intent(intent.intent_id, "gated")
            case ExitIntent():
                self.marks.intent(message.intent_id, "gated")
            case _:
                pass
        return message


@attrs.frozen
class MarkedStore:
    """Notes when the rows of an attempt go to the disk and come back."""

    inner: Store
    marks: Marks

    async def append(self, rows: Sequence[Row]) -> Stored:
        keys = [row.key for row in rows if row.kind == "attempted" and row.key]
        ids = [key.partition("/")[2] for key in keys]
        for order_id in ids:
            self.marks.order(order_id, "appended")
        stored = await self.inner.append(rows)
        for order_id in ids:
            self.marks.order(order_id, "stored")
        return stored

    async def read(self, *args: Any, **named: Any) -> Any:
        return await self.inner.read(*args, **named)


class MarkedTrading:
    """Notes when an order is to leave; `has_socket` says whether the WS-API may be used."""

    def __init__(self, inner: Trading, marks: Marks, *, has_socket: bool) -> None:
        self._inner = inner
        self._marks = marks
        self._has_socket = has_socket

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def place(self, request: OrderRequest) -> Any:
        self._marks.order(request.client_order_id, "placed")
        return await self._inner.place(request)

    async def replace(self, client_order_id: str, request: OrderRequest) -> Any:
        self._marks.order(request.client_order_id, "placed")
        return await self._inner.replace(client_order_id, request)

    @asynccontextmanager
    async def open_orders_connection(
        self,
    ) -> AsyncGenerator[Callable[[], Awaitable[None]], None]:
        if not self._has_socket:
            await trio.sleep_forever()
        async with self._inner.open_orders_connection() as serve:
            yield serve


@attrs.define
class Flow:
    """Trade at every fifth price: buy, or sell what is held."""

    marks: Marks
    bot: str
    count: int  # where in the five it begins, so that bots take turns
    candles_min: int = 0

    def evaluate(self, view: MarketView) -> Signal:
        self.marks.evaluated(self.bot)
        self.count += 1
        if self.count % 5:
            return Signal(SignalType.HOLD, 0.0, 1.0, ("not the fifth price",))
        kind = SignalType.BUY if view.position is None else SignalType.SELL
        return Signal(kind, 1.0, 1.0, ("the fifth price",))


@attrs.define
class Look:
    """Look at every price and hold."""

    marks: Marks
    bot: str
    candles_min: int = 0

    def evaluate(self, view: MarketView) -> Signal:
        self.marks.evaluated(self.bot)
        return Signal(SignalType.HOLD, 0.0, 1.0, ("looking",))
