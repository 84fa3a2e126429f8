"""Translate between Kraken's words for orders and ours."""

from __future__ import annotations

from typing import Final

from actors.messages import OrderStatus, OrderType, Side
from adapters.figures import BadFigure

EXCHANGE: Final = "kraken"

SIDE: Final = {"buy": Side.BUY, "sell": Side.SELL}
TYPE_WORD: Final = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.LIMIT_MAKER: "limit",  # with post_only
    OrderType.STOP_LOSS_LIMIT: "stop-loss-limit",
    OrderType.TAKE_PROFIT_LIMIT: "take-profit-limit",
}
STATUS: Final = {
    "pending_new": OrderStatus.OPEN,  # WebSocket
    "new": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "pending": OrderStatus.OPEN,  # REST
    "open": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
}
INTERVAL_M: Final = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "1h": 60,
    "4h": 240,
    "1d": 1440,
}  # the venue's weeks open on Thursdays, ours on Mondays
TIMEFRAME: Final = {minutes: timeframe for timeframe, minutes in INTERVAL_M.items()}


def status(word: str, *, is_filling: bool) -> OrderStatus:
    """Return our status; an open order may be partly filled."""
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
