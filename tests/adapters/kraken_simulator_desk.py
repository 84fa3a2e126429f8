"""Clients of the simulated Kraken that nobody of its side wrote: httpx and websockets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

import attrs
import httpx
import trio
from websockets.sync.client import ClientConnection

from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.faults import Fault
from adapters.simulator.server import Simulator, SimulatorEndpoints
from tests.adapters.ccxt_desk import STILL
from tests.adapters.simulator_desk import in_thread, socket, start

FUNDS = {"USDT": Decimal(50_000), "BTC": Decimal(2)}
ANN = ApiKey("ann", "ANN-KEY", base64.b64encode(b"ann's secret").decode(), FUNDS)
BOB = ApiKey("bob", "BOB-KEY", base64.b64encode(b"bob's secret").decode(), FUNDS)
CONFIG = SimulatorConfig(dialect="kraken", keys=(ANN, BOB))
QUIET = attrs.evolve(CONFIG, listings=(STILL,))  # bid 60000.00, ask 60000.01, for ever
UUID = "6d1b345e-2821-40e2-ad83-4ecb18a0{:04d}"
OWN = UUID.format(1)
_nonces = itertools.count(1)
T = TypeVar("T")


def signed(secret: str, path: str, nonce: object, body: str) -> str:
    """Return API-Sign as the documentation says it is made."""
    inner = hashlib.sha256(f"{nonce}{body}".encode()).digest()
    digest = hmac.digest(base64.b64decode(secret), path.encode() + inner, "sha512")
    return base64.b64encode(digest).decode()


@attrs.frozen
class Rest:
    """A REST client with its own signer and a nonce that rises over all tests."""

    endpoints: SimulatorEndpoints
    key: ApiKey = ANN

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        with httpx.Client(verify=False, trust_env=False, timeout=10) as client:  # noqa: S501 -- loopback without TLS
            return client.request(method, self.endpoints.rest_url + path, **more)

    def public(self, name: str, **params: object) -> Any:
        query = f"?{urlencode(params)}" if params else ""
        return self.ask("GET", f"/0/public/{name}{query}").json()

    def raw(self, name: str, **params: object) -> httpx.Response:
        path = f"/0/private/{name}"
        params.setdefault("nonce", next(_nonces))
        body = urlencode(params)
        headers = {
            "API-Key": self.key.key,
            "API-Sign": signed(self.key.secret, path, params["nonce"], body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.ask("POST", path, content=body, headers=headers)

    def json(self, name: str, **params: object) -> Any:
        """Ask with a JSON body."""
        path, nonce = f"/0/private/{name}", str(next(_nonces))
        body = json.dumps({"nonce": nonce, **params})
        headers = {
            "API-Key": self.key.key,
            "API-Sign": signed(self.key.secret, path, nonce, body),
            "Content-Type": "application/json",
        }
        return self.ask("POST", path, content=body, headers=headers).json()

    def private(self, name: str, **params: object) -> Any:
        return self.raw(name, **params).json()

    def result(self, name: str, **params: object) -> Any:
        """Return the result of a private call that must not be refused."""
        answer = self.private(name, **params)
        assert answer["error"] == [], answer
        return answer["result"]

    def buy(
        self, price: object = "54000.5", volume: object = "0.01", **more: object
    ) -> Any:
        order = {"pair": "XBTUSDT", "type": "buy", "volume": volume}
        if price is None:
            return self.private("AddOrder", **order, ordertype="market", **more)
        more = {"ordertype": "limit", "price": price, **more}
        return self.private("AddOrder", **order, **more)

    def token(self) -> str:
        return str(self.result("GetWebSocketsToken")["token"])

    def truth(self) -> Any:
        return self.ask("GET", "/simulator/truth").json()


@attrs.define
class Talk:
    """One WebSocket conversation: what was heard on the way to an answer is kept."""

    ws: ClientConnection
    token: str = ""
    heard: list[dict[str, Any]] = attrs.Factory(list[dict[str, Any]])
    _ids: itertools.count[int] = attrs.field(factory=lambda: itertools.count(1))

    def hear(self) -> dict[str, Any]:
        """Return the next message, its numbers exact."""
        message = json.loads(self.ws.recv(timeout=10), parse_float=Decimal)
        self.heard.append(message)
        return message

    def hear_until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message = self.hear()
            if is_it(message):
                return message

    def say(self, method: str, params: Mapping[str, object] | None = None) -> int:
        req_id = next(self._ids)
        message: dict[str, object] = {"method": method, "req_id": req_id}
        if params is not None:
            token = {"token": self.token} if self.token else {}
            message["params"] = {**params, **token}
        self.ws.send(json.dumps(message))
        return req_id

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Send one request and return its first answer."""
        req_id = self.say(method, params)
        return self.hear_until(lambda it: it.get("req_id") == req_id)

    def subscribe(self, channel: str, *symbols: str, **more: object) -> dict[str, Any]:
        named = {"symbol": list(symbols)} if symbols else {}
        return self.ask("subscribe", channel=channel, **named, **more)

    def of(self, channel: str) -> list[dict[str, Any]]:
        return [it for it in self.heard if it.get("channel") == channel]

    def next_of(self, channel: str) -> dict[str, Any]:
        return self.hear_until(lambda it: it.get("channel") == channel)


def public_socket(endpoints: SimulatorEndpoints) -> ClientConnection:
    return socket(endpoints.url)


def private_socket(endpoints: SimulatorEndpoints) -> ClientConnection:
    return socket(endpoints.ws_api_url)


class Rebuilt:
    """A book rebuilt by the documentation's rules, with their checksum."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}

    def apply(self, row: Mapping[str, Any]) -> None:
        for word, levels in self.sides.items():
            for level in row[word]:
                if level["qty"]:
                    levels[level["price"]] = level["qty"]
                else:
                    levels.pop(level["price"], None)
            for price in self.best_first(word)[self.depth :]:
                del levels[price]

    def best_first(self, word: str) -> list[Decimal]:
        return sorted(self.sides[word], reverse=word == "bids")

    def checksum(self) -> int:
        text = ""
        for word in ("asks", "bids"):
            for price in self.best_first(word)[:10]:
                for number in (price, self.sides[word][price]):
                    text += format(number, "f").replace(".", "").lstrip("0")
        return zlib.crc32(text.encode())


async def talking_privately(
    nursery: trio.Nursery,
    work: Callable[[Talk, Rest], T],
    config: SimulatorConfig = QUIET,
    fault: Fault | None = None,
) -> T:
    """Let a client with a token talk to a new simulated Kraken on its private socket."""
    simulator = await start(nursery, config)
    if fault is not None:
        simulator.inject(fault)
    return await in_thread(lambda: private_talk(simulator, work))


def private_talk(simulator: Simulator, work: Callable[[Talk, Rest], T]) -> T:
    rest = Rest(simulator.endpoints)
    with private_socket(simulator.endpoints) as ws:
        return work(Talk(ws, rest.token()), rest)


def limit(talk: Talk, **more: object) -> dict[str, Any]:
    order: dict[str, object] = {
        "order_type": "limit",
        "side": "buy",
        "symbol": "BTC/USDT",
        "order_qty": 0.01,
        "limit_price": 54000.5,
    }
    return talk.ask("add_order", **(order | more))


def market(talk: Talk, **more: object) -> dict[str, Any]:
    order: dict[str, object] = {
        "order_type": "market",
        "side": "buy",
        "symbol": "BTC/USDT",
        "order_qty": 0.01,
    }
    return talk.ask("add_order", **(order | more))


def rows(talk: Talk, channel: str = "executions") -> list[dict[str, Any]]:
    """Return the rows of the updates heard so far."""
    return [row for it in talk.of(channel) if it["type"] == "update" for row in it["data"]]


def settle(talk: Talk) -> None:
    """Hear everything that was said before now."""
    req_id = talk.say("ping")
    talk.hear_until(lambda it: it.get("req_id") == req_id)
