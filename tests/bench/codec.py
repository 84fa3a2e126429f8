"""Measure 24hrTicker decoding beside bare msgspec: `python -m tests.bench.codec`."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from decimal import Decimal

import msgspec

from actors.messages import Ticker
from adapters.binance.codec.market import decode_stream
from adapters.binance.codec.market_writer import Day, combined, encode_ticker

FRAMES = 2_000
ROUNDS = 15
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


def tell(line: str) -> None:
    print(line)  # noqa: T201 -- a benchmark is read on the terminal


def main() -> None:
    """Print the median rate of each decoder; rounds are interleaved, the machine drifts."""
    texts = frames()
    bare = msgspec.json.Decoder(BareFrame)
    decoders: dict[str, Callable[[str], object]] = {
        "json.loads (to dict, no Decimal)": json.loads,
        "bare msgspec (to Decimal, no checks)": bare.decode,
        "shoal (checked, to a Ticker)": lambda text: decode_stream(text, SYMBOLS, 0.0),
    }
    spent: dict[str, list[float]] = {name: [] for name in decoders}
    for _ in range(ROUNDS):
        for name, decode in decoders.items():
            spent[name].append(seconds(decode, texts))
    size = statistics.mean(len(text) for text in texts)
    tell(f"24hrTicker, {size:.0f} bytes, medians of {ROUNDS} rounds of {FRAMES}")
    for name, rounds in spent.items():
        each_us = statistics.median(rounds) / FRAMES * 1e6
        tell(f"  {name:38} {1e6 / each_us:9,.0f} frames/s  {each_us:5.2f} us")


if __name__ == "__main__":
    main()
