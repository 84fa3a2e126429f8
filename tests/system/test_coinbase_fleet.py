"""A fleet trades live on a Coinbase of another process, by either kind of key."""

from __future__ import annotations

import base64
from decimal import Decimal
from pathlib import Path

import pytest

from actors.messages import (
    Filled,
    OrderStatus,
    PositionClosed,
    PositionOpened,
    Reconciled,
)
from tests.system.fleet_desk import only, running_fleet, shoal
from tests.system.processes import Sim, running_sim, write_live_fleet

KEY = "throw-away-key"
ED25519 = base64.b64encode(bytes(range(32))).decode()
HMAC = base64.b64encode(b"throw-away secret").decode()
PASSPHRASE = "throw-away passphrase"


def write_fleet(home: Path, sim: Sim, *, passphrase: str = "", bots: int = 2) -> Path:
    file = write_live_fleet(home, sim, bots=bots)
    text = file.read_text().replace("binance", "coinbase")
    trading = f'trading_rest_url = "{sim.rest_url}"\n'
    text = text.replace("send_keys_to_this_host", f"{trading}send_keys_to_this_host")
    if passphrase:
        line = 'secret = "env:SHOAL_TEST_SECRET"\n'
        text = text.replace(line, line + 'passphrase = "env:SHOAL_TEST_PASSPHRASE"\n')
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("secret", "passphrase"),
    [(ED25519, ""), (HMAC, PASSPHRASE)],
    ids=["advanced", "exchange"],
)
def test_a_fleet_trades_is_killed_and_goes_on(
    tmp_path: Path, secret: str, passphrase: str
) -> None:
    """R-07, R-13: nothing is placed twice, every fill is booked."""
    environment = {
        "SHOAL_TEST_KEY": KEY,
        "SHOAL_TEST_SECRET": secret,
        "SHOAL_TEST_PASSPHRASE": passphrase,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    given = ":".join(filter(None, (KEY, secret, passphrase)))
    with running_sim("--exchange", "coinbase", "--key", given) as sim:
        file = write_fleet(tmp_path, sim, passphrase=passphrase)
        with running_fleet(file, "--live", environment=environment) as desk:
            desk.wait_for(PositionClosed, 2, within_s=60)
            desk.process.kill()
        with running_fleet(file, "--live", environment=environment) as desk:
            desk.wait_for(Reconciled, 2, within_s=40)
            opened = len(only(PositionOpened, desk.facts()))
            desk.wait_for(PositionOpened, opened + 2, within_s=60)
            code, _ = desk.stop()
            facts = desk.facts()
        truth = sim.truth()

    assert code == 0
    assert truth["placed_twice"] == []
    (account,) = [each for each in truth["orders"].values() if each]
    booked = {
        (fact.client_order_id, fact.trade_id): fact.base for fact in only(Filled, facts)
    }
    for order_id, told in account.items():
        filled = Decimal(told["filled_base"])
        ours = sum(base for (of, _), base in booked.items() if of == order_id)
        assert ours == filled or told["status"] == OrderStatus.OPEN.name, order_id
    assert len(booked) >= 6


def test_a_secret_that_signs_nothing_ends_the_start_in_one_line(tmp_path: Path) -> None:
    with running_sim("--exchange", "coinbase") as sim:
        file = write_fleet(tmp_path, sim, bots=1)
        done = shoal(
            "run",
            str(file),
            "--live",
            SHOAL_TEST_KEY=KEY,
            SHOAL_TEST_SECRET="canary, neither PEM nor base64",
            XDG_STATE_HOME=str(tmp_path),
        )
    assert done.returncode == 2
    assert "EC private key" in done.stderr
    assert "canary" not in done.stderr + done.stdout
