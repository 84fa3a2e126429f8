"""The supervision log, as people read it."""

from __future__ import annotations

import attrs
import pytest

from actors.messages.supervision import Event, State, Transition
from actors.pure.breaker import Policy
from actors.pure.transition_line import next_step, transition_line, transition_words

GUARDED = "its position stays guarded"
TREND = "KeyError: 'slow' in strategies/ema_cross.py:31"
CRASHED = Transition(
    at_s=0.0,
    path="bots/bot:eth-trend",
    incarnation=3,
    event=Event.FAILED,
    old=State.RUNNING,
    new=State.OPEN,
    error=TREND,
    consecutive=3,
    delay_s=61.0,
    uptime_s=12.34,
    mailbox_depth=0,
    next=f"one try in 61 s · {GUARDED}",
)


def test_an_open_circuit_reads_as_the_plan_says() -> None:
    assert transition_line(CRASHED, 1_700_000_000_020) == (
        "22:13:20.020  bot:eth-trend       circuit open: 3 failures in a row, "
        f"last {TREND} · one try in 61 s · {GUARDED}"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event": Event.STARTING, "new": State.STARTING, "next": ""}, "starting"),
        ({"event": Event.STARTING, "new": State.HALF_OPEN, "next": ""}, "one try"),
        ({"event": Event.READY, "incarnation": 1, "next": ""}, "ready"),
        ({"event": Event.READY, "next": ""}, "running again, life 3"),
        ({"event": Event.STOPPED, "error": "", "next": ""}, "stopped"),
        (
            {"event": Event.STOPPED, "next": ""},
            f"stopped, with an error: {TREND}",
        ),
        (
            {"event": Event.HEALTHY, "uptime_s": 60.2, "next": ""},
            "healthy for 60 s: failures forgotten",
        ),
        (
            {"event": Event.OVERRAN, "delay_s": 5.0, "next": ""},
            "told to end and still there after 5 s",
        ),
        (
            {"event": Event.ESCALATED, "consecutive": 1, "next": ""},
            f"escalates: 1 failure in a row, last {TREND}",
        ),
        (
            {"new": State.FAILED, "consecutive": 10, "next": "stopped"},
            f"failed: 10 failures in a row, last {TREND} · stopped",
        ),
        (
            {"new": State.BACKOFF, "consecutive": 1, "next": "starts again in 0.20 s"},
            f"crashed after 12.3 s: {TREND} · 1 failure in a row · starts again in 0.20 s",
        ),
    ],
)
def test_every_event_has_its_words(changes: dict[str, object], words: str) -> None:
    assert transition_words(attrs.evolve(CRASHED, **changes)) == words


def test_every_event_can_be_told() -> None:
    told = [transition_words(attrs.evolve(CRASHED, event=event)) for event in Event]
    assert all(told)


@pytest.mark.parametrize(
    ("state", "policy", "delay_s", "step"),
    [
        (State.BACKOFF, Policy(), 0.196, "starts again in 0.20 s"),
        (State.OPEN, Policy(), 61.2, f"one try in 61 s · {GUARDED}"),
        (
            State.FAILED,
            Policy(),
            None,
            f"stopped until an operator starts it · {GUARDED}",
        ),
        (
            State.FAILED,
            Policy(on_exhausted="retry", reset_s=5),
            5.2,
            f"one try every 5 s · {GUARDED}",
        ),
        (State.RUNNING, Policy(), None, ""),
    ],
)
def test_the_next_step_follows_from_the_policy(
    state: State, policy: Policy, delay_s: float | None, step: str
) -> None:
    assert next_step(state, policy, delay_s, while_down=GUARDED) == step
