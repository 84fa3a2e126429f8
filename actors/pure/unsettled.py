"""Which orders the exchange must still be asked for, and which need no answer. Pure."""

from __future__ import annotations

from actors.messages import Ended, OrderStatus
from actors.pure.books import Books
from actors.pure.order_life import Order
from actors.pure.venue_facts import filled_up

ALARM_MS = 30_000  # an outcome unknown for so long wants a person
SENT_MS = 60_000  # and so does an order of which nobody has said anything for so long
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


def long_unknown(books: Books, now_ms: int) -> list[Order]:
    """Return the orders whose outcome should have been known by now (R-02)."""
    longest_ms = {OrderStatus.UNKNOWN: ALARM_MS, OrderStatus.NEW: SENT_MS}
    return [
        order
        for order in books.orders.live()
        if order.status in longest_ms
        and order.attempt_ms < now_ms - longest_ms[order.status]
    ]


def untold_ends(books: Books) -> list[Ended]:
    """Return the ends that nobody told of: the fills were booked, and then we crashed.

    The venue is not asked for these orders any more. What the fills say is certain, and
    whoever reads the ledger or its events waits for an end of every order.
    """
    return [filled_up(order) for order in books.orders.ended() if order.is_end_untold]
