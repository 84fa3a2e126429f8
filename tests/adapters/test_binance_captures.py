"""Recorded Binance sessions are heard whole: every frame, nothing refused, no gap."""

from __future__ import annotations

from collections import Counter

import pytest

from actors.messages import BookDelta, BookSnapshot, PassedOver
from adapters.binance.codec import instruments, rest
from adapters.binance.codec.market import decode_stream
from tests.adapters.recordings import SYMBOLS, lines, needs_recordings, tell, told

pytestmark = needs_recordings


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "hftbacktest/binance_spot_btcusdt_20240808.jsonl.gz",
            {"BookTop": 28040, "Traded": 9757, "BookDelta": 3451},
        ),
        (
            "hftbacktest/binance_spot_ethusdt_20240809.jsonl.gz",
            {"BookTop": 34681, "Traded": 8409, "BookDelta": 3036},
        ),
        (
            "hftbacktest/binance_spot_btcusdt_20240808_head.jsonl",
            {"BookTop": 909, "Traded": 191, "BookDelta": 106},
        ),
        (
            "cryptofeed/binance_spot_20211012.jsonl",
            {"BookDelta": 177, "BookTop": 84, "PassedOver": 2, "Candle": 2},
        ),
    ],
)
def test_a_recorded_session_is_heard_whole(name: str, expected: dict[str, int]) -> None:
    heard = Counter(told(line["raw"]) for line in lines(name) if line["dir"] == "rx")
    tell(name, dict(heard))
    assert heard == expected


def test_the_passed_over_frames_of_the_session_are_the_aggregated_trades() -> None:
    reasons = Counter(
        heard.reason
        for line in lines("cryptofeed/binance_spot_20211012.jsonl")
        if line["dir"] == "rx"
        and isinstance(heard := decode_stream(line["raw"], SYMBOLS, 0.0), PassedOver)
    )
    assert all("aggTrade" in reason for reason in reasons)


def test_the_recorded_depth_streams_have_no_gap() -> None:
    for name in ("btcusdt_20240808", "ethusdt_20240809"):
        last_id = 0
        for line in lines(f"hftbacktest/binance_spot_{name}.jsonl.gz"):
            if line["dir"] != "rx":
                continue
            heard = decode_stream(line["raw"], SYMBOLS, 0.0)
            if isinstance(heard, BookDelta):
                assert last_id in {0, heard.first_id - 1}
                last_id = heard.last_id


def test_the_rest_bodies_of_the_sessions_are_read() -> None:
    read: Counter[str] = Counter()
    for line in lines("cryptofeed/binance_spot_20211012.jsonl"):
        if line["dir"] == "http" and "/depth" in line["url"]:
            book = rest.decode_depth(line["raw"].encode(), "X/Y", 0.0)
            read["levels"] += len(book.bids) + len(book.asks)
        elif line["dir"] == "http":
            info = instruments.decode_exchange_info(line["raw"].encode())
            read["symbols"] += len(info.instruments)
            assert not info.refused
            assert len(info.limits) == 4
            assert all(found.tick and found.lot for found in info.instruments)
    for line in lines("hftbacktest/binance_spot_btcusdt_20240808.jsonl.gz"):
        if line["dir"] == "http":
            book = rest.decode_depth(line["raw"].encode(), "BTC/USDT", 0.0)
            assert isinstance(book, BookSnapshot)
            read["snapshots"] += 1
    tell(dict(read))
    assert read["snapshots"] == 1
    assert read["symbols"] >= 4
    assert read["levels"] > 4000
