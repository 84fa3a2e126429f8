"""How the real program ends: escalated with 70, forced with 75, and what outlives it."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from actors.__main__ import main
from actors.exit_codes import ESCALATED, FORCED, OK
from actors.messages import (
    Acknowledged,
    Attempted,
    Ended,
    Filled,
    FleetStopped,
    OutcomeUnknown,
    Supervised,
)
from tests.system.fleet_desk import (
    Desk,
    only,
    running_fleet,
    write_sim_fleet,
)
from tests.system.processes import KEY, SECRET, Sim, running_sim, write_live_fleet

KEYS = {"SHOAL_TEST_KEY": KEY, "SHOAL_TEST_SECRET": SECRET}
ANSWERS = (Acknowledged, OutcomeUnknown, Ended)
FRAGILE = "[supervision]\nthreshold = 3\nmax_consecutive = 3\n"


def test_an_actor_that_exits_need_is_given_up_and_the_program_with_it(
    tmp_path: Path,
) -> None:
    file = write_sim_fleet(tmp_path, head=FRAGILE)
    with running_fleet(file) as desk:
        desk.wait_for(Filled)
        for life in (1, 2, 3):
            desk.wait_until(lambda life=life: is_in_life(desk, "orders:main", life))
            desk.tell("crash", "orders:main")
        assert desk.end() == ESCALATED
        why = (
            "orders:main could not be kept alive, last CrashInjected: an operator or a "
            "test asked for it"
        )
        assert f"escalated: {why}" in desk.said()
        stopped = only(FleetStopped, desk.facts())
        assert [fact.reason for fact in stopped] == [f"escalated: {why}"]
        steps = [
            (fact.event, fact.new, fact.consecutive)
            for fact in only(Supervised, desk.facts())
            if fact.path == "orders:main" and fact.event in {"failed", "escalated"}
        ]
        assert steps == [
            ("failed", "BACKOFF", 1),
            ("failed", "BACKOFF", 2),
            ("escalated", "FAILED", 3),
        ]


def is_in_life(desk: Desk, path: str, life: int) -> bool:
    actor = desk.actors().get(path)
    return (
        actor is not None and actor["state"] == "RUNNING" and actor["incarnation"] == life
    )


@pytest.fixture
def sim() -> Iterator[Sim]:
    with running_sim() as sim:
        yield sim
        sim.process.send_signal(signal.SIGCONT)


@pytest.fixture
def stuck(tmp_path: Path, sim: Sim) -> Iterator[Desk]:
    """A fleet that stops while the exchange answers nobody: its goodbyes hang."""
    with running_fleet(write_live_fleet(tmp_path, sim), "--live", environment=KEYS) as desk:
        desk.wait_for(Filled, 3)
        sim.process.send_signal(signal.SIGSTOP)
        time.sleep(0.5)  # what is on the wire arrives, and is in the ledger
        desk.wait_until(lambda: is_in_flight(desk))
        desk.signal(signal.SIGINT)
        desk.wait_for_line("orders:main         stopping")
        yield desk


def test_an_early_interrupt_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("actors.__main__.check", interrupted)
    before = os.umask(0o077)
    code = main(["check"])
    os.umask(before)
    assert (code, capsys.readouterr().err) == (FORCED, "interrupted\n")


def is_in_flight(desk: Desk) -> bool:
    """Tell whether an order has no answer yet."""
    facts = desk.facts()
    answered = {fact.client_order_id for fact in facts if isinstance(fact, ANSWERS)}
    return any(fact.client_order_id not in answered for fact in only(Attempted, facts))


def test_a_second_signal_skips_the_goodbyes(stuck: Desk) -> None:
    begun_s = time.monotonic()
    stuck.signal(signal.SIGINT)
    assert stuck.end() == FORCED
    assert "goodbyes are skipped; a third signal ends the process" in stuck.said()
    assert [fact.reason for fact in only(FleetStopped, stuck.facts())] == [
        "told to stop at once"
    ]
    assert time.monotonic() - begun_s < 6


def test_a_third_signal_ends_the_process(stuck: Desk) -> None:
    stuck.signal(signal.SIGINT)
    stuck.wait_for_line("goodbyes are skipped")
    begun_s = time.monotonic()
    stuck.signal(signal.SIGTERM)
    assert stuck.end() == FORCED
    assert time.monotonic() - begun_s < 1
    assert only(FleetStopped, stuck.facts()) == []


def test_what_an_operator_decided_outlives_the_program(tmp_path: Path, sim: Sim) -> None:
    file = write_live_fleet(tmp_path, sim)
    with running_fleet(file, "--live", environment=KEYS) as desk:
        desk.wait_for(Filled, 3)
        desk.tell("pause", "churn-0", "--reason", "news")
        desk.tell("stop", "churn-1")
        assert bots(desk) == {
            "churn-0": "paused: news",
            "churn-1": "stopped by an operator",
            "churn-2": "running",
        }
        assert desk.stop()[0] == OK
    with running_fleet(file, "--live", environment=KEYS) as desk:
        desk.wait_for_line("up in", number=2)
        before = len(desk.facts())
        desk.wait_until(lambda: bots(desk).get("churn-0") == "paused: news")
        assert bots(desk)["churn-1"] == "stopped by an operator"
        desk.wait_until(lambda: buyers(desk, before) == {"churn-2"})
        desk.tell("resume", "churn-0")
        desk.tell("start", "churn-1")
        desk.wait_until(lambda: buyers(desk, before) == {"churn-0", "churn-1", "churn-2"})
        assert set(bots(desk).values()) == {"running"}
        assert desk.stop()[0] == OK


def bots(desk: Desk) -> Mapping[str, str]:
    return {name: bot["state"] for name, bot in desk.bots().items()}


def buyers(desk: Desk, after: int) -> set[str]:
    """Return the bots that bought something in the rows after a number."""
    bought = only(Filled, desk.facts()[after:])
    return {fact.bot for fact in bought if fact.side.value == "buy"}
