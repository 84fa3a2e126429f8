"""What the simulator does wrong on request, seen by clients nobody here wrote."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from adapters.simulator.faults import BadFaults, Fault, read_faults
from adapters.simulator.server import Simulator
from tests.adapters.simulator_desk import (
    ANN,
    CONFIG,
    Rest,
    closing,
    hear,
    hear_until,
    in_thread,
    request,
    socket,
    start,
    subscribe,
    ws_params,
)

ORDER: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "MARKET",
    "quantity": "0.01",
}
BOOKS = ["btcusdt@bookTicker", "ethusdt@bookTicker"]
LIVELY = attrs.evolve(CONFIG, ticks_per_s=30.0)


def raw(ws: ClientConnection, seconds: float) -> list[str]:
    """Return frames as they come for so many seconds, readable or not."""
    found: list[str] = []
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            found.append(str(ws.recv(timeout=left)))
        except TimeoutError:
            break
    return found


async def heard_during(simulator: Simulator, fault: Fault) -> list[str]:
    """Return the frames of two book tickers in the second after `fault` began."""

    def read() -> list[str]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, BOOKS)
            hear_until(ws, lambda it: "stream" in it)
            trio.from_thread.run_sync(simulator.inject, fault)
            raw(ws, 0.05)  # what was under way arrives
            return raw(ws, 0.5)

    return await in_thread(read)


def update_ids(frames: list[str], symbol: str) -> list[int]:
    events = [json.loads(text).get("data", {}) for text in frames]
    return [event["u"] for event in events if event.get("s") == symbol]


async def test_silence_mutes_one_symbol_and_acks_still_come(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, LIVELY)

    frames = await heard_during(simulator, Fault("silence", symbol="BTC/USDT"))

    assert update_ids(frames, "BTCUSDT") == []
    assert update_ids(frames, "ETHUSDT") != []


async def test_duplicates_arrive_twice(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, LIVELY)

    frames = await heard_during(simulator, Fault("duplicate", symbol="BTC/USDT"))

    ids = update_ids(frames, "BTCUSDT")
    assert len(ids) >= 2 * len(set(ids)) - 1 > 3


async def test_reordered_events_overtake_each_other(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, LIVELY)

    frames = await heard_during(
        simulator, Fault("reorder", symbol="BTC/USDT", connection="stream")
    )

    ids = update_ids(frames, "BTCUSDT")
    assert ids != sorted(ids)
    assert len(ids) == len(set(ids))


async def test_garbage_cannot_be_read_and_ends_after_its_times(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery, LIVELY)

    frames = await heard_during(simulator, Fault("garbage", times=3))

    def is_garbage(text: str) -> bool:
        try:
            json.loads(text)
        except json.JSONDecodeError:
            return True
        return False

    assert simulator.exchange.faults.struck["garbage"] == 3
    assert sum(is_garbage(text) for text in frames) <= 3
    assert not is_garbage(frames[-1])


async def test_half_open_connections_hear_nothing_while_new_ones_do(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery, LIVELY)

    frames = await heard_during(simulator, Fault("half_open"))
    answer = await in_thread(lambda: Rest(simulator.endpoints).get("/api/v3/ping"))

    assert (frames, answer) == ([], {})


async def test_a_disconnect_cuts_what_is_open(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)

    def read() -> int | None:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, BOOKS)
            hear_until(ws, lambda it: "stream" in it)
            trio.from_thread.run_sync(simulator.inject, Fault("disconnect"))
            closed = closing(ws)
            return None if closed is None or closed.rcvd else 1006

    assert await in_thread(read) == 1006


async def test_a_storm_closes_what_connects_until_it_is_over(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    simulator.inject(Fault("storm", connection="stream", duration_s=0.5))

    def connect() -> str:
        try:
            with socket(simulator.endpoints.url):
                return "in"
        except (ConnectionClosed, EOFError, OSError, Exception) as error:  # noqa: BLE001 -- however the library calls a peer that hangs up
            return type(error).__name__

    first = await in_thread(connect)
    await trio.sleep(0.6)
    second = await in_thread(connect)

    assert (first != "in", second) == (True, "in")


def knock(client: Rest) -> Any:
    try:
        return client.get("/api/v3/ping")
    except httpx.ConnectError:
        return "refused"


async def until_it_opens(client: Rest) -> Any:
    """Knock until somebody opens, a hundred times at most; return what is said then."""
    for _ in range(100):
        if (said := await in_thread(lambda: knock(client))) != "refused":
            return said
        await trio.sleep(0.1)
    return "refused"


async def test_refused_means_a_closed_port_that_opens_again(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)
    simulator.inject(Fault("refuse", duration_s=3.0))
    await trio.sleep(0.1)

    assert await in_thread(lambda: knock(client)) == "refused"
    assert await until_it_opens(client) == {}


async def test_two_refusals_that_overlap_end_with_the_last(nursery: trio.Nursery) -> None:
    """The port stayed closed for ever (simulation, seed 635)."""
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)
    simulator.inject(Fault("refuse", duration_s=0.3))
    await trio.sleep(0.1)
    simulator.inject(Fault("refuse", duration_s=0.4))
    await trio.sleep(0.6)

    assert await until_it_opens(client) == {}


async def test_a_shutdown_is_announced_then_carried_out(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)

    def read() -> tuple[Any, bool]:
        with socket(simulator.endpoints.url) as ws:
            subscribe(ws, BOOKS)
            hear_until(ws, lambda it: "stream" in it)
            fault = Fault("server_shutdown", delay_s=0.3)
            trio.from_thread.run_sync(simulator.inject, fault)
            heard = hear_until(ws, lambda it: it.get("stream") == "!serverShutdown")
            return heard[-1]["data"]["e"], closing(ws) is not None

    assert await in_thread(read) == ("serverShutdown", True)


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("ban", 418)])
async def test_limits_by_fault_say_when_to_come_back(
    nursery: trio.Nursery, kind: Any, status: int
) -> None:
    simulator = await start(nursery)
    simulator.inject(Fault(kind, delay_s=7))

    def ask() -> tuple[Any, ...]:
        answer = Rest(simulator.endpoints).ask("GET", "/api/v3/time")
        with socket(simulator.endpoints.ws_api_url) as ws:
            by_socket = request(ws, "time", {})
        data = by_socket["error"]["data"]
        wait_ms = data["retryAfter"] - data["serverTime"]
        return (
            answer.status_code,
            answer.json()["code"],
            answer.headers["retry-after"],
            by_socket["status"],
            6000 < wait_ms <= 7000,
        )

    assert await in_thread(ask) == (status, -1003, "7", status, True)


async def test_a_lost_acknowledgement_hides_an_order_that_was_taken(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    simulator.inject(Fault("lost_ack", times=2))

    def place() -> tuple[str, Any, Any]:
        client = Rest(simulator.endpoints)
        try:
            client.market("by-rest")
            by_rest = "answered"
        except httpx.RemoteProtocolError:
            by_rest = "hung up"
        with socket(simulator.endpoints.ws_api_url) as ws:
            params = ws_params(ANN, **ORDER, newClientOrderId="by-socket")
            ws.send(json.dumps({"id": 1, "method": "order.place", "params": params}))
            silent = hear(ws, 0.5)
        return by_rest, silent, client.truth()["orders"]["ann"]

    by_rest, silent, orders = await in_thread(place)

    assert (by_rest, silent) == ("hung up", [])
    assert {name: it["status"] for name, it in orders.items()} == {
        "by-rest": "FILLED",
        "by-socket": "FILLED",
    }


async def test_a_server_error_leaves_the_outcome_unknown(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    simulator.inject(Fault("server_error"))

    def place() -> tuple[Any, ...]:
        client = Rest(simulator.endpoints)
        answer = client.order(**ORDER, newClientOrderId="a")
        with socket(simulator.endpoints.ws_api_url) as ws:
            params = ws_params(ANN, **ORDER, newClientOrderId="b")
            by_socket = request(ws, "order.place", params)
        return (
            answer.status_code,
            answer.json()["code"],
            by_socket["status"],
            by_socket["error"]["code"],
            list(client.truth()["orders"]["ann"]),
        )

    assert await in_thread(place) == (504, -1007, 500, -1007, ["a", "b"])


async def test_a_late_acknowledgement_comes_after_its_delay(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    simulator.inject(Fault("late_ack", delay_s=0.6))

    def place() -> tuple[float, Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            began_s = time.monotonic()
            answer = request(ws, "order.place", ws_params(ANN, **ORDER))
            return time.monotonic() - began_s, answer["result"]["status"]

    took_s, status = await in_thread(place)

    assert (took_s >= 0.6, status) == (True, "FILLED")


async def test_a_skewed_clock_refuses_correct_times(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    simulator.inject(Fault("clock_skew", skew_ms=9000))

    def ask() -> tuple[Any, bool]:
        client = Rest(simulator.endpoints)
        told_ms = client.get("/api/v3/time")["serverTime"]
        return client.market("x")["code"], told_ms - time.time() * 1000 > 8000

    assert await in_thread(ask) == (-1021, True)


async def test_a_fault_may_wait_for_a_number_of_orders(nursery: trio.Nursery) -> None:
    fault = Fault("server_error", after_orders=2, times=1)
    simulator = await start(nursery, attrs.evolve(CONFIG, faults=(fault,)))

    def place() -> list[int]:
        client = Rest(simulator.endpoints)
        return [client.order(**ORDER).status_code for _ in range(4)]

    assert await in_thread(place) == [200, 200, 504, 200]


async def test_private_events_can_be_lost_and_doubled(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    simulator.inject(Fault("duplicate", connection="ws_api"))

    def read() -> list[Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            request(ws, "userDataStream.subscribe.signature", ws_params(ANN))
            Rest(simulator.endpoints).market("d1")
            return [it["event"].get("x") for it in hear(ws, 0.5)]

    assert await in_thread(read) == ["NEW", "NEW", "TRADE", "TRADE", None, None]


async def test_faults_can_be_injected_over_http(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)

    def inject() -> tuple[int, int, int]:
        path = "/simulator/faults"
        good = client.ask("POST", path, json={"kind": "ban", "connection": "rest"})
        banned = client.ask("GET", "/api/v3/ping")
        bad = client.ask("POST", path, json={"kind": "earthquake"})
        return good.status_code, banned.status_code, bad.status_code

    assert await in_thread(inject) == (200, 418, 400)


def test_a_fault_file_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(
        '[[faults]]\nkind = "silence"\nat_s = 20\nduration_s = 12\nsymbol = "BTC/USDT"\n'
        '[[faults]]\nkind = "lost_ack"\nafter_orders = 3\ntimes = 1\n'
    )

    assert read_faults(path) == (
        Fault("silence", at_s=20, duration_s=12, symbol="BTC/USDT"),
        Fault("lost_ack", after_orders=3, times=1),
    )


@pytest.mark.parametrize(
    "text",
    [
        "[[faults]]\nat_s = 1\n",
        '[[faults]]\nkind = "earthquake"\n',
        '[[faults]]\nkind = "silence"\ncolour = "red"\n',
        '[[faults]]\nkind = "silence"\nat_s = "soon"\n',
        'faults = "many"\n',
        "not toml",
    ],
)
def test_a_fault_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)

    with pytest.raises(BadFaults, match=r"faults\.toml"):
        read_faults(path)


async def test_the_exchange_outlives_its_server() -> None:
    simulator = Simulator(CONFIG)
    seen: list[Any] = []
    for number in range(2):
        async with trio.open_nursery() as nursery:
            endpoints = await nursery.start(simulator.run)
            client = Rest(endpoints)
            await in_thread(lambda client=client, n=number: client.market(f"r{n}"))
            truth = await in_thread(client.truth)
            seen.append((endpoints.port, list(truth["orders"]["ann"])))
            nursery.cancel_scope.cancel()

    (port, first), (port_again, both) = seen
    assert (port, first, both) == (port_again, ["r0"], ["r0", "r1"])
