"""Our reading of one venue's flood: socket, codec, fan-out, fifty readers; no fleet.

    python -m tests.bench.consumer SPEC

The venue's own adapter reads prices off the flooder's socket; its symbols come from a
simulated venue over REST. One task takes each reader's mailbox, as a bot does. Prints
frames, seconds, CPU seconds, memory and the ages of prices as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from array import array
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import attrs
import trio

from actors.fan_out import FanOut
from actors.mailbox import Mailbox
from actors.messages import BookTop, Channel, PricesReplaced, Subscription, Ticker, Wanted
from actors.ports import Market
from adapters.clock import SystemClock
from adapters.endpoints import Endpoints
from adapters.sockets import NewestOf, OpenSocket
from adapters.websocket import open_websocket
from adapters.websocket_busy import open_busy_websocket
from tests.bench.exchange import symbol
from tests.bench.flood_frames import sent_us
from tests.memory import resident

SETTLE_S = 1.0
AGES_MAX = 200_000
SOCKETS: Mapping[str, OpenSocket] = {
    "websockets": open_busy_websocket,
    "trio-websocket": open_websocket,
}


@attrs.frozen
class Spec:
    where: Mapping[str, Any]  # the simulated venue
    url: str  # the flooder's
    seconds: float
    venue: str = "binance"
    channel: str = "ticker"
    socket: str = "websockets"
    is_thinned: bool = True  # newest prices only, where many wait
    symbols: int = 50


@attrs.define
class Counts:
    decoded: int = 0
    replaced: int = 0
    taken: int = 0
    ages_us: array[int] = attrs.Factory(lambda: array("q", bytes(8 * AGES_MAX)))
    aged: int = 0  # how many of those

    def clear(self) -> None:
        self.decoded = self.replaced = self.taken = self.aged = 0

    def age(self, sent_us: int) -> None:
        if self.aged < AGES_MAX:
            self.ages_us[self.aged] = time.monotonic_ns() // 1000 - sent_us
            self.aged += 1


def opener(spec: Spec) -> OpenSocket:
    """Return the socket of `spec`, which tells all prices where it is not thinned."""
    chosen = SOCKETS[spec.socket]

    @asynccontextmanager
    async def opened(
        url: str, *, newest_of: NewestOf | None = None, **how: Any
    ) -> AsyncGenerator[Any, None]:
        named = newest_of if spec.is_thinned else None
        async with chosen(url, newest_of=named, **how) as socket:
            yield socket

    return opened


@asynccontextmanager
async def market_of(spec: Spec) -> AsyncGenerator[Market, None]:
    open_venue: Any = getattr(import_module(f"adapters.{spec.venue}"), f"open_{spec.venue}")
    endpoints = Endpoints(spec.url, spec.where["ws_api_url"], spec.where["rest_url"])
    async with open_venue(
        endpoints, clock=SystemClock(), open_socket=opener(spec)
    ) as venue:
        yield venue.market


async def read(mailbox: Mailbox[Any], counts: Counts) -> None:
    while True:
        message = await mailbox.receive()
        counts.taken += 1
        if isinstance(message, Ticker):
            counts.age(sent_us(message.volume_base))
        elif isinstance(message, BookTop):
            counts.age(sent_us(message.ask_base))


async def pump(stream: Any, fan_out: FanOut, counts: Counts) -> None:
    while True:
        messages = await stream.receive()
        now_s = trio.current_time()
        for message in messages:
            fan_out.deliver(message, now_s)
        counts.decoded += len(messages)
        if isinstance(messages[0], PricesReplaced):
            counts.replaced += messages[0].count


async def consume(spec: Spec) -> dict[str, Any]:
    counts, channel, noted = Counts(), Channel(spec.channel), dict[str, Any]()
    names = [symbol(number) for number in range(spec.symbols)]
    mailboxes = {name: Mailbox[Any](name) for name in names}
    fan_out = FanOut(spec.venue, mailboxes)
    wanted = [Subscription(name, channel) for name in names]
    for name, subscription in zip(names, wanted, strict=True):
        fan_out.want(Wanted(name, frozenset([subscription])))
    async with (
        market_of(spec) as market,
        market.open_stream() as stream,
        trio.open_nursery() as nursery,
    ):
        for mailbox in mailboxes.values():
            nursery.start_soon(read, mailbox, counts)
        nursery.start_soon(pump, stream, fan_out, counts)
        await stream.subscribe(wanted)
        await trio.sleep(SETTLE_S)
        counts.clear()
        begun = time.monotonic(), time.process_time(), resident()
        await trio.sleep(spec.seconds)
        noted |= {
            "seconds": time.monotonic() - begun[0],
            "cpu_s": time.process_time() - begun[1],
            "growth": resident() - begun[2],
            "decoded": counts.decoded,
            "replaced": counts.replaced,
            "taken": counts.taken,
            "ages_us": counts.ages_us[: counts.aged].tolist(),
        }
        nursery.cancel_scope.cancel()
    return noted


if __name__ == "__main__":
    sys.stdout.write(json.dumps(trio.run(consume, Spec(**json.loads(sys.argv[1])))))
