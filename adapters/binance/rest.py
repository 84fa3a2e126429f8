"""The public side of Binance: streams, and REST for what streams do not tell.

Source: rest-api.md, 2026-07-21; the weights are its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import attrs
import trio

from actors.messages import BookSnapshot, Candle, Instrument, StreamTerms, Ticker
from actors.ports import MarketStream
from adapters.binance.codec import rest
from adapters.binance.codec.streams import TIMEFRAMES
from adapters.binance.stream import STREAMS_MAX, open_market_stream
from adapters.binance.venue import Venue
from adapters.errors import NotListed, VenueRefused

KLINES_MAX: Final = 1000
BOOK_LEVELS: Final = 5000  # as deep as the venue tells, to bridge the diff stream
BOOK_WEIGHT: Final = 250
BAD_SYMBOL: Final = "-1121"

TERMS: Final = StreamTerms(
    subscriptions_max=STREAMS_MAX,
    age_s_max=24 * 3600,
    timeframes=frozenset(TIMEFRAMES),
)


@attrs.define(eq=False)
class BinanceMarket:
    """Implements `Market`."""

    _venue: Venue
    terms: StreamTerms = TERMS

    def open_stream(self) -> AbstractAsyncContextManager[MarketStream]:
        return open_market_stream(self._venue)

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return every symbol of the venue by canonical name."""
        return await self._venue.instruments()

    async def ticker(self, symbol: str) -> Ticker:
        """Return the 24-hour ticker of one symbol.

        Raises:
          NotListed: the venue does not have it, or not any more.
        """
        try:
            body = await self._ask("/api/v3/ticker/24hr", symbol, {}, weight=2)
        except VenueRefused as refused:
            if refused.code == BAD_SYMBOL:
                raise NotListed(symbol) from refused
            raise
        return rest.decode_day_ticker(body, symbol, trio.current_time())

    async def candles(self, symbol: str, timeframe: str, *, limit: int) -> Sequence[Candle]:
        """Return the newest candles, oldest first; the last may still be open."""
        params = {"interval": timeframe, "limit": max(1, min(limit, KLINES_MAX))}
        body = await self._ask("/api/v3/klines", symbol, params, weight=2)
        return rest.decode_klines(body, symbol, timeframe)

    async def book(self, symbol: str) -> BookSnapshot:
        """Return a snapshot deep enough to bridge the diff stream."""
        params = {"limit": BOOK_LEVELS}
        body = await self._ask("/api/v3/depth", symbol, params, weight=BOOK_WEIGHT)
        return rest.decode_depth(body, symbol, trio.current_time())

    async def measure_offset(self) -> tuple[int, int]:
        """Measure and keep venue time minus ours; return (offset_ms, round_trip_ms)."""
        return await self._venue.measure_offset()

    async def _ask(
        self, path: str, symbol: str, params: Mapping[str, str | int], *, weight: int
    ) -> bytes:
        await self._venue.know_symbols()
        named = {"symbol": self._venue.name(symbol), **params}
        return await self._venue.ask(path, named, weight=weight)
