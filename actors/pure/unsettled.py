"""Which orders the exchange must still be asked for. Pure."""

from __future__ import annotations

from actors.messages import OrderStatus
from actors.pure.books import Books
from actors.pure.order_life import Order

UNSETTLED = frozenset({OrderStatus.NEW, OrderStatus.UNKNOWN})


def tracked_orders(books: Books) -> list[Order]:
    """Return the orders that may still change, and those with executions not booked."""
    return [
        *books.orders.live(),
        *(order for order in books.orders.ended() if order.missing_base),
    ]


def is_unsettled(books: Books) -> bool:
    """Tell whether the venue must be asked soon: an outcome or a fill is not known."""
    return any(
        order.status in UNSETTLED or order.missing_base for order in tracked_orders(books)
    )
