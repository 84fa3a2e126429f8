"""One WebSocket over Trio: opened, kept alive, written by one task, closed in time.

With `websocket_batch` the only file on our side that knows trio-websocket. We open the
stream ourselves and close *it* at the end, because the library leaves sockets open and
waits for peers that never answer. Every end of a connection is a `ConnectionLost` or
`RateLimited` with its reason.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, cast
from urllib.parse import urlsplit

import attrs
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected
from wsproto.utilities import ProtocolError

from adapters.errors import ConnectionLost, VenueError
from adapters.sockets import Timing, refusal
from adapters.streams import Dial, WatchedStream, certificate_trouble, dial
from adapters.websocket_batch import BatchedClient, Message

MESSAGE_SIZE_MAX: Final = 16 * 2**20  # a whole-book snapshot must fit
READS_MAX: Final = 8  # parsed but not taken; beyond, TCP holds the sender back
RECEIVE_SIZE: Final = 64 * 2**10
UNSENT_MAX: Final = 256
_WIRE: Final = frozenset({"trio_websocket", "wsproto", "h11"})  # errors of the peer's
GOODBYE_S: Final = 1.0


@attrs.define(eq=False)
class WebSocket:
    """An open connection. Any task may send; one task receives."""

    _connection: BatchedClient
    _stream: WatchedStream
    _timing: Timing
    _unsent: trio.MemorySendChannel[str]
    reason: str = ""  # why it ended; the first reason counts
    _rest: list[Message] = attrs.Factory(list[Message])  # came with the last one taken

    async def send(self, text: str) -> None:
        """Hand `text` to the writer. A cancelled send leaves no half frame behind.

        Raises:
          ConnectionLost: the connection has ended.
        """
        try:
            await self._unsent.send(text)
            if self._connection.closed is not None:
                raise self._lost()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise self._lost() from error

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
          ConnectionLost: the connection has ended; the text says why.
        """
        first, *self._rest = await self.receive_all()
        return first

    async def receive_all(self) -> Sequence[Message]:
        """Return the messages that came together, at least one.

        Raises:
          ConnectionLost: the connection has ended; the text says why.
        """
        if self._rest:
            await trio.lowlevel.checkpoint()
            rest, self._rest = self._rest, []
            return rest
        try:
            return await self._connection.get_messages()
        except ConnectionClosed as error:
            raise self._lost(error) from error

    async def end(self, reason: str) -> None:
        """Drop the connection without a goodbye; `receive` raises with this reason."""
        self.reason = self.reason or reason
        await trio.aclose_forcefully(self._stream)

    def _lost(self, closed: ConnectionClosed | None = None) -> ConnectionLost:
        if self.reason:
            return ConnectionLost(self.reason)
        close = closed.reason if closed is not None else self._connection.closed
        if close is None or close.code == 1006:  # the code of "no close frame was seen"
            return ConnectionLost("the other side went away without a goodbye")
        text = f" {close.reason!a}" if close.reason else ""
        return ConnectionLost(f"closed with code {close.code}{text[:120]}")

    async def write(self, unsent: trio.MemoryReceiveChannel[str]) -> None:
        """Write what was handed over, one message at a time, until the connection ends."""
        with unsent:
            async for text in unsent:
                try:
                    await self._connection.send_message(text)
                except (ConnectionClosed, ProtocolError):
                    break
                if self._timing.write_gap_s:
                    await trio.sleep(self._timing.write_gap_s)

    async def keep_alive(self, nursery: trio.Nursery) -> None:
        """Ping; when neither a pong nor any byte comes in time, drop the connection."""
        while True:
            await trio.sleep(self._timing.ping_s)
            pong = trio.Event()
            # Never cancelled: a ping cut in half would corrupt the stream.
            nursery.start_soon(self._ping, pong)
            if not await self._is_alive(pong):
                await self.end(f"no pong within {self._timing.pong_s:g} s")
                return

    async def _is_alive(self, pong: trio.Event) -> bool:
        while True:
            since_s = trio.current_time()
            with trio.move_on_after(self._timing.pong_s):
                await pong.wait()
            if pong.is_set():
                return True
            # A pong waits its turn behind data; data is a sign of life too.
            if self._stream.heard_s <= since_s:
                return False

    async def _ping(self, pong: trio.Event) -> None:
        try:
            await self._connection.ping()
            pong.set()
        except (ConnectionClosed, ProtocolError):
            await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        """Say goodbye and wait for the answer; the caller sets the deadline."""
        with suppress(ProtocolError, trio.BrokenResourceError, trio.ClosedResourceError):
            await self._connection.aclose()
        await trio.lowlevel.checkpoint()


@asynccontextmanager
async def open_websocket(
    url: str,
    *,
    timing: Timing | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
    dial: Dial = dial,
) -> AsyncGenerator[WebSocket, None]:
    """Connect to `url` (ws:// or wss://) for the length of the block.

    Raises:
      ConnectionLost: could not connect, or not in time; never a bare library error.
      UpgradeRefused: the venue answered the upgrade with 403, 418 or 429.
    """
    timing = timing or Timing()
    try:
        async with trio.open_nursery() as nursery:
            send, unsent = trio.open_memory_channel[str](UNSENT_MAX)
            stream, connection = await _connect(nursery, url, timing, headers, dial)
            socket = WebSocket(connection, stream, timing, send)
            try:
                nursery.start_soon(socket.write, unsent)
                nursery.start_soon(socket.keep_alive, nursery)
                yield socket
            finally:
                send.close()
                # Once we are cancelled nobody reads any more, so no answer can come.
                is_cancelled = trio.current_effective_deadline() == -math.inf
                goodbye_s = 0.1 if is_cancelled or connection.is_deaf else GOODBYE_S
                with trio.move_on_after(goodbye_s, shield=True) as connection.goodbye:
                    await socket.close()
                with trio.move_on_after(GOODBYE_S, shield=True):
                    await trio.aclose_forcefully(stream)
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error = _classified(group)
        raise error from error.__cause__


async def _connect(
    nursery: trio.Nursery,
    url: str,
    timing: Timing,
    headers: Sequence[tuple[bytes, bytes]],
    dial: Dial,
) -> tuple[WatchedStream, BatchedClient]:
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "wss"
    port = parts.port or (443 if is_secure else 80)
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with trio.fail_after(timing.connect_s):
            stream = WatchedStream(await dial(host, port, is_secure))
            try:
                connection = await _upgrade(
                    nursery, stream, f"{host}:{port}", resource, headers
                )
            except BaseException:
                await trio.aclose_forcefully(stream)
                raise
    except trio.TooSlowError as error:
        text = f"could not connect to {host} within {timing.connect_s:g} s"
        raise ConnectionLost(text) from error
    except (OSError, trio.BrokenResourceError) as error:
        raise ConnectionLost(
            f"could not connect to {host}: {certificate_trouble(error) or error}"
        ) from error
    return stream, connection


async def _upgrade(
    nursery: trio.Nursery,
    stream: WatchedStream,
    host: str,
    resource: str,
    headers: Sequence[tuple[bytes, bytes]],
) -> BatchedClient:
    """Return the connection once the HTTP upgrade is through.

    The library does not notice a stream that ends during its handshake; we do.
    """
    with trio.CancelScope() as waiting:
        stream.on_end = waiting.cancel
        connection = BatchedClient(
            stream,
            host=host,
            path=resource,
            client_extra_headers=list(headers),
            message_queue_size=READS_MAX,
            max_message_size=MESSAGE_SIZE_MAX,
            receive_buffer_size=RECEIVE_SIZE,
        )
        await connection.shake_hands(nursery)
        stream.on_end = None
        return connection
    raise ConnectionLost("the connection ended during the WebSocket handshake")


def _classified(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error that ended the block, in our words."""
    leaves = list(_leaves(group))
    rejected = [leaf for leaf in leaves if isinstance(leaf, ConnectionRejected)]
    if rejected:
        told = dict(rejected[0].headers or ()).get(b"retry-after", b"")
        return refusal(rejected[0].status_code, told.decode("latin-1"))
    library = [leaf for leaf in leaves if type(leaf).__module__.partition(".")[0] in _WIRE]
    if library:
        text = f"{type(library[0]).__name__}: {library[0]}"
        return ConnectionLost(f"the other side does not speak WebSocket: {text[:200]}")
    if len(leaves) == 1 or all(isinstance(leaf, VenueError) for leaf in leaves):
        return leaves[0]
    return group


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found += _leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            found.append(error)
    return found
