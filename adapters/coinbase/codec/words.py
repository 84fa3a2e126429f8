"""Translate between Coinbase's words for orders and ours.

A stop order waits below the last price or above it; whether that stops a loss or takes a
profit depends on the side. Exchange says "loss" and "entry" for the two directions,
Advanced Trade down and up.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from actors.messages import OrderRequest, OrderStatus, OrderType, Side
from adapters.errors import LocalProtocolError
from adapters.figures import BadFigure

ADVANCED_STATUS: Final[Mapping[str, OrderStatus]] = {
    "PENDING": OrderStatus.OPEN,
    "QUEUED": OrderStatus.OPEN,
    "UNKNOWN_ORDER_STATUS": OrderStatus.OPEN,  # as far as the venue knows, it may live
    "OPEN": OrderStatus.OPEN,
    "CANCEL_QUEUED": OrderStatus.OPEN,
    "EDIT_QUEUED": OrderStatus.OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "FAILED": OrderStatus.REJECTED,
}
EXCHANGE_STATUS: Final[Mapping[str, OrderStatus]] = {
    "received": OrderStatus.OPEN,
    "pending": OrderStatus.OPEN,
    "open": OrderStatus.OPEN,
    "active": OrderStatus.OPEN,  # a stop that waits for its price
    "rejected": OrderStatus.REJECTED,
}
DONE: Final[Mapping[str, OrderStatus]] = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "rejected": OrderStatus.REJECTED,
}


def advanced_status(word: str, *, is_filling: bool) -> OrderStatus:
    """Return our status of an order of Advanced Trade."""
    return _filling(ADVANCED_STATUS.get(word), word, is_filling=is_filling)


def exchange_status(word: str, done_reason: str, *, is_filling: bool) -> OrderStatus:
    """Return our status of an order of the Exchange; one that is done says why."""
    is_done = word in {"done", "settled"}
    found = DONE.get(done_reason) if is_done else EXCHANGE_STATUS.get(word)
    return _filling(found, f"{word} {done_reason}".strip(), is_filling=is_filling)


def _filling(found: OrderStatus | None, word: str, *, is_filling: bool) -> OrderStatus:
    if found is None:
        raise BadFigure(f"order status {word[:40]!a} is not documented")
    if found is OrderStatus.OPEN and is_filling:
        return OrderStatus.PARTIALLY_FILLED
    if found is OrderStatus.REJECTED and is_filling:
        return OrderStatus.CANCELED  # the rest of it: what was executed was not refused
    return found


def side(word: str) -> Side:
    """Return our side, however the venue spells it."""
    try:
        return Side(word.lower())
    except ValueError:
        raise BadFigure(f"side {word[:20]!a}") from None


def triggers_below(request: OrderRequest) -> bool:
    """Tell whether a stop order waits for the last price to fall to its stop price."""
    is_loss = request.order_type is OrderType.STOP_LOSS_LIMIT
    return is_loss == (request.side is Side.SELL)


def given(price: Decimal | None, what: str) -> str:
    """Return a price that the order type needs, never in e-form.

    Raises:
      LocalProtocolError: it is missing.
    """
    if price is None:
        raise LocalProtocolError(f"this order type needs a {what}")
    return f"{price:f}"
