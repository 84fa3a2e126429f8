"""A real fleet, killed with SIGKILL at random moments under order flow (R-07, I-18).

`just kill-nine 200` does it long enough to believe it, and prints what it did.
"""

from __future__ import annotations

from pathlib import Path

from tests.system.kill_nine import kill_nine
from tests.system.processes import (
    PATIENCE_S,
    disagreements,
    running_sim,
    start_fleet,
    write_live_fleet,
)


def test_after_kills_ledger_and_exchange_agree_and_positions_have_their_stops(
    tmp_path: Path,
) -> None:
    lines = kill_nine(tmp_path, kills=4, seed=20261122, settle_every=4)
    assert lines[0].startswith("4 SIGKILLs in ")
    assert "placed twice: 0; disowned: 0; faults: " in lines[1]
    assert not lines[1].startswith("0 orders")


def test_a_clean_stop_leaves_nothing_unsettled(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim, bots=2)
        fleet = start_fleet(file, "--live", "--for", "5", log=log)
        assert fleet.wait(timeout=PATIENCE_S) == 0, log.read_text()[-4000:]
        assert sim.truth()["orders_taken"] > 0
        assert disagreements(sim, tmp_path / "var", settled_s=0) == []


def test_live_without_the_word_live_refuses(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim)
        fleet = start_fleet(file, log=log)
        assert fleet.wait(timeout=PATIENCE_S) == 2
        assert "--live" in log.read_text()
        assert sim.truth()["orders_taken"] == 0
