"""Spread, depth and imbalance of an order book."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import BookSnapshot
from actors.pure.depth import Depth, depth_within, imbalance, middle, spread_percent
from tests.words import SYMBOL


def book(bids: dict[int, int], asks: dict[int, int]) -> BookSnapshot:
    bid_side, ask_side = (
        tuple((Decimal(price), Decimal(base)) for price, base in side.items())
        for side in (bids, asks)
    )
    return BookSnapshot("binance", SYMBOL, 1, bid_side, ask_side, 0.0)


BOOK = book({99: 2, 98: 3, 90: 10}, {101: 1, 102: 4, 110: 10})


def test_the_middle_lies_between_the_best_prices() -> None:
    assert middle(BOOK) == 100
    assert spread_percent(BOOK) == 2


def test_depth_counts_what_is_near_the_middle() -> None:
    assert depth_within(BOOK, 2) == Depth(
        Decimal(5), Decimal(492), Decimal(5), Decimal(509), is_whole=True
    )


def test_depth_says_when_the_book_is_not_shown_that_deep() -> None:
    found = depth_within(BOOK, 15)
    assert found is not None
    assert (found.bid_base, found.is_whole) == (15, False)


def test_imbalance_is_of_the_best_levels() -> None:
    assert imbalance(BOOK, 1) == Decimal(1) / 3
    assert imbalance(BOOK, 2) == 0
    assert imbalance(book({99: 2}, {}), 5) == 1


def test_an_empty_side_has_no_middle() -> None:
    empty = book({99: 2}, {})
    assert (middle(empty), spread_percent(empty), depth_within(empty, 1)) == (None,) * 3
    assert imbalance(book({}, {}), 5) == 0
