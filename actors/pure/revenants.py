"""Find orders that have ended here and are open at the exchange all the same. Pure.

An operator settled one while the exchange said nothing, or what it listed was behind for
longer than anybody allows for. Nothing new is begun on their symbols, a person is told,
and what they execute is booked (R-12, R-17).
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from actors.messages import VenueOrder
from actors.pure.books import Books
from actors.pure.order_life import Order
from actors.pure.settling import SETTLED_S


@attrs.define
class Revenants:
    """What was seen, pass by pass. A list that lags shows an order for a while only."""

    open: tuple[tuple[Order, VenueOrder], ...] = ()
    gone: tuple[Order, ...] = ()  # which were open: what became of them is to be asked
    _since_s: dict[str, float] = attrs.Factory(dict[str, float])  # by order

    def look(self, books: Books, still_open: Sequence[VenueOrder], now_s: float) -> None:
        """Take what the exchange lists as open."""
        ended = [
            (order, venue)
            for venue in still_open
            if (order := books.orders.get(venue.client_order_id)) and order.is_terminal
        ]
        names = [order.client_order_id for order, _ in ended]
        self._since_s = {name: self._since_s.get(name, now_s) for name in names}
        gone = {order.client_order_id: order for order in self.gone}
        gone |= {order.client_order_id: order for order, _ in self.open}
        self.gone = tuple(order for name, order in gone.items() if name not in names)
        self.open = tuple(
            (order, venue)
            for order, venue in ended
            if now_s - self._since_s[order.client_order_id] > SETTLED_S
        )

    def told(self, order: Order) -> None:
        """Take that the exchange has said what became of one."""
        self.gone = tuple(each for each in self.gone if each is not order)

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(order.symbol for order, _ in self.open)

    def lines(self) -> tuple[str, ...]:
        """Return one line for each that is open."""
        return tuple(
            f"order {order.client_order_id} is {order.status.value.replace('_', ' ')} here"
            " and open at the exchange: cancel it there"
            for order, _ in self.open
        )
