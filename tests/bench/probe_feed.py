"""The bare probe of the feed: trio-websocket, msgspec to Decimal, one-box mailboxes.

    python -m tests.bench.probe_feed SPEC

One task receives, decodes and puts each price into the box of its symbol; one task for
each symbol takes it out. The box is one memory channel of one slot whose content is
replaced while it is not taken. Prints what it noted as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import msgspec
import trio
from trio_websocket import open_websocket_url

from tests.bench.exchange import stamp_us, symbol

PROVEN_S = 0.5  # before frames are counted


class Event(msgspec.Struct):
    s: str
    E: int
    c: Decimal
    b: Decimal
    a: Decimal
    v: Decimal


class Frame(msgspec.Struct):
    data: Event | None = None


decoder = msgspec.json.Decoder(Frame)


class Box:
    """The newest price of one symbol: a slot over a memory channel."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[list[Any]](1)
        self._full: list[Any] | None = None
        self.received_us = 0
        self.posted_us = 0
        self.replaced = 0

    def put(self, event: Event) -> None:
        if self._full is None:
            self._full = [event]
            self._send.send_nowait(self._full)
        else:
            self._full[0] = event
            self.replaced += 1

    async def take(self) -> Event:
        found = await self._receive.receive()
        self._full = None
        return found[0]


@attrs.frozen
class Spec:
    where: Mapping[str, Any]
    seconds: float
    symbols: int = 50
    is_timed: bool = False  # note each price; else count frames only


@attrs.define
class Counts:
    ticks: list[dict[str, int]] = attrs.Factory(list[dict[str, int]])
    frames: int = 0
    taken: int = 0


def now_us() -> int:
    return time.monotonic_ns() // 1000


def stream_names(count: int) -> list[str]:
    return [symbol(number).replace("/", "") for number in range(count)]


async def subscribe(socket: Any, names: Sequence[str]) -> None:
    streams = [f"{name.lower()}@ticker" for name in names]
    request = {"method": "SUBSCRIBE", "params": streams, "id": 1}
    await socket.send_message(json.dumps(request))


async def count(box: Box, counts: Counts) -> None:
    while True:
        await box.take()
        counts.taken += 1


async def note(box: Box, counts: Counts) -> None:
    while True:
        event = await box.take()
        taken = now_us()
        sent = stamp_us(event.E)
        counts.ticks.append({"sent": sent, "posted": box.posted_us, "taken": taken})


async def probe(spec: Spec) -> dict[str, Any]:
    counts = Counts()
    begun_s = begun_cpu_s = 0.0
    with trio.move_on_after(spec.seconds + PROVEN_S):
        async with (
            open_websocket_url(spec.where["url"]) as feed,
            trio.open_nursery() as nursery,
        ):
            names = stream_names(spec.symbols)
            boxes = {name: Box() for name in names}
            for box in boxes.values():
                nursery.start_soon(note if spec.is_timed else count, box, counts)
            await subscribe(feed, names)
            proven_s = trio.current_time() + PROVEN_S
            while trio.current_time() < proven_s:
                await feed.get_message()
            begun_s, begun_cpu_s = time.monotonic(), time.process_time()
            await (pump_timed if spec.is_timed else pump)(feed, boxes, counts)
    return {
        "ticks": counts.ticks,
        "frames": counts.frames,
        "seconds": time.monotonic() - begun_s,
        "cpu_s": time.process_time() - begun_cpu_s,
    }


async def pump(feed: Any, boxes: Mapping[str, Box], counts: Counts) -> None:
    while True:
        frame = decoder.decode(await feed.get_message())
        if frame.data is not None:
            boxes[frame.data.s].put(frame.data)
            counts.frames += 1


async def pump_timed(feed: Any, boxes: Mapping[str, Box], _: Counts) -> None:
    while True:
        frame = decoder.decode(await feed.get_message())
        if frame.data is not None:
            box = boxes[frame.data.s]
            box.posted_us = now_us()
            box.put(frame.data)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(trio.run(probe, Spec(**json.loads(sys.argv[1])))))
