"""One symbol's order book: levels by price, orders within a level by time. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal

import attrs

from actors.messages import Side
from actors.pure.matching_orders import ZERO, Order


@attrs.define(eq=False)
class Level:
    total: Decimal = ZERO
    orders: dict[int, Order] = attrs.Factory(dict[int, Order])  # oldest first


@attrs.define(eq=False)
class Changes:
    """Prices whose level changed since `first_id`, for one diff stream."""

    first_id: int
    bids: set[Decimal] = attrs.Factory(set[Decimal])
    asks: set[Decimal] = attrs.Factory(set[Decimal])


class BookSide:
    """The bids or the asks of one book."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.levels: dict[Decimal, Level] = {}
        self._prices: list[Decimal] = []  # ascending
        self._best = -1 if side is Side.BUY else 0

    def best(self) -> Decimal | None:
        return self._prices[self._best] if self._prices else None

    def top(self) -> tuple[Decimal, Decimal]:
        """Return best price and its quantity; two zeros when the side is empty."""
        best = self.best()
        return (best, self.levels[best].total) if best is not None else (ZERO, ZERO)

    def first(self) -> Order | None:
        """Return the order that trades next."""
        best = self.best()
        if best is None:
            return None
        return next(iter(self.levels[best].orders.values()))

    def prices(self) -> list[Decimal]:
        """Return every price, best first."""
        return self._prices[::-1] if self.side is Side.BUY else list(self._prices)

    def depth(self, limit: int) -> list[tuple[Decimal, Decimal]]:
        """Return the best `limit` levels as (price, quantity), best first."""
        return [(price, self.levels[price].total) for price in self.prices()[:limit]]

    def crosses(self, price: Decimal) -> bool:
        """Tell whether an order of the other side at `price` would trade here."""
        best = self.best()
        if best is None:
            return False
        return price <= best if self.side is Side.BUY else price >= best

    def add(self, order: Order) -> None:
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level()
            insort(self._prices, order.price)
        level.orders[order.order_id] = order
        level.total += order.remaining

    def reduce(self, order: Order, base: Decimal) -> None:
        """Take `base` off the level of `order`; call before the order counts the fill."""
        level = self.levels[order.price]
        level.total -= base
        if base == order.remaining:
            del level.orders[order.order_id]
            if not level.orders:
                del self.levels[order.price]
                del self._prices[bisect_left(self._prices, order.price)]


class Book:
    """Both sides, with the update ids that diff streams and snapshots share."""

    def __init__(self, update_id: int = 1) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.update_id = update_id
        self._watches: list[Changes] = []

    def watch(self) -> Changes:
        """Return a record of changes that this book keeps up to date."""
        changes = Changes(self.update_id + 1)
        self._watches.append(changes)
        return changes

    def side(self, side: Side) -> BookSide:
        return self.bids if side is Side.BUY else self.asks

    def against(self, side: Side) -> BookSide:
        return self.asks if side is Side.BUY else self.bids

    def add(self, order: Order) -> None:
        self.side(order.side).add(order)
        self._changed(order.side, order.price)

    def reduce(self, order: Order, base: Decimal) -> None:
        self.side(order.side).reduce(order, base)
        self._changed(order.side, order.price)

    def fillable(
        self, side: Side, price: Decimal, base: Decimal
    ) -> tuple[Decimal, Decimal]:
        """Return how much of `base` a taker up to `price` (0: any) gets, and its cost."""
        got = cost = ZERO
        against = self.against(side)
        for level_price in against.prices():
            beyond = level_price > price if side is Side.BUY else level_price < price
            if got >= base or (price and beyond):
                break
            take = min(base - got, against.levels[level_price].total)
            got += take
            cost += take * level_price
        return got, cost

    def _changed(self, side: Side, price: Decimal) -> None:
        self.update_id += 1
        for changes in self._watches:
            (changes.bids if side is Side.BUY else changes.asks).add(price)
