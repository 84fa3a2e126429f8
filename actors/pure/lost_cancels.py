"""Find the cancels that were lost on their way: the order they were for lives on. Pure."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from actors.messages import CancelRejected, OrderStatus, VenueOrder
from actors.pure.books import Books
from actors.pure.order_life import Order

LOST_S = 30.0  # no request is under way for so long, and no list lags so far behind


@attrs.define
class LostCancels:
    """Since when passes find an order open though its cancel was asked for.

    Whoever asked may have died before it left; nobody else waits for the answer.
    """

    _since_s: dict[tuple[str, int], float] = attrs.Factory(dict[tuple[str, int], float])

    def found(
        self, books: Books, still_open: Collection[VenueOrder], now_s: float
    ) -> list[CancelRejected]:
        """Return that the venue still has the orders whose cancels are lost by now."""
        there = {venue.client_order_id for venue in still_open}
        waiting = {
            (order.client_order_id, order.cancels_asked): order
            for order in books.orders.live()
            if order.status is OrderStatus.PENDING_CANCEL and order.client_order_id in there
        }
        self._since_s = {key: self._since_s.get(key, now_s) for key in waiting}
        return [
            _lost(order)
            for key, order in waiting.items()
            if now_s - self._since_s[key] >= LOST_S
        ]


def _lost(order: Order) -> CancelRejected:
    return CancelRejected(
        order.bot,
        order.intended.account,
        order.symbol,
        order.client_order_id,
        order.cancels_asked,
        "lost",
        "nobody heard an answer, and the venue still has the order",
    )
