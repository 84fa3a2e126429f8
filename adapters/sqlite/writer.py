"""The writing side of one ledger file, for one thread.

One transaction for each append, a number without gap for each new row, and a hash over it
and all rows before. A failed append leaves nothing behind, and the next one finds a file
that it can use (R-31).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from actors.ports_store import Query, Row, Stored
from adapters.files import StateUnusable, create_private, sync_folder
from adapters.sqlite.checks import Link, check_pages, check_rows, identify, link, link_at
from adapters.sqlite.faults import as_os_error, unusable
from adapters.sqlite.reading import Reading
from adapters.sqlite.schema import (
    COLUMNS,
    MIGRATIONS,
    Migration,
    connect,
    migrate,
    set_durable,
    version_of,
)
from adapters.sqlite.swap import swap_in

CHECKPOINT_COMMITS: Final = 1024  # about 20 MB of WAL
ROWS_MAX: Final = 500  # of one statement
ROW: Final = f"({', '.join('?' * len(COLUMNS))})"


class LedgerFile:
    """An open ledger. Every method belongs to the thread that opened it."""

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, str],
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> None:
        """Open the ledger at `path`: made or found, checked and brought up to date.

        Raises:
          StateUnusable: it is damaged, newer, another's, or cannot be opened.
        """
        self.path = path
        self.commits = 0  # since the last checkpoint
        self._reading: Reading | None = None
        try:
            with ExitStack() as undo:
                swap_in(path)
                if create_private(path):
                    sync_folder(path.parent)
                self.connection = connect(path)
                undo.callback(self.connection.close)
                self.meta = self._prepare(identity, migrations)
                self._last: Link | None = link_at(self.connection)
                self._reader = connect(path, is_read_only=True)
                self.checkpoint()  # who dies young, again and again, never gets to it
                undo.pop_all()
        except sqlite3.Error as error:
            raise unusable(error, path) from error
        except OSError as error:
            raise StateUnusable(f"{path} cannot be used: {error.strerror}") from error

    def append(self, rows: Sequence[Row]) -> Stored:
        """Commit the rows whose key is new; return number and newness of each.

        Raises:
          OSError: nothing was stored.
        """
        try:
            return self._append(rows)
        except sqlite3.Error as error:
            self._last = None  # what is in the file now is asked of the file
            with suppress(sqlite3.Error):
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
            raise as_os_error(error, self.path) from error

    def read(self, query: Query) -> Reading:
        """Begin a consistent reading and return it with its first rows.

        One at a time: a reading that was begun and not finished ends here.

        Raises:
          OSError: the file cannot be read.
        """
        if self._reading:
            self._reading.close()
        try:
            self._reading = Reading(self._reader, query, self.path)
        except sqlite3.Error as error:
            raise as_os_error(error, self.path) from error
        return self._reading

    def checkpoint(self) -> None:
        """Carry the WAL over into the file, as far as readers allow, and block nobody."""
        with suppress(sqlite3.Error):  # the WAL keeps it all; a real fault shows at append
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.commits = 0

    def close(self) -> None:
        """Close both connections; the last one out carries the WAL over."""
        if self._reading:
            self._reading.close()
        self._reader.close()
        self.connection.close()

    def _prepare(
        self, identity: Mapping[str, str], migrations: Sequence[Migration]
    ) -> dict[str, str]:
        connection, path = self.connection, self.path
        version_of(connection, path, len(migrations))  # before anything is written
        check_pages(connection, path)
        set_durable(connection)
        migrate(connection, path, migrations)
        meta = identify(connection, path, identity)
        check_rows(connection, path)
        return meta

    def _append(self, rows: Sequence[Row]) -> Stored:
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        last = self._last or link_at(connection)
        seqs: list[int] = []
        are_new: list[bool] = []
        inserts: list[object] = []
        known = self._seqs_of([row.key for row in rows if row.key is not None])
        for row in rows:
            seq = None if row.key is None else known.get(row.key)
            are_new.append(seq is None)
            if seq is None:
                last = link(last, row)
                seq = last[0]
                inserts += _values(row, last)
                if row.key is not None:
                    known[row.key] = seq
            seqs.append(seq)
        for start in range(0, len(inserts), ROWS_MAX * len(COLUMNS)):
            values = inserts[start : start + ROWS_MAX * len(COLUMNS)]
            marks = ", ".join([ROW] * (len(values) // len(COLUMNS)))
            connection.execute(f"INSERT INTO facts VALUES {marks}", values)  # noqa: S608 -- question marks
        connection.execute("COMMIT")
        self._last = last
        self.commits += 1
        return Stored(tuple(seqs), tuple(are_new))

    def _seqs_of(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the number of each row that has one of these keys already.

        One statement for all, as one inserts them: between two statements another thread
        may take the interpreter, and the order in hand waits for it.
        """
        found: dict[str, int] = {}
        for start in range(0, len(keys), ROWS_MAX):
            some = keys[start : start + ROWS_MAX]
            marks = ", ".join("?" * len(some))
            query = f"SELECT key, seq FROM facts WHERE key IN ({marks})"  # noqa: S608 -- question marks
            found.update(self.connection.execute(query, some).fetchall())
        return found


def _values(row: Row, chained: Link) -> tuple[object, ...]:
    seq, chain = chained
    return (
        seq,
        row.kind,
        row.key,
        row.bot,
        row.account,
        row.symbol,
        row.wall_ms,
        row.awake_ms,
        row.body.decode(),
        chain,
    )
