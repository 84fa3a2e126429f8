"""The public side of Coinbase: the feed, and REST for what the feed does not tell.

Source: Exchange REST API; WIRE 3.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import attrs
import trio

from actors.messages import BookSnapshot, Candle, Instrument, StreamTerms, Ticker
from actors.ports import MarketStream
from adapters.coinbase.codec import candles, rest
from adapters.coinbase.codec.times import rfc3339
from adapters.coinbase.stream import SUBSCRIPTIONS_MAX, open_market_stream
from adapters.coinbase.venue import Venue
from adapters.errors import NotListed, VenueError, VenueRefused

PAGES_MAX: Final = 12  # of candles
GONE: Final = ("404: NotFound", "400: Not allowed for delisted products")

TERMS: Final = StreamTerms(
    subscriptions_max=SUBSCRIPTIONS_MAX,
    is_book_streamed=True,
    has_quiet_candles=False,
    history=frozenset(candles.GRANULARITY_S),
)


@attrs.define(eq=False)
class CoinbaseMarket:
    """Implements `Market`."""

    _venue: Venue

    @property
    def terms(self) -> StreamTerms:
        """Return what one connection may carry, and what it tells."""
        return TERMS

    def open_stream(self) -> AbstractAsyncContextManager[MarketStream]:
        return open_market_stream(self._venue)

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return every symbol of the venue by canonical name."""
        return await self._venue.instruments()

    async def ticker(self, symbol: str) -> Ticker:
        """Return the last price, best prices and 24-hour volume of one symbol.

        Raises:
          NotListed: the venue does not have it, or not any more.
        """
        try:
            body = await self._ask(symbol, "ticker")
        except VenueRefused as refused:
            if str(refused) in GONE:
                raise NotListed(symbol) from refused
            raise
        return rest.decode_ticker(body, symbol, trio.current_time())

    async def book(self, symbol: str) -> BookSnapshot:
        """Return the whole book; its number is not of the feed's."""
        body = await self._ask(symbol, "book?level=2")
        return rest.decode_book(body, symbol, trio.current_time())

    async def candles(self, symbol: str, timeframe: str, *, limit: int) -> Sequence[Candle]:
        """Return the newest candles, oldest first; the last may still be open.

        Raises:
          VenueError: no answer, or there are no candles of this length.
        """
        await trio.lowlevel.checkpoint()
        length_s = candles.GRANULARITY_S.get(timeframe)
        if length_s is None:
            raise VenueError(f"Coinbase has no candles of {timeframe[:10]!a}")
        end_s = self._venue.now_ms() // 1000 // length_s * length_s
        span_s = min(max(limit, 1), PAGES_MAX * candles.ROWS_MAX) * length_s
        found: dict[int, Candle] = {}
        step_s = candles.ROWS_MAX * length_s
        for first_s in range(end_s - span_s + length_s, end_s + 1, step_s):
            last_s = min(first_s + step_s - length_s, end_s)
            page = await self._candles(symbol, timeframe, first_s, last_s)
            found |= {candle.open_ms: candle for candle in page}
        ordered = [found[open_ms] for open_ms in sorted(found)]
        return candles.closed_by_the_next(ordered)

    async def _candles(
        self, symbol: str, timeframe: str, first_s: int, last_s: int
    ) -> Sequence[Candle]:
        # Without a span, the answer may be five minutes old.
        span = f"start={rfc3339(first_s * 1000)}&end={rfc3339(last_s * 1000)}"
        granularity = candles.GRANULARITY_S[timeframe]
        body = await self._ask(symbol, f"candles?granularity={granularity}&{span}")
        return candles.decode_candles(body, symbol, timeframe)

    async def measure_offset(self) -> tuple[int, int]:
        """Measure and keep venue time minus ours; return (offset_ms, round_trip_ms)."""
        return await self._venue.measure_offset()

    async def _ask(self, symbol: str, what: str) -> bytes:
        await self._venue.know_symbols()
        return await self._venue.ask(f"/products/{self._venue.name(symbol)}/{what}")
