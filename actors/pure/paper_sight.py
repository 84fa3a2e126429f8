"""What a paper account sees of one symbol's market, and what it has taken of it. Pure.

Levels of the real book where it is known, else best bid and ask without quantities. What
was taken of a level is gone until the venue empties that level: the real market does not
know of us, and would sell us the same coins again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from actors.messages import BookDelta, BookSnapshot, BookTop, Side, Ticker, Traded
from actors.pure.book import Book, BookStep, Levels
from actors.pure.money import ZERO

Take = tuple[Decimal, Decimal]  # price, base
Sighted = Ticker | BookTop | Traded | BookSnapshot | BookDelta


@attrs.define(eq=False)
class Sight:
    """One symbol on one connection; a new connection begins a new one."""

    symbol: str
    book: Book
    last: Decimal | None = None
    bid: Decimal = ZERO  # 0: nobody bids, or nobody has said
    ask: Decimal = ZERO
    needs_book: bool = False  # a snapshot must be asked for
    taken: dict[Side, dict[Decimal, Decimal]] = attrs.Factory(
        lambda: {side: dict[Decimal, Decimal]() for side in Side}
    )  # base, by side of the taker and price

    @classmethod
    def of(cls, exchange: str, symbol: str) -> Sight:
        return cls(symbol, Book(exchange, symbol))

    @property
    def has_price(self) -> bool:
        """Whether an order can be matched at all."""
        return self.last is not None or bool(self.bid and self.ask) or self.book.is_synced

    def hear(self, message: Sighted) -> None:
        """Take the newest word on this market."""
        match message:
            case Ticker(last=last, bid=bid, ask=ask):
                self.last, self.bid, self.ask = last, bid, ask
            case BookTop(bid=bid, ask=ask):
                self.bid, self.ask = bid, ask
            case Traded(price=price):
                self.last = price
            case BookSnapshot():
                self._step(self.book.load(message))
                self._forget_gone()
            case BookDelta(bids=bids, asks=asks):
                self._step(self.book.apply(message))
                self._forget_emptied(Side.SELL, bids)
                self._forget_emptied(Side.BUY, asks)

    def take(self, side: Side, limit: Decimal | None, base: Decimal) -> list[Take]:
        """Return what a taker of `base` up to `limit` (None: at any price) gets now."""
        got: list[Take] = []
        for price, offered in self._offers(side, base):
            is_beyond = limit is not None and (
                price > limit if side is Side.BUY else price < limit
            )
            if is_beyond or base <= 0:
                break
            if part := min(offered, base):
                got.append((price, part))
                base -= part
        return got

    def crosses(self, side: Side, limit: Decimal) -> bool:
        """Tell whether an order at `limit` would trade at once, whatever was taken."""
        best = self.best(side)
        return bool(best) and (limit >= best if side is Side.BUY else limit <= best)

    def best(self, side: Side) -> Decimal:
        """Return the best price against `side`, 0 where there is none."""
        if self.book.is_synced:
            levels = self._against(side).prices
            return levels[0 if side is Side.BUY else -1] if levels else ZERO
        return self.ask if side is Side.BUY else self.bid

    def note(self, side: Side, takes: list[Take]) -> None:
        """Remember what was taken; of a market without quantities nothing is."""
        if self.book.is_synced:
            taken = self.taken[side]
            for price, base in takes:
                taken[price] = taken.get(price, ZERO) + base

    def _offers(self, side: Side, wanted: Decimal) -> Iterator[Take]:
        if not self.book.is_synced:
            best = self.best(side) or self.last
            if best:
                yield best, wanted
            return
        levels, taken = self._against(side), self.taken[side]
        prices = levels.prices if side is Side.BUY else reversed(levels.prices)
        for price in prices:
            yield price, max(ZERO, levels.base[price] - taken.get(price, ZERO))

    def _against(self, side: Side) -> Levels:
        return self.book.asks if side is Side.BUY else self.book.bids

    def _step(self, step: BookStep) -> None:
        self.needs_book = step in {BookStep.GAP, BookStep.BUFFERED}

    def _forget_emptied(self, side: Side, levels: tuple[Take, ...]) -> None:
        for price, base in levels:
            if not base:
                self.taken[side].pop(price, None)

    def _forget_gone(self) -> None:
        for side, taken in self.taken.items():
            levels = self._against(side).base
            for price in [price for price in taken if price not in levels]:
                del taken[price]
