"""Binance's ticker frames, to be written flat out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import attrs

from adapters.binance.codec import market_writer
from adapters.simulator.binance_publisher import Reader, day_of
from adapters.simulator.exchange import Exchange
from adapters.simulator.flood import VARIANTS
from adapters.websocket_server import frame


def frames(exchange: Exchange, streams: Sequence[str], *, is_combined: bool) -> list[bytes]:
    """Return ticker frames of the streams in turn, each with another price."""
    made: list[bytes] = []
    for number in range(VARIANTS):
        for stream in streams:
            symbol = stream.partition("@")[0].upper()
            ware = exchange.wares[symbol]
            ticker, _, day = day_of(ware, exchange.now_ms())
            last = ticker.last + ware.listing.tick * Decimal(number)
            event = market_writer.encode_ticker(
                attrs.evolve(ticker, last=last), symbol, day
            )
            text = market_writer.combined(stream, event) if is_combined else event
            made.append(frame(text.encode()))
    return made


def ticker_streams(exchange: Exchange, reader: Reader) -> list[str]:
    """Return the ticker streams that a reader subscribed to, of symbols that exist."""
    streams = [s for s in reader.streams if s.endswith("@ticker")]
    return [s for s in streams if s.partition("@")[0].upper() in exchange.wares]
