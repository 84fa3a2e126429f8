"""`shoal settle`, typed while the exchange answers nobody (R-02): over the real socket."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from actors.exit_codes import BAD_INPUT, OK
from actors.messages import Attempted, Ended, OrderStatus, OutcomeUnknown
from tests.system.fleet_desk import Desk, only, running_fleet, shoal
from tests.system.processes import (
    KEY,
    SECRET,
    Sim,
    running_sim,
    wait_for_agreement,
    write_live_fleet,
)

KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}
AWAY_S = 3.0  # for the bots to decide on another order


def test_an_operator_settles_an_order_that_nobody_answers_for(tmp_path: Path) -> None:
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim)
        with running_fleet(file, "--live", environment=KEYS) as desk:
            order_id = lose_an_order(desk, sim)
            desk.wait_until(lambda: is_unknown(desk, order_id))
            asked = settle(desk, order_id)
            assert asked[0] == BAD_INPUT
            assert "nothing was done; --blind settles it unasked" in asked[1]
            young = settle(desk, order_id, "--blind")
            assert "may still be on its way to the exchange; ask again in" in young[1]
            said: list[str] = []
            desk.wait_until(lambda: is_settled(desk, order_id, said))
            assert said == [
                f"{order_id} of {bot_of(desk, order_id)} is settled as not-placed:"
                " unasked\n"
            ]
            ends = [
                it for it in only(Ended, desk.facts()) if it.client_order_id == order_id
            ]
            assert [end.status for end in ends] == [OrderStatus.NOT_PLACED]
            sim.process.send_signal(signal.SIGCONT)
            taken = sim.truth()["orders_taken"]
            desk.wait_until(lambda: sim.truth()["orders_taken"] > taken + 3)
            assert order_id not in sim.truth()["orders"]["key1"]
            assert wait_for_agreement(sim, tmp_path / "var") == []
            assert desk.stop()[0] == OK


def lose_an_order(desk: Desk, sim: Sim) -> str:
    """Stop the exchange, and return an order that was sent to it afterwards.

    Too late: when it goes on, it refuses what was signed so long ago.
    """
    for _ in range(10):
        desk.wait_for(Ended, 4)
        sim.process.send_signal(signal.SIGSTOP)
        stopped_ms = time.time_ns() // 1_000_000 + 50  # what is on the wire has arrived
        time.sleep(AWAY_S)
        for fact in only(Attempted, desk.facts()):
            if fact.attempt_ms > stopped_ms:
                return fact.client_order_id
        sim.process.send_signal(signal.SIGCONT)
        time.sleep(1)
    raise AssertionError(desk.said()[-4000:])


def settle(desk: Desk, order_id: str, *options: str) -> tuple[int, str]:
    """Type the command; return its exit code and what it said."""
    done = shoal(
        "settle",
        order_id,
        str(desk.file),
        "--as",
        "not-placed",
        "--reason",
        "seen",
        *options,
    )
    return done.returncode, done.stdout or done.stderr


def is_settled(desk: Desk, order_id: str, said: list[str]) -> bool:
    code, text = settle(desk, order_id, "--blind")
    said += [text] if code == OK else []
    return code == OK


def is_unknown(desk: Desk, order_id: str) -> bool:
    unknown = only(OutcomeUnknown, desk.facts())
    return any(fact.client_order_id == order_id for fact in unknown)


def bot_of(desk: Desk, order_id: str) -> str:
    attempts = only(Attempted, desk.facts())
    return next(it.bot for it in attempts if it.client_order_id == order_id)
