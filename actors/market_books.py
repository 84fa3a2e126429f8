"""The order books of one exchange: take snapshots and changes, return the best levels."""

from __future__ import annotations

import attrs

from actors.messages import BookDelta, BookSnapshot
from actors.pure.book import Book, BookStep

BOOK_DEPTH = 50  # levels of each side that readers are shown


@attrs.define(eq=False)
class MarketBooks:
    """One book for each subscribed symbol, shared by its readers."""

    exchange: str
    books: dict[str, Book] = attrs.Factory(dict[str, Book])

    def open(self, symbol: str) -> None:
        """Begin a book; it needs a snapshot."""
        self.books[symbol] = Book(self.exchange, symbol)

    def close(self, symbol: str) -> None:
        """Forget a book that nobody reads any more."""
        self.books.pop(symbol, None)

    def lost(self, symbol: str) -> None:
        """Note that changes may have been missed."""
        self.books[symbol].reset()

    def best(self, symbol: str, now_s: float) -> BookSnapshot:
        """Return what readers are shown of a book that is synced."""
        return self.books[symbol].best(BOOK_DEPTH, now_s)

    def load(self, snapshot: BookSnapshot) -> BookStep | None:
        """Bridge a snapshot of REST; GAP: it is too old. None: nobody reads the book."""
        book = self.books.get(snapshot.symbol)
        return book.load(snapshot) if book is not None else None

    def begin(self, snapshot: BookSnapshot) -> BookStep | None:
        """Take a book of the stream, which may begin anew at any time."""
        book = self.books.get(snapshot.symbol)
        if book is None:
            return None
        book.reset()  # changes that came before it are none of its own
        return book.load(snapshot)

    def apply(self, delta: BookDelta) -> BookStep | None:
        """Apply one change. None: nobody reads the book."""
        book = self.books.get(delta.symbol)
        return book.apply(delta) if book is not None else None
