"""The simulator's public REST side, asked by httpx."""

from __future__ import annotations

import ssl
from decimal import Decimal
from itertools import pairwise

import attrs
import httpx
import trio
import trustme
from trio.testing import MockClock, memory_stream_pair
from websockets.sync.client import connect

from adapters.binance.codec import instruments, rest
from adapters.simulator.clock import SimulatorClock
from adapters.simulator.config import Limits
from adapters.simulator.server import Simulator
from adapters.simulator.timeframes import LENGTH_MS
from tests.adapters.simulator_desk import CONFIG, Rest, in_thread, start, subscribe


async def test_exchange_info_can_be_traded_on(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    answer = await in_thread(lambda: client.ask("GET", "/api/v3/exchangeInfo"))

    info = instruments.decode_exchange_info(answer.content)
    found = {it.symbol: (it.tick, it.lot, it.quote_min) for it in info.instruments}
    assert found == {
        "BTC/USDT": (Decimal("0.01"), Decimal("0.00001"), Decimal(5)),
        "ETH/USDT": (Decimal("0.01"), Decimal("0.0001"), Decimal(5)),
    }


async def test_filters_are_listed_as_the_venue_lists_them(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    info = await in_thread(lambda: client.get("/api/v3/exchangeInfo?symbol=BTCUSDT"))

    kinds = [it["filterType"] for it in info["symbols"][0]["filters"]]
    assert kinds == [
        "PRICE_FILTER",
        "LOT_SIZE",
        "MARKET_LOT_SIZE",
        "PERCENT_PRICE_BY_SIDE",
        "NOTIONAL",
        "MAX_NUM_ORDERS",
    ]


async def test_depth_is_ordered_and_not_crossed(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    book = await in_thread(lambda: client.get("/api/v3/depth?symbol=BTCUSDT&limit=10"))

    bids = [Decimal(price) for price, _ in book["bids"]]
    asks = [Decimal(price) for price, _ in book["asks"]]
    assert len(bids) == len(asks) == 10
    assert sorted(asks + bids, reverse=True) == [*asks[::-1], *bids]


async def test_candles_of_every_timeframe_hang_together(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    def ask(timeframe: str) -> bytes:
        target = f"/api/v3/klines?symbol=BTCUSDT&interval={timeframe}&limit=60"
        return client.ask("GET", target).content

    for timeframe in LENGTH_MS:
        body = await in_thread(lambda timeframe=timeframe: ask(timeframe))
        candles = rest.decode_klines(body, "BTC/USDT", timeframe)
        assert len(candles) == 60
        for older, newer in pairwise(candles):
            assert newer.open_ms == older.close_ms + 1
            assert newer.open == older.close
            assert older.low <= min(older.open, older.close) <= older.high


async def test_minutes_are_the_sum_of_their_seconds(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)
    base = "/api/v3/klines?symbol=BTCUSDT&interval="

    minute = (await in_thread(lambda: client.get(f"{base}1m&limit=3")))[0]
    span = f"&startTime={minute[0]}&endTime={minute[6]}"
    seconds = await in_thread(lambda: client.get(f"{base}1s&limit=1000{span}"))

    assert len(seconds) == 60
    assert max(Decimal(row[2]) for row in seconds) == Decimal(minute[2])
    assert sum(Decimal(row[5]) for row in seconds) == Decimal(minute[5])


async def test_every_error_has_the_venues_code_and_words(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)
    expected = {
        "/api/v3/depth": (
            400,
            -1102,
            "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
        ),
        "/api/v3/depth?symbol=NOPE": (400, -1121, "Invalid symbol."),
        "/api/v3/klines?symbol=BTCUSDT&interval=7m": (400, -1120, "Invalid interval."),
        "/api/v3/time?x=1": (
            400,
            -1104,
            "Not all sent parameters were read; read '0' parameter(s) but was sent '1'.",
        ),
        "/api/v3/depth?symbol=BTCUSDT&limit=x": (
            400,
            -1100,
            "Illegal characters found in parameter 'limit'; legal range is "
            "'^[0-9]{1,20}$'.",
        ),
        "/api/v3/account": (
            400,
            -1102,
            "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.",
        ),
    }

    for target, wanted in expected.items():
        answer = await in_thread(lambda target=target: client.ask("GET", target))
        body = answer.json()
        assert (answer.status_code, body["code"], body["msg"]) == wanted


async def test_an_unknown_path_is_404_and_a_wrong_method_405(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    lost = await in_thread(lambda: client.ask("GET", "/api/v3/nothing"))
    wrong = await in_thread(lambda: client.ask("PUT", "/api/v3/order"))

    assert (lost.status_code, wrong.status_code) == (404, 405)


async def test_weight_is_counted_then_429_then_418(nursery: trio.Nursery) -> None:
    config = attrs.evolve(CONFIG, limits=Limits(weight_1m=260))
    client = Rest((await start(nursery, config, unix_ms=1_700_000_000_000)).endpoints)

    def ask() -> tuple[int, str | None, str | None]:
        answer = client.ask("GET", "/api/v3/depth?symbol=BTCUSDT&limit=5000")
        used = answer.headers.get("x-mbx-used-weight-1m")
        return answer.status_code, used, answer.headers.get("retry-after")

    answers = await in_thread(lambda: [ask() for _ in range(25)])

    assert answers[0] == (200, "250", None)
    assert answers[1][0] == 429
    assert 0 < int(answers[1][2] or 0) <= 60
    assert answers[-1][0] == 418
    assert 60 < int(answers[-1][2] or 0) <= 120


async def test_it_serves_over_tls(nursery: trio.Nursery) -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)  # pyright: ignore[reportUnknownMemberType] -- its OpenSSL half is untyped
    client_side = ssl.create_default_context()
    authority.configure_trust(client_side)  # pyright: ignore[reportUnknownMemberType] -- the same
    simulator = Simulator(CONFIG, tls=server_side)
    endpoints = await nursery.start(simulator.run)

    def ask() -> tuple[object, str]:
        with httpx.Client(verify=client_side, trust_env=False) as client:
            answer = client.get(f"{endpoints.rest_url}/api/v3/ping").json()
        with connect(endpoints.url, ssl=client_side, proxy=None) as ws:
            subscribe(ws, ["btcusdt@trade"])
            return answer, str(ws.recv(timeout=5))

    assert await in_thread(ask) == ({}, '{"result":null,"id":1}')


class Memory(trio.abc.Listener[trio.abc.Stream]):
    """Accepts one connection that is no socket."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._streams = [stream]

    async def accept(self) -> trio.abc.Stream:
        if not self._streams:
            await trio.sleep_forever()
        return self._streams.pop()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_it_serves_any_stream_on_any_clock(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    del autojump_clock
    ours, theirs = memory_stream_pair()

    async def listeners() -> list[Memory]:
        await trio.lowlevel.checkpoint()
        return [Memory(theirs)]

    simulator = Simulator(
        CONFIG,
        clock=lambda: SimulatorClock(1_700_000_000_000),
        open_listeners=listeners,
    )
    await nursery.start(simulator.run)
    await trio.sleep(30)

    await ours.send_all(b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while b"serverTime" not in answer:
        answer += await ours.receive_some()

    assert answer.endswith(b'{"serverTime":1700000030000}')
