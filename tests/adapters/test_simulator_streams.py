"""The simulator's market streams, read by the `websockets` library."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import attrs
import trio
from websockets.exceptions import ConnectionClosed, InvalidStatus

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    Ticker,
    Traded,
)
from adapters.binance.codec.market import decode_stream
from adapters.simulator.config import Limits
from tests.adapters.simulator_desk import (
    CONFIG,
    Rest,
    closing,
    hear,
    hear_until,
    in_thread,
    socket,
    start,
    subscribe,
)

ALL = ["trade", "bookTicker", "ticker", "kline_1s", "depth@100ms", "depth5"]


async def test_every_stream_arrives_under_its_name(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    names = [f"{symbol}@{it}" for symbol in ("btcusdt", "ethusdt") for it in ALL]

    def read() -> set[str]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, names)
            return {it.get("stream") for it in hear(ws, 1.2)}

    assert await in_thread(read) == {None, *names}


async def test_a_url_may_name_the_streams(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    base = simulator.endpoints.url

    def read() -> tuple[Any, Any]:
        with socket(f"{base}?streams=btcusdt@bookTicker/ethusdt@trade") as ws:
            combined = {it["stream"] for it in hear(ws, 0.7)}
        with socket(f"{base.removesuffix('/stream')}/ws/btcusdt@bookTicker") as ws:
            raw = json.loads(ws.recv(timeout=5))
        return combined, raw["s"]

    assert await in_thread(read) == (
        {"btcusdt@bookTicker", "ethusdt@trade"},
        "BTCUSDT",
    )


async def test_commands_are_answered_in_the_venues_shapes(nursery: trio.Nursery) -> None:
    config = attrs.evolve(CONFIG, limits=Limits(stream_messages_1s=100))
    simulator = await start(nursery, config)
    raw = simulator.endpoints.url.removesuffix("/stream") + "/ws"

    def talk() -> list[Any]:
        said = [
            '{"method":"SUBSCRIBE","params":["nopenope@trade"],"id":1}',
            '{"method":"LIST_SUBSCRIPTIONS","id":"a"}',
            '{"method":"UNSUBSCRIBE","params":["nopenope@trade"],"id":2}',
            '{"method":"LIST_SUBSCRIPTIONS","id":3}',
            '{"method":"SUBSCRIBE","params":"btcusdt@trade","id":4}',
            '{"method":"GET_PROPERTY","params":["combined"],"id":5}',
            '{"method":"SET_PROPERTY","params":["combined",true],"id":6}',
            '{"method":"GET_PROPERTY","params":["combined"],"id":7}',
            '{"method":"SET_PROPERTY","params":["colour",true],"id":8}',
            '{"method":"DANCE","id":9}',
            "{not json",
        ]
        answers: list[Any] = []
        with socket(raw) as ws:
            for text in said:
                ws.send(text)
                answers.append(json.loads(ws.recv(timeout=5)))
        return answers

    answers = await in_thread(talk)

    assert answers[:4] == [
        {"result": None, "id": 1},
        {"result": ["nopenope@trade"], "id": "a"},
        {"result": None, "id": 2},
        {"result": [], "id": 3},
    ]
    assert (answers[4]["error"]["code"], answers[4]["id"]) == (2, 4)
    assert [it["result"] for it in answers[5:8]] == [False, None, True]
    assert [it["code"] for it in answers[8:]] == [0, 2, 3]


async def test_our_codec_reads_every_frame(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)

    def read() -> list[str]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, [f"btcusdt@{it}" for it in ALL])
            return [json.dumps(it) for it in hear(ws, 1.2)]

    texts = await in_thread(read)
    symbols = {"BTCUSDT": "BTC/USDT"}
    kinds = {type(decode_stream(text, symbols, 0.0)) for text in texts}

    assert {Ticker, BookTop, Traded, Candle, BookDelta, BookSnapshot} <= kinds


async def test_a_book_kept_from_diffs_equals_the_venues(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, attrs.evolve(CONFIG, ticks_per_s=100.0))
    client = Rest(simulator.endpoints)

    def follow() -> tuple[int, dict[str, dict[Decimal, Decimal]]]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, ["btcusdt@depth@100ms"])
            hear(ws, 0.3)
            shown = client.get("/api/v3/depth?symbol=BTCUSDT&limit=5000")
            at = shown["lastUpdateId"]
            sides = {
                "b": {Decimal(p): Decimal(q) for p, q in shown["bids"]},
                "a": {Decimal(p): Decimal(q) for p, q in shown["asks"]},
            }
            for message in hear(ws, 0.8):
                event = message["data"]
                if event["u"] <= at:
                    continue
                assert event["U"] <= at + 1 <= event["u"]
                at = event["u"]
                for side, levels in sides.items():
                    for price, base in event[side]:
                        levels[Decimal(price)] = Decimal(base)
                        if not Decimal(base):
                            del levels[Decimal(price)]
            return at, sides

    at, sides = await in_thread(follow)
    bids, asks = sides["b"], sides["a"]

    assert at > 1_000_000
    assert max(bids) < min(asks)
    assert len(bids) == len(asks) == CONFIG.listings[0].levels


async def test_a_candle_closes_once_with_what_rest_says_of_it(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)

    def read() -> tuple[Any, Any]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, ["btcusdt@kline_1s"])
            heard = hear(ws, 2.3)
        closed = [
            it["data"]["k"] for it in heard if it.get("data", {"k": {}})["k"].get("x")
        ]
        target = "/api/v3/klines?symbol=BTCUSDT&interval=1s&limit=20"
        return closed, {row[0]: row for row in client.get(target)}

    closed, rows = await in_thread(read)

    assert len({it["t"] for it in closed}) == len(closed) >= 2
    for it in closed[1:]:
        row = rows[it["t"]]
        assert [it["o"], it["h"], it["l"], it["c"], it["v"], it["n"]] == [*row[1:6], row[8]]


async def test_a_talkative_client_is_disconnected(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)

    def talk() -> int | None:
        with socket(simulator.endpoints.url) as ws:
            with suppress(ConnectionClosed):  # it may be thrown out before the last one
                for number in range(8):
                    ws.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": number}))
            closed = closing(ws)
            return closed.rcvd.code if closed and closed.rcvd else None

    assert await in_thread(talk) == 1008


async def test_a_client_may_read_1024_streams_and_no_more(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)

    def ask() -> list[Any]:
        with socket(simulator.endpoints.url) as ws:
            answers: list[Any] = []
            for names in (range(1024), range(1024, 1025)):
                subscribe(ws, [f"x{number}@trade" for number in names])
                answers.append(json.loads(ws.recv(timeout=5)))
            return answers

    answers = await in_thread(ask)

    assert (answers[0], answers[1]["code"]) == ({"result": None, "id": 1}, 2)


async def test_a_reader_too_slow_for_its_queue_is_disconnected(
    nursery: trio.Nursery,
) -> None:
    config = attrs.evolve(
        CONFIG, ticks_per_s=400.0, ticker_ms=0, limits=Limits(queue_frames=200)
    )
    simulator = await start(nursery, config)
    names = [f"{symbol}@{it}" for symbol in ("btcusdt", "ethusdt") for it in ALL]
    host, port = "127.0.0.1", simulator.endpoints.port
    stream = await trio.open_tcp_stream(host, port)
    stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
    await stream.send_all(
        (
            f"GET /stream?streams={'/'.join(names)} HTTP/1.1\r\nHost: {host}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
    )

    with trio.fail_after(25):
        await stream.receive_some(12)  # the answer to the upgrade begins
        connected = len(simulator.connections)
        while len(simulator.connections):  # noqa: ASYNC110 -- there is nothing to wait on
            await trio.sleep(0.05)
    await stream.aclose()

    assert connected == 1


async def test_pings_come_and_a_client_without_pongs_is_cut(nursery: trio.Nursery) -> None:
    config = attrs.evolve(CONFIG, limits=Limits(ping_s=0.1, pong_s=0.3))
    simulator = await start(nursery, config)

    def live() -> bool:
        with socket(simulator.endpoints.url) as ws:  # this library answers pings itself
            return not hear(ws, 1.0) and closing_code(ws) is None

    def closing_code(ws: Any) -> int | None:
        try:
            ws.recv(timeout=0.1)
        except TimeoutError:
            return None
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        return 0

    answered = await in_thread(live)
    stream = await trio.open_tcp_stream("127.0.0.1", simulator.endpoints.port)
    await stream.send_all(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    received = b""
    with trio.fail_after(5):
        while chunk := await stream.receive_some():
            received += chunk
    await stream.aclose()

    assert answered
    assert b"\x89" in received  # a ping frame came before the end


async def test_an_unknown_websocket_path_is_refused(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    base = simulator.endpoints.url.removesuffix("/stream")

    def knock() -> int:
        try:
            with socket(f"{base}/nothing"):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    assert await in_thread(knock) == 404


async def test_a_flood_writes_ticker_frames_flat_out(nursery: trio.Nursery) -> None:
    config = attrs.evolve(CONFIG, flood_frames_per_s=0.0)
    simulator = await start(nursery, config)

    def read() -> tuple[int, int]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, ["btcusdt@ticker", "ethusdt@ticker"])
            hear_until(ws, lambda it: it.get("stream") == "ethusdt@ticker")
            heard: list[Any] = []
            while len(heard) < 8_000:
                said = json.loads(ws.recv(timeout=5))
                heard += [said] * ("stream" in said)  # the acknowledgement may come late
        streams = [it["stream"] for it in heard]
        return streams.count("btcusdt@ticker"), len({it["data"]["c"] for it in heard})

    assert await in_thread(read) == (4_000, 128)
