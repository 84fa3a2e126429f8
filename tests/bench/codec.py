"""Measure 24hrTicker decoding beside bare msgspec."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal

import msgspec

from actors.messages import Ticker
from adapters.binance.codec.market import decode_stream
from adapters.binance.codec.market_writer import Day, combined, encode_ticker
from tests.bench.processes import Pace
from tests.bench.table import Figure

FRAMES = 2_000
ROUNDS = 15
OURS, BARE = "ours", "bare"
SYMBOLS = {"BTCUSDT": "BTC/USDT"}


class BareEvent(msgspec.Struct):
    s: str
    E: int
    c: Decimal
    b: Decimal
    a: Decimal
    v: Decimal


class BareFrame(msgspec.Struct):
    data: BareEvent


def frames() -> list[str]:
    """Return combined frames of about 420 bytes, no two alike."""
    return [combined("btcusdt@ticker", _event(number)) for number in range(FRAMES)]


def _event(number: int) -> str:
    price = Decimal("61837.63") + number
    one = Decimal("1.54698")
    day = Day(
        open=price, high=price + 9, low=price - 9, previous_close=price, last_base=one,
        bid_base=one, ask_base=one, volume_quote=price * 1000, open_ms=1723074855000,
        first_id=3735683259, last_id=3735683259 + number, trades=number,
    )  # fmt: skip
    ticker = Ticker(
        "binance", "BTC/USDT", price, price - 1, price + 1, one * 1000, 1723161255000, 0.0
    )
    return encode_ticker(ticker, "BTCUSDT", day)


def seconds(decode: Callable[[str], object], texts: list[str]) -> float:
    begun_s = time.perf_counter()
    for text in texts:
        decode(text)
    return time.perf_counter() - begun_s


def measured() -> dict[str, float]:
    """Return microseconds a frame of each decoder; rounds are interleaved."""
    texts = frames()
    bare = msgspec.json.Decoder(BareFrame)
    decoders: dict[str, Callable[[str], object]] = {
        BARE: bare.decode,
        OURS: lambda text: decode_stream(text, SYMBOLS, 0.0),
    }
    spent: dict[str, list[float]] = {name: [] for name in decoders}
    for _ in range(ROUNDS):
        for name, decode in decoders.items():
            spent[name].append(seconds(decode, texts))
    return {
        name: statistics.median(rounds) / FRAMES * 1e6 for name, rounds in spent.items()
    }


def figures(_: Pace) -> list[Figure]:
    """Measure one frame decoded and checked, beside msgspec without checks."""
    found = measured()
    return [
        Figure(
            "24hrTicker decoded, checked",
            "420 bytes, in a loop",
            f"{found[OURS]:.2f} us",
            f"{found[BARE]:.2f} us",
            found[OURS] / found[BARE],
        )
    ]
