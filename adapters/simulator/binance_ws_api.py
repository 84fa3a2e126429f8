"""Binance's WS-API door: requests and private events on one WebSocket."""

from __future__ import annotations

from typing import Final

import msgspec
import trio

from adapters.binance.codec import envelope, market_writer
from adapters.errors import RemoteProtocolError
from adapters.simulator.binance_dialect import BinanceDialect, UserSubscription
from adapters.simulator.binance_endpoints import SIGNED, WS_API, Endpoint
from adapters.simulator.binance_faults import UNKNOWN_OUTCOME, HalfRefused, Refused, missing
from adapters.simulator.binance_params import Params
from adapters.simulator.binance_public import rate_limits
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket, frame

SUBSCRIBE_WEIGHT: Final = 2
SUBSCRIBE: Final = "userDataStream.subscribe.signature"
UNSUBSCRIBE: Final = "userDataStream.unsubscribe"
Id = int | str | None


class WsApiConnection:
    """One client of the WS-API."""

    def __init__(
        self, dialect: BinanceDialect, outbox: Outbox, address: str, nursery: trio.Nursery
    ) -> None:
        self._dialect = dialect
        self._outbox = outbox
        self._address = address
        self._nursery = nursery
        self._subscriptions: dict[int, UserSubscription] = {}
        self._next_subscription = 0

    async def serve(self, socket: ServerSocket) -> None:
        """Answer requests until the connection ends."""
        try:
            while True:
                text = await socket.receive()
                try:
                    request = envelope.decode_request(text)
                except RemoteProtocolError:
                    refusal = "JSON sent for parameter 'request' is not valid"
                    self._answer(envelope.encode_refusal(None, 400, -1135, refusal))
                else:
                    self._serve_one(request)
        finally:
            for subscription in self._subscriptions.values():
                self._dialect.leave(subscription)

    def shutdown_notice(self, now_ms: int) -> bytes:
        event = market_writer.encode_shutdown(now_ms)
        return frame(f'{{"event":{event}}}'.encode())

    def _serve_one(self, request: envelope.Request) -> None:
        endpoint = WS_API.get(request.method)
        account = ""
        try:
            self._dialect.refuse_by_fault("ws_api", self._address)
            params = _params(request)
            if request.method in {SUBSCRIBE, UNSUBSCRIBE}:
                result = self._user_stream(request.method, params)
            elif endpoint is None:
                raise Refused(-1130, "Invalid data sent for parameter 'method'.")
            else:
                if endpoint.private is not None:
                    account = self._authenticate(params)
                rest = params.without("apiKey", "returnRateLimits")
                result = self._dialect.perform(endpoint, rest, account, self._address)
        except HalfRefused as refused:
            answer = self._refusal(request.id, refused)
            if refused.has_effect:
                self._answer_order(request.id, answer)
            else:
                self._answer(answer)
            return
        except Refused as refused:
            self._answer(self._refusal(request.id, refused))
            return
        limits = self._limits(endpoint, account, params)
        answer = envelope.encode_answer(request.id, result, limits=limits)
        if endpoint is not None and endpoint.is_order:
            self._answer_order(request.id, answer)
        else:
            self._answer(answer)

    def _answer(self, text: str) -> None:
        self._outbox.answer(frame(text.encode()))

    def _answer_order(self, request_id: Id, answer: str) -> None:
        """Send the acknowledgement of an order that was taken, unless a fault takes it."""
        faults = self._dialect.exchange.faults
        if faults.strike("lost_ack", "ws_api"):
            return
        if faults.strike("server_error", "ws_api"):
            self._answer(envelope.encode_refusal(request_id, 500, *UNKNOWN_OUTCOME))
            return
        late = faults.strike("late_ack", "ws_api")
        if late is None:
            self._answer(answer)
        else:
            self._nursery.start_soon(self._answer_later, answer, late.delay_s)

    async def _answer_later(self, answer: str, delay_s: float) -> None:
        await trio.sleep(delay_s)
        self._answer(answer)

    def _refusal(self, request_id: Id, refused: Refused) -> str:
        exchange, until_ms = self._dialect.exchange, refused.until_ms
        if until_ms is not None:
            until_ms += exchange.faults.skew_ms()  # by the clock that it claims to have
        return envelope.encode_refusal(
            request_id,
            refused.status,
            refused.code,
            refused.text,
            retry_after_ms=until_ms,
            server_ms=exchange.told_ms(),
            data=refused.data if isinstance(refused, HalfRefused) else None,
            limits=self._limits(None, "", Params({})),
        )

    def _authenticate(self, params: Params) -> str:
        for name in ("apiKey", "timestamp", "signature"):
            if name not in params:
                raise missing(name)
        payload = params.signed_payload()
        key = params.text("apiKey")
        account = self._dialect.account_of(key, payload, params.text("signature"))
        self._dialect.check_time(params)
        return account

    def _user_stream(self, method: str, params: Params) -> object:
        self._dialect.charge(self._address, SUBSCRIBE_WEIGHT)
        if method == UNSUBSCRIBE:
            self._end_subscriptions(params.whole("subscriptionId"))
            return {}
        params.only(SIGNED | {"apiKey"})
        account = self._authenticate(params)
        if self._dialect.is_joined(self._outbox, account):
            raise Refused(-2035, "User Data Stream subscription already active.")
        number = self._next_subscription
        self._next_subscription += 1
        subscription = UserSubscription(self._outbox, account, number)
        self._subscriptions[number] = subscription
        self._dialect.join(subscription)
        return {"subscriptionId": number}

    def _end_subscriptions(self, number: int | None) -> None:
        numbers = list(self._subscriptions) if number is None else [number]
        if not numbers or any(it not in self._subscriptions for it in numbers):
            raise Refused(-2036, "User Data Stream subscription not active.")
        for it in numbers:
            self._dialect.leave(self._subscriptions.pop(it))
            now_ms = self._dialect.exchange.now_ms()
            event = msgspec.json.encode({"e": "eventStreamTerminated", "E": now_ms})
            head = b'{"subscriptionId":%d,"event":' % it
            self._outbox.answer(frame(head + event + b"}"))

    def _limits(
        self, endpoint: Endpoint | None, account: str, params: Params
    ) -> list[dict[str, object]]:
        """Return the limits that the request counts for, with what is used of them."""
        if params.maybe("returnRateLimits") == "false":
            return []
        exchange = self._dialect.exchange
        now_ms = exchange.now_ms()
        rows = rate_limits(exchange)
        weight, orders = rows[0], rows[1:3]
        weight["count"] = exchange.limits.used(self._address, now_ms)
        if endpoint is None or not endpoint.counts_orders:
            return [weight]
        for row, (window_s, _) in zip(orders, exchange.limits.order_windows(), strict=True):
            row["count"] = exchange.limits.orders(account, window_s, now_ms)
        return [*orders, weight]


def _params(request: envelope.Request) -> Params:
    """Return the parameters as texts, spelled as they are signed."""
    return Params({name: _text(value) for name, value in request.params.items()})


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
