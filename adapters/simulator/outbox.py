"""What one WebSocket client has still to be sent: bounded, and troubled by faults."""

from __future__ import annotations

from typing import Final

import trio

from adapters.simulator.faults import Connection, Faults
from adapters.websocket_server import ServerSocket, frame

BATCH_FRAMES: Final = 256


class Outbox:
    """Frames for one connection. A reader too slow for it is disconnected."""

    def __init__(self, kind: Connection, faults: Faults, frames_max: int) -> None:
        self.kind: Connection = kind
        self.scope = trio.CancelScope()  # of the connection
        self._faults = faults
        self._send, self._receive = trio.open_memory_channel[bytes](frames_max)
        self._held: dict[str, bytes] = {}  # by symbol; the next frame overtakes it
        self._written = trio.Event()

    def post(self, wire: bytes, symbol: str = "") -> None:
        """Queue a frame of data; never waits."""
        if not self._held and not self._faults.any:
            self.answer(wire)
            return
        for troubled in self._trouble(wire, symbol):
            self.answer(troubled)

    def answer(self, wire: bytes) -> None:
        """Queue a frame that no fault touches: the answer to a request."""
        try:
            self._send.send_nowait(wire)
        except (trio.WouldBlock, trio.ClosedResourceError):
            self.scope.cancel()

    async def write_to(self, socket: ServerSocket) -> None:
        """Write what is queued, in batches, for ever."""
        try:
            with self._send, self._receive:
                async for first in self._receive:
                    await socket.write(self._batch(first))
                    self._written.set()
        finally:
            self._written.set()

    async def wait_room(self) -> None:
        """Return when less than half of the room is taken, or nothing will be written."""
        await trio.lowlevel.checkpoint()
        while self._is_half_full() and not self.scope.cancel_called:
            self._written = trio.Event()
            await self._written.wait()

    def _is_half_full(self) -> bool:
        statistics = self._send.statistics()
        is_read = statistics.open_receive_channels > 0
        return is_read and statistics.current_buffer_used > statistics.max_buffer_size / 2

    def _batch(self, first: bytes) -> bytes:
        batch = [first]
        while len(batch) < BATCH_FRAMES:
            try:
                batch.append(self._receive.receive_nowait())
            except trio.WouldBlock:
                break
        return b"".join(batch)

    def _trouble(self, wire: bytes, symbol: str) -> list[bytes]:
        """Return what is sent instead of `wire` while things go wrong."""
        faults, kind = self._faults, self.kind
        if faults.strike("silence", kind, symbol):
            return []
        if faults.strike("garbage", kind, symbol):
            return [frame(wire[-len(wire) // 2 :])]  # the second half of a message
        frames = [wire]
        if faults.strike("duplicate", kind, symbol):
            frames.append(wire)
        if symbol in self._held:
            frames.append(self._held.pop(symbol))
        elif faults.strike("reorder", kind, symbol):
            self._held[symbol] = frames.pop()
        return frames
