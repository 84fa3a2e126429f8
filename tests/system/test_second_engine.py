"""A second `shoal run` on one account sends nothing and says why (I-19, R-30, R-45)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.exit_codes import BAD_INPUT
from actors.messages import Attempted, Filled, FleetStarted
from tests.system.fleet_desk import Desk, facts_of, only, running_fleet, shoal
from tests.system.processes import KEY, SECRET, Sim, running_sim, write_live_fleet

KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}
RESTS = 'order = "limit"\nlimit_offset_percent = 5\nevaluate_s'


@pytest.fixture(scope="module")
def sim() -> Iterator[Sim]:
    with running_sim() as sim:
        yield sim


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, sim: Sim) -> Iterator[Desk]:
    """A fleet that trades, for the others to come second to."""
    file = write_live_fleet(tmp_path_factory.mktemp("first"), sim)
    with running_fleet(file, "--live", environment=KEYS) as desk:
        desk.wait_for(Filled)
        yield desk
        assert desk.stop()[0] == 0


def refused(file: Path) -> str:
    """Return the one line that `shoal run --live` refuses with."""
    done = shoal("run", str(file), "--live", **KEYS)
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert done.stderr.count("\n") == 1
    return done.stderr.removesuffix("\n")


def written(file: Path) -> set[str]:
    """Return the orders that the ledger of a fleet knows."""
    return {it.client_order_id for it in only(Attempted, facts_of(file.parent / "var"))}


def test_on_the_same_state_folder(first: Desk, sim: Sim) -> None:
    assert refused(first.file) == (
        f"another shoal (pid {first.process.pid}) uses {first.file.parent / 'var'}: "
        "stop it or choose another state"
    )
    assert {each["client_order_id"] for each in sim.truth()["asked"]} <= written(first.file)
    assert len(only(FleetStarted, first.facts())) == 1
    assert first.bots()["churn-0"]["state"] == "running"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_on_another_state_folder_with_the_same_key(
    first: Desk, sim: Sim, tmp_path: Path, host: str
) -> None:
    file = write_live_fleet(tmp_path, sim)
    file.write_text(file.read_text().replace("127.0.0.1", host))
    assert refused(file) == (
        f"another shoal (pid {first.process.pid}) trades on account main, and would not "
        "know of our orders: stop it, or trade another account"
    )
    assert {each["client_order_id"] for each in sim.truth()["asked"]} <= written(first.file)
    assert facts_of(tmp_path / "var") == []


def test_on_another_machine_it_fences_itself_off(tmp_path: Path) -> None:
    """No lock reaches there; the open orders of the first tell the second."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    with running_sim() as sim:
        here = write_live_fleet(tmp_path / "here", sim)
        here.write_text(here.read_text().replace("evaluate_s", RESTS))
        there = write_live_fleet(tmp_path / "there", sim)
        elsewhere = KEYS | {"XDG_STATE_HOME": str(tmp_path / "machine")}
        with running_fleet(here, "--live", environment=KEYS) as first:
            first.wait_until(lambda: sim.truth()["orders_taken"] == 3)
            with running_fleet(there, "--live", environment=elsewhere) as second:
                second.wait_for_line("ALARM: another engine (epoch ")
                time.sleep(3)
                assert written(there) == set()
                outcomes = {bot["outcome"] for bot in second.bots().values()}
                assert {text.partition(":")[0] for text in outcomes} == {
                    "refused not_reconciled"
                }
                assert second.stop()[0] == 0
            assert sim.truth()["orders"]["key1"].keys() == written(here)
            assert first.bots()["churn-0"]["state"] == "running"
            assert first.stop()[0] == 0
