"""A fleet trades live on a Kraken of another process: killed, and it all adds up."""

from __future__ import annotations

import stat
from decimal import Decimal
from pathlib import Path

import attrs

from actors.messages import (
    Filled,
    OrderStatus,
    PositionClosed,
    PositionOpened,
    Reconciled,
)
from tests.system.fleet_desk import only, running_fleet, shoal
from tests.system.processes import running_sim, write_live_fleet

KEY = "throw-away-key"
SECRET = "dGhyb3ctYXdheSBzZWNyZXQgb2YgYSBrcmFrZW4="


def test_a_fleet_trades_is_killed_and_goes_on(tmp_path: Path) -> None:
    """R-07, R-13, R-30: nothing is placed twice, every fill is booked, nonces rise."""
    state = tmp_path / "state"
    environment = {
        "SHOAL_TEST_KEY": KEY,
        "SHOAL_TEST_SECRET": SECRET,
        "XDG_STATE_HOME": str(state),
    }
    with running_sim("--exchange", "kraken", "--key", f"{KEY}:{SECRET}") as sim:
        file = write_live_fleet(tmp_path, attrs.evolve(sim), bots=2)
        file.write_text(file.read_text().replace("binance", "kraken"))
        with running_fleet(file, "--live", environment=environment) as desk:
            desk.wait_for(PositionClosed, 2)
            desk.process.kill()
        (remembered,) = (state / "shoal").glob("kraken-*.nonce")
        before = int(remembered.read_text())
        with running_fleet(file, "--live", environment=environment) as desk:
            desk.wait_for(Reconciled, 2)
            opened = len(only(PositionOpened, desk.facts()))
            desk.wait_for(PositionOpened, opened + 2)
            code, _ = desk.stop()
            facts = desk.facts()
        truth = sim.truth()

    assert code == 0
    assert int(remembered.read_text()) >= before
    assert stat.S_IMODE(remembered.stat().st_mode) == 0o600
    assert truth["placed_twice"] == []
    assert not truth["limits"]["refused"]  # by any counter, over both lives (I-21)
    (account,) = [each for each in truth["orders"].values() if each]
    booked = {
        (fact.client_order_id, fact.trade_id): fact.base for fact in only(Filled, facts)
    }
    for order_id, told in account.items():
        filled = Decimal(told["filled_base"])
        ours = sum(base for (of, _), base in booked.items() if of == order_id)
        assert ours == filled or told["status"] == OrderStatus.OPEN.name, order_id
    assert len(booked) >= 6


def test_a_secret_that_is_no_base64_ends_the_start_in_one_line(tmp_path: Path) -> None:
    with running_sim("--exchange", "kraken") as sim:
        file = write_live_fleet(tmp_path, sim, bots=1)
        file.write_text(file.read_text().replace("binance", "kraken"))
        done = shoal(
            "run",
            str(file),
            "--live",
            SHOAL_TEST_KEY=KEY,
            SHOAL_TEST_SECRET="canary, not base64",
            XDG_STATE_HOME=str(tmp_path),
        )
    assert done.returncode == 2
    assert "base64" in done.stderr
    assert "canary" not in done.stderr + done.stdout
