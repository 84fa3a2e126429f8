"""What the journal needs from its disk, as a Protocol: rows are added, and never change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs


@attrs.frozen
class Row:
    """One fact on its way to the store: what it is filed under, and its JSON."""

    kind: str
    key: str | None  # unique where given: the second row of a key is not stored
    bot: str
    account: str
    symbol: str
    wall_ms: int
    awake_ms: int  # monotonic of this boot
    body: bytes


@attrs.frozen
class StoredRow:
    seq: int
    wall_ms: int
    kind: str
    body: bytes


@attrs.frozen
class Stored:
    """Answer to `append`: one (seq, is_new) for each row, in the order given."""

    seqs: tuple[int, ...]
    are_new: tuple[bool, ...]


@attrs.frozen
class Query:
    """Which rows: of these kinds, or of all (None); of one bot or account, or of all."""

    kinds: Sequence[str] | None
    bot: str | None = None
    account: str | None = None
    after: int = 0  # only rows with a higher number
    rows_max: int | None = None  # the first of them only: a page
    looks_max: int | None = None  # looks at so many rows at most, of `bot` if given


class StoreCorrupt(OSError):
    """The ledger is damaged: nothing may trade on it, nothing may mend it silently."""


class Store(Protocol):
    """The ledger. One instance, one writer thread, owned by the journal actor."""

    async def append(self, rows: Sequence[Row]) -> Stored:
        """Commit `rows` in one transaction; they are on the disk when it returns.

        Raises:
          OSError: nothing of `rows` was stored (disk full, I/O error).
          TimeoutError: the disk did not answer; the rows may be stored later.
          StoreCorrupt: the ledger is damaged.
        """
        ...

    async def read(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        """Return the number up to which it looked, and the rows up to it, in order.

        It is the last one of all, but where `looks_max` ended the search before.

        Raises:
          OSError: as for `append`.
        """
        ...
