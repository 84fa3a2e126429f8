"""A scripted Coinbase for the tests of its adapter: REST with bodies, and feed talk."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import attrs
import trio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from actors.messages import OrderRequest, OrderType, Side
from adapters.coinbase import Coinbase, open_coinbase
from adapters.coinbase.gate import Bucket, Gate
from adapters.endpoints import Endpoints
from adapters.http import HttpTiming
from adapters.sockets import Timing
from adapters.streams import Dial, dial
from tests.adapters.peers import http

NOW_MS: Final = 1_700_000_000_000
KEY: Final = "organizations/canary/apiKeys/6c0b"
PEM: Final = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    .decode()
)
HMAC_SECRET: Final = "Y2FuYXJ5LXNlY3JldC05M2Qx"
PASSPHRASE: Final = "canary-passphrase-41aa"
OUR_ID: Final = "0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90"
NEW_ID: Final = "1c2e0c1e-6f2a-4c59-9a6e-3d2f1c7b8a91"
THEIR_ID: Final = "d50ec984-77a8-460a-b958-66f114b0de9b"
BUY: Final = OrderRequest(
    OUR_ID, "BTC/USD", Side.BUY, OrderType.LIMIT, Decimal("0.5"), Decimal("100.25")
)
PRODUCTS: Final = [
    {
        "id": f"{base}-USD",
        "base_currency": base,
        "quote_currency": "USD",
        "quote_increment": "0.01",
        "base_increment": "0.00000001",
        "min_market_funds": "1",
        "status": "online",
    }
    for base in ("BTC", "ETH")
]


@attrs.frozen
class Sealed:
    value: str

    def reveal(self) -> str:
        return self.value


ADVANCED: Final = (Sealed(KEY), Sealed(PEM))
EXCHANGE: Final = (Sealed(KEY), Sealed(HMAC_SECRET), Sealed(PASSPHRASE))


@attrs.define
class StillClock:
    """A wall clock that stands still, beside a boot clock that runs with Trio's."""

    wall_ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.wall_ms

    def awake_s(self) -> float:
        return trio.current_time()

    def elapsed_s(self) -> float:
        return trio.current_time()


@attrs.frozen
class Asked:
    """One request as the venue received it."""

    method: str
    path: str
    params: list[tuple[str, str]]
    headers: Mapping[str, str]  # names in lower case
    body: Any

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.params if key == name]


@attrs.frozen
class Said:
    """An answer: any JSON value, or bytes as they are; None as a whole hangs up."""

    body: Any
    status: int = 200
    headers: str = ""

    def raw(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return http(self.status, body, self.headers)


Answer = Callable[[Asked], Said | None]


@attrs.define
class HttpDesk:
    """An HTTP server on loopback that answers from a script and remembers what came."""

    answer: Answer
    port: int = 0
    asked: list[Asked] = attrs.Factory(list[Asked])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, method: str, path: str) -> list[Asked]:
        return [it for it in self.asked if (it.method, it.path) == (method, path)]

    async def serve(self, *, task_status: trio.TaskStatus[None]) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._talk, listeners)

    async def _talk(self, stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            async with stream:
                await self._serve_one(stream)

    async def _serve_one(self, stream: trio.SocketStream) -> None:
        text = b""
        while True:
            while b"\r\n\r\n" not in text:
                data = await stream.receive_some()
                if not data:
                    return
                text += data
            head, _, text = text.partition(b"\r\n\r\n")
            line, headers = _headers(head.decode())
            size = int(headers.get("content-length", "0"))
            while len(text) < size:
                text += await stream.receive_some()
            body, text = text[:size], text[size:]
            asked = _asked(line, headers, body)
            self.asked.append(asked)
            said = self._said(asked)
            if said is None:
                return
            await stream.send_all(said.raw())

    def _said(self, asked: Asked) -> Said | None:
        if asked.path == "/products":
            return Said(PRODUCTS)
        return self.answer(asked)


def _headers(head: str) -> tuple[str, dict[str, str]]:
    line, *rest = head.split("\r\n")
    pairs = [each.partition(":") for each in rest]
    return line, {name.lower(): value.strip() for name, _, value in pairs}


def _asked(line: str, headers: Mapping[str, str], body: bytes) -> Asked:
    method, target, _ = line.split(" ")
    parts = urlsplit(target)
    params = parse_qsl(parts.query)
    return Asked(method, parts.path, params, headers, json.loads(body) if body else None)


def nothing(_asked: Asked) -> Said:
    return Said({"message": "NotFound"}, 404)


@asynccontextmanager
async def opened(
    nursery: trio.Nursery, answer: Answer = nothing, *, dial: Dial = dial
) -> AsyncGenerator[tuple[HttpDesk, Coinbase], None]:
    """Open a Coinbase against a desk that answers so, its sockets dialled so."""
    desk = HttpDesk(answer)
    await nursery.start(desk.serve)
    endpoints = Endpoints(
        "ws://venue.test", "ws://user.venue.test", desk.origin, desk.origin
    )
    clock = StillClock()
    gate = Gate(clock)
    gate.public = Bucket(per_s=1000.0, burst=1000.0)
    async with open_coinbase(
        endpoints,
        clock=clock,
        allow_foreign_host=True,
        timing=Timing(connect_s=1.0),
        http_timing=HttpTiming(read_s=0.5),
        gate=gate,
        dial=dial,
    ) as coinbase:
        yield desk, coinbase
    nursery.cancel_scope.cancel()


def by_path(
    **answers: Said | Callable[[Asked], Said | None],
) -> Callable[[Asked], Said | None]:
    """Return a script by method and the last word of the path: `get_batch`."""

    def answer(asked: Asked) -> Said | None:
        last = asked.path.rpartition("/")[2].partition(":")[0]
        found = answers.get(f"{asked.method.lower()}_{last}")
        if found is None:
            return Said({"error": "NOT_FOUND", "message": "NotFound"}, 404)
        return found if isinstance(found, Said) else found(asked)

    return answer
