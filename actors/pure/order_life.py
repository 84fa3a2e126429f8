"""Fold the facts of one order into its state: monotone, and safe to be told twice. Pure.

Everything that moves an order's status is in this file, and the table below is all of it.
Facts may come late, twice, or fill before acknowledgement (R-10, R-11): what the table does
not allow changes nothing. A fill always counts once, whatever the status says, because
money has moved; the status never goes back (I-6), but for a cancel that was refused.

    NEW -> UNKNOWN -> OPEN -> PARTIALLY_FILLED -> FILLED
                      OPEN, PARTIALLY_FILLED <-> PENDING_CANCEL
     +--------+---------+------------+----------> CANCELED, EXPIRED
     +--------+---------+-----------------------> REJECTED
     +--------+---------------------------------> NOT_PLACED
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    CancelRejected,
    CancelRequested,
    Ended,
    Filled,
    Intended,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    Purpose,
    Side,
)

NEW = OrderStatus.NEW
UNKNOWN = OrderStatus.UNKNOWN
OPEN = OrderStatus.OPEN
PARTIALLY_FILLED = OrderStatus.PARTIALLY_FILLED
PENDING_CANCEL = OrderStatus.PENDING_CANCEL
FILLED = OrderStatus.FILLED
CANCELED = OrderStatus.CANCELED
EXPIRED = OrderStatus.EXPIRED
REJECTED = OrderStatus.REJECTED
NOT_PLACED = OrderStatus.NOT_PLACED

TERMINAL = frozenset({FILLED, CANCELED, EXPIRED, REJECTED, NOT_PLACED})

_RESTING = {OPEN, PARTIALLY_FILLED}
_PLACED_ENDS = {FILLED, CANCELED, EXPIRED}

MOVES: Mapping[OrderStatus, frozenset[OrderStatus]] = {
    NEW: TERMINAL | {UNKNOWN, OPEN, PARTIALLY_FILLED},
    UNKNOWN: TERMINAL | {OPEN, PARTIALLY_FILLED},
    OPEN: frozenset({PARTIALLY_FILLED, PENDING_CANCEL, REJECTED} | _PLACED_ENDS),
    PARTIALLY_FILLED: frozenset({PENDING_CANCEL} | _PLACED_ENDS),
    PENDING_CANCEL: frozenset({OPEN, PARTIALLY_FILLED, REJECTED} | _PLACED_ENDS),
    **dict.fromkeys(TERMINAL, frozenset[OrderStatus]()),
}

LifeFact = Acknowledged | OutcomeUnknown | Filled | CancelRequested | CancelRejected | Ended
ZERO = Decimal(0)


@attrs.frozen
class Order:
    """One attempt at one intent. Quantities in base, money in quote."""

    intended: Intended
    client_order_id: str
    attempt: int
    attempt_ms: int
    status: OrderStatus = NEW
    venue_order_id: str = ""
    filled_base: Decimal = ZERO  # sum of the fills we were told, each once
    filled_quote: Decimal = ZERO
    fees: tuple[tuple[str, Decimal], ...] = ()  # by asset
    trade_ids: frozenset[str] = frozenset()
    ended_base: Decimal = ZERO  # filled, as the venue's last word has it
    cancels_asked: int = 0  # the newest request
    cancels_refused: int = 0  # the newest that was refused
    code: str = ""
    reason: str = ""

    @property
    def bot(self) -> str:
        return self.intended.bot

    @property
    def symbol(self) -> str:
        return self.intended.symbol

    @property
    def side(self) -> Side:
        return self.intended.side

    @property
    def base(self) -> Decimal:
        return self.intended.base

    @property
    def is_entry(self) -> bool:
        return self.intended.purpose is Purpose.ENTRY

    @property
    def is_protective(self) -> bool:
        """Whether it rests at the exchange as a position's stop."""
        return self.intended.is_protective

    @property
    def is_at_rest(self) -> bool:
        """Whether it only guards a position: nothing of it was executed."""
        return self.is_protective and not self.is_terminal and not self.filled_base

    @property
    def is_replaceable(self) -> bool:
        """Whether one request may put another order in its place.

        The venue cancels only what nothing was executed of, and places nothing unless it
        cancelled; so one of which nobody knows whether it is there may be tried, too.
        """
        return self.status in {OPEN, UNKNOWN, PENDING_CANCEL} and not self.filled_base

    @property
    def is_ending(self) -> bool:
        """Whether only word of its end is missing: executed at once, or being cancelled."""
        at_once = self.intended.order_type is OrderType.MARKET
        return self.status is PENDING_CANCEL or (at_once and self.status in _RESTING)

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def is_unsure(self) -> bool:
        """Whether nobody has heard yet if the venue has it."""
        return self.status in {NEW, UNKNOWN}

    @property
    def is_unknown(self) -> bool:
        """Whether nobody can say if the venue has it: it blocks new risk (R-02)."""
        return self.status is UNKNOWN

    @property
    def is_proven_empty(self) -> bool:
        """Whether it ended and bought or sold nothing: another attempt is safe (R-05)."""
        return self.is_terminal and not self.filled_base and not self.ended_base

    @property
    def open_base(self) -> Decimal:
        """What may still be executed. UNKNOWN counts as live (I-17)."""
        return ZERO if self.is_terminal else max(ZERO, self.base - self.filled_base)

    @property
    def missing_base(self) -> Decimal:
        """What the venue says was executed and nobody has booked yet (R-12)."""
        return max(ZERO, self.ended_base - self.filled_base)

    @property
    def is_end_untold(self) -> bool:
        """Whether only its fills tell that it is done: the word of its end was lost."""
        return self.status is FILLED and not self.ended_base

    @property
    def reserved_quote(self) -> Decimal:
        """The money that may still flow into this entry; exits reserve none."""
        if not self.is_entry or self.is_terminal:
            return ZERO
        return self.open_base * (self.intended.limit_price or self.intended.price)

    @property
    def contradiction(self) -> str:
        """What cannot be true of this order, or "": whoever books fills alarms (I-4)."""
        if self.filled_base > self.base:
            return f"filled {self.filled_base} of {self.base} {self.symbol}"
        if self.filled_base and self.status in {REJECTED, NOT_PLACED}:
            return f"filled {self.filled_base} though {self.status.value}"
        return ""


def begin(intended: Intended, attempted: Attempted) -> Order:
    """Return the order of one attempt, durable and not yet sent."""
    return Order(
        intended, attempted.client_order_id, attempted.attempt, attempted.attempt_ms
    )


def step(order: Order, fact: LifeFact) -> Order:
    """Return the order after `fact`: the same object when nothing changed."""
    match fact:
        case Filled():
            return _filled(order, fact)
        case Ended():
            return _ended(order, fact)
        case OutcomeUnknown():
            return _unknown(order, fact)
        case Acknowledged():
            return _acknowledged(order, fact)
        case CancelRequested():
            return _cancel_requested(order, fact)
        case CancelRejected():
            return _cancel_rejected(order, fact)


def _unknown(order: Order, fact: OutcomeUnknown) -> Order:
    if UNKNOWN not in MOVES[order.status]:
        return order
    return attrs.evolve(order, status=UNKNOWN, reason=fact.reason)


def _cancel_requested(order: Order, fact: CancelRequested) -> Order:
    if fact.number <= order.cancels_asked:
        return order
    is_moved = PENDING_CANCEL in MOVES[order.status]
    return attrs.evolve(
        order,
        status=PENDING_CANCEL
        if is_moved and fact.number > order.cancels_refused
        else order.status,
        cancels_asked=fact.number,
    )


def _cancel_rejected(order: Order, fact: CancelRejected) -> Order:
    if fact.number <= order.cancels_refused:
        return order
    is_back = order.status is PENDING_CANCEL and fact.number >= order.cancels_asked
    back = PARTIALLY_FILLED if order.filled_base else OPEN
    return attrs.evolve(
        order,
        status=back if is_back else order.status,
        cancels_refused=fact.number,
    )


def _acknowledged(order: Order, fact: Acknowledged) -> Order:
    status = OPEN if order.status in {NEW, UNKNOWN} else order.status
    venue_order_id = order.venue_order_id or fact.venue_order_id
    if status is order.status and venue_order_id == order.venue_order_id:
        return order
    return attrs.evolve(order, status=status, venue_order_id=venue_order_id)


def _filled(order: Order, fact: Filled) -> Order:
    if fact.trade_id in order.trade_ids:
        return order
    filled_base = order.filled_base + fact.base
    told = FILLED if filled_base >= order.base else PARTIALLY_FILLED
    if order.status is PENDING_CANCEL and told is PARTIALLY_FILLED:
        told = PENDING_CANCEL  # only the venue's no takes that back
    return attrs.evolve(
        order,
        status=told if told in MOVES[order.status] else order.status,
        filled_base=filled_base,
        filled_quote=order.filled_quote + fact.base * fact.price,
        fees=_with_fee(order.fees, fact.fee_asset, fact.fee),
        trade_ids=order.trade_ids | {fact.trade_id},
    )


def _ended(order: Order, fact: Ended) -> Order:
    if fact.status is not order.status and fact.status not in MOVES[order.status]:
        return order
    if fact.status is REJECTED and order.status is PENDING_CANCEL and order.filled_base:
        return order  # as before the cancel was asked for: what was executed was taken
    after = attrs.evolve(
        order,
        status=fact.status,
        ended_base=max(order.ended_base, fact.filled_base),
        code=fact.code or order.code,
        reason=fact.reason or order.reason,
    )
    return order if after == order else after


def _with_fee(
    fees: tuple[tuple[str, Decimal], ...], asset: str, fee: Decimal
) -> tuple[tuple[str, Decimal], ...]:
    if not fee:
        return fees
    sums = dict(fees)
    sums[asset] = sums.get(asset, ZERO) + fee
    return tuple(sorted(sums.items()))
