"""What an order book says besides its best prices: spread, depth, imbalance. Pure.

Shape: both sides come best first; with an empty one there is no middle and no spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from actors.messages import BookSnapshot
from actors.pure.money import ZERO

Level = tuple[Decimal, Decimal]  # price, base


@attrs.frozen
class Depth:
    """What lies within a distance of the middle."""

    bid_base: Decimal
    bid_quote: Decimal
    ask_base: Decimal
    ask_quote: Decimal
    is_whole: bool  # the book was shown at least that deep on both sides


def middle(book: BookSnapshot) -> Decimal | None:
    """Return the price half-way between best bid and best ask."""
    if not book.bids or not book.asks:
        return None
    return (book.bids[0][0] + book.asks[0][0]) / 2


def spread_percent(book: BookSnapshot) -> Decimal | None:
    """Return best ask minus best bid, in percent of the middle."""
    half_way = middle(book)
    if half_way is None:
        return None
    return (book.asks[0][0] - book.bids[0][0]) / half_way * 100


def depth_within(book: BookSnapshot, percent: Decimal | int) -> Depth | None:
    """Return what is offered within `percent` of the middle on each side."""
    half_way = middle(book)
    if half_way is None:
        return None
    away = half_way * percent / 100
    bids = [level for level in book.bids if level[0] >= half_way - away]
    asks = [level for level in book.asks if level[0] <= half_way + away]
    is_whole = len(bids) < len(book.bids) and len(asks) < len(book.asks)
    return Depth(_base(bids), _quote(bids), _base(asks), _quote(asks), is_whole)


def imbalance(book: BookSnapshot, levels: int) -> Decimal:
    """Return how much more is bid than asked on the best `levels` of each side.

    Units: -1 only asks, 0 even or nothing at all, 1 only bids.
    """
    bid, ask = _base(book.bids[:levels]), _base(book.asks[:levels])
    return (bid - ask) / (bid + ask) if bid + ask else ZERO


def _base(levels: Sequence[Level]) -> Decimal:
    return sum((base for _, base in levels), ZERO)


def _quote(levels: Sequence[Level]) -> Decimal:
    return sum((price * base for price, base in levels), ZERO)
