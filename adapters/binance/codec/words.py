"""Translate between Binance's words for orders and ours."""

from __future__ import annotations

from typing import Final

from actors.messages import OrderStatus, OrderType, Side
from adapters.figures import BadFigure

SIDE: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORD: Final = {side: word for word, side in SIDE.items()}

TYPE_WORD: Final = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.LIMIT_MAKER: "LIMIT_MAKER",
    OrderType.STOP_LOSS_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
}
TYPE: Final = {word: order_type for order_type, word in TYPE_WORD.items()}

STATUS: Final = {
    "NEW": OrderStatus.OPEN,
    "PENDING_NEW": OrderStatus.OPEN,
    "PENDING_CANCEL": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
STATUS_WORD: Final = {
    OrderStatus.OPEN: "NEW",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.EXPIRED: "EXPIRED",
}


def status(word: str, *, is_filling: bool) -> OrderStatus:
    """Return our status; an order that waits for its cancel may be partly filled."""
    found = STATUS.get(word)
    if found is None:
        raise BadFigure(f"order status {word!a} is not documented")
    if found is OrderStatus.OPEN and is_filling:
        return OrderStatus.PARTIALLY_FILLED
    return found


def side(word: str) -> Side:
    """Return our side."""
    found = SIDE.get(word)
    if found is None:
        raise BadFigure(f"side {word!a}")
    return found
