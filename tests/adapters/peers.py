"""The other side of a connection, scripted: WebSocket peers and plain HTTP answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
import trio
import trio.abc
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from adapters.streams import Dial

Talk = Callable[[WebSocketConnection], Awaitable[None]]
Raw = Callable[[trio.abc.Stream], Awaitable[None]]


def dial_raw(nursery: trio.Nursery, talk: Raw) -> Dial:
    """Return a dial whose every connection ends at `talk`, in memory."""

    async def dial(_host: str, _port: int, _is_secure: bool) -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(talk, theirs)
        await trio.lowlevel.checkpoint()
        return ours

    return dial


def dial_peer(nursery: trio.Nursery, talk: Talk) -> Dial:
    """Return a dial whose every connection is a WebSocket that `talk` serves."""

    async def serve(stream: trio.abc.Stream) -> None:
        async with trio.open_nursery() as inner:
            request = await wrap_server_stream(inner, stream)
            connection = await request.accept()
            try:
                await talk(connection)
            except ConnectionClosed:
                pass
            finally:
                with trio.move_on_after(1, shield=True):
                    await connection.aclose()
            inner.cancel_scope.cancel()

    return dial_raw(nursery, serve)


async def shake_hands(stream: trio.abc.Stream) -> None:
    """Accept the upgrade and leave the stream to the caller; nobody answers frames."""
    async with trio.open_nursery() as inner:
        request = await wrap_server_stream(inner, stream)
        await request.accept()
        inner.cancel_scope.cancel()


@attrs.define
class Desk:
    """An HTTP server on loopback that answers from a script and remembers what came."""

    answer: Callable[[str, str], bytes | None]  # (request line, headers) -> raw bytes
    port: int = 0
    requests: list[str] = attrs.Factory(list[str])
    heads: list[str] = attrs.Factory(list[str])

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, *, task_status: trio.TaskStatus[None]) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        task_status.started()
        await trio.serve_listeners(self._talk, listeners)

    async def _talk(self, stream: trio.SocketStream) -> None:
        async with stream:
            text = b""
            async for data in stream:
                text += data
                while b"\r\n\r\n" in text:
                    head, _, text = text.partition(b"\r\n\r\n")
                    line, _, headers = head.decode().partition("\r\n")
                    self.requests.append(line)
                    self.heads.append(headers)
                    said = self.answer(line, headers)
                    if said is None:
                        return
                    await stream.send_all(said)


def http(status: int, body: bytes | str = b"", headers: str = "") -> bytes:
    """Return a whole HTTP answer."""
    raw = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(raw)}\r\n{headers}\r\n"
    return head.encode() + raw
