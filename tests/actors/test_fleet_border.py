"""Nothing about one owner reaches another: proven over the table, then on a stage."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.fleet_border import ForeignDoor, Place, is_inside, leak, places
from actors.fleet_stage import Stage, open_stage
from actors.fleet_wiring import Edge, edges
from actors.mailbox import Mailbox
from actors.messages import BotPaused, Fact, Told
from actors.outlets import Outlets, Reader
from actors.pure.config import Config, load
from tests.actors.ledger_room import settle

OWNERS = ("ann", "bob", "cleo")


def config(owners: tuple[str, ...] = OWNERS) -> Config:
    """Return a fleet with an account and a bot for each owner."""
    text = 'mode = "sim"\n[exchanges.binance]\n'
    for owner in owners:
        text += f'[accounts.{owner}-1]\nowner = "{owner}"\nexchange = "binance"\n'
    for owner in owners:
        text += (
            f'[[bots]]\nname = "{owner}-bot"\naccount = "{owner}-1"\n'
            'symbol = "BTC/USDT"\nstrategy = "ema_cross"\n'
            "capital = 1_000\nposition_percent = 10\n"
        )
    found = load(text, "bots.toml")
    assert isinstance(found, Config), str(found)
    return found


@pytest.mark.parametrize("owner", OWNERS)
def test_no_word_about_an_owner_reaches_another(owner: str) -> None:
    others = [each for each in OWNERS if each != owner]
    assert leak(edges(), owner, others) == ()


@pytest.mark.parametrize(
    ("edge", "path"),
    [
        (
            Edge("fallback", "latest", "risk", ("Reconciled",)),
            ("bot of ann", "fallback", "risk of bob"),
        ),
        (
            Edge("feed", "latest", "bot", ("Ticker", "Wanted")),
            ("bot of ann", "feed", "bot of bob"),
        ),
    ],
)
def test_a_leak_would_be_found_and_named(edge: Edge, path: tuple[str, ...]) -> None:
    assert leak((*edges(), edge), "ann", ["bob"]) == path


def test_a_fact_that_the_house_told_to_everybody_would_be_a_leak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careless(sender: Place, kind: str, receiver: Place) -> bool:
        return is_inside(sender, kind, receiver) or sender == Place("journal")  # pyright: ignore[reportArgumentType] -- a Kind

    monkeypatch.setattr("actors.fleet_border.is_inside", careless)
    path = leak(edges(), "ann", ["bob"])
    assert path[-2:] == ("journal", "orders of bob")


def test_every_role_of_the_table_stands_in_the_house_or_with_each_owner() -> None:
    standing = places(edges(), OWNERS)
    assert {role: len(where) for role, where in standing.items() if len(where) != 1} == {
        "account": 3,
        "risk": 3,
        "orders": 3,
        "positions": 3,
        "bot": 3,
        "journal": 4,
    }


@pytest.mark.parametrize(
    ("sender", "kind", "receiver"),
    [
        ("bot:ann-bot", "wish", "risk:bob-1"),
        ("bot:ann-bot", "wish", "journal:bob"),
        ("bot:ann-bot", "wish", "journal"),
        ("risk:ann-1", "wish", "orders:bob-1"),
        ("positions:ann-1", "wish", "orders:cleo-1"),
        ("account:ann-1", "latest", "orders:bob-1"),
        ("feed:binance", "wish", "journal:ann"),
        ("fleet", "wish", "journal:ann"),
        ("clock", "wish", "journal:bob"),
    ],
)
def test_no_door_leads_into_another_group(sender: str, kind: str, receiver: str) -> None:
    stage = open_stage(config())
    with pytest.raises(ForeignDoor, match="crosses the border"):
        stage.door(sender, kind, receiver)  # pyright: ignore[reportArgumentType] -- a Kind


@pytest.mark.parametrize("of", ["journal", "journal:bob"])
def test_nobody_is_told_what_another_journal_keeps(of: str) -> None:
    stage = open_stage(config())
    with pytest.raises(ForeignDoor):
        stage.let_read("risk:ann-1", of=of, account="ann-1")


def test_each_journal_is_read_by_its_own_group_and_by_the_board() -> None:
    stage = open_stage(config())
    assert read_by(stage, "journal") == {"board"}
    for owner in OWNERS:
        roles = {f"{role}:{owner}-1" for role in ("account", "risk", "orders", "positions")}
        assert read_by(stage, f"journal:{owner}") == {*roles, f"bot:{owner}-bot", "board"}
        assert stage.journal(f"orders:{owner}-1").name == f"journal:{owner}"


def read_by(stage: Stage, journal: str) -> set[str]:
    outlets = stage.outlets[journal]
    return {name for name in stage.mailboxes if outlets.reader(name) is not None}


def test_one_owner_has_the_house_to_himself() -> None:
    stage = open_stage(config(("ann",)))
    assert set(stage.outlets) == {"journal"}
    assert set(stage.owners.values()) == {""}
    assert stage.journal("orders:ann-1").name == "journal"


async def test_a_fact_goes_to_the_readers_of_its_own_journal_only(
    autojump_clock: MockClock,
) -> None:
    stage = open_stage(config())
    paused: Fact = BotPaused("ann-bot", "ann-1", "")
    stage.outlets["journal:bob"].tell(1, paused, 0)  # as if written into the wrong ledger
    await settle()
    heard = {name for name, box in stage.mailboxes.items() if box.depth}
    assert heard == {"board"}


async def test_a_reader_of_two_journals_is_told_which_one_it_hears(
    autojump_clock: MockClock,
) -> None:
    box = Mailbox[Told]("board", facts_max=8)
    for name in ("journal", "journal:ann"):
        reader = Reader("board", box, frozenset({BotPaused}))
        Outlets([reader], teller=name).tell(1, BotPaused("a", "b", ""), 0)
    told = [box.receive_nowait(), box.receive_nowait()]
    assert [(each.teller, each.previous_seq) for each in told if each] == [
        ("journal", 0),
        ("journal:ann", 0),
    ]
    await trio.lowlevel.checkpoint()


def test_every_edge_of_the_table_has_a_way_where_there_are_several_owners() -> None:
    standing = places(edges(), OWNERS)
    shut = [
        f"{edge.sender} --{edge.kind}--> {edge.receiver}"
        for edge in edges()
        if not any(
            is_inside(sender, edge.kind, receiver)
            for sender in standing[edge.sender]
            for receiver in standing[edge.receiver]
        )
    ]
    assert shut == []
