"""A running simulator, and clients for it that nobody here wrote (httpx, websockets)."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

import attrs
import httpx
import trio
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from adapters.simulator.clock import SimulatorClock
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.server import Simulator, SimulatorEndpoints

ANN = ApiKey("ann", "ANN-KEY", "ann-secret", {"USDT": Decimal(50_000), "BTC": Decimal(2)})
BOB = ApiKey("bob", "BOB-KEY", "bob-secret", {"USDT": Decimal(50_000)})
CONFIG = SimulatorConfig(keys=(ANN, BOB))
T = TypeVar("T")


async def start(
    nursery: trio.Nursery, config: SimulatorConfig = CONFIG, *, unix_ms: int | None = None
) -> Simulator:
    """Return a simulator that listens; `unix_ms` is what its clock says at the start."""
    if unix_ms is None:
        simulator = Simulator(config)
    else:
        simulator = Simulator(config, clock=lambda: SimulatorClock(unix_ms))
    await nursery.start(simulator.run)
    return simulator


async def in_thread(work: Callable[[], T]) -> T:
    """Run a blocking client beside the simulator."""
    with trio.fail_after(30):
        return await trio.to_thread.run_sync(work)


def sign(payload: str, secret: str) -> str:
    return hmac.digest(secret.encode(), payload.encode(), "sha256").hex()


@attrs.frozen
class Rest:
    """A REST client; signs as the documentation says, with its own code."""

    endpoints: SimulatorEndpoints
    key: ApiKey = ANN

    def ask(self, method: str, target: str, **more: Any) -> httpx.Response:
        with httpx.Client(verify=False, trust_env=False, timeout=10) as client:  # noqa: S501 -- loopback without TLS
            return client.request(method, self.endpoints.rest_url + target, **more)

    def get(self, target: str) -> Any:
        return self.ask("GET", target).json()

    def signed(self, method: str, target: str, **params: object) -> httpx.Response:
        params.setdefault("timestamp", int(time.time() * 1000))
        query = urlencode(params)
        signature = sign(query, self.key.secret)
        headers = {"X-MBX-APIKEY": self.key.key}
        return self.ask(method, f"{target}?{query}&signature={signature}", headers=headers)

    def order(self, **params: object) -> httpx.Response:
        return self.signed("POST", "/api/v3/order", **params)

    def buy_limit(self, client_id: str, price: object, base: object = "0.01") -> Any:
        return self.order(
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity=base,
            price=price,
            newClientOrderId=client_id,
        ).json()

    def market(self, client_id: str, side: str = "BUY", base: object = "0.01") -> Any:
        return self.order(
            symbol="BTCUSDT",
            side=side,
            type="MARKET",
            quantity=base,
            newClientOrderId=client_id,
        ).json()

    def truth(self) -> Any:
        return self.get("/simulator/truth")


def socket(url: str) -> ClientConnection:
    return connect(url, proxy=None, open_timeout=10, close_timeout=1, compression=None)


def ws_params(key: ApiKey, **params: object) -> dict[str, object]:
    """Return WS-API parameters with key, time and signature."""
    params["apiKey"] = key.key
    params.setdefault("timestamp", int(time.time() * 1000))
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return {**params, "signature": sign(payload, key.secret)}


def request(ws: ClientConnection, method: str, params: dict[str, object]) -> Any:
    """Send one request; return its answer, passing over events."""
    ws.send(json.dumps({"id": method, "method": method, "params": params}))
    while True:
        answer = json.loads(ws.recv(timeout=10))
        if "event" not in answer:
            return answer


def subscribe(ws: ClientConnection, streams: Sequence[str]) -> None:
    ws.send(json.dumps({"method": "SUBSCRIBE", "params": list(streams), "id": 1}))


def hear(ws: ClientConnection, seconds: float) -> list[Any]:
    """Return every message that arrives in so many seconds."""
    heard: list[Any] = []
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            heard.append(json.loads(ws.recv(timeout=left)))
        except TimeoutError:
            break
    return heard


def hear_until(ws: ClientConnection, is_it: Callable[[Any], bool]) -> list[Any]:
    """Return messages up to the first that `is_it`."""
    heard: list[Any] = []
    while True:
        heard.append(json.loads(ws.recv(timeout=10)))
        if is_it(heard[-1]):
            return heard


def closing(ws: ClientConnection) -> ConnectionClosed | None:
    """Read until the server closes; return how, or None if it does not in ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            ws.recv(timeout=1)
        except TimeoutError:
            continue
        except ConnectionClosed as closed:
            return closed
    return None
