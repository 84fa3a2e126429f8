"""What happened in one run, line by line, and one hash over all of it."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import Final

import trio

LINES_KEPT: Final = 200


class Trace:
    """Every event of a run; all lines count in the hash, the newest are kept."""

    def __init__(self, *, keeps_all: bool = False) -> None:
        self.lines: deque[str] = deque(maxlen=None if keeps_all else LINES_KEPT)
        self.count = 0
        self._hash = blake2b(digest_size=16)
        self._began_s = trio.current_time()

    @property
    def now_s(self) -> float:
        return trio.current_time() - self._began_s

    def note(self, what: str) -> None:
        """Note one event at this moment of simulated time."""
        line = f"{self.now_s:12.6f} {what}"
        self.count += 1
        self._hash.update(line.encode())
        self.lines.append(line)

    def digest(self) -> str:
        return self._hash.hexdigest()


def short(data: bytes | bytearray | memoryview) -> str:
    """Return bytes as size and hash: two traces with the same line had the same bytes."""
    return f"{len(data)} B {blake2b(data, digest_size=4).hexdigest()}"
