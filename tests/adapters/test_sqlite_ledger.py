"""A ledger read from outside, while it is written and afterwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from actors.messages import BotPaused, ExchangeDisconnected, Fact
from actors.ports_store import Row
from actors.pure.facts import encode, kind_of
from adapters.files import StateUnusable
from adapters.sqlite.ledger import Ledger
from adapters.sqlite.writer import LedgerFile

FACTS: list[Fact] = [
    BotPaused("dawn", "main", "tea"),
    BotPaused("dusk", "main", ""),
    ExchangeDisconnected("binance", "eof"),
]


def rows() -> list[Row]:
    return [
        Row(
            kind_of(type(fact)),
            None,
            getattr(fact, "bot", ""),
            getattr(fact, "account", ""),
            "",
            1_000 + number,
            2,
            encode(fact),
        )
        for number, fact in enumerate(FACTS)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = LedgerFile(tmp_path / "ledger.db", {"mode": "sim"})
    file.append(rows())
    file.close()
    return tmp_path / "ledger.db"


def test_rows_come_in_order_with_their_facts(path: Path) -> None:
    with Ledger(path) as ledger:
        found = [(row.seq, row.at_ms, row.fact) for row in ledger.rows()]

    assert found == [
        (number + 1, 1_000 + number, fact) for number, fact in enumerate(FACTS)
    ]


def test_rows_after_a_number_come_alone(path: Path) -> None:
    with Ledger(path) as ledger:
        assert [row.seq for row in ledger.rows(after=1)] == [2, 3]


def test_rows_can_be_chosen_by_kind_bot_and_actor(path: Path) -> None:
    with Ledger(path) as ledger:
        chosen = [
            [row.seq for row in ledger.rows(kinds=["bot_paused"])],
            [row.seq for row in ledger.rows(bot="dusk")],
            [row.seq for row in ledger.rows(actor="bot:dawn")],
            [row.seq for row in ledger.rows(actor="bot")],
            [row.seq for row in ledger.rows(actor="feed:binance")],
        ]

    assert chosen == [[1, 2], [2], [1], [1, 2], [3]]


def test_many_rows_come_in_many_short_transactions(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite.ledger.PAGE_ROWS", 2)
    with Ledger(path) as ledger:
        found: list[int] = []
        for row in ledger.rows():
            found.append(row.seq)
            assert not ledger.is_reading

    assert found == [1, 2, 3]


def test_a_ledger_tells_who_it_belongs_to(path: Path) -> None:
    with Ledger(path) as ledger:
        meta = ledger.meta()

    assert (meta["application"], meta["mode"], len(meta["epoch"])) == ("shoal", "sim", 16)


def test_what_is_written_meanwhile_is_seen_by_the_next_question(path: Path) -> None:
    writer = LedgerFile(path, {})
    with Ledger(path) as ledger:
        before = ledger.last_seq()
        writer.append(rows())
        after = ledger.last_seq()
    writer.close()

    assert (before, after) == (3, 6)


def test_a_reader_cannot_write(path: Path) -> None:
    with Ledger(path) as ledger, pytest.raises(sqlite3.OperationalError, match="readonly"):
        ledger.connection.execute("DELETE FROM facts")


def test_the_whole_chain_is_verified(path: Path) -> None:
    with Ledger(path) as ledger:
        assert ledger.verify() == 3


def test_no_ledger_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StateUnusable, match=r"there is no ledger .*nothing has run"):
        Ledger(tmp_path / "ledger.db")


def test_an_empty_file_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()

    with pytest.raises(StateUnusable, match="is empty: nothing has run here yet"):
        Ledger(tmp_path / "ledger.db")


def test_a_damaged_file_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"x" * 5000)

    with pytest.raises(StateUnusable, match="is damaged"):
        Ledger(tmp_path / "ledger.db")
