"""The ledger's tables, and how a file comes to have them.

Migrations go forward only, all in one transaction, after a backup beside the file. What a
newer Shoal wrote is refused. Nothing is ever deleted here (D-3).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adapters.files import StateUnusable, create_private, sync_folder

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID: Final = 0x53686F61  # "Shoa"
COLUMNS: Final = {
    "seq": int,
    "kind": str,
    "key": str,
    "bot": str,
    "account": str,
    "symbol": str,
    "wall_ms": int,
    "awake_ms": int,
    "body": str,
    "chain": bytes,
}

Migration = Callable[["Database"], None]


def connect(path: Path, *, is_read_only: bool = False) -> sqlite3.Connection:
    """Open a connection that begins no transaction by itself."""
    mode = "ro" if is_read_only else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None
    )
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def set_durable(connection: sqlite3.Connection) -> None:
    """Make each commit wait for the disk (D-1); checkpoints are the writer's own.

    Raises:
      sqlite3.Error: the file stays in another mode, where FULL keeps no commit for sure.
    """
    # All rows: what the change of the mode fails with comes after the row that names it.
    ((mode,),) = connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if mode != "wal":
        raise sqlite3.OperationalError(f"its disk did not let it have a WAL, only {mode!r}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "PRAGMA fullfsync = ON"
    )  # macOS: fsync alone does not reach the disk
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA journal_size_limit = 67108864")


def version_1(database: Database) -> None:
    """Create the facts and the meta table."""
    facts = database.table("facts")
    not_null = COLUMNS.keys() - {"seq", "key"}
    facts.create(COLUMNS, pk="seq", not_null=not_null, strict=True)
    # Each entry ends in its seq, the rowid. None of accounts: they are few, and each index
    # is a page more in every commit.
    for column in ("kind", "bot"):
        facts.create_index([column])
    database.conn.execute("CREATE UNIQUE INDEX facts_key ON facts (key) WHERE key NOT NULL")
    meta = database.table("meta")
    meta.create({"name": str, "value": str}, pk="name", not_null={"value"}, strict=True)


MIGRATIONS: Final[Sequence[Migration]] = (version_1,)


def migrate(
    connection: sqlite3.Connection,
    path: Path,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring the tables up to date; a file that has some is copied first."""
    version = version_of(connection, path, len(migrations))
    if version == len(migrations):
        return
    if version:
        _back_up(connection, path, version)
    from sqlite_utils import Database  # noqa: PLC0415 -- 60 ms that most starts can save

    database = Database(connection, execute_plugins=False, recursive_triggers=False)
    with database.atomic():
        for migration in migrations[version:]:
            migration(database)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def version_of(
    connection: sqlite3.Connection, path: Path, newest: int = len(MIGRATIONS)
) -> int:
    """Return the file's version, 0 for an empty one.

    Raises:
      StateUnusable: a newer Shoal wrote the file, or no Shoal did.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StateUnusable(f"{path} is not a ledger of Shoal: choose another state")
    if version > newest:
        raise StateUnusable(
            f"{path} is a ledger of version {version}, written by a newer Shoal; this one"
            f" reads up to {newest}: update Shoal or choose another state"
        )
    return version


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy the whole ledger before it is changed; an older backup stays as it is."""
    names = (path.with_name(f"{path.name}.v{version}.backup{end}") for end in _ends())
    backup = next(name for name in names if not name.exists())
    create_private(backup)
    with closing(connect(backup)) as copy:
        connection.backup(copy)
    sync_folder(path.parent)


def _ends() -> Sequence[str]:
    return ("", *(f".{number}" for number in range(2, 1000)))
