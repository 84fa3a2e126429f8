"""A real fleet, killed with SIGKILL at random moments under order flow (R-07, I-18)."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.system.processes import (
    disagreements,
    running_sim,
    start_fleet,
    wait_for_agreement,
    write_live_fleet,
)

KILLS = int(os.environ.get("SHOAL_KILLS", "3"))  # `just kill-nine` kills twenty times
SEED = int(os.environ.get("SHOAL_SEED", "20261122"))


def test_after_every_kill_the_ledger_and_the_exchange_agree(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    log = tmp_path / "log"
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim)
        for _ in range(KILLS):
            fleet = start_fleet(file, "--live", log=log)
            time.sleep(chance.uniform(1.5, 5.0))
            assert fleet.poll() is None, log.read_text()[-2000:]
            fleet.kill()
            fleet.wait()
            fleet = start_fleet(file, "--live", log=log)
            said = wait_for_agreement(sim, tmp_path / "var", within_s=30)
            fleet.kill()
            fleet.wait()
            assert said == [], log.read_text()[-4000:]
        assert sim.truth()["orders_taken"] > 5 * KILLS


def test_a_clean_stop_leaves_nothing_unsettled(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim, bots=2)
        fleet = start_fleet(file, "--live", "--for", "5", log=log)
        assert fleet.wait(timeout=30) == 0, log.read_text()[-4000:]
        assert sim.truth()["orders_taken"] > 0
        assert disagreements(sim, tmp_path / "var", settled_s=0) == []


def test_live_without_the_word_live_refuses(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim)
        fleet = start_fleet(file, log=log)
        assert fleet.wait(timeout=30) == 2
        assert "--live" in log.read_text()
        assert sim.truth()["orders_taken"] == 0
