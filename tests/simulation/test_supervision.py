"""The judge of restarts sees each way to break the policy (I-24)."""

from __future__ import annotations

import attrs
import pytest

from actors.messages.supervision import Event, State, Transition
from tests.simulation.supervision import Supervision

BOT = "bots/bot:one"
BEGUN = Transition(
    0.0, BOT, 1, Event.STARTING, State.STOPPED, State.STARTING, "", 0, None, 0.0, 0, ""
)
FAILED = attrs.evolve(
    BEGUN,
    at_s=10.0,
    event=Event.FAILED,
    old=State.RUNNING,
    new=State.BACKOFF,
    consecutive=1,
    delay_s=0.2,
)
AGAIN = attrs.evolve(BEGUN, at_s=10.2, incarnation=2, old=State.BACKOFF)


def said(*steps: Transition) -> list[str]:
    judge = Supervision(3, {"orders": 5.0}, 60.0)
    for step in steps:
        judge.hear(step)
    return judge.said


def test_a_life_after_the_wait_is_as_it_should_be() -> None:
    assert said(BEGUN, FAILED, AGAIN) == []


def test_a_life_before_the_wait_is_over_is_seen() -> None:
    early = attrs.evolve(AGAIN, at_s=10.1)
    assert said(BEGUN, FAILED, early) == [f"I-24: {BOT} began before its wait was over"]


def test_an_operator_may_cut_a_wait_short() -> None:
    early = attrs.evolve(AGAIN, at_s=10.1, old=State.STOPPED)
    assert said(BEGUN, FAILED, early) == []


@pytest.mark.parametrize(("below", "is_early"), [("positions:a", False), ("bots", True)])
def test_orders_may_begin_early_to_say_goodbye_once_positions_was_stopped(
    below: str, is_early: bool
) -> None:
    of_orders = [attrs.evolve(it, path="orders:a") for it in (BEGUN, FAILED, AGAIN)]
    begun, failed, again = of_orders
    stopped = attrs.evolve(BEGUN, path=below, at_s=10.1, event=Event.STOPPED)
    early = attrs.evolve(again, at_s=10.1)
    positions = attrs.evolve(BEGUN, path="positions:a")
    assert bool(said(begun, positions, failed, stopped, early)) is is_early
    assert said(begun, failed, early) == []  # stopped before positions had begun


def test_a_second_life_beside_the_first_is_seen() -> None:
    assert said(BEGUN, AGAIN) == [f"I-24: {BOT} began life 2 beside another"]


def test_a_life_out_of_turn_is_seen() -> None:
    third = attrs.evolve(AGAIN, incarnation=3)
    assert said(BEGUN, FAILED, third) == [f"I-24: {BOT} began life 3 out of turn"]


@pytest.mark.parametrize(
    ("path", "consecutive", "delay_s"),
    [
        (BOT, 1, 0.05),
        (BOT, 2, 5.1),
        (BOT, 3, 59.0),
        (BOT, 3, 67.0),
        ("orders:main", 3, 60.0),
    ],
)
def test_a_wait_that_the_policy_does_not_know_is_seen(
    path: str, consecutive: int, delay_s: float
) -> None:
    failed = attrs.evolve(FAILED, path=path, consecutive=consecutive, delay_s=delay_s)
    assert said(attrs.evolve(BEGUN, path=path), failed) == [
        f"I-24: {path} waits {delay_s:.2f} s after {consecutive} failures in a row"
    ]
