"""Who asks Kraken: signatures, nonces that only rise, and the WebSocket's tokens.

Source: "Spot REST Authentication", "Spot WebSocket Authentication", 2026-05-27.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import attrs

from adapters.simulator.exchange import Exchange
from adapters.simulator.http_server import HttpRequest
from adapters.simulator.kraken_faults import BAD_KEY, BAD_NONCE, BAD_SIGNATURE, Refused
from adapters.simulator.kraken_params import Params

NONCE_MAX: Final = 2**64


@attrs.frozen
class Token:
    account: str
    expires_ms: int  # unless a subscription keeps it alive


class Keys:
    """What the venue remembers of every key."""

    def __init__(self, exchange: Exchange, token_s: int) -> None:
        self._exchange = exchange
        self._token_ms = token_s * 1000
        self._nonces: dict[str, int] = {}
        self._tokens: dict[str, Token] = {}

    def account_of(self, request: HttpRequest, params: Params) -> str:
        """Return whose key signed the request.

        Raises:
          Refused: nobody's, the signature is wrong, or the nonce does not rise.
        """
        key = request.headers.get("api-key", "")
        found = self._exchange.keys.get(key)
        if found is None:
            raise Refused(BAD_KEY)
        nonce = params.maybe("nonce") or ""
        expected = signature(found.secret, request.path, nonce, request.body)
        given = request.headers.get("api-sign", "")
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refused(BAD_SIGNATURE)
        is_number = nonce.isascii() and nonce.isdecimal() and int(nonce) < NONCE_MAX
        if not is_number or int(nonce) <= self._nonces.get(key, -1):
            raise Refused(BAD_NONCE)
        self._nonces[key] = int(nonce)
        return found.name

    def issue(self, account: str) -> str:
        """Return a new token of the account for private sockets."""
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        token = "".join(self._exchange.chance.choices(letters, k=43))
        now_ms = self._exchange.now_ms()
        self._tokens = {
            text: it for text, it in self._tokens.items() if it.expires_ms > now_ms
        }
        self._tokens[token] = Token(account, now_ms + self._token_ms)
        return token

    def account_of_token(self, token: str) -> str | None:
        """Return whose token this is; None when it is nobody's or too old."""
        found = self._tokens.get(token)
        if found is None or found.expires_ms <= self._exchange.now_ms():
            return None
        return found.account


def signature(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Return the API-Sign of one request."""
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return "no signature fits a secret that is not base64"
    inner = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.digest(key, path.encode() + inner, "sha512")).decode()
