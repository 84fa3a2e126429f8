"""Coinbase's REST doors: paths, signatures, rates and answers, refusals in each's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import parse_qs, unquote

import msgspec
import trio

from adapters.simulator.coinbase_asked import Asked, Page
from adapters.simulator.coinbase_auth import (
    VENUE_HOST,
    BadToken,
    Signed,
    exchange_key,
    token_key,
)
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_endpoints import Endpoint, found
from adapters.simulator.coinbase_faults import (
    NOT_FOUND,
    PRIVATE_LIMIT,
    PUBLIC_LIMIT,
    SERVER_ERROR,
    AdvancedRefused,
    Refused,
    invalid,
)
from adapters.simulator.http_server import HttpAnswer, HttpRequest

UNAUTHORIZED: Final = HttpAnswer(401, b"Unauthorized\n", content_type="text/plain")


class CoinbaseRest:
    """Answers one request at a time; knows nothing of sockets."""

    def __init__(self, venue: CoinbaseDialect) -> None:
        self._venue = venue

    async def respond(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer; None means that the connection is cut without one."""
        await trio.lowlevel.checkpoint()
        wanted = found(request.method, request.path)
        if wanted is None:
            return _refusal(*NOT_FOUND)
        endpoint, parts = wanted
        answer, has_effect = self._answer(endpoint, parts, request)
        if not (endpoint.is_order and has_effect):
            return answer
        faults = self._venue.exchange.faults
        late = faults.strike("late_ack", "rest")
        if faults.strike("lost_ack", "rest"):
            answer = None
        elif faults.strike("server_error", "rest"):
            answer = _refusal(*SERVER_ERROR)
        if late is not None:
            await trio.sleep(late.delay_s)
        return answer

    def _answer(
        self, endpoint: Endpoint, parts: tuple[str, ...], request: HttpRequest
    ) -> tuple[HttpAnswer, bool]:
        """Do what is asked; return the answer, and whether anything was done."""
        try:
            account = self._authenticate(endpoint, request) if endpoint.is_signed else ""
            self._charge(endpoint, account or request.host)
            told = self._perform(endpoint, _asked(endpoint, parts, request, account))
        except BadToken:
            return UNAUTHORIZED, False
        except Refused as refused:
            return _refusal(refused.status, refused.message), False
        except AdvancedRefused as refused:
            fields = {
                "error": refused.error,
                "error_details": refused.message,
                "message": refused.message,
            }
            return HttpAnswer(refused.status, msgspec.json.encode(fields)), False
        if isinstance(told, Page):
            cursors = (("CB-BEFORE", told.before), ("CB-AFTER", told.after))
            headers = tuple(pair for pair in cursors if pair[1])
            return HttpAnswer(200, msgspec.json.encode(told.rows), headers), True
        return HttpAnswer(200, msgspec.json.encode(told)), True

    def _perform(self, endpoint: Endpoint, asked: Asked) -> object:
        requests, name = self._venue.exchange.requests, endpoint.answer.__name__
        requests[name] = requests.get(name, 0) + 1
        try:
            return endpoint.answer(self._venue, asked)
        finally:
            self._venue.flush()

    def _charge(self, endpoint: Endpoint, whose: str) -> None:
        """Refuse who asks too often, and anybody while the script says so."""
        exchange = self._venue.exchange
        struck = exchange.faults.strike("rate_limit", "rest") or exchange.faults.strike(
            "ban", "rest"
        )
        if struck or not self._venue.buckets.take(endpoint.rate, whose, exchange.now_ms()):
            if endpoint.is_advanced:
                raise AdvancedRefused(429, "rate_limit_exceeded", "Too many requests")
            raise Refused(*(PRIVATE_LIMIT if endpoint.is_signed else PUBLIC_LIMIT))

    def _authenticate(self, endpoint: Endpoint, request: HttpRequest) -> str:
        """Return whose request it is.

        Raises:
          Refused: not signed as Exchange wants it.
          BadToken: without a token that Advanced Trade takes.
        """
        exchange, headers = self._venue.exchange, request.headers
        if endpoint.is_advanced:
            token = headers.get("authorization", "").removeprefix("Bearer ")
            now_s = exchange.told_ms() / 1000
            return token_key(exchange.keys, token, now_s, _uris(request)).name
        target = f"{request.path}?{request.query}" if request.query else request.path
        body = request.body.decode("utf-8", "replace")
        signed = Signed(
            headers.get("cb-access-key", ""),
            headers.get("cb-access-passphrase", ""),
            headers.get("cb-access-timestamp", ""),
            headers.get("cb-access-sign", ""),
            f"{request.method}{target}{body}",
        )
        return exchange_key(exchange.keys, signed, exchange.told_ms()).name


def _uris(request: HttpRequest) -> list[str]:
    """Return what a token for this request may name: the venue's host, or ours."""
    ours = request.headers.get("host", "")
    hosts = (VENUE_HOST, ours, f"http://{ours}")  # as clients without TLS may write it
    return [f"{request.method} {host}{request.path}" for host in hosts]


def _asked(
    endpoint: Endpoint, parts: tuple[str, ...], request: HttpRequest, account: str
) -> Asked:
    refuse = invalid if endpoint.is_advanced else _bad_request
    body: Mapping[str, object] = {}
    if request.body and request.method == "POST":
        try:
            body = msgspec.json.decode(request.body, type=dict[str, object])
        except msgspec.MsgspecError:
            raise refuse("request body is not a JSON object") from None
    query = parse_qs(request.query, keep_blank_values=True)
    opened = tuple(unquote(part) for part in parts)
    return Asked(account, opened, query, cast("Mapping[str, object]", body), refuse)


def _bad_request(message: str) -> Exception:
    return Refused(400, message)


def _refusal(status: int, message: str) -> HttpAnswer:
    return HttpAnswer(status, msgspec.json.encode({"message": message}))
