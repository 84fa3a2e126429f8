"""Sign what an account asks: HMAC for Exchange keys, a JWT for Advanced Trade's.

Exchange: base64 of HMAC-SHA256 over timestamp, method, target with its query, and body.
Advanced Trade: a token for each request (ES256 or EdDSA) that names the request and lives
two minutes at most; a WebSocket subscription needs one of its own that names nothing.

An order must not arrive late: whoever judges a lost one counts on the venue refusing it
five seconds after it was sent (I-10). So a token of an order lives that long, and the
timestamp of an Exchange order, which may be thirty seconds old, is most of that already.

Source: WIRE 3.8 and 3.12; Exchange REST authentication; CDP, "JWT Authentication".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from adapters.endpoints import Revealing
from adapters.secrets import SecretError

TOKEN_S: Final = 120  # a token lives as long as the venue lets it
ORDER_S: Final = 5  # after which no order of ours is accepted any more
STAMP_S: Final = 30  # the oldest timestamp that the Exchange accepts
EARLY_S: Final = 5  # our measure of the venue's clock may be ahead of it
PASSPORT: Final = "/users/self/verify"  # what a signed subscription pretends to ask for
SEED_SIZE: Final = 32  # of an Ed25519 key; the secret is the seed, or seed and public key
HALF: Final = 32  # of a signature by P-256

Sign = Callable[[bytes], bytes]


@attrs.frozen(repr=False)
class ExchangeSigner:
    """A key with a passphrase. Prints as nothing but its type."""

    key: Revealing
    secret: Revealing
    passphrase: Revealing

    def check(self) -> None:
        """Refuse a secret that signs nothing.

        Raises:
          SecretError: the secret is not base64.
        """
        try:
            base64.b64decode(self.secret.reveal(), validate=True)
        except binascii.Error:
            raise SecretError("the secret of a Coinbase Exchange key is base64") from None

    def headers(
        self, method: str, target: str, body: bytes, now_ms: int, *, is_order: bool = False
    ) -> dict[str, str]:
        """Return the headers of exactly this request."""
        if is_order:
            now_ms -= (STAMP_S - ORDER_S) * 1000
        stamp = f"{now_ms // 1000}.{now_ms % 1000:03d}"
        return {
            "CB-ACCESS-KEY": self.key.reveal(),
            "CB-ACCESS-SIGN": self.sign(stamp, method, target, body),
            "CB-ACCESS-TIMESTAMP": stamp,
            "CB-ACCESS-PASSPHRASE": self.passphrase.reveal(),
        }

    def subscription(self, now_ms: int) -> dict[str, str]:
        """Return the fields that sign a subscription."""
        stamp = str(now_ms // 1000)
        return {
            "signature": self.sign(stamp, "GET", PASSPORT, b""),
            "key": self.key.reveal(),
            "passphrase": self.passphrase.reveal(),
            "timestamp": stamp,
        }

    def sign(self, stamp: str, method: str, target: str, body: bytes) -> str:
        """Return the signature of one request."""
        secret = base64.b64decode(self.secret.reveal())
        text = f"{stamp}{method}{target}".encode() + body
        return base64.b64encode(hmac.digest(secret, text, "sha256")).decode()


@attrs.define(repr=False, eq=False)
class AdvancedSigner:
    """A CDP key: its name, and a private key. Prints as nothing but its type."""

    _key: Revealing
    _secret: Revealing
    _tokens: int = 0
    _found: tuple[str, Sign] | None = None

    def check(self) -> None:
        """Refuse a secret that signs nothing.

        Raises:
          SecretError: it is neither an EC private key nor an Ed25519 one.
        """
        self._signing()

    def headers(
        self, method: str, host: str, path: str, now_ms: int, *, is_order: bool = False
    ) -> dict[str, str]:
        """Return the header of one request; `path` is without its query."""
        life_s = EARLY_S + ORDER_S if is_order else TOKEN_S
        token = self.token(now_ms, f"{method} {host}{path}", life_s=life_s)
        return {"Authorization": f"Bearer {token}"}

    def token(self, now_ms: int, uri: str = "", *, life_s: int = TOKEN_S) -> str:
        """Return a fresh token for `uri`, or for a subscription."""
        algorithm, sign = self._signing()
        name = self._key.reveal()
        self._tokens += 1
        nonce = hashlib.sha256(f"{name}/{now_ms}/{self._tokens}".encode()).hexdigest()[:32]
        begins_s = now_ms // 1000 - EARLY_S
        claims: dict[str, object] = {
            "sub": name,
            "iss": "cdp",
            "nbf": begins_s,
            "exp": begins_s + life_s,
        }
        if uri:
            claims["uri"] = uri
        head = {"alg": algorithm, "kid": name, "nonce": nonce, "typ": "JWT"}
        text = f"{_part(head)}.{_part(claims)}"
        return f"{text}.{_base64url(sign(text.encode()))}"

    def _signing(self) -> tuple[str, Sign]:
        if self._found is None:
            secret = self._secret.reveal().replace("\\n", "\n").strip()
            is_pem = secret.startswith("-----BEGIN")
            self._found = _by_pem(secret) if is_pem else _by_seed(secret)
        return self._found


def _by_pem(secret: str) -> tuple[str, Sign]:
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 -- 6 MB
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415 -- too

    try:
        key = serialization.load_pem_private_key(secret.encode(), password=None)
    except (ValueError, TypeError):
        raise SecretError("a Coinbase secret in PEM cannot be read as a key") from None
    if not (isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1"):
        raise SecretError("a Coinbase secret in PEM is an EC private key of P-256")
    method = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)

    def sign(text: bytes) -> bytes:
        first, second = utils.decode_dss_signature(key.sign(text, method))
        return first.to_bytes(HALF) + second.to_bytes(HALF)

    return "ES256", sign


def _by_seed(secret: str) -> tuple[str, Sign]:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 -- as above

    try:
        raw = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) not in {SEED_SIZE, 2 * SEED_SIZE}:
        raise SecretError(
            "a Coinbase secret is an EC private key in PEM, or an Ed25519 key in base64"
        )
    return "EdDSA", ed25519.Ed25519PrivateKey.from_private_bytes(raw[:SEED_SIZE]).sign


def _part(fields: Mapping[str, object]) -> str:
    return _base64url(json.dumps(fields, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
