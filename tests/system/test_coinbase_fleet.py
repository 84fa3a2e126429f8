"""A fleet trades live on a Coinbase of another process, by either kind of key."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.messages import (
    Fact,
    Filled,
    OrderStatus,
    OutcomeUnknown,
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
            desk.wait_for(PositionClosed, 2)
            desk.process.kill()
        with running_fleet(file, "--live", environment=environment) as desk:
            desk.wait_for(Reconciled, 2)
            opened = len(only(PositionOpened, desk.facts()))
            desk.wait_for(PositionOpened, opened + 2)
            code, _ = desk.stop()
            facts = desk.facts()
        truth = sim.truth()

    assert code == 0
    assert count_booked(facts, truth) >= 6


def count_booked(facts: Sequence[Fact], truth: Mapping[str, Any]) -> int:
    """Check that the ledger has every execution once, and no other; return how many."""
    assert truth["placed_twice"] == []
    assert unbooked(facts, truth) == []
    return len(booked(facts))


def unbooked(facts: Sequence[Fact], truth: Mapping[str, Any]) -> list[str]:
    """Return the orders of which the ledger has other executions than the exchange."""
    (account,) = [each for each in truth["orders"].values() if each]
    ours = booked(facts)
    return [
        order_id
        for order_id, told in account.items()
        if told["status"] != OrderStatus.OPEN.name
        and sum(base for (of, _), base in ours.items() if of == order_id)
        != Decimal(told["filled_base"])
    ]


def booked(facts: Sequence[Fact]) -> dict[tuple[str, str], Decimal]:
    return {
        (fact.client_order_id, fact.trade_id): fact.base for fact in only(Filled, facts)
    }


LOST = """
[[faults]]
kind = "lost_ack"
at_s = 2.0
every_s = 4.0
duration_s = 1.5
times = 1

[[faults]]
kind = "server_error"
at_s = 4.0
every_s = 7.0
duration_s = 1.5
times = 1

[[faults]]
kind = "disconnect"
at_s = 9.0
every_s = 11.0
"""


def test_orders_whose_answers_are_lost_are_found_and_booked_once(tmp_path: Path) -> None:
    """R-02, R-03, R-05: unknown until the venue says, and never sent again."""
    script = tmp_path / "faults.toml"
    script.write_text(LOST)
    environment = {
        "SHOAL_TEST_KEY": KEY,
        "SHOAL_TEST_SECRET": ED25519,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    given = f"{KEY}:{ED25519}"
    with running_sim(
        "--exchange", "coinbase", "--key", given, "--faults", str(script)
    ) as sim:
        file = write_fleet(tmp_path, sim)
        with running_fleet(file, "--live", environment=environment) as desk:
            desk.wait_for(OutcomeUnknown, 3)
            closed = len(only(PositionClosed, desk.facts()))
            desk.wait_for(PositionClosed, closed + 2)
            for bot in desk.bots():  # nothing new; what is unknown is found
                desk.tell("pause", bot)
            desk.wait_until(lambda: not unbooked(desk.facts(), sim.truth()))
            desk.stop()
            facts = desk.facts()
        truth = sim.truth()
    assert count_booked(facts, truth) >= 4


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
