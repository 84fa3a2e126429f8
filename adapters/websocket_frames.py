"""A WebSocket's client without I/O: bytes in, messages out, and what is to be written.

The only file that knows `websockets`. Its protocol judges the handshake and every frame
but one kind: whole short messages of text, of which a busy feed consists, are cut out of
what was read here, many at once, because that is eight times as fast.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import attrs
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import WebSocketURI

from adapters.errors import ConnectionLost
from adapters.sockets import Address, Message, refusal

WHOLE_TEXT: Final = 0x81  # FIN and opcode 1, RFC 6455 5.2
_silent: Final = logging.Logger("websockets", logging.CRITICAL + 1)  # noqa: LOG001 -- under no other; what it would log is raised
_no_parts = list[bytes | bytearray | memoryview]


@attrs.define(eq=False)
class Frames:
    """One connection's protocol, from the handshake to its end."""

    _protocol: ClientProtocol
    _size_max: int  # of one message
    pong: bytes = b""  # what the last pong carried
    _raw: bytes = b""  # the beginning of a frame's header
    _owed: int = 0  # bytes of a frame that the protocol has begun to read
    _parts: list[bytes | bytearray | memoryview] = attrs.Factory(_no_parts)
    _is_text: bool = False  # what the parts are of
    _is_bad: bool = False  # UTF-8

    @staticmethod
    def to(
        address: Address, headers: Sequence[tuple[bytes, bytes]], size_max: int
    ) -> Frames:
        """Return a connection that asks for its upgrade."""
        path, _, query = address.resource.partition("?")
        uri = WebSocketURI(
            address.is_secure, address.host, address.port, path, query, None, None
        )
        protocol = ClientProtocol(uri, max_size=size_max, logger=_silent)
        request = protocol.connect()
        for name, value in headers:
            request.headers[name.decode("ascii")] = value.decode("latin-1")
        protocol.send_request(request)
        return Frames(protocol, size_max)

    def answered(self, head: bytes) -> None:
        """Take the answer to the upgrade, up to its empty line.

        Raises:
          UpgradeRefused: it was 403, 418 or 429.
          ConnectionLost: it was no upgrade.
        """
        status = head[:64].split(b" ", 2)[1:2]
        if status and status[0].isdigit() and status[0] != b"101":
            raise refusal(int(status[0]), _header(head, b"retry-after"))
        protocol = self._protocol
        protocol.receive_data(head)
        if protocol.state is not OPEN:
            text = f"{type(protocol.handshake_exc).__name__}: {protocol.handshake_exc}"
            raise ConnectionLost(f"the other side does not speak WebSocket: {text[:200]}")
        protocol.events_received()

    @property
    def is_over(self) -> bool:
        """Whether nothing that comes can be a message any more."""
        protocol = self._protocol
        return self._is_bad or bool(protocol.close_rcvd or protocol.parser_exc)

    def close_text(self) -> str:
        """Return why it ended: the first goodbye that was said, theirs before ours."""
        close = self._protocol.close_rcvd or self._protocol.close_sent
        if close is None:
            return "the other side went away without a goodbye"
        text = f" {close.reason!a}" if close.reason else ""
        return f"closed with code {int(close.code)}{text[:120]}"

    def to_write(self) -> bytes:
        """Return what is to be written now: answers, and what was said."""
        return b"".join(self._protocol.data_to_send())

    def text(self, text: str) -> None:
        """Say a message.

        Raises:
          ConnectionLost: a goodbye has been said.
        """
        try:
            self._protocol.send_text(text.encode())
        except InvalidState as error:
            raise ConnectionLost(self.close_text()) from error

    def ping(self, payload: bytes) -> None:
        """Ask for a pong with this payload.

        Raises:
          ConnectionLost: as for `text`.
        """
        try:
            self._protocol.send_ping(payload)
        except InvalidState as error:
            raise ConnectionLost(self.close_text()) from error

    def close(self) -> None:
        """Say goodbye, unless it was said."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)

    def take(self, data: bytes | bytearray) -> list[Message]:
        """Return the messages that end in `data`."""
        found: list[Message] = []
        raw = self._raw + data
        try:
            at = self._pass_on(raw, 0, found) if self._owed else 0
            while not self.is_over:
                if self._protocol.current_size is None:  # else one is in fragments
                    at = _cut(raw, at, self._size_max, found)
                if self._owed or not self._begin(raw, at):
                    break
                at = self._pass_on(raw, at, found)
            self._raw = raw[at:]
        except UnicodeDecodeError as error:
            self._is_bad = True
            self._protocol.fail(CloseCode.INVALID_DATA, error.reason)
        return found

    def _begin(self, raw: bytes, at: int) -> bool:
        """Note how long the frame at `at` is, once its header says so."""
        size, head = raw[at + 1] & 0x7F if len(raw) - at >= 2 else 0, 2
        if size > 125:
            head = 4 if size == 126 else 10
            size = int.from_bytes(raw[at + 2 : at + head], "big")
        if len(raw) - at < head:
            return False
        self._owed = head + size
        return True

    def _pass_on(self, raw: bytes, at: int, found: list[Message]) -> int:
        """Give the protocol what is there of the frame it is owed; return the end."""
        theirs = raw[at : at + self._owed]
        self._owed -= len(theirs)
        self._protocol.receive_data(theirs)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._hear(event, found)
        return at + len(theirs)

    def _hear(self, frame: Frame, found: list[Message]) -> None:
        if frame.opcode is Opcode.PONG:
            self.pong = bytes(frame.data)
        if frame.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(frame.data)
        if frame.fin:
            whole = b"".join(self._parts)
            self._parts.clear()
            found.append(whole.decode() if self._is_text else whole)


def _cut(raw: bytes, at: int, size_max: int, found: list[Message]) -> int:
    """Cut whole, unmasked messages of text below 64 KiB; return where others begin.

    Source: RFC 6455, 5.2.
    """
    end = len(raw)
    while end - at >= 4 and raw[at] == WHOLE_TEXT:
        size, start = raw[at + 1], at + 2
        if size == 126:
            size, start = raw[at + 2] << 8 | raw[at + 3], at + 4
        elif size > 126:
            break
        if start + size > end or size > size_max:
            break
        at = start + size
        found.append(raw[start:at].decode())
    return at


def _header(head: bytes, name: bytes) -> str:
    for line in head.split(b"\r\n"):
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip().decode("latin-1")
    return ""
