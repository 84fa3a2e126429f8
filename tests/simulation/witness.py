"""Stands between `orders` and the venue, lets everything through, and watches.

Whatever is asked for here has not left the process yet: the ledger must know it (I-2), and
the account must have been reconciled in this life of the process (I-20).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from actors.messages import (
    OrderRequest,
    Side,
    VenueAck,
    VenueBalance,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.ports import Trading
from actors.pure.guard_steps import EXIT_VALID_S
from tests.simulation.disk import Disk

ENTRY_VALID_S = 2.0  # of an entry, from the decision on


class Witness:
    """Implements `Trading` by another one."""

    def __init__(
        self,
        inner: Trading,
        disk: Disk,
        sent: dict[str, float],
        *,
        awake_s: Callable[[], float],
        is_alive: Callable[[], bool],
        complain: Callable[[str], None],
        order_left: Callable[[], None],
    ) -> None:
        self._inner = inner
        self._disk = disk
        self._awake_s = awake_s
        self._is_alive = is_alive
        self._complain = complain
        self._order_left = order_left
        self._has_balances = False
        self.is_reconciled = False
        self.sent = sent  # client order id: when it left
        self.open_private = inner.open_private
        self.open_orders_connection = inner.open_orders_connection
        self.order = inner.order
        self.past_orders = inner.past_orders
        self.fills = inner.fills
        self.cancel = inner.cancel
        self.now_ms = inner.now_ms

    async def place(self, request: OrderRequest) -> VenueAck | VenueReject | VenueUnknown:
        if self._is_alive():
            self._look_at(request)
            self._order_left()
        return await self._inner.place(request)

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        if self._is_alive():
            self._look_at(request)
            self._order_left()
        return await self._inner.replace(client_order_id, request)

    async def balances(self) -> Sequence[VenueBalance]:
        balances = await self._inner.balances()
        self._has_balances = True
        return balances

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        orders = await self._inner.open_orders(symbols)
        if self._has_balances:  # a pass asks for open orders last
            self.is_reconciled = True
        return orders

    def _look_at(self, request: OrderRequest) -> None:
        order_id = request.client_order_id
        if order_id in self.sent:
            self._complain(f"I-1: {order_id} leaves twice")
        self.sent[order_id] = trio.current_time()
        seq = self._disk.keys.get(f"attempted/{order_id}")
        if seq is None or seq > self._disk.synced:
            self._complain(f"I-2: {order_id} leaves before its attempt is durable")
        else:
            written_s = self._disk.rows[seq - 1].row.awake_ms / 1000
            valid_s = ENTRY_VALID_S if request.side is Side.BUY else EXIT_VALID_S
            if self._awake_s() - written_s > valid_s:
                self._complain(f"I-16: {order_id} leaves too late")
        if not self.is_reconciled:
            self._complain(f"I-20: {order_id} leaves before the account is reconciled")
