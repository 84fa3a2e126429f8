"""Two ends of a connection without I/O: wsproto serves, our client or wsproto's reads."""

from __future__ import annotations

from collections.abc import Sequence

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError

from adapters.sockets import Address
from adapters.websocket_frames import Frames

SIZE_MAX = 100_000

Message = str | bytes


def connected(size_max: int = SIZE_MAX) -> tuple[WSConnection, Frames]:
    """Return a server and our client after the upgrade."""
    server = WSConnection(ConnectionType.SERVER)
    client = Frames.to(Address.of("ws://venue.test/stream?a=1"), [(b"x-a", b"b")], size_max)
    server.receive_data(client.to_write())
    (request,) = server.events()
    assert isinstance(request, Request)
    assert (request.target, request.host) == ("/stream?a=1", "venue.test")
    assert (b"x-a", b"b") in request.extra_headers
    client.answered(server.send(AcceptConnection()))
    return server, client


class Theirs:
    """The client that ours is compared with: wsproto's, messages joined from parts."""

    def __init__(self) -> None:
        server = WSConnection(ConnectionType.SERVER)
        self._client = WSConnection(ConnectionType.CLIENT)
        server.receive_data(self._client.send(Request(host="venue.test", target="/")))
        assert [type(each) for each in server.events()] == [Request]
        self._client.receive_data(server.send(AcceptConnection()))
        assert [type(each) for each in self._client.events()] == [AcceptConnection]
        self.heard: list[Message] = []
        self.close_code: int | None = None
        self.pongs: list[bytes] = []
        self._parts: list[str | bytes | bytearray] = []

    def take(self, data: bytes) -> None:
        if self.close_code is not None:
            return
        self._client.receive_data(data)
        try:
            for event in self._client.events():
                self._hear(event)
        except LocalProtocolError:  # it wants to answer after a goodbye
            self.close_code = self.close_code or 0

    def _hear(self, event: object) -> None:
        if isinstance(event, CloseConnection):
            self.close_code = event.code
        elif isinstance(event, Pong):
            self.pongs.append(bytes(event.payload))
        elif isinstance(event, Ping):
            self._client.send(event.response())
        elif isinstance(event, (TextMessage, BytesMessage)):
            self._parts.append(event.data)
            if event.message_finished:
                self.heard.append(_joined(self._parts))
                self._parts.clear()


def _joined(parts: Sequence[str | bytes | bytearray]) -> Message:
    texts = [part for part in parts if isinstance(part, str)]
    if texts:
        return "".join(texts)
    return b"".join(part for part in parts if not isinstance(part, str))
