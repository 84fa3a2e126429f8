"""One WebSocket over Trio for busy public market data: whole reads, not single frames.

[read] --messages (newest prices only, where many wait)--> receive_all

Any task --text--> [write]. Ends, errors and deadlines are those of `adapters.websocket`.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import attrs
import trio

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
    the_one,
)
from adapters.streams import Dial, WatchedStream, dial
from adapters.undecoded import Undecoded
from adapters.websocket_frames import Frames

RECEIVE_SIZE: Final = 64 * 2**10
RECEIVE_SIZE_MAX: Final = 256 * 2**10  # while reads come full: fewer turns for as much
FULL_READS_MAX: Final = 8  # before what they hold is told
NEAR_S: Final = 0.001  # longest wait for more, after a full read
HEAD_SIZE_MAX: Final = 64 * 2**10  # of the answer to the upgrade
_ENDED: Final = (ConnectionLost, trio.BrokenResourceError, trio.ClosedResourceError)


@attrs.define(eq=False)
class BusySocket:
    """An open connection. Any task may send; one task receives."""

    _stream: WatchedStream
    _frames: Frames
    _timing: Timing
    _unsent: trio.MemorySendChannel[str]
    _undecoded: Undecoded
    reason: str = ""  # why it ended; the first reason counts
    _turn: trio.Lock = attrs.Factory(trio.Lock)  # of whoever writes
    _over: trio.Event = attrs.Factory(trio.Event)
    _pinged: bytes = b""
    _pong: trio.Event = attrs.Factory(trio.Event)
    _is_leaving: bool = False
    _rest: list[Message] = attrs.Factory(list[Message])  # came with the last one taken

    @property
    def replaced(self) -> int:
        """How many messages that nobody had taken were replaced by newer ones."""
        return self._undecoded.replaced

    async def send(self, text: str) -> None:
        """Hand `text` to the writer. A cancelled send leaves no half frame behind.

        Raises:
          ConnectionLost: the connection has ended.
        """
        try:
            await self._unsent.send(text)
            if self._over.is_set():
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
        messages = await self._undecoded.take()
        if not messages:
            raise self._lost()
        return messages

    async def end(self, reason: str) -> None:
        """Drop the connection without a goodbye; `receive` raises with this reason."""
        self.reason = self.reason or reason
        await trio.aclose_forcefully(self._stream)

    async def read(self, data: bytes | bytearray) -> None:
        """Take `data`, then whatever comes, until the connection ends."""
        await trio.lowlevel.checkpoint()
        try:
            if data:
                await self._take(data)
            full_reads, size = 0, RECEIVE_SIZE
            while not self._frames.is_over:
                near_s = NEAR_S if full_reads else math.inf
                with trio.move_on_after(near_s) as waiting:
                    data = await self._stream.receive_some(size)
                if waiting.cancelled_caught:
                    self._undecoded.wake()
                    full_reads = 0
                    continue
                if not data:
                    break
                is_full = len(data) >= RECEIVE_SIZE and full_reads < FULL_READS_MAX
                full_reads = full_reads + 1 if is_full else 0
                size = RECEIVE_SIZE_MAX if len(data) >= RECEIVE_SIZE else RECEIVE_SIZE
                await self._take(data, is_more_near=is_full)
        except _ENDED:
            pass
        finally:
            self._over.set()
            self._undecoded.end()

    async def _take(self, data: bytes | bytearray, *, is_more_near: bool = False) -> None:
        messages = self._frames.take(data)
        if self._frames.pong == self._pinged:
            self._pong.set()
        if not self._is_leaving:
            self._undecoded.put(messages, len(data), is_more_near=is_more_near)
        await self._flush()
        while self._undecoded.is_full() and not self._is_leaving:
            await self._undecoded.taken()

    async def write(self, unsent: trio.MemoryReceiveChannel[str]) -> None:
        """Write what was handed over, one message at a time, until the connection ends."""
        with unsent:
            async for text in unsent:
                try:
                    self._frames.text(text)
                    await self._flush()
                except _ENDED:
                    break
                if self._timing.write_gap_s:
                    await trio.sleep(self._timing.write_gap_s)

    async def _flush(self) -> None:
        async with self._turn:
            data = self._frames.to_write()
            if data:
                await self._stream.send_all(data)

    async def keep_alive(self, nursery: trio.Nursery) -> None:
        """Ping; when neither a pong nor any byte comes in time, drop the connection."""
        number, pong_s = 0, self._timing.pong_s
        while True:
            await trio.sleep(self._timing.ping_s)
            number += 1
            self._pinged, self._pong = b"%d" % number, trio.Event()
            # Never cancelled: a ping cut in half would corrupt the stream.
            nursery.start_soon(self._ping)
            if not await is_alive(self._pong, self._stream, pong_s):
                await self.end(f"no pong within {pong_s:g} s")
                return

    async def _ping(self) -> None:
        try:
            self._frames.ping(self._pinged)
            await self._flush()
        except _ENDED:
            await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        """Say goodbye and wait for the answer; the caller sets the deadline."""
        self._is_leaving = True
        self._undecoded.end()
        self._frames.close()
        try:
            await self._flush()
        except _ENDED:
            await trio.lowlevel.checkpoint()
        else:
            await self._over.wait()

    def _lost(self) -> ConnectionLost:
        return ConnectionLost(self.reason or self._frames.close_text())


@asynccontextmanager
async def open_busy_websocket(
    url: str,
    *,
    timing: Timing | None = None,
    headers: Sequence[tuple[bytes, bytes]] = (),
    dial: Dial = dial,
    newest_of: NewestOf | None = None,
) -> AsyncGenerator[BusySocket, None]:
    """Connect to `url` (ws:// or wss://) for the length of the block.

    Of many messages that `newest_of` names alike and nobody has taken, the last is told.

    Raises:
      ConnectionLost: could not connect, or not in time; never a bare library error.
      UpgradeRefused: the venue answered the upgrade with 403, 418 or 429.
    """
    timing = timing or Timing()
    try:
        async with trio.open_nursery() as nursery:
            upgrade = partial(_upgrade, headers)
            stream, (frames, data) = await connect(url, timing, dial, upgrade)
            send, unsent = trio.open_memory_channel[str](UNSENT_MAX)
            socket = BusySocket(stream, frames, timing, send, Undecoded(newest_of))
            try:
                nursery.start_soon(socket.read, data)
                nursery.start_soon(socket.write, unsent)
                nursery.start_soon(socket.keep_alive, nursery)
                yield socket
            finally:
                send.close()
                await leave(socket.close, stream, goodbye_scope())  # noqa: ASYNC102 -- shields itself
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        error = the_one(group)
        raise error from error.__cause__


async def _upgrade(
    headers: Sequence[tuple[bytes, bytes]], stream: WatchedStream, address: Address
) -> tuple[Frames, bytes]:
    """Return the protocol once the HTTP upgrade is through, and what came after it."""
    frames = Frames.to(address, headers, MESSAGE_SIZE_MAX)
    await stream.send_all(frames.to_write())
    data = b""
    while b"\r\n\r\n" not in data and len(data) <= HEAD_SIZE_MAX:
        read = await stream.receive_some(RECEIVE_SIZE)
        if not read:
            raise ConnectionLost("the connection ended during the WebSocket handshake")
        data += read
    head, end, rest = data.partition(b"\r\n\r\n")
    frames.answered(head + end)
    return frames, rest
