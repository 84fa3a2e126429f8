"""apsw's connection in the clothes of the standard library's, as far as the ledger asks.

The ledger's own code runs on it unchanged: `sqlite3.connect` is replaced, nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from tests.adapters.lossy_disk import LossyDisk

Values = Sequence[Any] | Mapping[str, Any]


@contextmanager
def as_sqlite3() -> Generator[None]:
    """Raise apsw's errors as those of the standard library."""
    try:
        yield
    except apsw.Error as error:
        is_broken_rule = isinstance(error, apsw.ConstraintError)
        kind = sqlite3.IntegrityError if is_broken_rule else sqlite3.OperationalError
        raised = kind(str(error))
        raised.sqlite_errorcode = getattr(error, "extendedresult", apsw.SQLITE_ERROR)
        raise raised from error


class Cursor:
    """Rows of one statement."""

    def __init__(self, cursor: apsw.Cursor) -> None:
        self._cursor = cursor

    @property
    def description(self) -> Any:
        with as_sqlite3():
            return self._cursor.description

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row

    def fetchone(self) -> Any:
        with as_sqlite3():
            return self._cursor.fetchone()

    def fetchmany(self, size: int) -> list[Any]:
        rows: list[Any] = []
        while len(rows) < size and (row := self.fetchone()) is not None:
            rows.append(row)
        return rows

    def fetchall(self) -> list[Any]:
        return list(self)

    def close(self) -> None:
        with as_sqlite3():
            self._cursor.close(force=True)


class Connection:
    """One connection to a file on a lossy disk."""

    def __init__(self, uri: str, disk: LossyDisk) -> None:
        with as_sqlite3():
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
            self._connection: Any = apsw.Connection(uri, flags=flags, vfs=disk.name)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, values: Values = ()) -> Cursor:
        with as_sqlite3():
            return Cursor(self._connection.execute(sql, values))

    def executemany(self, sql: str, values: Any) -> Cursor:
        with as_sqlite3():
            return Cursor(self._connection.executemany(sql, values))

    def close(self) -> None:
        with as_sqlite3():
            self._connection.close(force=True)


def connect_to(disk: LossyDisk) -> Callable[..., Connection]:
    """Return what stands for `sqlite3.connect`."""

    def connect(database: str, **_: object) -> Connection:
        return Connection(database, disk)

    return connect
