"""The store without a thread, for deterministic simulation: it writes while the loop waits.

The same file, the same transactions; a thread would let the scheduler's seed say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import trio

from actors.ports_store import Query, Row, Stored, StoredRow
from adapters.sqlite.writer import LedgerFile


class InlineStore:
    """A ledger whose every call returns as soon as the disk has answered."""

    def __init__(self, path: Path, *, identity: Mapping[str, str] | None = None) -> None:
        self._file = LedgerFile(path, identity or {})
        self.path = path
        self.meta = self._file.meta
        self.epoch = self.meta["epoch"]

    async def append(self, rows: Sequence[Row]) -> Stored:
        """Commit `rows` in one transaction.

        Raises:
          OSError: nothing of `rows` was stored.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        stored = self._file.append(rows)
        await trio.lowlevel.cancel_shielded_checkpoint()
        return stored

    async def read(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        """Return the number up to which it looked, and the rows up to it, in order."""
        await trio.lowlevel.checkpoint()
        reading = self._file.read(query)
        rows = reading.first
        while not reading.is_finished:
            rows += reading.more()
        return reading.seq, rows

    async def close(self) -> None:
        """Close the file."""
        self._file.close()
        await trio.lowlevel.checkpoint()
