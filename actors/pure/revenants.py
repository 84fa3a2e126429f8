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
from actors.pure.order_life import TERMINAL, Order
from actors.pure.settling import SETTLED_S


@attrs.define
class Revenants:
    """What was seen, pass by pass. A list that lags shows an order for a while only."""

    open: tuple[tuple[Order, VenueOrder], ...] = ()
    _since_s: dict[str, float] = attrs.Factory(dict[str, float])  # listed, by order
    _gone: dict[str, tuple[Order, float]] = attrs.Factory(dict[str, tuple[Order, float]])

    @property
    def gone(self) -> tuple[Order, ...]:
        """The orders that were listed, and of which the exchange has not said the end."""
        return tuple(order for order, _ in self._gone.values())

    def look(self, books: Books, still_open: Sequence[VenueOrder], now_s: float) -> None:
        """Take what the exchange lists as open."""
        ended = {
            venue.client_order_id: (order, venue)
            for venue in still_open
            if (order := books.orders.get(venue.client_order_id)) and order.is_terminal
        }
        for name in self._since_s.keys() - ended.keys():
            order = books.orders.get(name)
            if order is not None:
                self._gone.setdefault(name, (order, now_s))
        self._gone = {
            name: gone
            for name, gone in self._gone.items()
            if name not in ended and books.orders.get(name) is not None
        }
        self._since_s = {name: self._since_s.get(name, now_s) for name in ended}
        self.open = tuple(
            both for name, both in ended.items() if now_s - self._since_s[name] > SETTLED_S
        )

    def asks(self, order: Order) -> None:
        """Take that one is asked for: those that were not have their turn first."""
        self._gone[order.client_order_id] = self._gone.pop(order.client_order_id)

    def told(
        self, order: Order, venue: VenueOrder | None, *, is_all: bool, now_s: float
    ) -> None:
        """Take what the exchange says of one that was listed; its word may be behind."""
        name = order.client_order_id
        if now_s - self._gone[name][1] <= SETTLED_S:
            return
        if venue is not None and venue.status not in TERMINAL:
            self.open += ((order, venue),)  # though no list has it
        elif is_all:
            del self._gone[name]

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
