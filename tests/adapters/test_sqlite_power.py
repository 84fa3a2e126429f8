"""Real SQLite whose unsynced bytes are dropped: no acknowledged row is ever lost (D-1).

The ledger's own writer runs on a disk that forgets; the plain files that a power loss
leaves are then read by the standard library's SQLite. That the suite can see a loss is
shown by the settings that the ledger does not use.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from pathlib import Path

import apsw
import attrs
import pytest

from actors.ports_store import Row
from adapters.files import StateUnusable
from adapters.sqlite import schema, writer
from adapters.sqlite.ledger import Ledger
from adapters.sqlite.writer import LedgerFile
from tests.adapters.apsw_connection import connect_to
from tests.adapters.lossy_disk import LossyDisk

LOSSES = int(os.environ.get("SHOAL_POWER_LOSSES", "150"))
SEED = int(os.environ.get("SHOAL_SEED", "20261122"))
CHANGES_MAX = 200  # of files, from opening the ledger to the power loss
LIVES = 15  # of one ledger
KIND = "exchange_disconnected"


def unheard(found: sys.UnraisableHookArgs) -> None:
    """Pass over what SQLite passes over, say of a checkpoint at the close."""
    assert isinstance(found.exc_value, apsw.IOError)


@attrs.define
class Life:
    """What a ledger went through, and what it must therefore hold."""

    path: Path
    disk: LossyDisk
    chance: random.Random
    connect: object = sqlite3.connect
    acknowledged: int = 0  # rows
    possible: set[int] = attrs.Factory(set[int])  # with rows of appends that did not return
    cuts: int = 0
    appends: int = 0
    refusals: int = 0  # appends that the disk answered with an error, and the power stayed
    lost: int = 0  # rows that were acknowledged and are gone
    damaged: int = 0  # ledgers that could not be read any more
    number: int = 0

    def row(self) -> Row:
        self.number += 1
        body = b'{"exchange":"binance","reason":"%s"}' % (
            b"x" * self.chance.randint(1, 900)
        )
        return Row(KIND, f"k{self.number}", "dawn", "main", "", 1, 2, body)

    def run_until_the_power_goes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Open the ledger, write in it, and stop in the middle of anything."""
        self.disk.cut_after = self.chance.randint(0, CHANGES_MAX)
        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", connect_to(self.disk))
            patched.setattr(sys, "unraisablehook", unheard)
            try:
                file = LedgerFile(self.path, {})
            except StateUnusable:
                self.disk.is_buried = True
            else:
                self.write(file)
        self.cuts += 1
        self.disk.lose_power()

    def begin_anew(self) -> None:
        """Go on with a new ledger: a long one takes long to check."""
        self.path = self.path.with_name(f"ledger-{self.cuts}.db")
        self.acknowledged = 0

    def write(self, file: LedgerFile) -> None:
        while not self.disk.is_off:
            rows = [self.row() for _ in range(self.chance.randint(1, 20))]
            self.possible.add(self.acknowledged + len(rows))
            try:
                self.acknowledged = file.append(rows).seqs[-1]
                self.possible.clear()
                self.appends += 1
            except OSError:
                self.refusals += not self.disk.is_off
            if self.chance.random() < 0.15:
                file.checkpoint()
        self.disk.is_buried = True
        file.close()

    def check(self) -> None:
        """Read what is left with the standard library's SQLite, and go on from there."""
        try:
            with Ledger(self.path) as ledger:
                kept = ledger.verify()
                assert [row.seq for row in ledger.rows()] == list(range(1, kept + 1))
        except StateUnusable:
            if self.acknowledged:
                self.damaged += 1
            kept = 0
        self.lost += max(0, self.acknowledged - kept)
        if not self.lost:
            assert kept in {self.acknowledged, *self.possible}
        self.acknowledged = kept
        self.possible.clear()
        if self.cuts % LIVES == 0 or self.damaged:
            self.begin_anew()


@pytest.fixture
def life(tmp_path: Path) -> Life:
    chance = random.Random(SEED)
    return Life(tmp_path / "ledger.db", LossyDisk(chance), chance)


def test_no_acknowledged_row_is_lost_with_the_power(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(LOSSES):
        life.run_until_the_power_goes(monkeypatch)
        life.check()

    assert (life.lost, life.damaged) == (0, 0)
    assert (life.cuts, life.refusals) == (LOSSES, 0)
    assert life.appends > 2 * LOSSES
    assert life.disk.syncs > life.appends


def test_a_sync_that_fails_acknowledges_nothing(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.disk.sync_fails = 0.1
    for _ in range(LOSSES // 2):
        life.run_until_the_power_goes(monkeypatch)
        life.check()

    assert (life.lost, life.damaged) == (0, 0)
    assert life.refusals > LOSSES // 10


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_suite_sees_what_a_weaker_setting_loses(
    life: Life, monkeypatch: pytest.MonkeyPatch, synchronous: str
) -> None:
    """As measured for D-1: it is FULL that keeps the rows, not luck."""

    def set_weaker(connection: sqlite3.Connection) -> None:
        schema.set_durable(connection)
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    monkeypatch.setattr(writer, "set_durable", set_weaker)
    for _ in range(40):
        life.run_until_the_power_goes(monkeypatch)
        life.check()

    assert life.lost > 100
