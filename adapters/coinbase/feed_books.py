"""The books of one connection: which are kept, which are broken, and when to ask anew.

A book that stays broken is asked for seldom: a market in auction may cross for minutes, and
costs the others nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from actors.messages import Channel, PassedOver, StreamMessage, Subscription
from adapters.coinbase.codec.feed import BookChanges, Heartbeat, WholeBook
from adapters.coinbase.feed_book import FeedBook
from adapters.errors import ConnectionLost

RESYNCS_MAX: Final = 5  # of one book, in RESYNCS_S; then it rests
RESYNCS_S: Final = 60.0
# Frames that change no book, by how they begin.
OF_NO_BOOK: Final = tuple(
    f'{{"type":"{kind}"'
    for kind in ("ticker", "match", "last_match", "heartbeat", "subscriptions", "status")
)


@attrs.define(eq=False)
class FeedBooks:
    """`last_ids` outlive the connection: the numbers of a book go on."""

    last_ids: dict[str, int]
    resyncs: int = 0  # books that were asked for anew
    broken: set[str] = attrs.Factory(set[str])  # symbols of books to be asked for
    _books: dict[str, FeedBook] = attrs.Factory(dict[str, FeedBook])
    _resynced_s: dict[str, deque[float]] = attrs.Factory(dict[str, deque[float]])

    def want(
        self, added: Subscription, wanted: frozenset[Subscription], now_s: float
    ) -> Sequence[StreamMessage]:
        """Keep a book for a new reader; return it where it is there already."""
        symbol = added.symbol
        if symbol not in self._books:
            self._books[symbol] = FeedBook(symbol, now_s)
            self._books[symbol].book.last_id = self.last_ids.get(symbol, 0)
        self.mark(symbol, wanted)
        top_only = added.channel is Channel.BOOK_TOP
        return self._books[symbol].present(now_s, top_only=top_only)

    def mark(self, symbol: str, wanted: frozenset[Subscription]) -> None:
        """Note what is still wanted of a book; forget one that nobody wants."""
        book = self._books.get(symbol)
        if book is None:
            return
        book.wants_book = Subscription(symbol, Channel.BOOK) in wanted
        book.wants_top = Subscription(symbol, Channel.BOOK_TOP) in wanted
        if not (book.wants_book or book.wants_top):
            del self._books[symbol]
            self.broken.discard(symbol)

    def take(self, heard: WholeBook | BookChanges, now_s: float) -> Sequence[StreamMessage]:
        """Return what readers are told of a snapshot or of changes."""
        book = self._books.get(heard.symbol)
        if book is None:
            return [PassedOver("a book that is no longer wanted")]
        if isinstance(heard, WholeBook):
            told = book.load(heard, now_s)
        else:
            told = book.change(heard, now_s)
        if book.trouble(now_s):
            self.broken.add(heard.symbol)
            return [PassedOver("a book that is broken")]
        self.last_ids[heard.symbol] = book.book.last_id
        return told or [PassedOver("changes that move nothing a reader wants")]

    def beat(self, heard: Heartbeat, now_s: float) -> None:
        """Look after the product's book, once a second.

        Raises:
          ConnectionLost: its snapshot does not come.
        """
        book = self._books.get(heard.symbol)
        if book is None:
            return
        book.note(heard, now_s)
        if book.trouble(now_s) or book.has_rested(now_s):
            self.broken.add(heard.symbol)
        elif book.is_overdue(now_s):
            raise ConnectionLost(f"no snapshot of the book of {heard.symbol}")

    def doubt(self, text: str | bytes, symbols: Mapping[str, str]) -> None:
        """Doubt the books that a frame nobody could read may have been about."""
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        if shown.startswith(OF_NO_BOOK):
            return
        _, _, rest = shown.partition('"product_id":"')
        symbol = symbols.get(rest.partition('"')[0])
        books = self._books.keys()
        self.broken |= set(books) if symbol is None else {symbol} & books

    def due(self, now_s: float) -> list[str]:
        """Return the symbols of books to ask for anew now; they are awaited again."""
        due: list[str] = []
        while self.broken:
            symbol = self.broken.pop()
            book = self._books[symbol]
            recent = self._resynced_s.setdefault(symbol, deque(maxlen=RESYNCS_MAX))
            if len(recent) == RESYNCS_MAX and now_s - recent[0] < RESYNCS_S:
                book.rest_until(recent[0] + RESYNCS_S)
                continue
            recent.append(now_s)
            self.resyncs += 1
            book.await_again(now_s)
            due.append(symbol)
        return sorted(due)
