"""The writing side of a ledger after something went wrong in the middle (R-31)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.ports_store import Query, Row, StoreCorrupt
from adapters.files import StateUnusable
from adapters.sqlite.reading import READ_ROWS
from adapters.sqlite.writer import LedgerFile
from tests.adapters.full_disk import full_disk

KIND = "exchange_disconnected"


def rows(count: int) -> list[Row]:
    return [Row(KIND, None, "dawn", "main", "", 1, 2, b"{}") for _ in range(count)]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[LedgerFile]:
    file = LedgerFile(tmp_path / "ledger.db", {})
    yield file
    file.close()


class FailsAfterCommit:
    """A connection whose disk reports an I/O error for a commit that is there after all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, sql: str, *values: Any) -> Any:
        found = self.connection.execute(sql, *values)
        if sql == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return found


def test_a_commit_that_failed_and_is_there_after_all_breaks_no_numbers(
    file: LedgerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(file, "connection", FailsAfterCommit(file.connection))
        with pytest.raises(OSError, match="disk I/O error"):
            file.append(rows(2))

    assert file.append(rows(1)).seqs == (3,)


def test_a_refused_append_leaves_no_transaction_open(file: LedgerFile) -> None:
    file.append(rows(1))
    file.connection.execute(
        "INSERT INTO facts SELECT seq + 1, kind, NULL, bot, account, symbol, wall_ms,"
        " awake_ms, body, chain FROM facts"
    )
    with pytest.raises(StoreCorrupt):
        file.append(rows(1))

    assert not file.connection.in_transaction


def test_a_reading_that_nobody_finished_ends_with_the_next(file: LedgerFile) -> None:
    file.append(rows(READ_ROWS + 1))
    first = file.read(Query([KIND]))
    second = file.read(Query([KIND]))

    assert (first.is_finished, len(second.first) + len(second.more())) == (
        True,
        READ_ROWS + 1,
    )


def test_a_reading_sees_nothing_that_comes_after_it_began(file: LedgerFile) -> None:
    file.append(rows(READ_ROWS + 1))
    reading = file.read(Query([KIND]))
    file.append(rows(10))

    assert (reading.seq, len(reading.more())) == (READ_ROWS + 1, 1)


def test_a_ledger_that_was_closed_opens_on_no_full_disk_and_says_what_to_do(
    tmp_path: Path,
) -> None:
    """SQLite calls it an I/O error where the memory that readers share has no room."""
    LedgerFile(tmp_path / "ledger.db", {}).close()
    with (
        full_disk(4096),
        pytest.raises(
            StateUnusable, match=r"the disk is full, or fails \(.*\); make room on it"
        ),
    ):
        LedgerFile(tmp_path / "ledger.db", {})
