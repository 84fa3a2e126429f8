"""Binance's REST door: paths, signatures over the raw query and body, and headers."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

import msgspec
import trio

from adapters.simulator.binance_dialect import BinanceDialect
from adapters.simulator.binance_endpoints import REST, Endpoint
from adapters.simulator.binance_faults import UNKNOWN_OUTCOME, HalfRefused, Refused, missing
from adapters.simulator.binance_params import Params
from adapters.simulator.http_server import HttpAnswer, HttpRequest

_SIGNATURE: Final = re.compile(r"(^|&)signature=([^&]*)")
_HTML: Final = "text/html"


class BinanceRest:
    """Answers one request at a time; knows nothing of sockets."""

    def __init__(self, dialect: BinanceDialect) -> None:
        self._dialect = dialect

    async def respond(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer; None means that the connection is cut without one."""
        await trio.lowlevel.checkpoint()
        methods = REST.get(request.path)
        if methods is None:
            return HttpAnswer(404, b"<html><h1>404 Not Found</h1></html>", (), _HTML)
        endpoint = methods.get(request.method)
        if endpoint is None:
            allow = ("Allow", ", ".join(methods))
            return HttpAnswer(405, b"", (allow,), _HTML)
        answer, has_effect = self._answer(endpoint, request)
        if not (endpoint.is_order and has_effect):
            return answer
        delay_s = self._delay_s()
        troubled = self._trouble(answer)
        if delay_s:
            await trio.sleep(delay_s)
        return troubled

    def _answer(self, endpoint: Endpoint, request: HttpRequest) -> tuple[HttpAnswer, bool]:
        """Do what is asked; return the answer, and whether anything was done."""
        account = ""
        try:
            self._dialect.refuse_by_fault("rest", request.host)
            params = _params(request)
            if endpoint.private is not None:
                account = self._authenticate(request, params)
            found = self._dialect.perform(endpoint, params, account, request.host)
        except HalfRefused as refused:
            return self._refusal(refused, request.host), refused.has_effect
        except Refused as refused:
            return self._refusal(refused, request.host), False
        headers = self._headers(endpoint, account, request.host)
        return HttpAnswer(200, msgspec.json.encode(found), headers), True

    def _authenticate(self, request: HttpRequest, params: Params) -> str:
        for name in ("timestamp", "signature"):
            if name not in params:
                raise missing(name)
        payload = request.query + request.body.decode("utf-8", "replace")
        payload = _SIGNATURE.sub("", payload).removeprefix("&")
        key = request.headers.get("x-mbx-apikey")
        account = self._dialect.account_of(key, payload, params.text("signature"))
        self._dialect.check_time(params)
        return account

    def _delay_s(self) -> float:
        late = self._dialect.exchange.faults.strike("late_ack", "rest")
        return 0.0 if late is None else late.delay_s

    def _trouble(self, answer: HttpAnswer) -> HttpAnswer | None:
        """Return what becomes of the acknowledgement of an order that was taken."""
        faults = self._dialect.exchange.faults
        if faults.strike("lost_ack", "rest"):
            return None
        if faults.strike("server_error", "rest"):
            code, text = UNKNOWN_OUTCOME
            body = msgspec.json.encode({"code": code, "msg": text})
            return HttpAnswer(504, body, answer.headers)
        return answer

    def _refusal(self, refused: Refused, host: str) -> HttpAnswer:
        headers = self._weight_headers(host)
        if refused.until_ms is not None:
            wait_ms = max(0, refused.until_ms - self._dialect.exchange.now_ms())
            headers = (*headers, ("Retry-After", str(-(-wait_ms // 1000))))
        fields: dict[str, object] = {"code": refused.code, "msg": refused.text}
        if isinstance(refused, HalfRefused):
            fields["data"] = refused.data
        return HttpAnswer(refused.status, msgspec.json.encode(fields), headers)

    def _weight_headers(self, host: str) -> tuple[tuple[str, str], ...]:
        exchange = self._dialect.exchange
        used = str(exchange.limits.used(host, exchange.now_ms()))
        return (("X-MBX-USED-WEIGHT", used), ("X-MBX-USED-WEIGHT-1M", used))

    def _headers(
        self, endpoint: Endpoint, account: str, host: str
    ) -> tuple[tuple[str, str], ...]:
        headers = self._weight_headers(host)
        if not endpoint.counts_orders:
            return headers
        exchange = self._dialect.exchange
        counts = [
            exchange.limits.orders(account, window_s, exchange.now_ms())
            for window_s, _ in exchange.limits.order_windows()
        ]
        return (
            *headers,
            ("X-MBX-ORDER-COUNT-10S", str(counts[0])),
            ("X-MBX-ORDER-COUNT-1D", str(counts[1])),
        )


def _params(request: HttpRequest) -> Params:
    """Return the parameters of query and body; the query wins where both have one."""
    body = request.body.decode("utf-8", "replace")
    pairs = parse_qsl(body, keep_blank_values=True)
    pairs += parse_qsl(request.query, keep_blank_values=True)
    return Params(dict(pairs))
