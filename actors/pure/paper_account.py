"""What a paper account has and owes: the fold of its facts. Pure.

What orders have reserved is counted from the open orders each time it is asked for, so
that no reservation can be forgotten or freed twice.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import (
    OrderRequest,
    OrderStatus,
    Side,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from actors.pure.money import ZERO
from actors.pure.paper_words import (
    PaperEnded,
    PaperFact,
    PaperFilled,
    PaperOpened,
    PaperPlaced,
    PaperTriggered,
)

KEEP_MS = 7 * 86_400_000  # ended orders are remembered so long


@attrs.define(eq=False)
class PaperOrder:
    """One order as the paper venue has it."""

    placed: PaperPlaced
    status: OrderStatus
    updated_ms: int
    is_working: bool  # False while it waits for its stop price
    filled_base: Decimal = ZERO
    reason: str = ""

    @property
    def request(self) -> OrderRequest:
        return self.placed.request

    @property
    def remaining(self) -> Decimal:
        return self.request.base - self.filled_base

    @property
    def is_open(self) -> bool:
        return self.status in {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}

    @property
    def reserved(self) -> tuple[str, Decimal]:
        """The asset that the rest of it pays with, and how much of that."""
        request = self.request
        if request.side is Side.SELL:
            return self.placed.base_asset, self.remaining
        return self.placed.quote_asset, self.remaining * (request.limit_price or ZERO)


@attrs.define(eq=False)
class PaperAccount:
    """Balances, orders and executions; only `apply` changes them."""

    exchange: str = ""
    totals: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])  # free and reserved
    orders: dict[str, PaperOrder] = attrs.Factory(dict[str, PaperOrder])  # by client id
    live: dict[str, PaperOrder] = attrs.Factory(dict[str, PaperOrder])
    fills: list[VenueFill] = attrs.Factory(list[VenueFill])  # oldest first
    opened: PaperOpened | None = None
    last_order_id: int = 0
    last_trade_id: int = 0

    def apply(self, fact: PaperFact) -> None:
        """Take the next fact."""
        match fact:
            case PaperOpened(exchange=exchange, balances=balances):
                self.opened, self.exchange = fact, exchange
                self.totals = dict(balances)
            case PaperPlaced(request=request, order_id=order_id, at_ms=at_ms):
                works = not request.order_type.is_triggered
                order = PaperOrder(fact, OrderStatus.OPEN, at_ms, works)
                self.orders[request.client_order_id] = order
                self.live[request.client_order_id] = order
                self.last_order_id = order_id
            case PaperTriggered(client_order_id=order_id, at_ms=at_ms):
                self.orders[order_id].is_working = True
                self.orders[order_id].updated_ms = at_ms
            case PaperFilled():
                self._fill(fact)
            case PaperEnded(client_order_id=order_id, status=status, reason=reason):
                order = self.live.pop(order_id)
                order.status, order.reason = status, reason
                order.updated_ms = fact.at_ms

    def forget(self, now_ms: int) -> None:
        """Forget what ended long ago; balances keep what it did to them.

        Whether that is done now and then or once at the end, the same is left.
        """
        before_ms = now_ms - KEEP_MS
        while self.fills and self.fills[0].trade_ms < before_ms:
            del self.fills[0]
        for order_id, order in list(self.orders.items()):
            if order.placed.at_ms >= before_ms:
                break
            if not order.is_open and order.updated_ms < before_ms:
                del self.orders[order_id]

    def free(self, asset: str) -> Decimal:
        """Return what may be spent."""
        return self.totals.get(asset, ZERO) - self._reserved().get(asset, ZERO)

    def balances(self) -> tuple[VenueBalance, ...]:
        """Return every asset that was ever held, by name."""
        reserved = self._reserved()
        found: list[VenueBalance] = []
        for asset, total in sorted(self.totals.items()):
            locked = reserved.get(asset, ZERO)
            found.append(VenueBalance(asset, total - locked, locked))
        return tuple(found)

    def told(self, order: PaperOrder) -> VenueOrder:
        """Return the state of one order as a venue tells it."""
        request = order.request
        return VenueOrder(
            exchange=self.exchange,
            symbol=request.symbol,
            client_order_id=request.client_order_id,
            venue_order_id=str(order.placed.order_id),
            side=request.side,
            order_type=request.order_type.value,
            status=order.status,
            base=request.base,
            filled_base=order.filled_base,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            update_ms=order.updated_ms,
            reason=order.reason,
        )

    def _reserved(self) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for order in self.live.values():
            asset, amount = order.reserved
            found[asset] = found.get(asset, ZERO) + amount
        return found

    def _fill(self, fact: PaperFilled) -> None:
        order = self.live[fact.client_order_id]
        request, placed = order.request, order.placed
        order.filled_base += fact.base
        order.updated_ms = fact.at_ms
        order.status = OrderStatus.PARTIALLY_FILLED
        if not order.remaining:
            order.status = OrderStatus.FILLED
            del self.live[fact.client_order_id]
        sign = 1 if request.side is Side.BUY else -1
        self._add(placed.base_asset, sign * fact.base)
        self._add(placed.quote_asset, -sign * fact.base * fact.price)
        self._add(fact.fee_asset, -fact.fee)
        self.last_trade_id = fact.trade_id
        self.fills.append(
            VenueFill(
                self.exchange,
                request.symbol,
                fact.client_order_id,
                str(placed.order_id),
                str(fact.trade_id),
                request.side,
                fact.price,
                fact.base,
                fact.fee,
                fact.fee_asset,
                fact.is_maker,
                fact.at_ms,
            )
        )

    def _add(self, asset: str, amount: Decimal) -> None:
        self.totals[asset] = self.totals.get(asset, ZERO) + amount
