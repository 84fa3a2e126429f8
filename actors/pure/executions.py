"""Tell whose executions are, of those that the exchange lists. Pure.

An execution names the exchange's own id of its order. An order whose answer was lost has
none yet, so one of an id that nobody knows may be its own, and speaks against "never
placed" until the exchange says whose it is (R-03).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import attrs

from actors.messages import VenueFill, VenueOrder
from actors.pure.books import Books
from actors.pure.money import ZERO, plain
from actors.pure.order_life import Order

EARLY_MS = 10_000  # so far our measure of the exchange's clock may have been astray
STRETCH_MS = 600_000  # the first one of the past to be read; each further one is longer
STRETCH_FACTOR = 8


@attrs.frozen
class Executions:
    """What was executed of one order, and what may have been."""

    mine: tuple[VenueFill, ...] = ()
    strange: tuple[VenueFill, ...] = ()  # of orders that nobody knows

    @property
    def doubt(self) -> str:
        """Say why nobody may call the order not placed, or nothing."""
        if not self.strange:
            return ""
        base = sum((fill.base for fill in self.strange), ZERO)
        ids = ", ".join(sorted({fill.venue_order_id for fill in self.strange}))
        return f"{plain(base)} executed by order {ids} of the exchange may be its own"


def executions_of(
    order: Order, fills: Sequence[VenueFill], books: Books, told: Iterable[VenueOrder]
) -> Executions:
    """Return which of `fills` are the order's; `told` are orders asked for as well."""
    mine = tuple(fill for fill in fills if _is_of(fill, order))
    if order.venue_order_id:
        return Executions(mine)
    ours = chain(books.orders.live(), books.orders.ended())
    known = {each.venue_order_id for each in chain(ours, told)}
    since_ms = order.attempt_ms - EARLY_MS
    strange = (
        fill
        for fill in fills
        if fill.side is order.side
        and fill.symbol == order.symbol
        and fill.trade_ms >= since_ms
        and fill.venue_order_id not in known
        and not fill.client_order_id
    )
    return Executions(mine, tuple(strange))


def _is_of(fill: VenueFill, order: Order) -> bool:
    return fill.client_order_id == order.client_order_id or (
        bool(order.venue_order_id) and fill.venue_order_id == order.venue_order_id
    )


def stretches(placed_ms: int, moved_ms: int, now_ms: int) -> Iterator[int]:
    """Return since when to look for an order's executions, the nearest past first.

    Just before it last moved, then in ever longer stretches: all since it was placed may
    be more than there is time to read. Of an open order a venue may tell no move.
    """
    is_told = moved_ms > placed_ms
    if is_told:
        yield moved_ms
    ago_ms, end_ms = STRETCH_MS, moved_ms if is_told else now_ms
    while end_ms - ago_ms > placed_ms:
        yield end_ms - ago_ms
        ago_ms *= STRETCH_FACTOR
    yield placed_ms
