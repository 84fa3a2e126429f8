"""A disk that takes no more: no order without its durable intent, then on as before (R-06).

The limit is RLIMIT_FSIZE, set from outside on the running fleet: writing beyond it fails
as on a full disk, for every file at once.
"""

from __future__ import annotations

import resource
import subprocess
import time
from pathlib import Path

import pytest

from actors.messages import Attempted, Filled
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
            desk.wait_until(lambda: takes_nothing(sim), within_s=15)
            taken = sim.truth()["orders_taken"]
            written = {fact.client_order_id for fact in only(Attempted, desk.facts())}
            assert sim.truth()["orders"]["key1"].keys() <= written
            limit_files(desk.process, resource.RLIM_INFINITY)
            desk.tell("resume", "churn-2")
            desk.wait_for_line("writes again")
            desk.wait_until(lambda: sim.truth()["orders_taken"] > taken + 3, within_s=20)
            assert wait_for_agreement(sim, tmp_path / "var", within_s=15) == []
            states = {actor["state"] for actor in desk.actors().values()}
            assert states == {"RUNNING"}
            assert desk.stop()[0] == 0
        assert sim.truth()["placed_twice"] == []


def takes_nothing(sim: Sim) -> bool:
    """Tell whether the exchange takes no order for a second."""
    before = sim.truth()["orders_taken"]
    time.sleep(1)
    return before == sim.truth()["orders_taken"]
