"""Settle an order that nobody can say anything of, by an operator's word. Pure.

The venue is asked right now and goes first: what it knows is booked from there, and never
settled by hand (R-02). An order that may still arrive is not settled at all (I-10).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import attrs

from actors.messages import (
    Asked,
    Ended,
    Fact,
    Filled,
    OrderStatus,
    VenueFill,
    VenueOrder,
)
from actors.pure.commands import NotPossible
from actors.pure.money import ZERO, plain
from actors.pure.order_life import Order

# Once its sender has given up, no request of ours can reach the venue so much later: 5 s
# are its recvWindow, the others are for our measure of the venue's clock, and for what the
# venue answers queries from, which may be behind by seconds.
EXPIRY_S = 20.0
# And not so long after the attempt: what replaces a stop waits for the old one to be gone.
SETTLED_S = 20.0
LOST_S = 60.0  # after this an attempt whose sender never said a word is judged, too
SETTLED = "settled"
TRADE_ID = "settled/"  # of a fill that only an operator has told of

OUTCOMES: Mapping[str, OrderStatus] = {
    "not-placed": OrderStatus.NOT_PLACED,
    "canceled": OrderStatus.CANCELED,
    "filled": OrderStatus.FILLED,
}


@attrs.frozen
class VenueWord:
    """What the exchange says of one order, asked just now."""

    order: VenueOrder | None = None
    fills: tuple[VenueFill, ...] = ()
    doubt: str = ""  # of executions that may be its own
    is_archived: bool = False  # it had the order, which ended unfilled

    @property
    def knows_it(self) -> bool:
        return self.order is not None or bool(self.fills)

    def __str__(self) -> str:
        if self.order is not None:
            filled = f"{plain(self.order.filled_base)} of {plain(self.order.base)} filled"
            return f"it is {self.order.status.value.replace('_', ' ')}, {filled}"
        if self.fills:
            base = sum((fill.base for fill in self.fills), ZERO)
            return f"{plain(base)} of it was executed"
        if self.is_archived:
            return "it ended unfilled, long ago"
        return "it knows no such order"


def is_judged(order: Order, known_s: float) -> bool:
    """Tell whether it may be said that the venue never took the order.

    Only of one whose sender has given up on it: one it has not spoken of may still be on
    its way, and one the venue has spoken of exists.
    """
    is_unsettled = order.is_unknown or order.status is OrderStatus.NEW
    return is_unsettled and known_s > judged_after_s(order)


def judged_after_s(order: Order) -> float:
    """Return the age of an unsettled order from which the venue's silence counts."""
    return EXPIRY_S if order.is_unknown else LOST_S


def settled(
    order: Order,
    asked: Asked,
    word: VenueWord | None,
    *,
    exchange: str,
    age_s: float,
    now_ms: int,
) -> tuple[Fact, ...]:
    """Return what an operator's word makes of an order so old; `word` is None unasked.

    Raises:
      NotPossible: the venue says otherwise, or nobody may say that yet.
    """
    name, status = order.client_order_id, OUTCOMES.get(asked.outcome)
    if status is None:
        raise NotPossible(f"settle it as one of {', '.join(OUTCOMES)}")
    if order.is_terminal:
        return (_missing(order, asked, word, exchange, now_ms, status),)
    if word is not None and word.knows_it:
        raise NotPossible(f"the exchange says of {name}: {word}; that is booked from there")
    if word is not None and word.doubt:
        raise NotPossible(
            f"{word.doubt}: see there, and settle {name} with --blind if it is not"
        )
    wait_s = (LOST_S if order.status is OrderStatus.NEW else SETTLED_S) - age_s
    if wait_s > 0:
        wait = f"ask again in {wait_s:.0f} s"
        raise NotPossible(f"{name} may still be on its way to the exchange; {wait}")
    if status is OrderStatus.NOT_PLACED and (order.venue_order_id or order.filled_base):
        raise NotPossible(f"the exchange had {name}: settle it as canceled or filled")
    if status is OrderStatus.FILLED:
        return (_filled(order, asked, word, exchange, now_ms), _ended(order, asked, status))
    return (_ended(order, asked, status),)


def _missing(
    order: Order,
    asked: Asked,
    word: VenueWord | None,
    exchange: str,
    now_ms: int,
    status: OrderStatus,
) -> Filled:
    """Return the executions of an ended order that the venue tells nobody of (R-12)."""
    name = order.client_order_id
    if not order.missing_base:
        raise NotPossible(f"{name} has ended already: {order.status.value}")
    if status is not OrderStatus.FILLED or word is not None:
        raise NotPossible(
            f"{name} has ended, and executions of {plain(order.missing_base)} of it are not"
            " known: they can be settled with --blind --as filled --price NUMBER only"
        )
    return _filled(order, asked, word, exchange, now_ms)


def _filled(
    order: Order, asked: Asked, word: VenueWord | None, exchange: str, now_ms: int
) -> Filled:
    """Return the fill that only the operator knows of."""
    if word is not None:
        raise NotPossible(
            f"the exchange, asked just now, says that {word}; if it was filled, it can be"
            " settled so with --blind only"
        )
    try:
        price = Decimal(asked.price)
    except InvalidOperation:
        price = ZERO
    if not (price.is_finite() and price > 0):
        raise NotPossible("an order that was filled needs its price: --price NUMBER")
    return Filled(
        order.bot,
        order.intended.account,
        exchange,
        order.symbol,
        order.client_order_id,
        TRADE_ID + order.client_order_id,
        order.side,
        price,
        order.missing_base or order.base - order.filled_base,
        ZERO,
        "",
        is_maker=False,
        trade_ms=now_ms,
    )


def _ended(order: Order, asked: Asked, status: OrderStatus) -> Ended:
    base = order.base if status is OrderStatus.FILLED else order.filled_base
    return Ended(
        order.bot,
        order.intended.account,
        order.symbol,
        order.client_order_id,
        status,
        base,
        SETTLED,
        f"{asked.by or 'an operator'}: {asked.reason}",
    )


def is_settled_fill(order: Order) -> bool:
    """Tell whether an operator has said what this order did: the venue's word is late."""
    return any(trade_id.startswith(TRADE_ID) for trade_id in order.trade_ids)
