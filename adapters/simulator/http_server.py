"""HTTP/1.1 on one wire, by h11: requests in, answers out, until somebody is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import attrs
import h11
import trio

from adapters.simulator.wire import Wire

BODY_SIZE_MAX: Final = 2**20
IDLE_S: Final = 75.0


@attrs.frozen
class HttpRequest:
    method: str
    path: str
    query: str  # as it came, still percent-encoded
    headers: dict[str, str]  # names in lower case
    body: bytes
    host: str  # of the client: rate limits are per address


@attrs.frozen
class HttpAnswer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json;charset=UTF-8"


Respond = Callable[[HttpRequest], Awaitable[HttpAnswer | None]]


async def serve_http(
    wire: Wire, respond: Respond, host: str, is_ours: Callable[[bytes], bool]
) -> bool:
    """Answer requests until the client goes, errs, or idles; an answer of None hangs up.

    Returns whether the client began something that is not ours: an upgrade, which may come
    on a connection that has served requests before. Its head is still on the wire.
    """
    while True:
        head = b""
        with trio.move_on_after(IDLE_S):
            head = await wire.peek_head()
        if not head:
            return False
        if not is_ours(head):
            return True
        is_kept = False
        with trio.move_on_after(IDLE_S):
            is_kept = await _serve_one(wire, respond, host)
        if not is_kept:
            return False


async def _serve_one(wire: Wire, respond: Respond, host: str) -> bool:
    """Answer one request; return whether another may follow."""
    connection = h11.Connection(h11.SERVER)
    try:
        request = await _receive(connection, wire, host)
        answer = None if request is None else await respond(request)
        if answer is None:
            return False
        await wire.send_all(_encode(connection, answer))
    except h11.RemoteProtocolError as error:
        await _refuse(connection, wire, error.error_status_hint)
        return False
    wire.put_back(connection.trailing_data[0])
    return connection.our_state is h11.DONE


async def _receive(connection: h11.Connection, wire: Wire, host: str) -> HttpRequest | None:
    """Return one whole request, or None when there will be no more."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = await _next_event(connection, wire)
        if isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_SIZE_MAX:
                raise h11.RemoteProtocolError("body too large", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return _request(head, bytes(body), host)
        else:
            return None


async def _next_event(connection: h11.Connection, wire: Wire) -> object:
    """Return the next event, receiving until there is one."""
    await trio.lowlevel.checkpoint()
    event = connection.next_event()
    while event is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await wire.send_all(connection.send(go_on) or b"")
        connection.receive_data(bytes(await wire.receive_some()))
        event = connection.next_event()
    return event


def _request(head: h11.Request, body: bytes, host: str) -> HttpRequest:
    path, _, query = head.target.decode("ascii").partition("?")
    headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
    return HttpRequest(head.method.decode(), path, query, headers, body, host)


def _encode(connection: h11.Connection, answer: HttpAnswer) -> bytes:
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        *answer.headers,
    ]
    reason = HTTPStatus(answer.status).phrase
    head = h11.Response(status_code=answer.status, headers=headers, reason=reason)
    parts = [
        connection.send(head),
        connection.send(h11.Data(data=answer.body)),
        connection.send(h11.EndOfMessage()),
    ]
    return b"".join(part for part in parts if part)


async def _refuse(connection: h11.Connection, wire: Wire, status: int) -> None:
    await trio.lowlevel.checkpoint()
    if connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
        await wire.send_all(
            _encode(connection, HttpAnswer(status, b"", (("Connection", "close"),)))
        )
