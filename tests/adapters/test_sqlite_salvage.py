"""A damaged ledger becomes a whole one of what can be read; the damaged files are kept."""

from __future__ import annotations

import errno
import random
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import attrs
import pytest

from actors.messages import Attempted, Fact, Filled, LedgerSalvaged
from actors.ports_store import Row, Stored
from actors.pure.facts import encode, key_of, kind_of
from adapters.files import StateUnusable
from adapters.sqlite import salvage as salvaging
from adapters.sqlite.ledger import Ledger
from adapters.sqlite.salvage import salvage
from adapters.sqlite.writer import LedgerFile
from tests.words import attempted, filled, intended

PAGE = 4096
ORDERS = 300
NOW_MS = 9_000


@attrs.frozen
class Usage:
    """What `shutil.disk_usage` says, as far as anybody asks."""

    free: int


def facts() -> list[Fact]:
    """All intents, then their attempts, then their fills."""
    numbers = range(ORDERS)
    return [
        *(attrs.evolve(intended(), intent_id=f"i{n}", notes="n" * 80) for n in numbers),
        *(attempted(f"i{n}", f"c{n}") for n in numbers),
        *(filled(1, 100, client_order_id=f"c{n}", trade_id=f"t{n}") for n in numbers),
    ]


def row(fact: Fact) -> Row:
    return Row(
        kind_of(type(fact)), key_of(fact), "dawn", "main", "BTC/USDT", 1, 2, encode(fact)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    file = LedgerFile(path, {"mode": "live", "account main": "abc"})
    file.append([row(fact) for fact in facts()])
    file.close()
    return path


def page_of(path: Path, seq: int) -> int:
    """Return the number of the page that holds the row, found by its own text."""
    with closing(sqlite3.connect(path)) as connection:
        (chain,) = connection.execute(
            "SELECT chain FROM facts WHERE seq = ?", (seq,)
        ).fetchone()
    return path.read_bytes().index(chain) // PAGE


def damage(path: Path, page: int) -> bytes:
    content = bytearray(path.read_bytes())
    content[page * PAGE : (page + 1) * PAGE] = b"\x2a" * PAGE
    path.write_bytes(content)
    return bytes(content)


def kept(path: Path) -> list[Fact]:
    with Ledger(path) as ledger:
        ledger.verify()
        return [each.fact for each in ledger.rows()]


def test_what_can_be_read_is_kept_in_its_order(path: Path) -> None:
    damage(path, page_of(path, 450))

    found = salvage(path, NOW_MS)

    left = kept(path)
    assert left[-1] == LedgerSalvaged(found.kept, found.lost, found.dropped, "damaged-1")
    assert 0 < found.lost < 60
    assert len(left) - 1 == found.kept == 3 * ORDERS - found.lost - found.dropped
    known = iter(facts())
    assert all(fact in known for fact in left[:-1])  # a subsequence


def test_no_row_is_kept_whose_order_has_lost_its_beginning(path: Path) -> None:
    damage(path, page_of(path, 450))

    found = salvage(path, NOW_MS)

    left = kept(path)
    attempts = {fact.client_order_id for fact in left if isinstance(fact, Attempted)}
    fills = {fact.client_order_id for fact in left if isinstance(fact, Filled)}
    assert found.dropped == ORDERS - len(fills) > 0
    assert fills <= attempts


def test_the_ledger_keeps_its_epoch_and_whose_it_is(path: Path) -> None:
    with Ledger(path) as ledger:
        before = ledger.meta()
    damage(path, page_of(path, 450))

    salvage(path, NOW_MS)

    file = LedgerFile(path, {"mode": "live", "account main": "abc"})
    assert file.meta == before
    file.close()


def test_a_whole_ledger_is_left_alone(path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(StateUnusable, match="is whole: there is nothing to salvage"):
        salvage(path, NOW_MS)

    assert (path.read_bytes(), list(path.parent.glob("damaged-*"))) == (before, [])


def test_the_damaged_file_is_kept_as_it_was(path: Path) -> None:
    damaged = damage(path, page_of(path, 450))

    found = salvage(path, NOW_MS)

    assert (found.quarantine / path.name).read_bytes() == damaged


@pytest.mark.parametrize("seed", range(12))
def test_whatever_pages_are_damaged_a_whole_ledger_or_a_reason_comes_out(
    path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    pages = path.stat().st_size // PAGE
    for _ in range(chance.randint(1, 6)):
        damage(path, chance.randrange(pages))
    try:
        found = salvage(path, NOW_MS)
    except StateUnusable as error:
        assert "damaged-1/ledger.db" in str(error) or "not a ledger" in str(error)  # noqa: PT017 -- either end is right
        return
    assert len(kept(path)) == found.kept + 1


def test_damage_outside_the_rows_loses_nothing(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'facts_key'"
        ).fetchone()
    damage(path, root - 1)

    assert salvage(path, NOW_MS).kept == 3 * ORDERS


def test_a_salvage_cut_short_is_finished_by_whoever_opens_the_ledger_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(path, page_of(path, 450))
    path.with_name("ledger.db-wal").write_bytes(b"of the damaged one")

    def cut(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(salvaging, "swap_in", cut)
    with pytest.raises(KeyboardInterrupt):
        salvage(path, NOW_MS)

    LedgerFile(path, {"mode": "live"}).close()
    assert isinstance(kept(path)[-1], LedgerSalvaged)


def said_of_a_salvage_that_fails(path: Path) -> str:
    """Return what a salvage says that leaves everything as it was."""
    before = damage(path, page_of(path, 450))
    with pytest.raises(StateUnusable) as error:
        salvage(path, NOW_MS)
    assert path.read_bytes() == before
    assert {each.name.partition("-")[0] for each in path.parent.iterdir()} == {path.name}
    return str(error.value)


def test_a_salvage_without_room_leaves_everything_as_it_was_and_says_how_much_to_free(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(_: LedgerFile, __: object) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    def disk_usage(_: Path) -> Usage:
        return Usage(free=7_000_000)

    monkeypatch.setattr(LedgerFile, "append", append)
    monkeypatch.setattr(shutil, "disk_usage", disk_usage)

    said = said_of_a_salvage_that_fails(path)

    assert re.search(r"the disk is full; nothing was changed: free [23] MB there", said)


def test_a_new_ledger_whose_wal_could_not_be_carried_over_is_not_installed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite closes in silence where its last checkpoint finds no room."""
    building = path.with_name("ledger.db.building")
    with ExitStack() as others:

        def checkpoint(_: LedgerFile) -> None:
            pass

        def close(file: LedgerFile) -> None:
            other = others.enter_context(closing(sqlite3.connect(building)))
            other.execute("BEGIN").execute("SELECT count(*) FROM facts").fetchone()
            file.connection.close()

        monkeypatch.setattr(LedgerFile, "checkpoint", checkpoint)
        monkeypatch.setattr(LedgerFile, "close", close)

        said = said_of_a_salvage_that_fails(path)

    assert "cannot be salvaged" in said


def test_a_new_ledger_that_lacks_rows_is_not_installed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = LedgerFile.append

    def lose(file: LedgerFile, rows: Sequence[Row]) -> Stored:
        return append(file, rows[1:])

    monkeypatch.setattr(LedgerFile, "append", lose)

    assert "rows; nothing was changed" in said_of_a_salvage_that_fails(path)


def test_fills_of_the_rows_that_are_left_still_count_once(path: Path) -> None:
    damage(path, page_of(path, 450))
    salvage(path, NOW_MS)
    file = LedgerFile(path, {"mode": "live"})

    stored = file.append([row(facts()[-1])])

    file.close()
    assert stored.are_new == (False,)
