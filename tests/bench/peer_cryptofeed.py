"""cryptofeed reading the flooder's bookTicker frames, in a Python that has it.

    PYTHON tests/bench/peer_cryptofeed.py SPEC

It is no dependency: for Python 3.11 it has no wheel. Imports nothing of ours. Prints what
it noted as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from importlib import import_module
from typing import Any

uvloop: Any = import_module("uvloop")
cryptofeed: Any = import_module("cryptofeed")
connection: Any = import_module("cryptofeed.connection")
binance: Any = import_module("cryptofeed.exchanges").Binance

SETTLE_S = 1.0


class Loopback(str):
    """An address that passes for wss://, which cryptofeed insists on."""

    __slots__ = ()

    def startswith(self, *_: Any) -> bool:
        return True


def allow_loopback() -> None:
    begin = connection.WSAsyncConn.__init__

    def begun(self: Any, address: str, *args: Any, **named: Any) -> None:
        begin(self, Loopback(address), *args, **named)

    connection.WSAsyncConn.__init__ = begun


class Reading:
    def __init__(self) -> None:
        self.taken = 0

    async def take(self, _ticker: Any, _received_s: float) -> None:
        self.taken += 1

    async def measure(self, seconds: float) -> None:
        await asyncio.sleep(SETTLE_S + 1)
        frames, begun_s, begun_cpu_s = self.taken, time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        noted = {
            "frames": self.taken - frames,
            "seconds": time.monotonic() - begun_s,
            "cpu_s": time.process_time() - begun_cpu_s,
        }
        sys.stdout.write(json.dumps(noted))
        sys.stdout.flush()
        os._exit(0)  # it stops by running its loop, which runs


def main() -> None:
    spec, reading = json.loads(sys.argv[1]), Reading()
    allow_loopback()
    url = spec["url"].removesuffix("/stream")
    binance.websocket_endpoints = [connection.WebsocketEndpoint(url)]
    routes = binance.rest_endpoints[0].routes
    rest_url = spec["where"]["rest_url"]
    binance.rest_endpoints = [connection.RestEndpoint(rest_url, routes=routes)]
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    handler = cryptofeed.FeedHandler(config={"uvloop": False, "log": {"disabled": True}})
    symbols = [f"S{number:02d}-USDT" for number in range(spec["symbols"])]
    callbacks = {"ticker": reading.take}
    handler.add_feed(binance(symbols=symbols, channels=["ticker"], callbacks=callbacks))
    handler.run(start_loop=False)
    loop.run_until_complete(reading.measure(spec["seconds"]))


if __name__ == "__main__":
    main()
