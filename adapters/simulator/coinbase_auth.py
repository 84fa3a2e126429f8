"""Who signed: Exchange's CB-ACCESS headers and Advanced Trade's JWTs, really checked.

Written anew and not with the adapter's signer, so that each is checked by the other.

Source: WIRE 3.8 and 3.12; docs.cdp.coinbase.com "API key authentication".
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import attrs
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapters.simulator.coinbase_faults import (
    BAD_KEY,
    BAD_PASSPHRASE,
    BAD_SIGNATURE,
    EXPIRED,
    Refused,
)
from adapters.simulator.config import ApiKey

WINDOW_S: Final = 30  # of CB-ACCESS-TIMESTAMP
TOKEN_S: Final = 120  # how long a token may live
LEEWAY_S: Final = 1  # a client's whole seconds may be a little ahead
VENUE_HOST: Final = "api.coinbase.com"
ISSUERS: Final = ("cdp", "coinbase-cloud")


@attrs.frozen
class Signed:
    """What came with a signed Exchange request, or with a signed subscription."""

    key: str
    passphrase: str
    timestamp: str
    signature: str
    payload: str  # method, path with query, body


def exchange_key(keys: Mapping[str, ApiKey], signed: Signed, now_ms: int) -> ApiKey:
    """Return whose key signed.

    Raises:
      Refused: nobody's, too long ago, or the signature is wrong.
    """
    found = keys.get(signed.key)
    if found is None or not found.passphrase:
        raise Refused(*BAD_KEY)
    if not hmac.compare_digest(found.passphrase.encode(), signed.passphrase.encode()):
        raise Refused(*BAD_PASSPHRASE)
    try:
        age_s = Decimal(now_ms) / 1000 - Decimal(signed.timestamp)
    except InvalidOperation:
        raise Refused(400, "invalid timestamp") from None
    if not abs(age_s) <= WINDOW_S:
        raise Refused(*EXPIRED)
    try:
        secret = base64.b64decode(found.secret)
    except binascii.Error:
        raise Refused(*BAD_SIGNATURE) from None  # no signature fits such a secret
    text = f"{signed.timestamp}{signed.payload}".encode()
    expected = base64.b64encode(hmac.digest(secret, text, "sha256"))
    if not hmac.compare_digest(expected, signed.signature.encode()):
        raise Refused(*BAD_SIGNATURE)
    return found


class BadToken(Exception):
    """A JWT that opens nothing; the text says why, for tests and logs."""


class _Header(msgspec.Struct):
    alg: str
    kid: str


class _Claims(msgspec.Struct):
    sub: str
    iss: str
    nbf: int
    exp: int
    uri: str = ""
    uris: tuple[str, ...] = ()


def token_key(
    keys: Mapping[str, ApiKey],
    token: str,
    now_s: float,
    uris: Iterable[str] | None = None,
) -> ApiKey:
    """Return whose key signed a token; `uris` are those one of which it must name.

    Raises:
      BadToken: malformed, expired, for something else, or not signed by its key.
    """
    head, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    try:
        header = msgspec.json.decode(_decoded(head), type=_Header)
        claims = msgspec.json.decode(_decoded(body), type=_Claims)
    except (msgspec.MsgspecError, binascii.Error) as error:
        raise BadToken("malformed") from error
    found = keys.get(header.kid)
    if found is None or claims.sub != header.kid or claims.iss not in ISSUERS:
        raise BadToken("nobody's key")
    if not claims.nbf - LEEWAY_S <= now_s < claims.exp <= claims.nbf + TOKEN_S:
        raise BadToken("expired, or lives too long")
    if uris is not None and not {claims.uri, *claims.uris} & set(uris):
        raise BadToken(f"for {claims.uri or claims.uris}")
    _check(found, header.alg, f"{head}.{body}".encode(), _signature(signature))
    return found


def _signature(text: str) -> bytes:
    try:
        return _decoded(text)
    except binascii.Error as error:
        raise BadToken("malformed signature") from error


def _decoded(text: str) -> bytes:
    """Return what unpadded URL-safe base64 says."""
    if "=" in text:
        raise binascii.Error("padded")
    return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))


def _check(key: ApiKey, algorithm: str, signed: bytes, signature: bytes) -> None:
    public = public_key(key.secret)
    try:
        if algorithm == "ES256" and isinstance(public, EllipticCurvePublicKey):
            half = len(signature) // 2
            if half != 32:
                raise BadToken("a signature of the wrong length")
            r, s = (int.from_bytes(it) for it in (signature[:half], signature[half:]))
            public.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
        elif algorithm == "EdDSA" and isinstance(public, Ed25519PublicKey):
            public.verify(signature, signed)
        else:
            raise BadToken(f"{algorithm} is not what its key signs with")
    except InvalidSignature as error:
        raise BadToken("not signed by its key") from error


def public_key(secret: str) -> EllipticCurvePublicKey | Ed25519PublicKey | None:
    """Return the public half of a CDP key: PEM of P-256, or base64 of Ed25519.

    None of any other secret: no token fits it.
    """
    if secret.startswith("-----BEGIN"):
        return _of_pem(secret.encode())
    try:
        raw = base64.b64decode(secret, validate=True)
    except binascii.Error:
        return None
    if len(raw) not in {32, 64}:
        return None
    return Ed25519PrivateKey.from_private_bytes(raw[:32]).public_key()


def _of_pem(secret: bytes) -> EllipticCurvePublicKey | Ed25519PublicKey | None:
    try:
        private = load_pem_private_key(secret, None)
    except ValueError:
        return None
    if isinstance(private, Ed25519PrivateKey):
        return private.public_key()
    if not isinstance(private, EllipticCurvePrivateKey):
        return None
    return private.public_key() if isinstance(private.curve, SECP256R1) else None
