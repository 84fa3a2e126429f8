"""A disk that takes no more: entries wait, exits leave by the emergency file (R-06, D-2).

The limit is RLIMIT_FSIZE, set from outside on the running fleet: writing beyond it fails
as on a full disk, for every file at once. While a reader holds the ledger its WAL grows, up
to the limit; the emergency file lies below it.
"""

from __future__ import annotations

import os
import re
import resource
import sqlite3
import subprocess
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from actors.messages import Attempted, Filled, FleetStarted
from tests.system.fleet_desk import only, running_fleet
from tests.system.processes import (
    KEY,
    SECRET,
    Sim,
    running_sim,
    wait_for_agreement,
    write_live_fleet,
)

KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}

prlimit = getattr(resource, "prlimit", None)
needs_prlimit = pytest.mark.skipif(
    prlimit is None, reason="limits of another process can be set on Linux only"
)


def limit_files(process: subprocess.Popen[bytes], size: int) -> None:
    assert prlimit is not None
    prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@needs_prlimit
def test_no_order_leaves_that_cannot_be_written_first(tmp_path: Path) -> None:
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim)
        with running_fleet(file, "--live", environment=KEYS) as desk:
            desk.wait_for(Filled, 3)
            desk.tell("pause", "churn-2")  # it will have no order unanswered
            limit_files(desk.process, 4096)
            desk.wait_for_line("refuses: ")
            desk.wait_until(lambda: takes_nothing(sim))
            taken = sim.truth()["orders_taken"]
            written = {fact.client_order_id for fact in only(Attempted, desk.facts())}
            assert sim.truth()["orders"]["key1"].keys() <= written
            limit_files(desk.process, resource.RLIM_INFINITY)
            desk.tell("resume", "churn-2")
            desk.wait_for_line("writes again")
            desk.wait_until(lambda: sim.truth()["orders_taken"] > taken + 3)
            assert wait_for_agreement(sim, tmp_path / "var") == []
            states = {actor["state"] for actor in desk.actors().values()}
            assert states == {"RUNNING"}
            assert desk.stop()[0] == 0
        assert sim.truth()["placed_twice"] == []


@needs_prlimit
@pytest.mark.skipif(
    "SHOAL_EMERGENCY" not in os.environ,
    reason="waits for a market that may take minutes; SHOAL_EMERGENCY=1 runs it",
)
@pytest.mark.parametrize("is_killed", [False, True])
def test_exits_leave_by_the_emergency_file_and_the_ledger_has_them_afterwards(
    tmp_path: Path, *, is_killed: bool
) -> None:
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim)
        with running_fleet(file, "--live", environment=KEYS) as desk:
            desk.wait_for(Filled, 3)
            (emergency,) = (tmp_path / "var").rglob("emergency-*")
            with reading(next((tmp_path / "var").rglob("ledger.db"))):
                fill_the_disk(desk.process, emergency, sim)
                if is_killed:
                    desk.process.kill()
                    desk.process.wait()
            if not is_killed:
                limit_files(desk.process, resource.RLIM_INFINITY)
                assert wait_for_agreement(sim, tmp_path / "var") == []
                assert desk.stop()[0] == 0
        if is_killed:
            with running_fleet(file, "--live", environment=KEYS) as again:
                again.wait_for(FleetStarted, 2)
                assert wait_for_agreement(sim, tmp_path / "var") == []
                assert again.stop()[0] == 0
        assert sim.truth()["placed_twice"] == []


def fill_the_disk(
    process: subprocess.Popen[bytes], emergency: Path, sim: Sim, tries: int = 10
) -> None:
    """Let the disk be full, until that happens while a bot has something to sell."""
    for _ in range(tries):
        limit_files(process, emergency.stat().st_size)
        for _ in range(16):
            time.sleep(0.5)
            if exits_in(emergency) & taken(sim):
                return
        limit_files(process, resource.RLIM_INFINITY)
        time.sleep(5)
    raise AssertionError("no exit left by the emergency file")


@contextmanager
def reading(ledger: Path) -> Generator[None]:
    """Hold a read transaction on the ledger."""
    with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM facts").fetchone()
        yield


def exits_in(emergency: Path) -> set[str]:
    """Return the client order ids in the file."""
    found = re.findall(rb'"client_order_id":"([^"]+)"', emergency.read_bytes())
    return {each.decode() for each in found}


def taken(sim: Sim) -> set[str]:
    """Return the client order ids that the exchange has of us."""
    return set(sim.truth()["orders"]["key1"])


def takes_nothing(sim: Sim) -> bool:
    """Tell whether the exchange takes no order for a second."""
    before = sim.truth()["orders_taken"]
    time.sleep(1)
    return before == sim.truth()["orders_taken"]
