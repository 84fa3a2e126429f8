"""A ban outlives the process: real fleet, real simulator, SIGKILL between (R-28, I-21)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx

from tests.system.processes import Sim, running_sim, start_fleet, write_live_fleet

BAN_S = 20.0


def ban(sim: Sim) -> None:
    """Let the exchange ban whoever asks within the next second."""
    fault = {"kind": "ban", "duration_s": 1.0, "delay_s": BAN_S}
    httpx.post(f"{sim.rest_url}/simulator/faults", json=fault).raise_for_status()


def requests(sim: Sim) -> tuple[int, Any]:
    truth = sim.truth()
    return sum(truth["requests"].values()), truth["limits"]


def test_a_fleet_that_is_killed_while_banned_asks_nothing_before_the_ban_is_over(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim, bots=2)
        fleet = start_fleet(file, "--live", log=log)
        _wait_for_orders(sim, 3)
        ban(sim)
        banned_s = time.monotonic()
        while not sim.truth()["faults_struck"].get("ban"):
            time.sleep(0.05)
        time.sleep(0.5)
        fleet.kill()
        fleet.wait()
        before, _ = requests(sim)
        for _ in range(2):  # and once more, killed before it could know anything
            fleet = start_fleet(file, "--live", log=log)
            time.sleep(4)
            fleet.kill()
            fleet.wait()
        during, limits = requests(sim)
        assert time.monotonic() - banned_s < BAN_S
        assert during == before
        fleet = start_fleet(file, "--live", log=log)
        taken = sim.truth()["orders_taken"]
        _wait_for_orders(sim, taken + 1)
        _, limits = requests(sim)
        fleet.kill()
        fleet.wait()
    assert limits["while_forbidden"] == 0
    assert "the venue forbids requests" in log.read_text()


def _wait_for_orders(sim: Sim, count: int) -> None:
    until_s = time.monotonic() + 60
    while sim.truth()["orders_taken"] < count:
        assert time.monotonic() < until_s
        time.sleep(0.2)
