"""What an order must be able to pay, and whether its prices make sense now. Pure."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Side
from actors.pure.matching_book import Book
from actors.pure.matching_orders import (
    CONDITIONAL,
    ZERO,
    Kind,
    NewOrder,
    Order,
    Pair,
    Rejection,
)


def judge_price(new: NewOrder, book: Book, last: Decimal | None) -> Rejection | None:
    """Return why an order at this price is refused in this market, or None."""
    if new.kind is Kind.LIMIT_MAKER and book.against(new.side).crosses(new.price):
        return Rejection.WOULD_MATCH
    if new.kind not in CONDITIONAL:
        return None
    if last is None:
        return Rejection.NO_LAST_PRICE
    return Rejection.WOULD_TRIGGER if is_triggered(new, last) else None


def is_triggered(order: NewOrder | Order, last: Decimal) -> bool:
    """Tell whether `last` fires a conditional order.

    STOP_LOSS BUY and TAKE_PROFIT SELL fire when the price rises to the trigger, the other
    two when it falls to it (rest-api.md, "Stop orders").
    """
    fires_up = (order.kind is Kind.STOP_LOSS_LIMIT) == (order.side is Side.BUY)
    return last >= order.stop_price if fires_up else last <= order.stop_price


def price_of(
    new: NewOrder, pair: Pair, book: Book, on_top: Decimal = ZERO
) -> tuple[Decimal, str]:
    """Return how much the order must be able to pay, and in which asset.

    Units: `on_top` is the share that a buyer pays beside the price; an order sized in
        quote spends no more than its size, fee included.
    """
    if new.side is Side.SELL:
        best = book.bids.best()
        for_quote = new.quote / best if best else ZERO
        return new.base or for_quote, pair.base_asset
    if new.kind is not Kind.MARKET:
        return new.price * new.base * (1 + on_top), pair.quote_asset
    if new.quote:
        return new.quote, pair.quote_asset
    _, cost = book.fillable(Side.BUY, ZERO, new.base)
    return cost * (1 + on_top), pair.quote_asset
