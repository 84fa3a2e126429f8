"""The recordings in ../shared/captures beside the repository, line by line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.binance.codec.market import decode_stream

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
needs_recordings = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the recordings (../shared/captures) are not here"
)
SYMBOLS: Mapping[str, str] = {
    name: f"{name[:-4]}/{name[-4:]}"
    for name in ("BTCUSDT", "ETHUSDT", "NKNUSDT", "BNBUSDT")
} | {
    name: f"{name[:-3]}/{name[-3:]}"
    for name in ("BLZETH", "LRCBTC", "RUNEEUR", "BNBBTC", "ETHBTC", "LTCBTC", "BTCUSD")
}  # fmt: skip


def lines(name: str) -> Iterable[dict[str, Any]]:
    raw = (CAPTURES / name).read_bytes()
    text = gzip.decompress(raw) if name.endswith(".gz") else raw
    for line in text.splitlines():
        yield json.loads(line)


def tell(*counts: object) -> None:
    print(*counts)  # noqa: T201 -- the counts are for who runs pytest -s


def told(text: str | bytes) -> str:
    """Return what a market frame was heard as; a refusal ends the test."""
    return type(decode_stream(text, SYMBOLS, 0.0)).__name__
