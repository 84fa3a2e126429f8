"""Read a ledger from outside: while the fleet runs, and afterwards.

Every question is a short read transaction of its own, so that the writer's WAL can be
carried over between two of them. Nothing here can write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from actors.messages import Fact
from actors.ports_store import Query
from actors.pure.facts import UnreadableFact, decode
from actors.pure.lines import actor_of
from adapters.files import StateUnusable
from adapters.sqlite.checks import check_chain, check_pages
from adapters.sqlite.faults import unusable
from adapters.sqlite.reading import values, where
from adapters.sqlite.schema import connect, version_of

if TYPE_CHECKING:
    from sqlite_utils import Database

PAGE_ROWS: Final = 1000


@attrs.frozen
class LedgerRow:
    """One fact, its number, and the wall time it was recorded at."""

    seq: int
    at_ms: int
    fact: Fact


class Ledger:
    """A ledger opened for reading only; a context manager.

    Raises:
      StateUnusable: there is none, it is damaged, or a newer Shoal wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise StateUnusable(f"there is no ledger at {path}: nothing has run here yet")
        with self._explained(), ExitStack() as undo:
            self.connection = connect(path, is_read_only=True)
            undo.callback(self.connection.close)
            if not version_of(self.connection, path):
                raise StateUnusable(f"{path} is empty: nothing has run here yet")
            self._facts = _database(self.connection).table("facts")
            undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @property
    def is_reading(self) -> bool:
        """Whether a read transaction is open; never while a row is in your hands."""
        return self.connection.in_transaction

    def meta(self) -> Mapping[str, str]:
        """Return epoch, application and identity ("mode")."""
        with self._explained():
            return dict(self.connection.execute("SELECT name, value FROM meta"))

    def last_seq(self) -> int:
        """Return the number of the last row, 0 for none."""
        with self._explained():
            found = self.connection.execute("SELECT coalesce(max(seq), 0) FROM facts")
            return int(found.fetchone()[0])

    def rows(
        self,
        *,
        after: int = 0,
        kinds: Sequence[str] | None = None,
        bot: str | None = None,
        actor: str = "",
    ) -> Iterator[LedgerRow]:
        """Yield the rows after a number, in order, up to the last one at that moment.

        Without `kinds`, `bot` or `actor`: of all. `actor` is the name at the head of a
        line ("bot:dawn"), or its role ("bot").
        """
        while page := self._page(Query(kinds, bot, after=after, rows_max=PAGE_ROWS)):
            for row in page:
                fact = self._decoded(row)
                after, name = row["seq"], actor_of(fact)
                if not actor or actor in {name, name.partition(":")[0]}:
                    yield LedgerRow(after, row["wall_ms"], fact)

    def verify(self) -> int:
        """Check the pages and the whole chain of hashes; return the number of rows.

        Raises:
          StateUnusable: something in it is not what was written.
        """
        with self._explained():
            check_pages(self.connection, self.path)
            return check_chain(self.connection, self.path)[0]

    def _page(self, query: Query) -> list[dict[str, Any]]:
        with self._explained():
            found = self._facts.rows_where(  # pyright: ignore[reportUnknownMemberType] -- a bare Sequence of theirs
                where(query),
                values(query),
                select="seq, wall_ms, kind, body",
                order_by="seq",
                limit=query.rows_max,
            )
            return list(found)

    def _decoded(self, row: Mapping[str, Any]) -> Fact:
        try:
            return decode(row["kind"], row["body"].encode())
        except UnreadableFact as error:
            raise StateUnusable(f"{self.path}, row {row['seq']}: {error}") from error

    @contextmanager
    def _explained(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise unusable(error, self.path) from error


def _database(connection: sqlite3.Connection) -> Database:
    from sqlite_utils import Database  # noqa: PLC0415 -- the fleet itself never asks

    return Database(connection, execute_plugins=False, recursive_triggers=False)
