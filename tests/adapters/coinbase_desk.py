"""A simulated Coinbase, and clients for it: httpx, websockets, PyJWT for the tokens."""

from __future__ import annotations

import base64
import hmac
import json
import time
from decimal import Decimal
from typing import Any

import attrs
import httpx
import jwt
import trio
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from adapters.simulator.config import ApiKey, Limits, Listing, SimulatorConfig
from adapters.simulator.server import Simulator, SimulatorEndpoints

OID = "0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90"
HELD = {"USD": Decimal(50_000), "BTC": Decimal(2)}
P256 = (
    generate_private_key(SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)
ED25519 = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
HMAC = base64.b64encode(b"ann" * 16).decode()
ANN = ApiKey("ann", "ANN-KEY", HMAC, HELD, passphrase="open")
BOB = ApiKey("bob", "organizations/1/apiKeys/bob", P256, HELD)
EVE = ApiKey("eve", "2c5ba2fc-3b6e-4d9c-9c8e-6a8d7d3c0e51", ED25519, HELD)
BTC = Listing("BTC/USD", Decimal("60000.00"))
STILL = attrs.evolve(BTC, volatility=0.0)  # bid 60000.00, ask 60000.01
ETH = Listing("ETH/USD", Decimal("2500.00"), lot=Decimal("0.0001"))
CONFIG = SimulatorConfig(
    dialect="coinbase",
    listings=(BTC, ETH),
    keys=(ANN, BOB, EVE),
    maker_fee=Decimal("0.004"),
    taker_fee=Decimal("0.006"),
)
QUICK = attrs.evolve(CONFIG, limits=Limits(subscribe_s=0.3))


async def start(
    nursery: trio.Nursery, config: SimulatorConfig = CONFIG
) -> SimulatorEndpoints:
    """Return where a simulated Coinbase listens."""
    simulator = Simulator(config)
    await nursery.start(simulator.run)
    return simulator.endpoints


def advanced_url(endpoints: SimulatorEndpoints, path: str = "/advanced-trade-ws") -> str:
    return endpoints.url.replace("/ws-feed", path)


@attrs.frozen
class Exchange:
    """A client of Exchange; signs as the documentation says, with its own code."""

    endpoints: SimulatorEndpoints
    key: ApiKey = ANN

    def ask(self, method: str, target: str, **more: Any) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=10) as client:
            return client.request(method, self.endpoints.rest_url + target, **more)

    def get(self, target: str) -> Any:
        return self.ask("GET", target).json()

    def signed(
        self, method: str, target: str, fields: dict[str, Any] | None = None
    ) -> httpx.Response:
        body = json.dumps(fields) if fields is not None else ""
        headers = self.headers(method + target + body)
        return self.ask(method, target, content=body, headers=headers)

    def headers(self, payload: str, at_s: float | None = None) -> dict[str, str]:
        timestamp = str(time.time() if at_s is None else at_s)
        secret = base64.b64decode(self.key.secret)
        digest = hmac.digest(secret, f"{timestamp}{payload}".encode(), "sha256")
        return {
            "CB-ACCESS-KEY": self.key.key,
            "CB-ACCESS-SIGN": base64.b64encode(digest).decode(),
            "CB-ACCESS-TIMESTAMP": timestamp,
            "CB-ACCESS-PASSPHRASE": self.key.passphrase,
        }

    def subscription(self, *channels: str, **more: Any) -> str:
        """Return a signed subscription to BTC-USD."""
        headers = self.headers("GET/users/self/verify")
        return json.dumps(
            {
                "type": "subscribe",
                "product_ids": ["BTC-USD"],
                "channels": list(channels),
                "key": headers["CB-ACCESS-KEY"],
                "signature": headers["CB-ACCESS-SIGN"],
                "timestamp": headers["CB-ACCESS-TIMESTAMP"],
                "passphrase": headers["CB-ACCESS-PASSPHRASE"],
            }
            | more
        )

    def place(self, **fields: Any) -> httpx.Response:
        order = {"product_id": "BTC-USD", "side": "buy"} | fields
        return self.signed("POST", "/orders", order)

    def limit(self, price: str = "50000", size: str = "0.01", **more: Any) -> Any:
        return self.place(type="limit", price=price, size=size, **more).json()

    def orders(self, target: str = "") -> Any:
        return self.signed("GET", f"/orders{target}").json()

    def truth(self) -> Any:
        return self.get("/simulator/truth")


@attrs.frozen
class Advanced:
    """A client of Advanced Trade; its tokens are PyJWT's."""

    endpoints: SimulatorEndpoints
    key: ApiKey = BOB

    def token(self, uri: str | None, *, age_s: int = 0, life_s: int = 120) -> str:
        now_s = int(time.time()) - age_s
        claims = {"sub": self.key.key, "iss": "cdp", "nbf": now_s, "exp": now_s + life_s}
        if uri is not None:
            claims["uri"] = uri
        headers = {"kid": self.key.key, "nonce": "0123456789abcdef"}
        if self.key.secret.startswith("-----"):
            return jwt.encode(claims, self.key.secret, algorithm="ES256", headers=headers)
        seed = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.key.secret))
        return jwt.encode(claims, seed, algorithm="EdDSA", headers=headers)

    def ask(self, method: str, target: str, fields: Any = None, **more: Any) -> Any:
        """Return the answer to a request with a token for it."""
        path = target.partition("?")[0]
        token = self.token(f"{method} api.coinbase.com/api/v3/brokerage{path}", **more)
        return self.bearing(token, method, target, fields)

    def bearing(self, token: str, method: str, target: str, fields: Any = None) -> Any:
        with httpx.Client(trust_env=False, timeout=10) as client:
            return client.request(
                method,
                f"{self.endpoints.rest_url}/api/v3/brokerage{target}",
                json=fields,
                headers={"Authorization": f"Bearer {token}"},
            )

    def get(self, target: str) -> Any:
        return self.ask("GET", target).json()

    def place(self, client_id: str, configuration: Any, **more: Any) -> Any:
        order = {
            "client_order_id": client_id,
            "product_id": "BTC-USD",
            "side": "BUY",
            "order_configuration": configuration,
        }
        return self.ask("POST", "/orders", order | more).json()

    def limit(self, client_id: str, price: str = "50000", size: str = "0.01") -> Any:
        fields = {"base_size": size, "limit_price": price, "post_only": False}
        return self.place(client_id, {"limit_limit_gtc": fields})

    def subscription(self, channel: str, *, product: str = "BTC-USD") -> str:
        """Return a subscription, with a token."""
        fields: dict[str, Any] = {"type": "subscribe", "channel": channel}
        if product:
            fields["product_ids"] = [product]
        return json.dumps(fields | {"jwt": self.token(None)})
