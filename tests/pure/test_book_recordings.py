"""Every recorded Binance session bridges its snapshots and goes on without a gap."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.messages import BookDelta, BookSnapshot
from actors.pure.book import Book, BookStep

CAPTURES = Path(__file__).parents[3] / "shared" / "captures"
HFT = "hftbacktest/binance_spot_btcusdt_20240808"
CRYPTOFEED = "cryptofeed/binance_spot_20211012.jsonl"

pytestmark = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason="the recordings (../shared/captures) are not here"
)


def lines(name: str) -> Iterator[dict[str, Any]]:
    raw = (CAPTURES / name).read_bytes()
    for line in (gzip.decompress(raw) if name.endswith(".gz") else raw).splitlines():
        yield json.loads(line)


def side(levels: list[list[str]]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(base)) for price, base in levels)


def delta_of(line: dict[str, Any], venue_symbol: str) -> BookDelta | None:
    if line["dir"] != "rx" or '"depthUpdate"' not in line["raw"]:
        return None
    event = json.loads(line["raw"])["data"]
    if event["s"] != venue_symbol:
        return None
    return BookDelta(
        "binance",
        venue_symbol,
        event["U"],
        event["u"],
        side(event["b"]),
        side(event["a"]),
        event["E"],
    )


def snapshot_of(line: dict[str, Any], venue_symbol: str) -> BookSnapshot | None:
    is_book = line["dir"] == "http" and "/depth" in line["url"]
    if not is_book or ("symbol=" in line["url"] and venue_symbol not in line["url"]):
        return None
    body = json.loads(line["raw"])
    bids, asks = side(body["bids"]), side(body["asks"])
    return BookSnapshot("binance", venue_symbol, body["lastUpdateId"], bids, asks, 0.0)


def replay(name: str, venue_symbol: str) -> tuple[Book, list[BookStep], list[BookStep]]:
    """Return the book after a session, what each snapshot did, and each change after."""
    book, loads, steps = Book("binance", venue_symbol), list[BookStep](), list[BookStep]()
    for line in lines(name):
        if (snapshot := snapshot_of(line, venue_symbol)) is not None:
            loads.append(book.load(snapshot))
        elif (delta := delta_of(line, venue_symbol)) is not None:
            step = book.apply(delta)
            if loads:
                steps.append(step)
    return book, loads, steps


@pytest.mark.parametrize(
    ("name", "venue_symbol", "applied_min"),
    [
        (f"{HFT}.jsonl.gz", "BTCUSDT", 3_300),
        (f"{HFT}_head.jsonl", "BTCUSDT", 90),
        (CRYPTOFEED, "NKNUSDT", 1),
        (CRYPTOFEED, "BLZETH", 1),
        (CRYPTOFEED, "LRCBTC", 1),
        (CRYPTOFEED, "RUNEEUR", 1),
    ],
)
def test_a_recorded_session_bridges_and_has_no_gap(
    name: str, venue_symbol: str, applied_min: int
) -> None:
    book, loads, steps = replay(name, venue_symbol)
    assert loads == [BookStep.APPLIED]
    assert (book.gaps, BookStep.GAP in steps, book.is_bridged) == (0, False, True)
    assert steps.count(BookStep.APPLIED) >= applied_min


def test_the_snapshot_of_0808_falls_strictly_inside_a_change() -> None:
    name = f"{HFT}_head.jsonl"
    (snapshot,) = [s for line in lines(name) if (s := snapshot_of(line, "BTCUSDT"))]
    spans = [
        (d.first_id, d.last_id) for line in lines(name) if (d := delta_of(line, "BTCUSDT"))
    ]
    assert any(first < snapshot.last_id + 1 <= last for first, last in spans)


def test_the_recorded_book_is_never_crossed() -> None:
    best = replay(f"{HFT}.jsonl.gz", "BTCUSDT")[0].best(20, 0.0)
    assert len(best.bids) == len(best.asks) == 20
    assert best.bids[0][0] < best.asks[0][0]


def test_a_change_left_out_of_the_recording_is_a_gap() -> None:
    book, is_begun, left_out = Book("binance", "BTCUSDT"), False, 0
    steps: list[BookStep] = []
    for line in lines(f"{HFT}_head.jsonl"):
        if (snapshot := snapshot_of(line, "BTCUSDT")) is not None:
            is_begun = book.load(snapshot) is BookStep.APPLIED
        elif (delta := delta_of(line, "BTCUSDT")) is not None:
            if is_begun and (left_out := left_out + 1) == 20:
                continue
            steps.append(book.apply(delta))
    assert steps.count(BookStep.GAP) == 1
