"""Whose is what, and what of it an owner is shown."""

from __future__ import annotations

import pytest

from actors.messages import BotPaused, FleetStarted, FleetStopped, Halted
from actors.messages.board import Alarmed
from actors.messages.supervision import ActorState, State
from actors.pure.config import Config, Problems, load, summary
from actors.pure.owner_view import view
from actors.pure.owners import (
    HOUSE,
    bots_of,
    journal_of,
    ledger_owners,
    owner_asked,
    owner_of,
    owners_by_account,
    owners_of,
)
from actors.pure.read_model import ReadModel
from actors.pure.status import Live, status_of
from actors.pure.status_text import status_lines

BOT = """
[[bots]]
name = "{name}"
account = "{account}"
symbol = "BTC/USDT"
strategy = "ema_cross"
capital = 1_000
position_percent = 10
"""


def text(owners: dict[str, str], bots: dict[str, str]) -> str:
    """Return a fleet of accounts by owner and bots by account."""
    return (
        'mode = "sim"\n[exchanges.binance]\n'
        + "".join(
            f'[accounts.{name}]\nexchange = "binance"\nowner = "{owner}"\n'
            for name, owner in owners.items()
        )
        + "".join(BOT.format(name=name, account=bots[name]) for name in bots)
    )


def config(owners: dict[str, str], bots: dict[str, str]) -> Config:
    found = load(text(owners, bots), "bots.toml")
    assert isinstance(found, Config), str(found)
    return found


TWO = config({"a": "ann", "b": "bob", "c": "ann"}, {"one": "a", "two": "b", "three": "c"})


def test_several_owners_have_a_group_each() -> None:
    assert owners_of(TWO) == ("ann", "bob")
    assert owners_by_account(TWO) == {"a": "ann", "b": "bob", "c": "ann"}
    assert ledger_owners(TWO) == (HOUSE, "ann", "bob")
    assert [bot.name for bot in bots_of(TWO, "ann")] == ["one", "three"]


@pytest.mark.parametrize("owner", ["me", "Ann O'Neill, 2nd"])
def test_one_owner_has_the_house_whatever_the_name(owner: str) -> None:
    one = config({"a": owner, "b": owner}, {"one": "a", "two": "b"})
    assert (owners_of(one), ledger_owners(one)) == ((), (HOUSE,))
    assert set(owners_by_account(one).values()) == {HOUSE}
    assert len(bots_of(one, HOUSE)) == 2


def test_an_owner_without_bots_has_no_group() -> None:
    assert owners_of(config({"a": "ann", "b": "bob"}, {"one": "a"})) == ()


def test_without_a_word_the_owner_is_me() -> None:
    found = load(text({"a": "ann"}, {"one": "a"}).replace('owner = "ann"', ""), "bots.toml")
    assert isinstance(found, Config)
    assert found.accounts["a"].owner == "me"


def test_of_several_owners_each_must_be_a_name() -> None:
    found = load(text({"a": "Ann", "b": "bob"}, {"one": "a", "two": "b"}), "bots.toml")
    assert isinstance(found, Problems)
    assert "a group and a folder of that name" in str(found)
    assert "not 'Ann'" in str(found)


def test_a_journal_and_its_owner_name_each_other() -> None:
    assert [journal_of(owner) for owner in (HOUSE, "ann")] == ["journal", "journal:ann"]
    assert [owner_of(name) for name in ("journal", "journal:ann")] == [HOUSE, "ann"]
    assert [owner_asked(word) for word in ("owner:ann", "ann", "")] == ["ann", HOUSE, HOUSE]


def test_the_summary_says_what_runs_for_whom() -> None:
    assert "2 owners apart: ann with a and c (2 bots); bob with b (1 bot)" in summary(TWO)
    assert "owners" not in summary(config({"a": "ann"}, {"one": "a"}))


def model() -> ReadModel:
    """Fold a run of two owners: three ledgers, one after the other."""
    found = ReadModel()
    found.apply(FleetStarted("run-1", "sim", ("one", "two"), "0"), 1)
    found.apply(FleetStarted("run-1", "sim", ("one",), "0"), 1, "ann")
    found.apply(BotPaused("one", "a", "holiday"), 2, "ann")
    found.apply(FleetStarted("run-1", "sim", ("two",), "0"), 1, "bob")
    found.apply(Halted("", "b", "daily_loss", "-5 %"), 3, "bob")
    return found


def actor(path: str, state: State = State.RUNNING) -> ActorState:
    return ActorState(path, state, 0, 1, 1.0, "", None, 0, 0, 0, 0)


def test_the_ledgers_of_one_run_fold_into_one_model() -> None:
    found = model()
    assert (found.execution, list(found.bots)) == ("run-1", ["one", "two"])
    assert (found.owners, found.bot_owners) == (
        {"a": "ann", "b": "bob"},
        {"one": "ann", "two": "bob"},
    )
    found.apply(FleetStopped("run-1", "told to stop"), 9, "ann")
    assert found.stopped == ""
    found.apply(FleetStopped("run-1", "told to stop"), 9)
    assert found.stopped == "told to stop"


def test_an_owner_is_shown_the_house_and_what_is_theirs() -> None:
    live = Live()
    live.actors = [
        actor("journal"),
        actor("owners/owner:ann/bots:ann/bot:one"),
        actor("owners/owner:bob", State.FAILED),
        actor("owners/owner:bob/orders:b"),
    ]
    for name in ("catalogue:binance", "orders:a", "orders:b", "owner:bob"):
        alarm = Alarmed(name, "code", "subject", f"alarm of {name}")
        live.alarms[alarm.actor, alarm.code, alarm.subject] = alarm
    shown, shown_live = view(model(), live, "ann")
    found = status_of(shown, 5, shown_live)
    assert list(found["bots"]) == ["one"]
    assert [each["path"] for each in found["actors"]] == [
        "journal",
        "owners/owner:ann/bots:ann/bot:one",
    ]
    assert found["alarms"] == ["alarm of catalogue:binance", "alarm of orders:a"]
    assert found["bots"]["one"]["state"] == "paused: holiday"


def test_the_status_names_the_owner_where_there_are_several() -> None:
    lines = status_lines(status_of(model(), 5))
    assert any(line.startswith("bot one of ann ") for line in lines)
    alone = ReadModel()
    alone.apply(FleetStarted("run-1", "sim", ("one",), "0"), 1)
    assert any(line.startswith("bot one  ") for line in status_lines(status_of(alone, 5)))


def test_the_house_is_shown_all() -> None:
    live = Live()
    assert view(model(), live, HOUSE)[1] is live
    assert set(view(model(), None, HOUSE)[0].bots) == {"one", "two"}
