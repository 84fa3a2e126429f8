"""Read the ledgers of one run as one story, in the order of the wall clock.

Several owners have a ledger each, and one that is damaged hides no other's: its rows end
where they cannot be read, and `damage` says why.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from adapters.files import StateUnusable
from adapters.sqlite.ledger import Ledger, LedgerRow


class Ledgers:
    """The ledgers of owners ("" is the house, or the only one); a context manager.

    Raises:
      StateUnusable: none of them can be read.
    """

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.damage: list[str] = []
        self.seqs: dict[str, int] = {}  # of the last row told, by owner
        self._ledgers: dict[str, Ledger] = {}
        with ExitStack() as undo:
            for owner, path in paths.items():
                try:
                    self._ledgers[owner] = undo.enter_context(Ledger(path))
                    self.seqs[owner] = 0
                except StateUnusable as error:
                    self.damage.append(str(error))
            if not self._ledgers:
                raise StateUnusable("; ".join(self.damage) or "there is no ledger")
            self._open = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def rows(self) -> Iterator[tuple[str, LedgerRow]]:
        """Yield owner and row of what was not told yet, up to now."""
        stories = [self._rows_of(owner) for owner in self._ledgers]
        for owner, row in heapq.merge(*stories, key=lambda told: told[1].at_ms):
            self.seqs[owner] = row.seq
            yield owner, row

    def _rows_of(self, owner: str) -> Iterator[tuple[str, LedgerRow]]:
        try:
            for row in self._ledgers[owner].rows(after=self.seqs[owner]):
                yield owner, row
        except StateUnusable as error:
            self.damage.append(str(error))
