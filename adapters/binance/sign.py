"""Sign requests with HMAC-SHA256 in hexadecimal.

REST: the query string, percent-encoded *before* it is signed (obligatory since
2026-01-15). WS-API: every parameter, sorted by name, raw UTF-8.

Source: rest-api.md and web-socket-api.md, "SIGNED request", 2026-07-21.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import quote

import attrs

from adapters.endpoints import Revealing


@attrs.frozen(repr=False)
class Signer:
    """One account's key. Prints as nothing but its type."""

    key: Revealing
    secret: Revealing

    def query(self, params: Mapping[str, str | int]) -> str:
        """Return `params` as a query string with its signature at the end."""
        query = encode_query(params)
        return f"{query}&signature={sign(query, self.secret)}"

    def params(self, params: Mapping[str, str | int]) -> dict[str, str | int]:
        """Return WS-API parameters with the key and the signature."""
        keyed = {**params, "apiKey": self.key.reveal()}
        payload = "&".join([f"{name}={keyed[name]}" for name in sorted(keyed)])
        return {**keyed, "signature": sign(payload, self.secret)}

    def headers(self) -> dict[str, str]:
        """Return the REST header that names the key."""
        return {"X-MBX-APIKEY": self.key.reveal()}


def encode_query(params: Mapping[str, str | int]) -> str:
    """Return a percent-encoded query string."""
    return "&".join(
        [f"{name}={quote(str(value), safe='')}" for name, value in params.items()]
    )


def sign(payload: str, secret: Revealing) -> str:
    """Return the signature of `payload`."""
    return hmac.digest(secret.reveal().encode(), payload.encode(), "sha256").hex()
