"""Read a ledger as it was at one moment, piece by piece: its writer waits for one piece.

A piece looks at rows until it has found READ_ROWS, so it may look at all of them, unless
the query bounds that.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from actors.ports_store import Query, StoredRow
from adapters.sqlite.faults import as_os_error

READ_ROWS: Final = 2000  # in one piece


def where(query: Query) -> str:
    """Return the SQL of its condition; the values in it are `values`."""
    marks = ", ".join("?" * len(query.kinds or ()))
    # A page stops early in the rows' own order: "+" keeps it from the index of kinds.
    column = "kind" if query.rows_max is None else "+kind"
    kinds = "" if query.kinds is None else f" AND {column} IN ({marks})"
    bot = "" if query.bot is None else " AND bot = ?"
    account = "" if query.account is None else " AND account = ?"
    return f"seq > ?{kinds}{bot}{account}"


def values(query: Query) -> tuple[object, ...]:
    """Return what stands for the question marks of `where`."""
    scope = (each for each in (query.bot, query.account) if each is not None)
    return (query.after, *(query.kinds or ()), *scope)


def _last_seq(connection: sqlite3.Connection, query: Query) -> int:
    """Return the number of the last row that the query may look at."""
    (newest,) = connection.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
    if query.looks_max is None:
        return newest
    if query.bot is None:  # the numbers have no gap
        return min(newest, query.after + query.looks_max)
    found = connection.execute(  # of the index alone: a fraction of a millisecond
        "SELECT seq FROM facts WHERE seq > ? AND bot = ? ORDER BY seq LIMIT 1 OFFSET ?",
        (query.after, query.bot, query.looks_max - 1),
    ).fetchone()
    return newest if found is None else found[0]


class Reading:
    """One read transaction: it looks at the rows up to `seq` and at none after it."""

    def __init__(self, connection: sqlite3.Connection, query: Query, path: Path) -> None:
        self._connection, self._path = connection, path
        connection.execute("BEGIN")
        self.seq = _last_seq(connection, query)
        self._cursor = connection.execute(
            "SELECT seq, wall_ms, kind, body FROM facts"  # noqa: S608 -- only question marks
            f" WHERE {where(query)} AND seq <= ? ORDER BY seq LIMIT ?",
            (*values(query), self.seq, -1 if query.rows_max is None else query.rows_max),
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
