"""A command about an owner is one about each of their accounts or bots."""

from __future__ import annotations

import pytest

from actors.messages import Asked
from actors.messages.supervision import State
from actors.pure.commands import NotPossible
from actors.pure.owner_commands import revived, spread

BOTS = {"one": "a", "two": "b", "three": "c"}
OWNERS = {"a": "ann", "b": "bob", "c": "ann"}


@pytest.mark.parametrize(
    ("verb", "subjects"),
    [
        ("halt", ["account:a", "account:c"]),
        ("resume", ["account:a", "account:c"]),
        ("flatten", ["account:a", "account:c"]),
        ("pause", ["bot:one", "bot:three"]),
        ("stop", ["bot:one", "bot:three"]),
    ],
)
def test_it_is_asked_of_each(verb: str, subjects: list[str]) -> None:
    asked = Asked(verb, "owner:ann", "holiday", "me", "key-1", is_sure=True)
    found = spread(asked, BOTS, OWNERS)
    assert [each.subject for each in found] == subjects
    assert [each.key for each in found] == [f"key-1/{subject}" for subject in subjects]
    assert {(each.verb, each.reason, each.by, each.is_sure) for each in found} == {
        (verb, "holiday", "me", True)
    }


def test_without_a_key_each_has_none() -> None:
    assert {each.key for each in spread(Asked("halt", "owner:ann"), BOTS, OWNERS)} == {""}


def test_an_unknown_owner_is_refused_with_the_nearest() -> None:
    with pytest.raises(NotPossible, match=r"no owner 'bo' has a group.*bob"):
        spread(Asked("halt", "owner:bo"), BOTS, OWNERS)


def test_in_a_fleet_of_one_nobody_has_a_group() -> None:
    with pytest.raises(NotPossible, match="no owner 'me'"):
        spread(Asked("halt", "owner:me"), BOTS, {})


def test_what_is_about_one_order_is_not_about_an_owner() -> None:
    with pytest.raises(NotPossible, match="settle is about one order"):
        spread(Asked("settle", "owner:ann"), BOTS, OWNERS)


@pytest.mark.parametrize("state", [State.FAILED, State.STOPPED])
def test_a_group_that_does_not_live_is_started_itself(state: State) -> None:
    plan = revived(Asked("start", "owner:ann"), state)
    assert plan is not None
    assert plan.said == "the group of ann starts, its failures forgotten"


def test_a_group_that_lives_or_another_verb_starts_nothing() -> None:
    assert revived(Asked("start", "owner:ann"), State.RUNNING) is None
    assert revived(Asked("stop", "owner:ann"), State.FAILED) is None
