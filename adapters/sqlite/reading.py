"""Read a ledger as it was at one moment, piece by piece, without holding up its writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from actors.ports_store import StoredRow
from adapters.sqlite.faults import as_os_error

READ_ROWS: Final = 2000  # in one piece


@attrs.frozen
class Query:
    """Which rows: of these kinds, or of all (None); of one bot or account, or of all."""

    kinds: Sequence[str] | None
    bot: str | None = None
    account: str | None = None
    after: int = 0
    is_paged: bool = False  # True: rows in their own order, so that a page stops early
    rows_max: int | None = None

    @property
    def where(self) -> str:
        """Return the SQL of the condition; its values are `values`."""
        marks = ", ".join("?" * len(self.kinds or ()))
        column = "+kind" if self.is_paged else "kind"  # "+": not by the index of kinds
        kinds = "" if self.kinds is None else f" AND {column} IN ({marks})"
        bot = "" if self.bot is None else " AND bot = ?"
        account = "" if self.account is None else " AND account = ?"
        return f"seq > ?{kinds}{bot}{account}"

    @property
    def values(self) -> tuple[object, ...]:
        scope = (each for each in (self.bot, self.account) if each is not None)
        return (self.after, *(self.kinds or ()), *scope)


class Reading:
    """One read transaction: it sees the rows up to `seq` and nothing that comes after."""

    def __init__(self, connection: sqlite3.Connection, query: Query, path: Path) -> None:
        self._connection, self._path = connection, path
        connection.execute("BEGIN")
        (self.seq,) = connection.execute(
            "SELECT coalesce(max(seq), 0) FROM facts"
        ).fetchone()
        self._cursor = connection.execute(
            "SELECT seq, wall_ms, kind, body FROM facts"  # noqa: S608 -- only question marks
            f" WHERE {query.where} ORDER BY seq LIMIT ?",
            (*query.values, -1 if query.rows_max is None else query.rows_max),  # -1: all
        )
        self.is_finished = False
        self.first = self.more()

    def more(self) -> list[StoredRow]:
        """Return the next rows; after the last ones the reading is finished.

        Raises:
          OSError: the file cannot be read.
        """
        try:
            found = self._cursor.fetchmany(READ_ROWS)
        except sqlite3.Error as error:
            self.close()
            raise as_os_error(error, self._path) from error
        if len(found) < READ_ROWS:
            self.close()
        return [StoredRow(seq, ms, kind, body.encode()) for seq, ms, kind, body in found]

    def close(self) -> None:
        """End the transaction, so that checkpoints can pass it. Closing twice is fine."""
        if not self.is_finished:
            self.is_finished = True
            self._cursor.close()
            self._connection.execute("COMMIT")
