"""One accepted connection, bytes in and out, before anybody knows what it speaks."""

from __future__ import annotations

from typing import Final

import trio
import trio.abc

HEAD_SIZE_MAX: Final = 64 * 2**10


class Wire(trio.abc.Stream):
    """A stream whose first bytes may be looked at, and which may fall silent for ever."""

    def __init__(self, inner: trio.abc.Stream) -> None:
        self._inner = inner
        self._ahead = bytearray()  # received, not yet read
        self.is_dead = False  # half open: no byte passes any more, TCP stays

    async def peek_head(self) -> bytes:
        """Return the first request's head without taking it; b"" when there is none."""
        await trio.lowlevel.checkpoint()
        while b"\r\n\r\n" not in self._ahead:
            received = await self._inner.receive_some()
            self._ahead += received
            if not received or len(self._ahead) > HEAD_SIZE_MAX:
                return b""
        return bytes(self._ahead[: self._ahead.index(b"\r\n\r\n")])

    def put_back(self, data: bytes) -> None:
        """Return what was read too far: it comes first next time."""
        self._ahead[:0] = data

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        if self._ahead:
            await trio.lowlevel.checkpoint()
            taken, self._ahead = self._ahead, bytearray()
            return taken
        received = await self._inner.receive_some(max_bytes)
        while self.is_dead and received:
            received = await self._inner.receive_some(max_bytes)
        return received

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_dead:
            await trio.lowlevel.checkpoint()
            return
        await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._inner.aclose()
