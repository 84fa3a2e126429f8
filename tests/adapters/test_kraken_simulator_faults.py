"""The fault script does to the simulated Kraken what it does to every venue."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import httpx
import pytest
import trio
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from adapters.simulator.faults import Fault
from adapters.simulator.server import Simulator
from tests.adapters.kraken_simulator_desk import QUIET, Rest, Talk, public_socket
from tests.adapters.simulator_desk import in_thread, start

T = TypeVar("T")


def strike(simulator: Simulator, **fault: object) -> None:
    """Begin a fault from a client's thread."""
    Rest(simulator.endpoints).ask("POST", "/simulator/faults", json=fault)


async def while_struck(
    nursery: trio.Nursery, work: Callable[[Talk], T], **fault: object
) -> T:
    """Let a subscribed client meet a fault of the public socket."""
    simulator = await start(nursery, QUIET)

    def meet() -> T:
        with public_socket(simulator.endpoints) as ws:
            talk = Talk(ws)
            talk.subscribe("trade", "BTC/USDT", snapshot=True)
            talk.next_of("trade")
            strike(simulator, **fault)
            return work(talk)

    return await in_thread(meet)


async def test_garbage_cannot_be_read(nursery: trio.Nursery) -> None:
    def hear(talk: Talk) -> str:
        while True:
            text = str(talk.ws.recv(timeout=10))
            try:
                json.loads(text)
            except ValueError:
                return text

    assert await while_struck(nursery, hear, kind="garbage", symbol="BTC/USDT")


async def test_events_come_twice(nursery: trio.Nursery) -> None:
    def hear(talk: Talk) -> list[Any]:
        frames = [talk.next_of("trade") for _ in range(7)]
        return [it["data"][0]["trade_id"] for it in frames]

    ids = await while_struck(nursery, hear, kind="duplicate", symbol="BTC/USDT")

    assert any(first == second for first, second in pairwise(ids))


async def test_events_come_in_the_wrong_order(nursery: trio.Nursery) -> None:
    def hear(talk: Talk) -> list[int]:
        frames = [talk.next_of("trade") for _ in range(8)]
        return [it["data"][0]["trade_id"] for it in frames]

    ids = await while_struck(nursery, hear, kind="reorder", symbol="BTC/USDT")

    assert ids != sorted(ids)
    assert len(set(ids)) == 8


async def test_a_half_open_connection_stays_and_says_nothing(
    nursery: trio.Nursery,
) -> None:
    def hear(talk: Talk) -> int:
        count = 0
        try:
            while True:
                talk.ws.recv(timeout=1.5)
                count += 1
        except TimeoutError:
            return count

    assert await while_struck(nursery, hear, kind="half_open", connection="stream") < 20


async def test_connections_are_cut(nursery: trio.Nursery) -> None:
    def hear(talk: Talk) -> bool:
        with pytest.raises(ConnectionClosed):
            talk.hear_until(lambda _: False)
        return True

    assert await while_struck(nursery, hear, kind="disconnect", connection="stream")


@pytest.mark.parametrize("kind", ["storm", "refuse"])
async def test_nobody_comes_in_while_it_lasts(nursery: trio.Nursery, kind: Any) -> None:
    simulator = await start(nursery, QUIET)
    simulator.inject(Fault(kind, duration_s=0.6))
    await trio.sleep(0.1)

    def connect() -> bool:
        try:
            with public_socket(simulator.endpoints) as ws:
                return json.loads(ws.recv(timeout=10))["channel"] == "status"
        except (OSError, EOFError, InvalidHandshake, ConnectionClosed):
            return False

    during = await in_thread(connect)
    await trio.sleep(1.0)
    after = await in_thread(connect)

    assert (during, after) == (False, True)


async def test_a_rest_client_meets_the_closed_port(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)
    rest = Rest(simulator.endpoints)
    simulator.inject(Fault("refuse", duration_s=0.6))
    await trio.sleep(0.1)

    def ask() -> str:
        with pytest.raises(httpx.TransportError):
            rest.public("Time")
        return "refused"

    assert await in_thread(ask) == "refused"
    await trio.sleep(0.8)
    assert (await in_thread(lambda: rest.public("Time")))["error"] == []
