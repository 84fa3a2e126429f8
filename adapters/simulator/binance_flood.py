"""Ticker frames written flat out: encoded once, for the benches that count what is read."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import attrs
import trio

from adapters.binance.codec import market_writer
from adapters.simulator.binance_publisher import Reader, day_of
from adapters.simulator.exchange import Exchange
from adapters.websocket_server import ServerSocket, frame

VARIANTS: Final = 64  # different frames of one symbol
CHUNK_FRAMES: Final = 160  # about 64 KiB
PACED_S: Final = 0.001


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


async def flood(exchange: Exchange, reader: Reader, socket: ServerSocket) -> None:
    """Write ticker frames to one reader for ever, as fast as it takes them or paced."""
    rate = exchange.config.flood_frames_per_s or 0.0
    known: list[str] = []
    made: list[bytes] = []
    at, due_s = 0, trio.current_time()
    size = max(1, int(rate * PACED_S)) if rate else CHUNK_FRAMES
    while True:
        streams = [s for s in reader.streams if s.endswith("@ticker")]
        streams = [s for s in streams if s.partition("@")[0].upper() in exchange.wares]
        if streams != known:
            known = streams
            made = frames(exchange, streams, is_combined=reader.is_combined)
        if not made:
            await trio.sleep(0.01)
            continue
        chunk = [made[(at + number) % len(made)] for number in range(size)]
        at = (at + size) % len(made)
        await socket.write(b"".join(chunk))
        due_s = max(due_s + (size / rate if rate else 0.0), trio.current_time() - 1.0)
        await trio.sleep_until(due_s)
