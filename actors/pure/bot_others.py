"""What a bot sees of the markets that it only reads, at its own exchange or another. Pure.

They never forbid it anything by themselves: a strategy is shown which of them has no price
that may be trusted, and judges what that means (R-20).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from actors.messages import BookSnapshot, Candle, Candles, FeedState, Link, Pair, Ticker
from actors.pure.market_view import NO_OTHERS, OtherMarket


@attrs.define(eq=False)
class _Seen:
    ticker: Ticker | None = None
    window: tuple[Candle, ...] = ()
    running: Candle | None = None
    book: BookSnapshot | None = None


@attrs.define(eq=False)
class Others:
    """The newest of each pair that a bot reads besides its own."""

    price_age_s_max: float
    _seen: dict[Pair, _Seen]

    @classmethod
    def of(cls, pairs: Sequence[Pair], price_age_s_max: float) -> Others | None:
        """Return them; None where a bot reads nothing else, as nearly all do."""
        seen = {pair: _Seen() for pair in pairs}
        return cls(price_age_s_max, seen) if seen else None

    def take(self, message: Ticker | Candles | BookSnapshot) -> bool:
        """Keep what is about one of them; tell whether it was."""
        seen = self._seen.get(Pair(message.exchange, message.symbol))
        if seen is None:
            return False
        match message:
            case Ticker():
                seen.ticker = message
            case BookSnapshot():
                seen.book = message
            case Candles():
                seen.window, seen.running = message.window, message.running
        return True

    def hear(self, feed: FeedState) -> None:
        """Forget the prices that an exchange has lost."""
        if feed.link is not Link.RESUMED:
            self.forget(feed.exchange, feed.symbols)

    def forget(self, exchange: str = "", symbols: Sequence[str] = ()) -> None:
        """Trust no price known before, at one exchange or at all of them (D-6)."""
        for pair, seen in self._seen.items():
            is_named = not symbols or pair.symbol in symbols
            if exchange in {"", pair.exchange} and is_named:
                seen.ticker = seen.book = None

    def shown(self, now_s: float) -> Mapping[Pair, OtherMarket]:
        """Return what the strategy is shown at `now_s`."""
        return {
            pair: OtherMarket(
                seen.ticker if self._is_fresh(seen.ticker, now_s) else None,
                seen.window,
                seen.running,
                seen.book if self._is_fresh(seen.book, now_s) else None,
            )
            for pair, seen in self._seen.items()
        }

    def _is_fresh(self, seen: Ticker | BookSnapshot | None, now_s: float) -> bool:
        if seen is None or (isinstance(seen, Ticker) and seen.last <= 0):
            return False
        return now_s - seen.received_s <= self.price_age_s_max


def shown(others: Others | None, now_s: float) -> Mapping[Pair, OtherMarket]:
    """Return what is shown of them, which is nothing where there are none."""
    return NO_OTHERS if others is None else others.shown(now_s)
