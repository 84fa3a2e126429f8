"""Stands between the account's actors and the venue, lets everything through, and watches.

Whatever is asked for here has not left the process yet: the ledger must know it (I-2), the
account must have been reconciled in this life of the process (I-20), and nothing may
forbid an entry (I-11, I-19). An entry that was on its way to the disk when it became
forbidden is not blamed: what counts is when its attempt was written.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import (
    Attempted,
    OrderRequest,
    PrivateMessage,
    Side,
    VenueAck,
    VenueBalance,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.ports import PrivateStream, Trading
from actors.pure.client_order_id import epoch_of, is_ours
from actors.pure.facts import decode
from actors.pure.guard_steps import EXIT_VALID_S
from tests.simulation.disk import Disk

ENTRY_VALID_S: Final = 2.0  # of an entry, from the decision on
RACE_S: Final = 0.25  # for a word to reach the orders actor
FENCE_S: Final = 2.0  # from hearing a foreign order to knowing that it is foreign


@attrs.define(eq=False)
class Watched:
    """What is known of the process and the account, to judge what leaves."""

    disk: Disk
    sent: dict[str, float]  # client order id: when it left
    tag: str
    epoch: str
    awake_s: Callable[[], float]
    is_alive: Callable[[], bool]
    complain: Callable[[str], None]
    order_left: Callable[[], None]
    bar: Callable[[str, float], str]  # what an operator forbade a bot before then, or ""


class Witness:
    """Implements `Trading` by another one."""

    def __init__(self, inner: Trading, watched: Watched) -> None:
        self._inner = inner
        self._watched = watched
        self._has_balances = False  # in this run
        self._is_weighed = False  # since the private stream was last connected
        self._lost_s = watched.awake_s()  # the private stream; it is not there yet
        self._foreign_s: float | None = None  # when another engine's order was seen
        self._is_foreign_open = False
        self.is_reconciled = False  # in this run
        self.is_current = False  # since the private stream was last connected
        self.open_orders_connection = inner.open_orders_connection
        self.order = inner.order
        self.past_orders = inner.past_orders
        self.fills = inner.fills
        self.cancel = inner.cancel
        self.now_ms = inner.now_ms
        self.forgets_canceled = inner.forgets_canceled

    async def place(self, request: OrderRequest) -> VenueAck | VenueReject | VenueUnknown:
        self._look_at(request)
        return await self._inner.place(request)

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        self._look_at(request)
        return await self._inner.replace(client_order_id, request)

    async def balances(self) -> Sequence[VenueBalance]:
        balances = await self._inner.balances()
        self._has_balances = self._is_weighed = True
        self._is_foreign_open = False
        return balances

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        orders = await self._inner.open_orders(symbols)
        for order in orders:
            self._hear(order)
        if self._has_balances:  # a pass asks for open orders last
            self.is_reconciled, self.is_current = True, self._is_weighed
            if not self._is_foreign_open:
                self._foreign_s = None
        return orders

    @asynccontextmanager
    async def open_private(self) -> AsyncGenerator[PrivateStream, None]:
        """Open the private stream, and know while it is open."""
        async with self._inner.open_private() as stream:
            self._is_weighed = self.is_current = False
            self._lost_s = self._watched.awake_s()
            try:
                yield _Overheard(stream, self._hear)
            finally:
                self.is_current = False
                self._lost_s = self._watched.awake_s()

    def _hear(self, message: PrivateMessage) -> None:
        """Notice orders that another engine made on this account (I-19)."""
        if not isinstance(message, VenueOrder):
            return
        order_id, watched = message.client_order_id, self._watched
        if is_ours(order_id, watched.tag) and epoch_of(order_id) != watched.epoch:
            self._is_foreign_open = True
            self._foreign_s = self._foreign_s or watched.awake_s()

    def _look_at(self, request: OrderRequest) -> None:
        watched, order_id = self._watched, request.client_order_id
        if not watched.is_alive():
            return
        if order_id in watched.sent:
            watched.complain(f"I-1: {order_id} leaves twice")
        watched.sent[order_id] = trio.current_time()
        seq = watched.disk.keys.get(f"attempted/{order_id}")
        if seq is not None and seq <= watched.disk.synced:
            self._look_at_attempt(request, seq)
        else:
            self._look_at_emergency(request)
        if not self.is_reconciled:
            watched.complain(f"I-20: {order_id} leaves before the account is reconciled")
        watched.order_left()

    def _look_at_emergency(self, request: OrderRequest) -> None:
        """An exit may be durable in the emergency file instead (SAFE mode, D-2)."""
        watched, order_id = self._watched, request.client_order_id
        written_s = watched.disk.blocks.written_s_of(order_id)
        if written_s is None or request.side is Side.BUY:
            watched.complain(f"I-2: {order_id} leaves before its attempt is durable")
        elif trio.current_time() - written_s > EXIT_VALID_S:
            watched.complain(f"I-16: {order_id} leaves too late")

    def _look_at_attempt(self, request: OrderRequest, seq: int) -> None:
        watched, order_id = self._watched, request.client_order_id
        row = watched.disk.rows[seq - 1].row
        written_s = row.awake_ms / 1000
        valid_s = ENTRY_VALID_S if request.side is Side.BUY else EXIT_VALID_S
        if watched.awake_s() - written_s > valid_s:
            watched.complain(f"I-16: {order_id} leaves too late")
        attempted = decode(row.kind, row.body)
        if request.side is Side.BUY and isinstance(attempted, Attempted):
            for each in self._bars(attempted.bot, written_s):
                watched.complain(f"{each}: {order_id} leaves")

    def _bars(self, bot: str, written_s: float) -> list[str]:
        """Return what forbids an entry of `bot` whose attempt was written then."""
        said: list[str] = []
        if not self.is_current and written_s > self._lost_s + RACE_S:
            said.append("I-11: not reconciled since the private stream was connected")
        if self._foreign_s is not None and written_s > self._foreign_s + FENCE_S:
            said.append("I-19: another engine has orders on this account")
        barred = self._watched.bar(bot, written_s - RACE_S)
        if barred:
            said.append(f"I-11: {barred}")
        return said


@attrs.define(eq=False)
class _Overheard:
    """Implements `PrivateStream` by another one."""

    _inner: PrivateStream
    _hear: Callable[[PrivateMessage], None]

    async def receive(self) -> Sequence[PrivateMessage]:
        messages = await self._inner.receive()
        for message in messages:
            self._hear(message)
        return messages
