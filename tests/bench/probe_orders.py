"""The bare probe of tick -> order: the same work on bare Trio, with nothing around it.

    python -m tests.bench.probe_orders SPEC

trio-websocket receives, msgspec decodes to Decimal, a one-box mailbox carries the price to
the task of its symbol, every fifth one is an order: two rows in one synced SQLite commit on
a thread of its own, then a signed request over the WS-API or over httpx2. No supervision,
no risk, no order life, no account stream, no log. Prints what it noted as JSON.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import queue
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import attrs
import httpx2
import msgspec
import trio
from trio_websocket import open_websocket_url

from tests.bench.exchange import KEY, SECRET, stamp_us
from tests.bench.probe_feed import Box, decoder, now_us, stream_names, subscribe

FACT = "x" * 300  # as many bytes as the fleet writes of an intent


@attrs.frozen
class Spec:
    where: Mapping[str, Any]
    seconds: float
    symbols: int = 10
    has_socket: bool = True


class Rows:
    """Two rows and a synced commit, on a thread, one wake-up back for each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.SimpleQueue[tuple[str, trio.Event]] = queue.SimpleQueue()
        self._token = trio.lowlevel.current_trio_token()
        threading.Thread(target=self._serve, daemon=True).start()

    async def write(self, order_id: str) -> None:
        done = trio.Event()
        self._jobs.put((order_id, done))
        await done.wait()

    def _serve(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE rows (seq INTEGER PRIMARY KEY, key TEXT, body)")
        connection.execute("CREATE UNIQUE INDEX rows_key ON rows (key)")
        with contextlib.suppress(trio.RunFinishedError):
            while True:
                order_id, done = self._jobs.get()
                rows = [(f"{kind}/{order_id}", FACT) for kind in ("intended", "attempted")]
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT INTO rows (key, body) VALUES (?, ?)", rows)
                connection.execute("COMMIT")
                self._token.run_sync_soon(done.set)


Send = Callable[[dict[str, str]], Awaitable[None]]


class Trader:
    """One symbol: buys and sells in turn at every fifth price."""

    def __init__(self, number: int, name: str, rows: Rows, send: Send) -> None:
        self._count = -number
        self._name = name
        self._rows = rows
        self._send = send
        self._is_held = False
        self.noted: dict[str, dict[str, int]] = {}

    async def serve(self, box: Box) -> None:
        while True:
            ticker = await box.take()
            self._count += 1
            if self._count % 5 == 0:
                road = {"sent": stamp_us(ticker.E), "received": box.received_us}
                await self._order(ticker, road | {"taken": now_us()})

    async def _order(self, ticker: Any, road: dict[str, int]) -> None:
        base = (Decimal(1000) / ticker.c).quantize(Decimal("0.00001"))
        order_id = str(uuid.uuid4())
        side = "SELL" if self._is_held else "BUY"
        self._is_held = not self._is_held
        road["recorded"] = now_us()
        await self._rows.write(order_id)
        self.noted[order_id] = road | {"placed": now_us()}
        await self._send(
            {
                "symbol": self._name,
                "side": side,
                "type": "MARKET",
                "quantity": str(base),
                "newClientOrderId": order_id,
                "timestamp": str(int(time.time() * 1000)),
            }
        )


def signature(payload: str) -> str:
    return hmac.digest(SECRET.encode(), payload.encode(), "sha256").hex()


def by_socket(socket: Any) -> Send:
    async def send(params: dict[str, str]) -> None:
        params["apiKey"] = KEY
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
        params["signature"] = signature(payload)
        request = {"id": 1, "method": "order.place", "params": params}
        await socket.send_message(msgspec.json.encode(request).decode())

    return send


def by_rest(client: httpx2.AsyncClient, url: str, nursery: trio.Nursery) -> Send:
    async def post(query: str) -> None:
        headers = {"X-MBX-APIKEY": KEY}
        await client.post(f"{url}/api/v3/order?{query}", headers=headers)

    async def send(params: dict[str, str]) -> None:
        query = urlencode(params)
        nursery.start_soon(post, f"{query}&signature={signature(query)}")
        await trio.lowlevel.checkpoint()

    return send


async def read_answers(socket: Any) -> None:
    while True:
        msgspec.json.decode(await socket.get_message())


async def probe(spec: Spec, folder: Path) -> dict[str, dict[str, int]]:
    rows = Rows(folder / "probe.db")
    traders: list[Trader] = []
    with trio.move_on_after(spec.seconds):
        async with (
            httpx2.AsyncClient() as client,
            open_websocket_url(spec.where["url"]) as feed,
            open_websocket_url(spec.where["ws_api_url"]) as orders,
            trio.open_nursery() as nursery,
        ):
            send = by_socket(orders)
            if not spec.has_socket:
                send = by_rest(client, spec.where["rest_url"], nursery)
            nursery.start_soon(read_answers, orders)
            boxes: dict[str, Box] = {}
            for number, name in enumerate(stream_names(spec.symbols)):
                trader = Trader(number, name, rows, send)
                traders.append(trader)
                boxes[name] = Box()
                nursery.start_soon(trader.serve, boxes[name])
            await subscribe(feed, list(boxes))
            await pump(feed, boxes)
    return {order_id: noted for it in traders for order_id, noted in it.noted.items()}


async def pump(feed: Any, boxes: Mapping[str, Box]) -> None:
    while True:
        text = await feed.get_message()
        received_us = now_us()
        frame = decoder.decode(text)
        if frame.data is not None:
            boxes[frame.data.s].received_us = received_us
            boxes[frame.data.s].put(frame.data)


def main(arguments: Sequence[str]) -> None:
    spec = Spec(**json.loads(arguments[0]))
    with tempfile.TemporaryDirectory() as folder:
        orders = trio.run(probe, spec, Path(folder))
    sys.stdout.write(json.dumps({"orders": orders}))


if __name__ == "__main__":
    main(sys.argv[1:])
