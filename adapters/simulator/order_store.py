"""What queries see: the exchange's store of orders and executions, which may lag behind.

The engine, private streams and balances are always up to date; so a query may know less
than the account has been told already, as at exchanges that answer from a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import OrderStatus
from actors.pure.matching import Engine
from actors.pure.matching_orders import ZERO, Fill, Order
from adapters.simulator.faults import Faults, Kind

ORDERS: Final[Kind] = "late_orders"
FILLS: Final[Kind] = "late_fills"


@attrs.frozen
class AccountFill:
    """One execution as its owner may ask for it."""

    order: Order
    fill: Fill


@attrs.define(eq=False)
class OrderStore:
    """Answers for queries; whatever changes something asks the engine."""

    engine: Engine
    remembered: Mapping[tuple[str, str], list[AccountFill]]  # by account and symbol
    faults: Faults
    now_ms: Callable[[], int]

    def orders(self, account: str) -> Iterator[Order]:
        """Return an account's orders as the store has them, oldest first."""
        for order in self.engine.orders.values():
            if order.account == account and (seen := self.seen(order)) is not None:
                yield seen

    def open_orders(self, account: str, symbol: str | None = None) -> list[Order]:
        """Return the orders that the store takes for open, oldest first."""
        if self.faults.horizon_ms(ORDERS, self.now_ms()) is None:
            return self.engine.open_orders(account, symbol)
        return [
            order
            for order in self.orders(account)
            if order.is_open and symbol in {None, order.symbol}
        ]

    def fills(self, account: str) -> list[AccountFill]:
        """Return an account's executions that the store has, oldest first."""
        found = [
            fill
            for (owner, _), fills in self.remembered.items()
            if owner == account
            for fill in fills
        ]
        found.sort(key=lambda it: it.fill.trade.trade_ms)
        return self._listed(found)

    def fills_of(self, account: str, symbol: str) -> list[AccountFill]:
        """Return an account's executions of one symbol, in the order of their numbers."""
        return self._listed(self.remembered.get((account, symbol), []))

    def seen(self, order: Order) -> Order | None:
        """Return an order as the store has it; None where it has not arrived there."""
        horizon_ms = self.faults.horizon_ms(ORDERS, self.now_ms())
        if horizon_ms is None or order.updated_ms <= horizon_ms:
            return order
        self.faults.count(ORDERS)
        return as_of(order, horizon_ms) if order.created_ms <= horizon_ms else None

    def _listed(self, fills: list[AccountFill]) -> list[AccountFill]:
        horizon_ms = self.faults.horizon_ms(FILLS, self.now_ms())
        if horizon_ms is None:
            return fills
        found = [it for it in fills if it.fill.trade.trade_ms <= horizon_ms]
        if len(found) < len(fills):
            self.faults.count(FILLS)
        return found


def as_of(order: Order, horizon_ms: int) -> Order:
    """Return a later changed order as it was: without what came after `horizon_ms`."""
    fills = [fill for fill in order.fills if fill.trade.trade_ms <= horizon_ms]
    status = OrderStatus.PARTIALLY_FILLED if fills else OrderStatus.OPEN
    return attrs.evolve(
        order,
        updated_ms=fills[-1].trade.trade_ms if fills else order.created_ms,
        working_ms=order.working_ms if order.working_ms <= horizon_ms else -1,
        filled_base=_sum(fill.trade.base for fill in fills),
        filled_quote=_sum(fill.trade.base * fill.trade.price for fill in fills),
        status=status,
        cancel_id="",
        fills=fills,
    )


def _sum(numbers: Iterator[Decimal]) -> Decimal:
    return sum(numbers, ZERO)
