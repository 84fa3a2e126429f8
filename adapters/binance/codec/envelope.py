"""Read and write the WS-API's envelopes: requests, answers, and wrapped events.

Answers and events share one socket; an event is what has `event` and no `id`.

Source: web-socket-api.md, "Request format", "Response format", 2026-07-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from adapters.figures import UNREADABLE, BadFigure, Ms, bad

RequestId = int | str | None
_NOTHING: Final = msgspec.Raw()


class Request(msgspec.Struct):
    """What a client asks. Parameters keep the JSON type they came with."""

    id: RequestId
    method: str
    params: dict[str, str | int | bool | float | list[str] | None] = {}


class RetryData(msgspec.Struct, rename="camel"):
    retry_after: Ms | None = None
    server_time: Ms | None = None


class ApiFault(msgspec.Struct):
    code: int
    msg: str
    data: msgspec.Raw = _NOTHING


class Usage(msgspec.Struct, rename="camel"):
    """One rate limit with what has been used of it."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int


class Answer(msgspec.Struct, rename="camel"):
    """The venue's answer to one request, or (`event` set) a wrapped event."""

    id: RequestId = None
    status: int = 0
    result: msgspec.Raw = _NOTHING
    error: ApiFault | None = None
    rate_limits: list[Usage] = []
    event: msgspec.Raw = _NOTHING

    @property
    def is_event(self) -> bool:
        return bool(bytes(self.event))

    def retry_after_s(self, now_ms: int) -> float | None:
        """Return how long a 429 or 418 forbids requests, by the clock that says so."""
        if self.error is None or not bytes(self.error.data):
            return None
        try:
            told = msgspec.json.decode(self.error.data, type=RetryData)
        except UNREADABLE:
            return None
        if told.retry_after is None:
            return None
        return (told.retry_after - (told.server_time or now_ms)) / 1000


class Subscribed(msgspec.Struct, rename="camel"):
    subscription_id: int


_request = msgspec.json.Decoder(Request)
_answer = msgspec.json.Decoder(Answer)
_subscribed = msgspec.json.Decoder(Subscribed)


def decode_answer(text: str | bytes) -> Answer:
    """Return an answer or an event.

    Raises:
      RemoteProtocolError: neither.
    """
    try:
        answer = _answer.decode(text)
        if not answer.is_event and not answer.status:
            raise BadFigure("neither an answer nor an event")
    except UNREADABLE as error:
        raise bad("WS-API frame", text, error) from error
    return answer


def decode_subscribed(result: bytes) -> int:
    """Return the id of a new user-data subscription."""
    try:
        return _subscribed.decode(result).subscription_id
    except UNREADABLE as error:
        raise bad("subscription answer", result, error) from error


def encode_request(request_id: int | str, method: str, params: Mapping[str, object]) -> str:
    """Return a request frame."""
    return msgspec.json.encode(
        {
            "id": request_id,
            "method": method,
            "params": params,
        }
    ).decode()


def decode_request(text: str | bytes) -> Request:
    """Return a client's request.

    Raises:
      RemoteProtocolError: it is not one.
    """
    try:
        return _request.decode(text)
    except UNREADABLE as error:
        raise bad("WS-API request", text, error) from error


def encode_answer(
    request_id: RequestId, result: object, *, limits: Sequence[Mapping[str, object]] = ()
) -> str:
    """Return a 200 answer; `result` may be any JSON value, or `msgspec.Raw` bytes."""
    return _envelope({"id": request_id, "status": 200, "result": result}, limits)


def encode_refusal(
    request_id: RequestId,
    status: int,
    code: int,
    text: str,
    *,
    retry_after_ms: int | None = None,
    server_ms: int | None = None,
    data: Mapping[str, object] | None = None,
    limits: Sequence[Mapping[str, object]] = (),
) -> str:
    """Return an error answer; 429 and 418 carry the time until which they hold."""
    error: dict[str, object] = {"code": code, "msg": text}
    if data is not None:
        error["data"] = data
    if retry_after_ms is not None:
        error["data"] = {"serverTime": server_ms, "retryAfter": retry_after_ms}
    return _envelope({"id": request_id, "status": status, "error": error}, limits)


def _envelope(fields: dict[str, object], limits: Sequence[Mapping[str, object]]) -> str:
    if limits:
        fields["rateLimits"] = limits
    return msgspec.json.encode(fields).decode()
