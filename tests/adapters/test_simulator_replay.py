"""Recorded sessions played as the market; needs the captures beside the repository."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from adapters.simulator.replay import BadRecording
from adapters.simulator.server import Simulator
from tests.adapters.simulator_desk import (
    CONFIG,
    Rest,
    hear,
    in_thread,
    socket,
    start,
    subscribe,
)

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "hftbacktest"
HEAD = CAPTURES / "binance_spot_btcusdt_20240808_head.jsonl"
ETH = CAPTURES / "binance_spot_ethusdt_20240809.jsonl.gz"
needs_captures = pytest.mark.skipif(
    not HEAD.exists(), reason="the recorded sessions are not beside this checkout"
)
FAST = attrs.evolve(CONFIG, replay=(HEAD,), replay_speed=0.0, replay_wait_s=0.3)
STREAMS = [f"btcusdt@{it}" for it in ("depth@100ms", "bookTicker", "trade")]


def recorded() -> tuple[list[Any], Any]:
    """Return the recorded frames and the snapshot."""
    lines = [json.loads(json.loads(line)["raw"]) for line in HEAD.read_text().splitlines()]
    frames = [it for it in lines if "stream" in it]
    return frames, next(it for it in lines if "lastUpdateId" in it)


@needs_captures
async def test_every_recorded_frame_arrives_as_it_was(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, FAST)
    frames, _ = recorded()

    def read() -> list[Any]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, STREAMS)
            heard = [json.loads(ws.recv(timeout=10)) for _ in range(len(frames) + 1)]
        return heard[1:]

    assert await in_thread(read) == frames


@needs_captures
@pytest.mark.parametrize("asked_s", [0.0, 0.7])
async def test_the_book_bridges_whenever_it_is_asked_for(
    nursery: trio.Nursery, asked_s: float
) -> None:
    config = attrs.evolve(FAST, replay_speed=12.0)
    simulator = await start(nursery, config)

    def follow() -> tuple[int, int]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, ["btcusdt@depth@100ms"])
            heard = hear(ws, 0.1 + asked_s)
            target = "/api/v3/depth?symbol=BTCUSDT&limit=5000"
            snapshot = Rest(simulator.endpoints).get(target)
            heard += hear(ws, 1.6 - asked_s)
        at, applied = snapshot["lastUpdateId"], 0
        for event in [it["data"] for it in heard if "stream" in it]:
            if event["u"] <= at:
                continue
            assert event["U"] <= at + 1
            at, applied = event["u"], applied + 1
        return applied, at

    applied, at = await in_thread(follow)

    frames, _ = recorded()
    assert applied > 30
    assert at == max(it["data"]["u"] for it in frames if "depth" in it["stream"])


@needs_captures
async def test_candles_and_tickers_are_derived_from_the_recorded_trades(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery, FAST)

    def read() -> list[Any]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, ["btcusdt@kline_1s", "btcusdt@ticker"])
            return [it["data"] for it in hear(ws, 1.2) if "stream" in it]

    events = await in_thread(read)
    closed = [it["k"] for it in events if it["e"] == "kline" and it["k"]["x"]]
    last = next(it for it in reversed(events) if it["e"] == "24hrTicker")
    trades = [it["data"] for it in recorded()[0] if it["data"].get("e") == "trade"]
    whole = closed[2]
    inside = [it for it in trades if whole["t"] <= it["T"] <= whole["T"]]

    assert len(closed) >= 8
    assert Decimal(whole["v"]) == sum(Decimal(it["q"]) for it in inside)
    assert (whole["n"], whole["c"]) == (len(inside), inside[-1]["p"])
    assert last["c"] in {it["p"] for it in trades}


@needs_captures
async def test_history_leads_up_to_the_first_recorded_trade(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery, FAST)
    first = next(it["data"] for it in recorded()[0] if it["data"].get("e") == "trade")
    target = "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=30"

    rows = await in_thread(lambda: Rest(simulator.endpoints).get(target))

    assert (len(rows), rows[-1][4]) == (30, first["p"])
    assert rows[-1][0] <= first["T"] <= rows[-1][6]


@needs_captures
async def test_orders_trade_against_the_recorded_top_of_book(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery, FAST)

    def trade() -> tuple[Any, list[str]]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, STREAMS)
            *_, last = asks(hear(ws, 1.2))
            bought = Rest(simulator.endpoints).market("r1")
            return bought, [last, *asks(hear(ws, 0.5))]  # a busy machine plays on

    bought, tops = await in_thread(trade)

    assert bought["status"] == "FILLED"
    assert bought["fills"][0]["price"] in tops


def asks(heard: list[Any]) -> list[str]:
    """Return the best asks of what was heard, oldest first."""
    return [it["data"]["a"] for it in heard if "bookTicker" in it.get("stream", "")]


@needs_captures
async def test_two_symbols_play_side_by_side(nursery: trio.Nursery) -> None:
    config = attrs.evolve(CONFIG, replay=(HEAD, ETH), replay_speed=20.0, replay_wait_s=0.1)
    simulator = await start(nursery, config)

    def read() -> set[str]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, ["btcusdt@trade", "ethusdt@trade", "ethusdt@depth@100ms"])
            return {it["stream"] for it in hear(ws, 1.0) if "stream" in it}

    heard = await in_thread(read)

    assert heard == {"btcusdt@trade", "ethusdt@trade", "ethusdt@depth@100ms"}


@pytest.mark.parametrize(
    "content",
    [b"nonsense\n", b'{"ts":"1","dir":"rx","raw":"not json"}\n', b""],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.jsonl.gz"
    path.write_bytes(gzip.compress(content))
    simulator = Simulator(attrs.evolve(CONFIG, replay=(path,)))

    with pytest.raises(BadRecording, match=r"session\.jsonl\.gz"):
        _ = simulator.dialect


def test_a_recording_that_is_not_there_is_refused(tmp_path: Path) -> None:
    simulator = Simulator(attrs.evolve(CONFIG, replay=(tmp_path / "gone.jsonl",)))

    with pytest.raises(BadRecording, match=r"gone\.jsonl"):
        _ = simulator.dialect
