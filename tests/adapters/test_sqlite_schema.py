"""Migrations: forward only, in one transaction, after a backup."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from actors.ports_store import Row
from adapters.sqlite.schema import MIGRATIONS
from adapters.sqlite.writer import LedgerFile

ROW = Row("exchange_disconnected", None, "dawn", "main", "BTC/USDT", 1, 2, b"{}")


def version_2(database: Database) -> None:
    database.table("notes").create({"text": str}, strict=True)


def version_2_that_fails(database: Database) -> None:
    version_2(database)
    raise RuntimeError("half way")


def ledger_of_version_1(path: Path) -> Path:
    file = LedgerFile(path, {})
    file.append([ROW])
    file.close()
    return path


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_an_old_ledger_is_brought_up_to_date(tmp_path: Path) -> None:
    path = ledger_of_version_1(tmp_path / "ledger.db")
    LedgerFile(path, {}, [*MIGRATIONS, version_2]).close()

    assert (version(path), "notes" in tables(path)) == (2, True)


def test_an_old_ledger_is_copied_first_and_the_copy_is_private(tmp_path: Path) -> None:
    path = ledger_of_version_1(tmp_path / "ledger.db")
    LedgerFile(path, {}, [*MIGRATIONS, version_2]).close()
    backup = tmp_path / "ledger.db.v1.backup"

    with closing(sqlite3.connect(backup)) as connection:
        count = connection.execute("SELECT count(*) FROM facts").fetchone()
    assert (count, version(backup), stat.S_IMODE(backup.stat().st_mode)) == ((1,), 1, 0o600)


def test_an_older_backup_is_never_overwritten(tmp_path: Path) -> None:
    path = ledger_of_version_1(tmp_path / "ledger.db")
    (tmp_path / "ledger.db.v1.backup").write_text("precious")
    LedgerFile(path, {}, [*MIGRATIONS, version_2]).close()

    assert (tmp_path / "ledger.db.v1.backup").read_text() == "precious"
    assert version(tmp_path / "ledger.db.v1.backup.2") == 1


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = ledger_of_version_1(tmp_path / "ledger.db")
    with pytest.raises(RuntimeError, match="half way"):
        LedgerFile(path, {}, [*MIGRATIONS, version_2_that_fails])

    assert (version(path), "notes" in tables(path)) == (1, False)


def test_a_new_ledger_needs_no_backup(tmp_path: Path) -> None:
    ledger_of_version_1(tmp_path / "ledger.db")

    assert [each.name for each in tmp_path.iterdir()] == ["ledger.db"]
