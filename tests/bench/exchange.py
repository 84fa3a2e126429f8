"""The simulated exchange in a process of its own, with two clocks to read.

    python -m tests.bench.exchange '{"symbols": 50, "frames_per_s": 1000}'

CLOCK_MONOTONIC is one clock for all processes of a machine. So a ticker frame carries the
moment it was handed to the socket, in microseconds, where the venue's event time `E` is;
and the moment each order came out of the parser is kept by its client order id. A line
"orders" on stdin prints those as JSON; the end of stdin ends the process.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal

import attrs
import trio

from adapters.simulator.binance_dialect import BinanceDialect
from adapters.simulator.binance_endpoints import Endpoint
from adapters.simulator.binance_params import Params
from adapters.simulator.config import (
    ApiKey,
    DialectName,
    Limits,
    Listing,
    SimulatorConfig,
)
from adapters.simulator.server import Simulator
from adapters.websocket_server import ServerSocket

KEY, SECRET = "k" * 64, "s" * 64
STAMP_BASE = 2 * 10**12  # keeps a stamp inside the years that the codec believes
ROOM = Decimal(10**9)


@attrs.frozen
class Wanted:
    """What a part asks of its exchange."""

    symbols: int = 1
    frames_per_s: float | None = None  # of all symbols together; 0: flat out
    dialect: DialectName = "binance"
    ticks_per_s: float = 1.0  # steps of the synthetic market, which is left still


def symbol(number: int) -> str:
    return f"S{number:02d}/USDT"


def stamp_us(exchange_ms: int) -> int:
    """Return when a ticker was sent, in microseconds of CLOCK_MONOTONIC."""
    return exchange_ms - STAMP_BASE


def configured(wanted: Wanted) -> SimulatorConfig:
    listings = [
        Listing(symbol(number), Decimal("60000.00"), volatility=0.0, trade_chance=0.0)
        for number in range(wanted.symbols)
    ]
    balances = {it.base_asset: ROOM for it in listings} | {"USDT": ROOM}
    return SimulatorConfig(
        listings=tuple(listings),
        keys=(ApiKey("bench", KEY, SECRET, balances),),
        limits=Limits(weight_1m=10**9, orders_10s=10**9, orders_1d=10**9),
        ticks_per_s=wanted.ticks_per_s,
        flood_frames_per_s=wanted.frames_per_s,
        dialect=wanted.dialect,
    )


def stamp_frames() -> None:
    """Write the moment of sending into each ticker frame that is sent alone."""
    write = ServerSocket.write

    async def stamped(self: ServerSocket, frames: bytes) -> None:
        if frames.find(b"@ticker", 0, 64) > 0 and frames.count(b'"E":') == 1:
            at = frames.index(b'"E":') + 4
            stamp = STAMP_BASE + time.monotonic_ns() // 1000
            frames = b"%b%d%b" % (frames[:at], stamp, frames[at + 13 :])
        await write(self, frames)

    ServerSocket.write = stamped


def note_orders() -> dict[str, int]:
    """Note in the returned table when each new order came out of the parser."""
    perform = BinanceDialect.perform
    parsed_us: dict[str, int] = {}

    def noted(
        self: BinanceDialect, endpoint: Endpoint, params: Params, account: str, address: str
    ) -> object:
        order_id = params.maybe("newClientOrderId")
        if order_id is not None:
            parsed_us[order_id] = time.monotonic_ns() // 1000
        return perform(self, endpoint, params, account, address)

    BinanceDialect.perform = noted
    return parsed_us


async def serve(wanted: Wanted) -> None:
    stamp_frames()
    parsed_us = note_orders()
    simulator = Simulator(configured(wanted), seed=1)
    async with trio.open_nursery() as nursery:
        where = await nursery.start(simulator.run)
        say(attrs.asdict(where))
        stdin = trio.lowlevel.FdStream(sys.stdin.fileno())
        while await stdin.receive_some():
            say(parsed_us)
            parsed_us.clear()
        nursery.cancel_scope.cancel()


def say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    trio.run(serve, Wanted(**json.loads(sys.argv[1])))
