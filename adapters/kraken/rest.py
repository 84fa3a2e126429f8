"""The public side of Kraken: streams, and REST for what streams do not tell.

Source: docs.kraken.com, REST market data, 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import attrs
import msgspec
import trio

from actors.messages import BookSnapshot, Candle, Instrument, StreamTerms, Ticker
from actors.ports import MarketStream
from adapters.errors import LocalProtocolError, NotListed, VenueRefused
from adapters.kraken.codec import rest
from adapters.kraken.codec.market import SystemHeard
from adapters.kraken.codec.words import INTERVAL_M
from adapters.kraken.stream import SUBSCRIPTIONS_MAX, open_market_stream
from adapters.kraken.venue import Venue

CANDLES_MAX: Final = 720
BOOK_LEVELS: Final = 500
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"

TERMS: Final = StreamTerms(
    subscriptions_max=SUBSCRIPTIONS_MAX,
    age_s_max=None,  # none is documented
    is_book_streamed=True,
    timeframes=frozenset({"1m"}),  # one interval of each symbol on a connection
    has_quiet_candles=False,
    history=frozenset(INTERVAL_M),
)


@attrs.define(eq=False)
class KrakenMarket:
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
            result = await self._ask("Ticker", symbol, {})
        except VenueRefused as refused:
            if refused.code.startswith(UNKNOWN_PAIR):
                raise NotListed(symbol) from refused
            raise
        now_s, venue_ms = trio.current_time(), self._venue.now_ms()
        return rest.decode_day_ticker(result, symbol, now_s, venue_ms=venue_ms)

    async def candles(self, symbol: str, timeframe: str, *, limit: int) -> Sequence[Candle]:
        """Return the newest candles, oldest first; the last is still open.

        Raises:
          LocalProtocolError: the venue has no such timeframe.
        """
        minutes = INTERVAL_M.get(timeframe)
        if minutes is None:
            raise LocalProtocolError(f"the venue has no candles of {timeframe!a}")
        result = await self._ask("OHLC", symbol, {"interval": minutes})
        newest = max(1, min(limit, CANDLES_MAX))
        return rest.decode_candles(result, symbol, timeframe, limit=newest)

    async def book(self, symbol: str) -> BookSnapshot:
        """Return the best levels now. The stream begins books by itself."""
        result = await self._ask("Depth", symbol, {"count": BOOK_LEVELS})
        return rest.decode_depth(result, symbol, trio.current_time())

    async def system(self) -> SystemHeard:
        """Ask what the venue says of itself, such as online or maintenance."""
        self._venue.system = rest.decode_status(await self._venue.ask("SystemStatus", {}))
        return self._venue.system

    async def measure_offset(self) -> tuple[int, int]:
        """Measure and keep venue time minus ours; return (offset_ms, round_trip_ms)."""
        return await self._venue.measure_offset()

    async def _ask(
        self, path: str, symbol: str, params: Mapping[str, str | int]
    ) -> msgspec.Raw:
        await self._venue.know_symbols()
        pair = self._venue.instrument(symbol).venue_symbol
        return await self._venue.ask(path, {"pair": pair, **params})
