"""Sign private REST calls: API-Sign over the path, the nonce and the body.

Source: docs.kraken.com, "Spot REST Authentication", 2026-05-27.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import attrs

from adapters.endpoints import Revealing
from adapters.secrets import SecretError

FORM: Final = "application/x-www-form-urlencoded"


@attrs.frozen(repr=False)
class Signer:
    """One account's key. Prints as nothing but its type."""

    key: Revealing
    secret: Revealing

    def __attrs_post_init__(self) -> None:
        """Refuse a secret that can sign nothing, before anything depends on it.

        Raises:
          SecretError: it is not base64.
        """
        _decoded(self.secret)

    def print_(self) -> str:
        """Return a name for the key that tells nobody what it is."""
        return hashlib.sha256(self.key.reveal().encode()).hexdigest()[:16]

    def headers(self, path: str, nonce: int, body: bytes) -> dict[str, str]:
        """Return the headers of a POST to `path` whose body begins with the nonce."""
        return {
            "api-key": self.key.reveal(),
            "api-sign": sign(path, nonce, body, self.secret),
            "content-type": FORM,
        }


def encode_body(nonce: int, params: Mapping[str, str | int]) -> bytes:
    """Return the form that is signed, byte for byte what is sent."""
    return urlencode({"nonce": nonce, **params}).encode()


def sign(path: str, nonce: int, body: bytes, secret: Revealing) -> str:
    """Return the signature of one call."""
    digest = hashlib.sha256(str(nonce).encode() + body).digest()
    signature = hmac.digest(_decoded(secret), path.encode() + digest, "sha512")
    return base64.b64encode(signature).decode()


def _decoded(secret: Revealing) -> bytes:
    try:
        return base64.b64decode(secret.reveal(), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError("the secret of a Kraken key is base64, and this is not") from None
