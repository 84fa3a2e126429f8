"""What a bot sees of the markets that it only reads, at its own exchange or another. Pure.

They never forbid it anything by themselves: a strategy is shown which of them has no price
that may be trusted, and judges what that means (R-20).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from actors.messages import Candle, Candles, FeedState, Link, Pair, Ticker
from actors.pure.market_view import NO_OTHERS, OtherMarket


@attrs.define(eq=False)
class _Seen:
    ticker: Ticker | None = None
    window: tuple[Candle, ...] = ()
    running: Candle | None = None


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

    def take(self, message: Ticker | Candles) -> bool:
        """Keep what is about one of them; tell whether it was."""
        seen = self._seen.get(Pair(message.exchange, message.symbol))
        if seen is None:
            return False
        if isinstance(message, Ticker):
            seen.ticker = message
        else:
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
                seen.ticker = None

    def shown(self, now_s: float) -> Mapping[Pair, OtherMarket]:
        """Return what the strategy is shown at `now_s`."""
        return {
            pair: OtherMarket(self._fresh(seen.ticker, now_s), seen.window, seen.running)
            for pair, seen in self._seen.items()
        }

    def _fresh(self, ticker: Ticker | None, now_s: float) -> Ticker | None:
        if ticker is None or ticker.last <= 0:
            return None
        return ticker if now_s - ticker.received_s <= self.price_age_s_max else None


def shown(others: Others | None, now_s: float) -> Mapping[Pair, OtherMarket]:
    """Return what is shown of them, which is nothing where there are none."""
    return NO_OTHERS if others is None else others.shown(now_s)
