"""Keep one order book as the venue keeps it, and prove each step by its checksum.

Levels come with absolute quantities, 0 removes. After each message both sides are cut to
the subscribed depth, for the venue says nothing of levels pushed out. Then the CRC-32 of
the ten best levels' digits must be the venue's.

Source: docs.kraken.com, "Spot Websockets (v2) Book Checksum", 2026-05-27.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import BookDelta, BookSnapshot
from adapters.kraken.codec.frames import BookRow, LevelRow
from adapters.kraken.codec.numbers import ZERO, amount, digits, positive, unix_ms
from adapters.kraken.codec.words import EXCHANGE

CHECKED: Final = 10  # levels of each side that the checksum covers

Level = tuple[Decimal, Decimal]


class BookBroken(ValueError):
    """Our copy of the book is not the venue's any more: subscribe anew."""


@attrs.define(eq=False)
class Levels:
    """One side, best level last or first: `prices` ascend, whatever side it is."""

    depth: int
    is_bids: bool
    price_decimals: int
    base_decimals: int
    prices: list[Decimal] = attrs.Factory(list[Decimal])
    bases: dict[Decimal, Decimal] = attrs.Factory(dict[Decimal, Decimal])
    texts: dict[Decimal, str] = attrs.Factory(dict[Decimal, str])

    def apply(self, rows: Sequence[LevelRow]) -> list[Level]:
        """Take the rows in order, cut to the depth, and return what has changed."""
        changed: dict[Decimal, Decimal] = {}
        for row in rows:
            price, base = positive(row.price), amount(row.qty)
            if base:
                self._set(price, base)
            else:
                self._remove(price)
            changed[price] = base
        for price in self._beyond():
            self._remove(price)
            changed[price] = ZERO
        return list(changed.items())

    def best_first(self) -> Iterable[Decimal]:
        return reversed(self.prices) if self.is_bids else self.prices

    def levels(self) -> tuple[Level, ...]:
        return tuple([(price, self.bases[price]) for price in self.best_first()])

    def digits(self) -> str:
        """Return the checksum's text of this side."""
        best = self.prices[: -CHECKED - 1 : -1] if self.is_bids else self.prices[:CHECKED]
        return "".join([self.texts[price] for price in best])

    def _set(self, price: Decimal, base: Decimal) -> None:
        if price not in self.bases:
            insort(self.prices, price)
        self.bases[price] = base
        self.texts[price] = digits(price, self.price_decimals) + digits(
            base, self.base_decimals
        )

    def _remove(self, price: Decimal) -> None:
        if self.bases.pop(price, None) is not None:
            del self.texts[price]
            del self.prices[bisect_left(self.prices, price)]

    def _beyond(self) -> list[Decimal]:
        over = len(self.prices) - self.depth
        if over <= 0:
            return []
        return self.prices[:over] if self.is_bids else self.prices[-over:]


@attrs.define(eq=False)
class KeptBook:
    """One symbol's book. Numbers what it tells, and never tells what is not proven."""

    symbol: str
    depth: int
    price_decimals: int = 0  # the digits themselves are exact; these pad shortened ones
    base_decimals: int = 0
    last_id: int = 0  # of what was told last; goes on over snapshots
    is_proven: bool = False
    _bids: Levels = attrs.field(init=False)
    _asks: Levels = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._clear()

    def take_snapshot(self, row: BookRow, received_s: float) -> BookSnapshot:
        """Begin anew with a whole book.

        Raises:
          BookBroken: it is not what its own checksum says.
          BadFigure: a figure that no market can mean.
        """
        self.is_proven = False
        self._clear()
        self._bids.apply(row.bids)
        self._asks.apply(row.asks)
        self._prove(row)
        self.last_id += 1
        return BookSnapshot(
            EXCHANGE,
            self.symbol,
            self.last_id,
            self._bids.levels(),
            self._asks.levels(),
            received_s,
        )

    def take_update(self, row: BookRow) -> BookDelta:
        """Change the book, and return what has changed, the levels cut off included.

        Raises:
          BookBroken: it is not the venue's any more.
          BadFigure: the same, by a figure that no market can mean.
        """
        self.is_proven = False
        bids, asks = self._bids.apply(row.bids), self._asks.apply(row.asks)
        self._prove(row)
        self.last_id += 1
        return BookDelta(
            exchange=EXCHANGE,
            symbol=self.symbol,
            first_id=self.last_id,
            last_id=self.last_id,
            bids=tuple(bids),
            asks=tuple(asks),
            exchange_ms=unix_ms(row.timestamp) if row.timestamp is not None else 0,
        )

    def checksum(self) -> int:
        """Return the CRC-32 that the venue should have sent."""
        return zlib.crc32((self._asks.digits() + self._bids.digits()).encode())

    def _prove(self, row: BookRow) -> None:
        self.is_proven = row.checksum == self.checksum()
        if not self.is_proven:
            raise BookBroken(f"the book of {self.symbol} does not match its checksum")

    def _clear(self) -> None:
        places = (self.price_decimals, self.base_decimals)
        self._bids = Levels(self.depth, True, *places)
        self._asks = Levels(self.depth, False, *places)
