"""The real emergency file without its thread, and room on the disk as a test wants it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import trio

from adapters.emergency_file import RecordFile


@attrs.define(eq=False)
class InlineFile:
    """An emergency file whose disk can be told to fail, or to take its time."""

    path: Path
    file: RecordFile = attrs.field(init=False)
    error: OSError | None = None
    slow_s: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.file = RecordFile(self.path, "0e0e0e0e0e0e0e0e")

    async def append(self, record: bytes) -> None:
        await self._wait()
        self.file.append(record)

    async def read(self) -> Sequence[bytes]:
        await self._wait()
        return self.file.read()

    async def clear(self, count: int) -> bool:
        await self._wait()
        return self.file.clear(count)

    async def _wait(self) -> None:
        await trio.sleep(self.slow_s)
        if self.error is not None:
            raise self.error


@attrs.define(eq=False)
class Room:
    """How much room is left, in bytes."""

    free: int = 10**12

    async def free_bytes(self) -> int:
        await trio.lowlevel.checkpoint()
        return self.free
