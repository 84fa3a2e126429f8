"""Turn what a venue says about our orders into facts. Pure.

Only a venue answer about an order changes that order (R-01); fills carry the venue's
trade id, so that the same one heard twice is recorded once (R-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from actors.messages import (
    Acknowledged,
    Ended,
    Fact,
    Filled,
    OrderStatus,
    OutcomeUnknown,
    VenueAck,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.pure.order_life import ZERO, Order

NOT_REPLACED = "not_replaced"  # the stop that was to make room stays, or is gone

TERMINAL = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
    }
)


def facts_of_order(order: Order, venue: VenueOrder) -> tuple[Fact, ...]:
    """Return what `venue` adds to what we know of `order`; nothing when it adds nothing."""
    facts: list[Fact] = []
    if venue.status is not OrderStatus.REJECTED and not order.venue_order_id:
        facts.append(_acknowledged(order, venue.venue_order_id))
    if venue.status in TERMINAL:
        facts.append(_ended(order, venue.status, venue.filled_base, "", venue.reason))
    return tuple(facts)


def fact_of_fill(order: Order, fill: VenueFill, account: str) -> Filled:
    """Return the fill as a fact of the bot that owns the order (R-09)."""
    return Filled(
        order.bot,
        account,
        fill.exchange,
        fill.symbol,
        order.client_order_id,
        fill.trade_id,
        fill.side,
        fill.price,
        fill.base,
        fill.fee,
        fill.fee_asset,
        fill.is_maker,
        fill.trade_ms,
    )


def facts_of_answer(
    order: Order, answer: VenueAck | VenueReject | VenueUnknown
) -> tuple[Fact, ...]:
    """Return what the answer to our request says: ACK, a definite no, or UNKNOWN."""
    match answer:
        case VenueAck():
            facts: list[Fact] = [_acknowledged(order, answer.venue_order_id)]
            facts += [
                fact_of_fill(order, fill, order.intended.account) for fill in answer.fills
            ]
            if answer.status in TERMINAL:
                facts.append(_ended(order, answer.status, answer.filled_base, "", ""))
            return tuple(facts)
        case VenueReject(code=code, reason=reason):
            return (_ended(order, OrderStatus.REJECTED, order.filled_base, code, reason),)
        case VenueUnknown(reason=reason):
            return (
                OutcomeUnknown(
                    order.bot,
                    order.intended.account,
                    order.symbol,
                    order.client_order_id,
                    reason,
                ),
            )


def facts_of_replacement(order: Order, old: Order, both: VenueReplaced) -> tuple[Fact, ...]:
    """Return what a cancel-and-replace says of `old` and of the `order` in its place.

    The venue places nothing unless it cancelled: a refused cancel proves that.
    """
    match both.cancelled:
        case VenueAck(filled_base=filled_base):
            gone = _ended(old, OrderStatus.CANCELED, filled_base, "", "replaced")
            return (gone, *facts_of_answer(order, both.placed))
        case VenueReject(reason=reason):
            no = VenueReject(order.client_order_id, NOT_REPLACED, reason)
            said = both.placed if isinstance(both.placed, VenueReject) else no
            return facts_of_answer(order, said)
        case VenueUnknown():
            return facts_of_answer(order, both.placed)


def not_placed(order: Order, reason: str, code: str = "") -> Ended:
    """Return the proof that the venue never took the order."""
    return _ended(order, OrderStatus.NOT_PLACED, order.filled_base, code, reason)


def filled_up(order: Order) -> Ended:
    """Return the end of an order that was executed to its last part."""
    return _ended(order, OrderStatus.FILLED, order.filled_base, "", "")


def forgotten(order: Order, fills: Sequence[VenueFill]) -> Ended:
    """Return the end of an order that a venue knew, and forgot as it was cancelled."""
    filled_base = sum((fill.base for fill in fills), ZERO)
    reason = "the venue no longer knows it, as of orders that were cancelled unfilled"
    return _ended(order, OrderStatus.CANCELED, filled_base, "", reason)


def archived(order: Order) -> Ended:
    """Return the end of an order of which the venue only knows that it had one."""
    reason = "the venue has archived it: it ended unfilled, long ago"
    return _ended(order, OrderStatus.CANCELED, ZERO, "", reason)


def _acknowledged(order: Order, venue_order_id: str) -> Acknowledged:
    return Acknowledged(
        order.bot,
        order.intended.account,
        order.symbol,
        order.client_order_id,
        venue_order_id,
    )


def _ended(
    order: Order, status: OrderStatus, filled_base: Decimal, code: str, reason: str
) -> Ended:
    return Ended(
        order.bot,
        order.intended.account,
        order.symbol,
        order.client_order_id,
        status,
        filled_base,
        code,
        reason,
    )
