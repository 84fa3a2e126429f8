"""Keep one product's book from the feed: number what is told, and notice what is wrong.

The venue numbers neither snapshots nor changes and sends no checksum. So a book is broken
when its best prices cross, or when heartbeats tell of trades and no level moves; and one is
whole again only with the next snapshot. Numbers go on from book to book.
"""

from __future__ import annotations

from typing import Final

import attrs

from actors.messages import BookDelta, BookSnapshot, BookTop, StreamMessage
from actors.pure.book import Book
from adapters.coinbase.codec.feed import EXCHANGE, BookChanges, Heartbeat, WholeBook

SILENT_S: Final = 5.0  # from a trade to the level that it must have moved
SNAPSHOT_S: Final = 10.0  # from asking for a book to having it


@attrs.define(eq=False)
class FeedBook:
    """One book, as one connection tells it."""

    symbol: str
    asked_s: float  # when its snapshot was asked for
    wants_book: bool = False
    wants_top: bool = False
    rests_until_s: float = 0.0
    book: Book = attrs.field(init=False)
    _trade_id: int = 0  # the last one that a heartbeat told of
    _traded_s: float = 0.0  # when it told of the first since the book moved
    _moved_s: float = 0.0
    _top: BookTop | None = None

    def __attrs_post_init__(self) -> None:
        self.book = Book(EXCHANGE, self.symbol)

    @property
    def is_awaited(self) -> bool:
        """Whether the snapshot has not come yet."""
        return not self.book.is_synced

    def await_again(self, now_s: float) -> None:
        """Forget the book: its snapshot has been asked for anew."""
        self.asked_s = now_s
        self.rests_until_s = 0.0
        self.book.reset()

    def rest_until(self, at_s: float) -> None:
        """Tell nothing of this book until then: it was broken again and again."""
        self.book.reset()
        self.rests_until_s = at_s
        self.asked_s = at_s

    def has_rested(self, now_s: float) -> bool:
        """Tell whether a book that rests should be asked for again."""
        return bool(self.rests_until_s) and now_s >= self.rests_until_s

    def load(self, whole: WholeBook, now_s: float) -> list[StreamMessage]:
        """Take a snapshot; return what readers are told."""
        if self.rests_until_s:
            return []
        number = self.book.last_id + 1
        snapshot = BookSnapshot(
            EXCHANGE, self.symbol, number, whole.bids, whole.asks, now_s
        )
        self.book.load(snapshot)
        self._moved_s = now_s
        told: list[StreamMessage] = [snapshot] if self.wants_book else []
        return told + self._new_top(now_s)

    def change(self, changes: BookChanges, now_s: float) -> list[StreamMessage]:
        """Take changes; those before the snapshot are in it."""
        if self.is_awaited:
            return []
        number = self.book.last_id + 1
        delta = BookDelta(
            EXCHANGE,
            self.symbol,
            number,
            number,
            changes.bids,
            changes.asks,
            changes.exchange_ms,
        )
        self.book.apply(delta)
        self._moved_s = now_s
        told: list[StreamMessage] = [delta] if self.wants_book else []
        return told + self._new_top(now_s)

    def trouble(self, now_s: float) -> str:
        """Return what is wrong with the book, "" where nothing is."""
        bids, asks = self.book.bids.prices, self.book.asks.prices
        if self.is_awaited:
            return ""
        if bids and asks and bids[-1] >= asks[0]:
            return f"its best prices cross: {bids[-1]} and {asks[0]}"
        if self._traded_s > self._moved_s and now_s - self._traded_s > SILENT_S:
            return f"trades, and no level moved for {now_s - self._moved_s:.1f} s"
        return ""

    def is_overdue(self, now_s: float) -> bool:
        """Tell whether the snapshot that was asked for should have come by now."""
        return self.is_awaited and now_s - self.asked_s > SNAPSHOT_S

    def note(self, heartbeat: Heartbeat, now_s: float) -> None:
        """Note that somebody traded; a trade moves a level."""
        is_first = self._traded_s <= self._moved_s
        if self._trade_id and heartbeat.last_trade_id > self._trade_id and is_first:
            self._traded_s = now_s
        self._trade_id = max(self._trade_id, heartbeat.last_trade_id)

    def present(self, now_s: float, *, top_only: bool) -> list[StreamMessage]:
        """Return the book as it is, for a reader who came later."""
        if self.is_awaited:
            return []
        self._top = None
        top = self._new_top(now_s)
        if top_only:
            return top
        book = self.book
        bids = tuple([(price, book.bids.base[price]) for price in book.bids.prices[::-1]])
        asks = tuple([(price, book.asks.base[price]) for price in book.asks.prices])
        whole = BookSnapshot(EXCHANGE, self.symbol, book.last_id, bids, asks, now_s)
        return [whole, *top]

    def _new_top(self, now_s: float) -> list[StreamMessage]:
        """Return the best prices where they changed and somebody wants them."""
        bids, asks = self.book.bids, self.book.asks
        if not (self.wants_top and bids.prices and asks.prices):
            return []
        bid, ask = bids.prices[-1], asks.prices[0]
        old, bid_base, ask_base = self._top, bids.base[bid], asks.base[ask]
        if old is not None and (old.bid, old.bid_base, old.ask, old.ask_base) == (
            bid,
            bid_base,
            ask,
            ask_base,
        ):
            return []
        number = self.book.last_id
        top = BookTop(EXCHANGE, self.symbol, bid, bid_base, ask, ask_base, number, now_s)
        self._top = top
        return [top]
