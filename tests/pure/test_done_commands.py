"""What was carried out under a key is answered again, and nothing else is."""

from __future__ import annotations

import pytest

from actors.messages import Asked
from actors.pure.commands import NotPossible
from actors.pure.done_commands import Done

ORDER_ID = "5d0f7c1e-8a2b-4c3d-9e4f-a1b2c3d4e5f6"
SETTLED = Done("settle", ORDER_ID, "it is settled")


def asked(verb: str, subject: str) -> Asked:
    return Asked(verb, subject, key="k1")


@pytest.mark.parametrize("name", [ORDER_ID, "c3d4e5f6", "\N{HORIZONTAL ELLIPSIS}c3d4e5f6"])
def test_an_order_is_the_same_however_it_is_named(name: str) -> None:
    """As `shoal orders` shows it, or by its end."""
    assert SETTLED.again(asked("settle", name)) == "it is settled"


@pytest.mark.parametrize("name", ["dawn", "bot:dawn"])
def test_a_bot_is_the_same_with_or_without_its_kind(name: str) -> None:
    done = Done("halt", "dawn", "dawn is halted")
    assert done.again(asked("halt", name)) == "dawn is halted"


def test_a_bot_whose_name_another_one_ends_with_is_another_one() -> None:
    """S-8: whoever is told that eth was sold must not have sold alt-eth."""
    done = Done("flatten", "alt-eth", "alt-eth is ordered flat")
    with pytest.raises(NotPossible, match="nothing was done"):
        done.again(asked("flatten", "eth"))


def test_a_bot_is_not_the_account_of_its_name() -> None:
    done = Done("halt", "bot:main", "main is halted")
    with pytest.raises(NotPossible, match="nothing was done"):
        done.again(asked("halt", "account:main"))
