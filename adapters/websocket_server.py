"""The server's end of one WebSocket: handshake, pings, and frames written in batches.

Beside `adapters.websocket` the only file that knows trio-websocket. Messages are framed
once and the bytes shared by every reader of a stream, because framing them anew for each
connection costs more than sending them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio
import trio.abc
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream
from wsproto.utilities import ProtocolError

from adapters.errors import ConnectionLost

HANDSHAKE_S: Final = 10.0
GOODBYE_S: Final = 1.0
MESSAGE_SIZE_MAX: Final = 256 * 2**10
TEXT: Final = 0x81  # FIN and opcode 1, RFC 6455 5.2
CLOSE: Final = 0x88  # FIN and opcode 8


def frame(payload: bytes) -> bytes:
    """Return `payload` as one unmasked text frame, as servers send it (RFC 6455 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    if size < 2**16:
        return bytes((TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + size.to_bytes(8, "big") + payload


class _Shared(trio.abc.Stream):
    """A stream that lets the library's pongs and our frames take turns."""

    def __init__(self, inner: trio.abc.Stream) -> None:
        self._inner = inner
        self._turn = trio.Lock()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        async with self._turn:
            await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self._inner.aclose()


class ServerSocket:
    """One accepted WebSocket. Every call raises ConnectionLost once it has ended."""

    def __init__(self, stream: trio.abc.Stream, inner: WebSocketConnection) -> None:
        self._stream = stream
        self._inner = inner

    async def receive(self) -> str | bytes:
        """Return the next message of the client."""
        try:
            return await self._inner.get_message()
        except ConnectionClosed as error:
            raise ConnectionLost(f"closed by the client: {error.reason}") from error

    async def write(self, frames: bytes) -> None:
        """Write whole frames, made by `frame`."""
        if self._inner.closed is not None:
            raise ConnectionLost(f"closed: {self._inner.closed}")
        try:
            await self._stream.send_all(frames)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise ConnectionLost("the client went away") from error

    async def ping(self) -> None:
        """Send a ping and wait for its pong."""
        try:
            await self._inner.ping()
        except ConnectionClosed as error:
            raise ConnectionLost(f"closed by the client: {error.reason}") from error

    async def aclose(self, code: int, reason: str) -> None:
        """Say goodbye; a client that does not answer has one second.

        Not by the library's own `aclose`: it fails on messages that are still coming in.
        """
        payload = code.to_bytes(2, "big") + reason.encode()
        await trio.lowlevel.checkpoint()
        try:
            with trio.move_on_after(GOODBYE_S):
                await self.write(bytes((CLOSE, len(payload))) + payload)
                while True:
                    await self.receive()
        except ConnectionLost:
            return


async def serve_websocket(
    stream: trio.abc.Stream, serve: Callable[[ServerSocket], Awaitable[None]]
) -> None:
    """Accept the upgrade that `stream` begins with and run `serve` on it.

    Returns when `serve` does, or when the connection has ended, whoever ended it.
    """
    try:
        async with trio.open_nursery() as nursery:
            await _accept(nursery, stream, serve)
            nursery.cancel_scope.cancel()
    except* (
        ConnectionLost,
        ConnectionClosed,
        ProtocolError,
        trio.BrokenResourceError,
        trio.ClosedResourceError,
    ):
        pass
    finally:
        with trio.move_on_after(GOODBYE_S, shield=True):
            await trio.aclose_forcefully(stream)


async def _accept(
    nursery: trio.Nursery,
    stream: trio.abc.Stream,
    serve: Callable[[ServerSocket], Awaitable[None]],
) -> None:
    shared = _Shared(stream)
    inner: WebSocketConnection | None = None
    with trio.move_on_after(HANDSHAKE_S):
        request = await wrap_server_stream(
            nursery,
            shared,
            message_queue_size=64,
            max_message_size=MESSAGE_SIZE_MAX,
            receive_buffer_size=64 * 2**10,
        )
        inner = await request.accept()
    if inner is not None:
        await serve(ServerSocket(shared, inner))
