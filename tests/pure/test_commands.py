"""What an operator's command changes, and what is said about names that are not ours."""

from __future__ import annotations

import pytest

from actors.messages import (
    Asked,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStopped,
    Fact,
    Halted,
    HaltLifted,
    Reconciled,
)
from actors.pure.addressing import addressed
from actors.pure.commands import PLANS, NotPossible, Place, Plan
from actors.pure.orders_shown import orders_lines, orders_of
from actors.pure.read_model import ReadModel
from tests.words import SYMBOL, attempted, filled, intended

BOTS = {"dawn": "main", "dusk": "main", "spare": "spare"}
HALTED = Halted("", "main", "daily_loss", "today's result is -5.1 %", 86_400_000)


OPEN = (intended(intent_id="i2"), attempted("i2", "00c2"))
HOLDS = (intended(), attempted(), filled("0.5", 100), filled("0.5", 100, trade_id="t2"))


def plan(typed: str, *facts: Fact, now_ms: int = 0, is_sure: bool = True) -> Plan:
    """Return the plan of "VERB SUBJECT" after these facts."""
    verb, _, subject = typed.partition(" ")
    asked = Asked(verb, subject, "why", is_sure=is_sure)
    return PLANS[verb](Place(asked, BOTS, seen(*facts), now_ms, {"spare": "dusk"}))


def seen(*facts: Fact) -> ReadModel:
    model = ReadModel()
    for fact in facts:
        model.apply(fact, 0)
    return model


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


STOPPED = BotStopped("spare", "spare")


@pytest.mark.parametrize(
    ("typed", "before", "said"),
    [
        (
            "stop spare",
            (),
            "spare stops and stays stopped; its position stays guarded; dusk, which decides"
            " for it, begins nothing",
        ),
        ("start spare", (), "spare is not stopped"),
        ("start spare", (STOPPED,), "spare may trade again; dusk decides for it"),
        (
            "start spare",
            (STOPPED, BotStopped("dusk", "main")),
            "spare may trade again; dusk decides for it, and is stopped",
        ),
    ],
)
def test_a_leg_has_no_actor_to_be_told_and_the_answer_names_who_decides_for_it(
    typed: str, before: tuple[Fact, ...], said: str
) -> None:
    found = plan(typed, *before)
    assert (found.said, found.then) == (said, "")


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


def test_a_bot_that_left_the_file_is_flattened_and_resumed_by_its_name() -> None:
    """What it holds is guarded, and its halts are alarms, until somebody ends them."""
    held = filled(1, 100, bot="gone")
    flat = plan("flatten gone", held).facts
    assert flat == (BotFlattened("gone", "main", "why"),)
    assert plan("resume gone", *flat).facts == (BotResumed("gone", "main"),)
    cap = Halted("gone", "main", "orders_per_minute", "31 orders")
    lifted = HaltLifted("gone", "main", "orders_per_minute", "why")
    assert lifted in plan("resume gone", cap).facts
    with pytest.raises(NotPossible):
        plan("flatten gone")


def test_who_is_still_kept_when_an_account_is_resumed_is_said() -> None:
    flat = BotFlattened("dusk", "main", "")
    cap = Halted("dawn", "main", "orders_per_minute", "31 orders")
    resumed = plan("resume main", Halted("", "main", "operator", ""), flat, cap)
    assert resumed.said == (
        "main may trade again, no longer halted by operator; still paused, stopped or"
        " halted, to be resumed by name: dawn, dusk"
    )


def test_a_bot_that_stays_stopped_is_not_said_to_trade_again() -> None:
    paused, stopped = BotPaused("dawn", "main", ""), BotStopped("dawn", "main")
    resumed = plan("resume dawn", paused, stopped)
    assert resumed.facts == (BotResumed("dawn", "main"),)
    assert resumed.said == "dawn is stopped, and may trade again after `shoal start dawn`"


def test_a_stopped_bot_that_was_halted_is_said_to_be_stopped() -> None:
    halted, stopped = Halted("dawn", "main", "operator", ""), BotStopped("dawn", "main")
    assert plan("resume dawn", halted, stopped).said == (
        "dawn is stopped, and may trade again after `shoal start dawn`, no longer halted"
        " by operator"
    )


def test_a_halt_whose_time_is_over_needs_no_lifting() -> None:
    assert plan("resume main", HALTED, now_ms=86_400_000).said == "main was not halted"


def test_to_flatten_shows_what_would_be_sold_and_does_nothing_unless_sure() -> None:
    """R-16."""
    shown = plan("flatten main", *HOLDS, *OPEN, is_sure=False)
    assert shown.is_preview
    assert shown.facts == ()
    assert shown.said.splitlines() == [
        "dawn: 1 BTC/USDT bought at 100; entry 00c2 to be cancelled",
        "dusk: holds nothing",
        "nothing was done: --yes pauses them, cancels the entries and sells",
    ]


def test_to_flatten_is_one_durable_fact_for_each_bot() -> None:
    sure = plan("flatten main", *HOLDS)
    assert sure.facts == (
        BotFlattened("dawn", "main", "why"),
        BotFlattened("dusk", "main", "why"),
    )
    assert plan("flatten dawn", *HOLDS).facts == sure.facts[:1]
    assert plan("resume dawn", *sure.facts).facts == (BotResumed("dawn", "main"),)


def test_a_bot_that_left_the_file_and_still_holds_is_flattened_too() -> None:
    gone = filled(2, 100, bot="noon", client_order_id="n1", trade_id="n1")
    assert BotFlattened("noon", "main", "why") in plan("flatten main", gone).facts


@pytest.mark.parametrize(
    ("asked", "subject", "account"),
    [
        (Asked("settle", "00c2"), "00c2", "main"),
        (Asked("settle", "\N{HORIZONTAL ELLIPSIS}00c2"), "00c2", "main"),
        (Asked("adopt", "web_1", bot="spare"), "web_1", "spare"),
        (Asked("reconcile", "main"), "main", "main"),
        (Asked("reconcile", "account:spare"), "account:spare", "spare"),
        (Asked("correct", SYMBOL), SYMBOL, "main"),
        (Asked("correct", SYMBOL, bot="spare"), SYMBOL, "spare"),
    ],
)
def test_a_command_about_an_order_or_a_symbol_finds_its_account(
    asked: Asked, subject: str, account: str
) -> None:
    found, on = addressed(asked, BOTS, seen(*HOLDS, *OPEN))
    assert (found.subject, on) == (subject, account)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked("settle", "00c3"), "no order of ours is called '00c3'; did you mean 00c2?"),
        (Asked("settle", "2"), "no order of ours is called '2'; known: 00c2"),
        (Asked("reconcile", "mian"), "no account is called 'mian'; did you mean main?"),
        (Asked("adopt", "web_1"), "say whose it shall be: --bot NAME"),
        (
            Asked("adopt", "web_1", bot="dwn"),
            "no bot is called 'dwn'; did you mean dawn?",
        ),
        (
            Asked("correct", "BTC/USD"),
            "nobody holds 'BTC/USD'; did you mean BTC/USDT?",
        ),
    ],
)
def test_what_is_addressed_to_nobody_is_answered_with_who_there_is(
    asked: Asked, said: str
) -> None:
    with pytest.raises(LookupError) as error:
        addressed(asked, BOTS, seen(*HOLDS, *OPEN))
    assert str(error.value) == said


def test_a_bot_that_was_ordered_flat_adopts_nothing() -> None:
    """Its entries are cancelled, so this one would be."""
    asked, flat = Asked("adopt", "web_1", bot="dawn"), BotFlattened("dawn", "main", "")
    with pytest.raises(LookupError, match="`shoal resume dawn` first"):
        addressed(asked, BOTS, seen(flat))
    assert addressed(asked, BOTS, seen(flat, BotResumed("dawn", "main")))[1] == "main"


def test_orders_are_listed_with_whole_ids_ours_and_foreign_ones() -> None:
    """R-16."""
    found = Reconciled(
        "main", "routine", 1, 0, 0, (), 2, "", ("web_1 buy 1 BTC/USDT limit",)
    )
    shown = orders_of(seen(*HOLDS, *OPEN, found), is_open_only=True)
    assert orders_lines(shown) == [
        "00c2  new  dawn entry: buy 1 BTC/USDT market, 0 filled",
        "not ours, on main: web_1 buy 1 BTC/USDT limit",
        "not ours, on main: 1 more",
    ]
    everything = orders_of(seen(*HOLDS, *OPEN), is_open_only=False)
    assert [order["id"] for order in everything["orders"]] == ["c1", "00c2"]


def test_what_a_venue_says_of_orders_forges_no_line_and_colours_no_screen() -> None:
    """S-14."""
    told = ("web\x1b[2J_1 buy\n00c9  filled",)
    found = Reconciled("main", "routine", 1, 0, 0, (), 1, "", told)
    assert orders_lines(orders_of(seen(found), is_open_only=True)) == [
        "not ours, on main: web [2J_1 buy 00c9  filled"
    ]
