"""Two owners in one real process and a real exchange: killed, damaged, come and gone."""

from __future__ import annotations

import os
import random
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actors.exit_codes import BAD_INPUT, OK
from actors.messages import Filled, Intended
from adapters.sqlite.ledger import Ledger
from adapters.state import newest_ledgers
from tests.system.fleet_desk import Desk, only, running_fleet, shoal
from tests.system.processes import (
    KEY,
    SECRET,
    Sim,
    disagreements,
    running_sim,
    wait_for_agreement,
    write_live_fleet,
)

KEYS = {
    "SHOAL_TEST_KEY": KEY,
    "SHOAL_TEST_SECRET": SECRET,
    "SHOAL_TEST_KEY_2": "second-key",
    "SHOAL_TEST_SECRET_2": "second-secret",
}
KILLS = int(os.environ.get("SHOAL_KILLS", "2"))
OF = {"ann": "key1", "bob": "key2"}
SECOND = """
[accounts.second]
owner = "bob"
exchange = "binance"
key = "env:SHOAL_TEST_KEY_2"
secret = "env:SHOAL_TEST_SECRET_2"
"""


@pytest.fixture
def sim() -> Iterator[Sim]:
    with running_sim("--key", "second-key:second-secret") as sim:
        yield sim


def write_owners(home: Path, sim: Sim) -> tuple[Path, str, str]:
    """Write a fleet of two; return it, and its text with ann alone and with both."""
    file = write_live_fleet(home, sim, bots=2)
    text = file.read_text().replace("[accounts.main]", '[accounts.main]\nowner = "ann"')
    head, bots = text.split("[[bots]]", 1)
    first, second = bots.split("[[bots]]", 1)
    second = second.replace('account = "main"', 'account = "second"')
    alone = f"{head}[[bots]]{first}"
    both = f"{head}{SECOND}\n[[bots]]{first}[[bots]]{second}"
    file.write_text(both)
    return file, alone, both


def ledger(home: Path, owner: str) -> Path:
    return newest_ledgers(home / "var")[owner]


def fills(home: Path, owner: str) -> int:
    with Ledger(ledger(home, owner)) as opened:
        return len(list(opened.rows(kinds=["filled"])))


def wait_for_fills(desk: Desk, home: Path, owner: str, more: int) -> None:
    before = fills(home, owner)
    desk.wait_until(lambda: fills(home, owner) >= before + more)


def damage(path: Path) -> None:
    """Overwrite a page in the middle of a ledger, as a bad disk does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)


def test_after_every_kill_both_ledgers_and_the_exchange_agree(
    tmp_path: Path, sim: Sim
) -> None:
    chance = random.Random(7)
    file, _, _ = write_owners(tmp_path, sim)
    for _ in range(KILLS):
        with running_fleet(file, "--live", environment=KEYS) as desk:
            desk.wait_for_line("up in")
            for owner in OF:
                wait_for_fills(desk, tmp_path, owner, more=2)
            time.sleep(chance.uniform(0.0, 2.5))
            desk.process.kill()
            desk.end()
        with running_fleet(file, "--live", environment=KEYS) as desk:
            for owner, key in OF.items():
                found = wait_for_agreement(sim, tmp_path / "var", owner=owner, key=key)
                assert found == [], desk.said()[-4000:]
            desk.process.kill()
            desk.end()
    truth = sim.truth()
    assert all(len(truth["orders"][key]) > KILLS for key in OF.values())
    for owner in OF:
        assert stat.S_IMODE(ledger(tmp_path, owner).parent.stat().st_mode) == 0o700
    assert_told_apart(file)


def assert_told_apart(file: Path) -> None:
    """See that `log` and `status` tell of both owners, or of the one who is asked for."""
    told = {
        owner: shoal("log", "--json", str(file), *(("--owner", owner) if owner else ()))
        for owner in ("", "ann", "bob")
    }
    events = {
        owner: [msgspec.json.decode(line) for line in done.stdout.splitlines()]
        for owner, done in told.items()
    }
    bots = {
        owner: {event["bot"] for event in found} - {""} for owner, found in events.items()
    }
    assert bots == {"": {"churn-0", "churn-1"}, "ann": {"churn-0"}, "bob": {"churn-1"}}
    times = [event["timestamp"] for event in events[""]]
    assert times == sorted(times)
    assert all(event["execution_id"] for event in events["ann"])
    shown = msgspec.json.decode(
        shoal("status", "--json", "--owner", "bob", str(file)).stdout
    )
    assert (list(shown["accounts"]), list(shown["bots"])) == (["second"], ["churn-1"])
    lost = shoal("log", "--owner", "anne", str(file))
    assert (lost.returncode, lost.stdout) == (BAD_INPUT, "")
    assert "no owner 'anne' has a ledger of the newest run; did you mean" in lost.stderr
    lost = shoal("log", "--bot", "churn0", str(file))
    assert (lost.returncode, lost.stdout) == (BAD_INPUT, "")
    assert lost.stderr == "the ledger has nothing of bot 'churn0'; did you mean churn-0?\n"
    quiet = shoal("log", "--bot", "churn-0", "--actor", "feed:binance", str(file))
    assert (quiet.returncode, quiet.stdout) == (OK, "")
    assert quiet.stderr.startswith("the ledger has nothing of actor 'feed:binance' and")


def test_an_owners_ledger_stays_theirs_when_others_come_and_go(
    tmp_path: Path, sim: Sim
) -> None:
    file, alone, both = write_owners(tmp_path, sim)
    first = tmp_path / "var" / "live" / "ledger.db"
    for run, text in enumerate((alone, both, alone), 1):
        file.write_text(text)
        owner = "ann" if text is both else ""
        with running_fleet(file, "--live", environment=KEYS) as desk:
            desk.wait_for_line("up in", number=run)
            wait_for_fills(desk, tmp_path, owner, 3)
            assert desk.stop()[0] == OK, desk.said()[-3000:]
        assert ledger(tmp_path, owner) == first
        assert disagreements(sim, tmp_path / "var", settled_s=0, owner=owner) == []
    with Ledger(first) as opened:
        facts = [row.fact for row in opened.rows()]
    assert {fact.bot for fact in only(Intended, facts)} == {"churn-0"}
    assert {fact.account for fact in only(Filled, facts)} == {"main"}


def test_a_damaged_ledger_stops_its_owner_and_no_other(tmp_path: Path, sim: Sim) -> None:
    file, _, _ = write_owners(tmp_path, sim)
    with running_fleet(file, "--live", environment=KEYS) as desk:
        desk.wait_for_line("up in")
        for owner in OF:
            wait_for_fills(desk, tmp_path, owner, 3)
        assert desk.stop()[0] == OK
    damage(ledger(tmp_path, "ann"))
    with running_fleet(file, "--live", environment=KEYS) as desk:
        desk.wait_for_line("up in", number=2)
        before = len(sim.truth()["orders"]["key1"])
        wait_for_fills(desk, tmp_path, "bob", 3)
        assert len(sim.truth()["orders"]["key1"]) == before
        states = {path: actor["state"] for path, actor in desk.actors().items()}
        assert states["owners/owner:ann"] == "FAILED"
        assert states["owners/owner:bob"] == "RUNNING"
        assert "ALARM: all of ann is stopped" in desk.said()
        assert desk.stop()[0] == OK
    damage(ledger(tmp_path, "bob"))
    refused = shoal("run", "--live", str(file), **KEYS)
    assert refused.returncode == BAD_INPUT
    assert "ledger.db" in refused.stderr
