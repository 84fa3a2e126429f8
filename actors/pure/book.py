"""Keep one symbol's order book from a snapshot and the changes that follow it. Pure.

Source: web-socket-streams.md, "How to manage a local order book correctly" (2025-11-12),
with the bridge test that ten recorded sessions bear out: the first change to apply is the
one with first_id <= last_id + 1 <= its last_id.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal
from enum import Enum

import attrs

from actors.messages import BookDelta, BookSnapshot

BUFFER_MAX = 2_000  # changes kept while a snapshot is on its way


class BookStep(Enum):
    """What became of a change, or of a snapshot."""

    APPLIED = "applied"
    OLD = "old"  # the book already holds it
    BUFFERED = "buffered"  # no snapshot yet
    GAP = "gap"  # changes are missing: fetch a snapshot again


@attrs.define
class Levels:
    """One side: a base quantity for each price, and the prices in rising order."""

    base: dict[Decimal, Decimal] = attrs.Factory(dict[Decimal, Decimal])
    prices: list[Decimal] = attrs.Factory(list[Decimal])

    def load(self, levels: tuple[tuple[Decimal, Decimal], ...]) -> None:
        """Replace the side."""
        self.base = {price: base for price, base in levels if base}
        self.prices = sorted(self.base)

    def change(self, price: Decimal, base: Decimal) -> None:
        """Set one level; base 0 removes it, and removing an unknown one is normal."""
        if base:
            if price not in self.base:
                insort(self.prices, price)
            self.base[price] = base
        elif self.base.pop(price, None) is not None:
            del self.prices[bisect_left(self.prices, price)]


@attrs.define
class Book:
    """The local book of one symbol. Not synced until a snapshot was bridged."""

    exchange: str
    symbol: str
    bids: Levels = attrs.Factory(Levels)
    asks: Levels = attrs.Factory(Levels)
    last_id: int = 0
    is_synced: bool = False
    is_bridged: bool = False  # a change was applied onto the snapshot
    buffer: list[BookDelta] = attrs.Factory(list[BookDelta])
    gaps: int = 0
    dropped: int = 0  # changes that no snapshot came for in time

    def load(self, snapshot: BookSnapshot) -> BookStep:
        """Start from `snapshot` and apply what was buffered; GAP when it is too old."""
        buffered, self.buffer = self.buffer, []
        if buffered and snapshot.last_id + 1 < buffered[0].first_id:
            self.buffer = buffered
            return BookStep.GAP
        self.bids.load(snapshot.bids)
        self.asks.load(snapshot.asks)
        self.last_id = snapshot.last_id
        self.is_synced, self.is_bridged = True, False
        for number, delta in enumerate(buffered):
            if self.apply(delta) is BookStep.GAP:
                self.buffer = buffered[number:]
                return BookStep.GAP
        return BookStep.APPLIED

    def apply(self, delta: BookDelta) -> BookStep:
        """Apply one change in order."""
        if not self.is_synced:
            self.buffer.append(delta)
            if len(self.buffer) > BUFFER_MAX:
                del self.buffer[0]
                self.dropped += 1
            return BookStep.BUFFERED
        if delta.last_id <= self.last_id:
            return BookStep.OLD
        if delta.first_id > self.last_id + 1:
            self.reset()
            self.gaps += 1
            self.buffer.append(delta)
            return BookStep.GAP
        for price, base in delta.bids:
            self.bids.change(price, base)
        for price, base in delta.asks:
            self.asks.change(price, base)
        self.last_id = delta.last_id
        self.is_bridged = True
        return BookStep.APPLIED

    def reset(self) -> None:
        """Forget everything; a snapshot is needed."""
        self.is_synced = self.is_bridged = False
        self.buffer = []

    def best(self, depth: int, received_s: float) -> BookSnapshot:
        """Return the best `depth` levels of each side, best first."""
        bids = tuple(
            (price, self.bids.base[price]) for price in self.bids.prices[: -depth - 1 : -1]
        )
        asks = tuple((price, self.asks.base[price]) for price in self.asks.prices[:depth])
        return BookSnapshot(
            self.exchange, self.symbol, self.last_id, bids, asks, received_s
        )
