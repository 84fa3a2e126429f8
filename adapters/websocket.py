"""One WebSocket over Trio: opened, kept alive, written by one task, closed in time.

With `websocket_batch` the only file on our side that knows trio-websocket. We open the
stream ourselves and close *it* at the end, because the library leaves sockets open and
waits for peers that never answer. Every end of a connection is a `ConnectionLost` or
`RateLimited` with its reason.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import attrs
import trio
from trio_websocket import ConnectionClosed, ConnectionRejected
from wsproto.utilities import ProtocolError

from adapters.errors import ConnectionLost
from adapters.sockets import (
    MESSAGE_SIZE_MAX,
    UNSENT_MAX,
    Address,
    Message,
    NewestOf,
    Timing,
    connect,
    goodbye_scope,
    is_alive,
    leave,
    leaves,
    refusal,
    the_one,
)
from adapters.streams import Dial, WatchedStream, dial
from adapters.undecoded import newest_only
from adapters.websocket_batch import BatchedClient

READS_MAX: Final = 8  # parsed but not taken; beyond, TCP holds the sender back
RECEIVE_SIZE: Final = 64 * 2**10
_WIRE: Final = frozenset({"trio_websocket", "wsproto", "h11"})  # errors of the peer's


@attrs.define(eq=False)
class WebSocket:
    """An open connection. Any task may send; one task receives."""

    _connection: BatchedClient
    _stream: WatchedStream
    _timing: Timing
    _unsent: trio.MemorySendChannel[str]
    _newest_of: NewestOf | None = None
    reason: str = ""  # why it ended; the first reason counts
    replaced: int = 0  # messages, by newer ones, before they were taken
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
            messages = await self._connection.get_messages()
        except ConnectionClosed as error:
            raise self._lost(error) from error
        if self._newest_of is None:
            return messages
        kept = newest_only(messages, self._newest_of)
        self.replaced += len(messages) - len(kept)
        return kept

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
            if not await is_alive(pong, self._stream, self._timing.pong_s):
                await self.end(f"no pong within {self._timing.pong_s:g} s")
                return

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
    newest_of: NewestOf | None = None,
) -> AsyncGenerator[WebSocket, None]:
    """Connect to `url` (ws:// or wss://) for the length of the block.

    Of messages that `newest_of` names alike and that came together, the last is told.

    Raises:
      ConnectionLost: could not connect, or not in time; never a bare library error.
      UpgradeRefused: the venue answered the upgrade with 403, 418 or 429.
    """
    timing = timing or Timing()
    try:
        async with trio.open_nursery() as nursery:
            send, unsent = trio.open_memory_channel[str](UNSENT_MAX)
            upgrade = partial(_upgrade, nursery, headers)
            stream, connection = await connect(url, timing, dial, upgrade)
            socket = WebSocket(connection, stream, timing, send, newest_of)
            try:
                nursery.start_soon(socket.write, unsent)
                nursery.start_soon(socket.keep_alive, nursery)
                yield socket
            finally:
                send.close()
                connection.goodbye = goodbye_scope(is_deaf=connection.is_deaf)
                await leave(socket.close, stream, connection.goodbye)  # noqa: ASYNC102 -- shields itself
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error = _classified(group)
        raise error from error.__cause__


async def _upgrade(
    nursery: trio.Nursery,
    headers: Sequence[tuple[bytes, bytes]],
    stream: WatchedStream,
    address: Address,
) -> BatchedClient:
    """Return the connection once the HTTP upgrade is through.

    The library does not notice a stream that ends during its handshake; we do.
    """
    with trio.CancelScope() as waiting:
        stream.on_end = waiting.cancel
        connection = BatchedClient(
            stream,
            host=f"{address.host}:{address.port}",
            path=address.resource,
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
    errors = leaves(group)
    rejected = [error for error in errors if isinstance(error, ConnectionRejected)]
    if rejected:
        told = dict(rejected[0].headers or ()).get(b"retry-after", b"")
        return refusal(rejected[0].status_code, told.decode("latin-1"))
    library = [each for each in errors if type(each).__module__.partition(".")[0] in _WIRE]
    if library:
        text = f"{type(library[0]).__name__}: {library[0]}"
        return ConnectionLost(f"the other side does not speak WebSocket: {text[:200]}")
    return the_one(group)
