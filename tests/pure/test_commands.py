"""What an operator's command changes, and what is said about names that are not ours."""

from __future__ import annotations

import pytest

from actors.messages import BotPaused, BotResumed, Fact, Halted, HaltLifted
from actors.messages.board import Asked
from actors.pure.commands import PLANS, NotPossible, Place, Plan
from actors.pure.read_model import ReadModel

BOTS = {"dawn": "main", "dusk": "main", "spare": "spare"}
HALTED = Halted("", "main", "daily_loss", "today's result is -5.1 %", 86_400_000)


def plan(typed: str, *facts: Fact, now_ms: int = 0) -> Plan:
    """Return the plan of "VERB SUBJECT" after these facts."""
    model = ReadModel()
    for fact in facts:
        model.apply(fact, 0)
    verb, _, subject = typed.partition(" ")
    return PLANS[verb](Place(Asked(verb, subject, "why"), BOTS, model, now_ms))


@pytest.mark.parametrize(
    ("typed", "facts"),
    [
        ("pause dawn", (BotPaused("dawn", "main", "why"),)),
        ("pause bot:dawn", (BotPaused("dawn", "main", "why"),)),
        ("halt dawn", (Halted("dawn", "main", "operator", "why"),)),
        ("halt main", (Halted("", "main", "operator", "why"),)),
        ("halt account:spare", (Halted("", "spare", "operator", "why"),)),
        ("halt bot:spare", (Halted("spare", "spare", "operator", "why"),)),
        ("resume dawn", (BotResumed("dawn", "main"),)),
        ("resume main", ()),
    ],
)
def test_a_command_is_its_facts(typed: str, facts: tuple[Fact, ...]) -> None:
    assert plan(typed).facts == facts


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("pause dwn", "no bot is called 'dwn'; did you mean dawn?"),
        ("pause main", "no bot is called 'main'; known: dawn, dusk, spare"),
        ("halt mian", "no bot or account is called 'mian'; did you mean main?"),
        ("halt bot:main", "no bot or account is called bot:'main'; did you mean main?"),
        ("halt spare", "spare is a bot and an account: say bot:spare or account:spare"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(typed: str, said: str) -> None:
    with pytest.raises(NotPossible) as error:
        plan(typed)
    assert str(error.value) == said


def test_to_resume_lifts_every_halt_of_exactly_that_name() -> None:
    operator = Halted("dawn", "main", "operator", "")
    fees = Halted("dawn", "main", "daily_fees", "", 9)
    resumed = plan("resume dawn", HALTED, operator, fees)
    assert resumed.facts == (
        HaltLifted("dawn", "main", "operator", "why"),
        HaltLifted("dawn", "main", "daily_fees", "why"),
        BotResumed("dawn", "main"),
    )
    assert resumed.said == (
        "dawn may trade again, no longer halted by operator, daily_fees; but account main"
        " is halted: daily_loss until 00:00 UTC: today's result is -5.1 %"
    )


def test_a_halt_whose_time_is_over_needs_no_lifting() -> None:
    assert plan("resume main", HALTED, now_ms=86_400_000).said == "main was not halted"
