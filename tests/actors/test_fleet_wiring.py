"""The wiring table is the fleet's: no ring of waiting, no door without an edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.fleet import Fleet
from actors.fleet_map import wiring_map
from actors.fleet_stage import Stage, open_stage, role_of
from actors.fleet_wiring import (
    EDGES,
    READS,
    Edge,
    UndeclaredEdge,
    check_edge,
    edges,
    waiting_cycle,
)
from actors.fleet_world import Venue, World
from actors.mailbox import Mailbox
from actors.messages import Alarmed, Channel, Fact, Signal
from actors.messages.supervision import State
from actors.pure.actor_paths import paths
from actors.pure.client_order_id import account_tag
from actors.pure.config import Config
from adapters.config_file import read_config
from adapters.sqlite.inline import InlineStore
from tests.actors.emergency import InlineFile, Room
from tests.actors.ledger_room import RunClock, settle
from tests.actors.scripted_venue import Middle, ScriptedMarket, ScriptedTrading
from tests.words import BTC, HOLD

TOP = Path(__file__).parents[2]

# Doors that are no calls of `Stage.door`: market data goes to whoever is on the stage as a
# reader, wants go through the demand, and the last two senders are no actors.
BY_READERS = {("feed", "latest"), ("fallback", "latest")}
BY_DEMAND = {("latest", "feed"), ("latest", "fallback")}
NO_ACTORS = {"fleet", "operator"}


@attrs.define(eq=False)
class Ledger(Stage):
    """A stage that remembers which doors were asked for."""

    doors: set[tuple[str, str, str]] = attrs.Factory(set[tuple[str, str, str]])

    def door(self, sender: str, kind: Any, receiver: str) -> Mailbox[Any]:
        self.doors.add((role_of(sender), kind, role_of(receiver)))
        return super().door(sender, kind, receiver)


class Holder:
    """A strategy that needs candles and does nothing."""

    candles_min: int = 2

    def evaluate(self, view: object) -> Signal:
        return HOLD


class NoDesk:
    async def serve(self, ask: object) -> None:
        await trio.sleep_forever()


def config() -> Config:
    """Return the fleet that is shipped."""
    found = read_config(TOP / "bots.toml")
    assert isinstance(found, Config), str(found)
    return found


def world(store: InlineStore, market: ScriptedMarket, bots: list[str]) -> World:
    return World(
        execution="run-1",
        epoch="0e0e0e0",
        clock=RunClock(),
        random=Middle(),
        store=store,
        emergency={"main": InlineFile(store.path.with_name("emergency-main"))},
        space=Room(),
        venues={"binance": Venue(market, lambda _: ScriptedTrading())},
        desk=NoDesk(),
        tags={"main": account_tag("0123456789abcdef")},
        strategies=dict.fromkeys(bots, Holder),
        digests={},
        say=lambda _: None,
        announce=lambda _at_ms, _fact: None,
        report=lambda _: None,
        is_stopping=lambda: False,
    )


@pytest.fixture
async def stage(tmp_path: Path, autojump_clock: MockClock) -> Ledger:
    """Run the shipped fleet until all of it is up; return the stage it stood on."""
    fleet_config = config()
    plain = open_stage(fleet_config)
    used = Ledger(
        fleet_config,
        plain.mailboxes,
        plain.demands,
        plain.outlets,
        plain.readers,
        plain.owners,
    )
    symbols = {bot.symbol for bot in fleet_config.bots}
    market = ScriptedMarket(
        listed={symbol: attrs.evolve(BTC, symbol=symbol) for symbol in symbols}
    )
    store = InlineStore(tmp_path / "ledger.db")
    bots = [bot.name for bot in fleet_config.bots]
    async with trio.open_nursery() as nursery:
        await nursery.start(Fleet(used, world(store, market, bots)).run)
        await settle()
        nursery.cancel_scope.cancel()
    await store.close()
    return used


def test_nobody_waits_in_a_ring() -> None:
    """STYLE 28: the waiting edges form no cycle."""
    assert waiting_cycle(edges()) == ()


def test_a_ring_would_be_found_and_named() -> None:
    back = Edge("orders", "wish", "bot", ("Answer",))
    assert waiting_cycle((*edges(), back)) == ("orders", "bot", "orders")
    assert waiting_cycle((*edges(), Edge("journal", "wish", "risk", ()))) != ()
    assert waiting_cycle((*edges(), attrs.evolve(back, kind="latest"))) == ()


def test_the_journal_waits_for_nobody() -> None:
    assert {edge.kind for edge in EDGES if edge.sender == "journal"} == {"latest"}


def test_a_door_that_is_not_on_the_table_is_refused() -> None:
    with pytest.raises(UndeclaredEdge, match="bot --wish--> positions"):
        check_edge("bot", "wish", "positions")
    with pytest.raises(UndeclaredEdge):
        open_stage(config()).door("bot:dawn", "fact", "journal")


def test_only_the_journal_tells_facts() -> None:
    assert {edge.sender for edge in edges() if edge.kind == "fact"} == {"journal"}
    assert {edge.receiver for edge in edges() if edge.kind == "fact"} == READS.keys()


def test_every_fact_has_a_reader() -> None:
    heard = frozenset[type[Fact]]().union(*READS.values())
    assert heard == frozenset(get_args(Fact))


def test_edges_are_told_once() -> None:
    told = [(edge.sender, edge.kind, edge.receiver) for edge in edges()]
    assert len(told) == len(set(told))


async def test_every_declared_edge_is_used_by_the_shipped_fleet(
    stage: Ledger, autojump_clock: MockClock
) -> None:
    declared = {
        (edge.sender, edge.kind, edge.receiver)
        for edge in EDGES
        if edge.sender not in NO_ACTORS
        and (edge.sender, edge.kind) not in BY_READERS
        and (edge.kind, edge.receiver) not in BY_DEMAND
    }
    asked = {door for door in stage.doors if (door[0], door[1]) not in BY_READERS}
    assert declared - asked == set()
    assert asked - declared == {("clock", "latest", "feed")}


async def test_who_is_shown_market_data_is_on_the_table_and_the_other_way_round(
    stage: Ledger, autojump_clock: MockClock
) -> None:
    readers = {role_of(name) for name in stage.readers["binance"]}
    for sender in ("feed", "fallback"):
        shown = {
            edge.receiver
            for edge in EDGES
            if (edge.sender, edge.kind) == (sender, "latest")
        }
        assert readers == shown - {"fallback"}


async def test_who_wants_market_data_is_on_the_table(
    stage: Ledger, autojump_clock: MockClock
) -> None:
    wanted = stage.demands["binance"].current()
    senders = {edge.sender for edge in EDGES if edge.receiver == "feed"} - {"clock"}
    roles = {role_of(reader) for reader in wanted}
    assert roles == senders - {"positions"}  # nobody holds anything yet
    channels = {each.channel for one in wanted.values() for each in one.subscriptions}
    assert channels == {Channel.TICKER, Channel.CANDLES}


def test_the_papers_show_the_wiring_as_it_is() -> None:
    shown = (TOP / "docs" / "wiring.md").read_text("utf-8")
    assert shown == wiring_map(config())


def test_the_map_lists_every_actor_of_the_tree() -> None:
    names = paths(config())
    assert len(names) == len(set(names))
    assert names[0] == "journal"
    assert names[-1] == "board"
    assert {f"bots/bot:{bot.name}" for bot in config().bots} <= set(names)


async def test_every_actor_of_the_map_has_its_place_and_no_other_has(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fleet_config = config()
    store = InlineStore(tmp_path / "ledger.db")
    bots = [bot.name for bot in fleet_config.bots]
    fleet = Fleet(open_stage(fleet_config), world(store, ScriptedMarket(), bots))
    seen = [state.path for state in fleet.states()]
    await store.close()
    assert seen == [path for path in paths(fleet_config) if path != "simulator"]


async def test_what_lies_in_ledgers_that_nobody_opens_is_an_alarm_before_all_else(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fleet_config = config()
    store = InlineStore(tmp_path / "ledger.db")
    bots = [bot.name for bot in fleet_config.bots]
    alarms = [Alarmed("board", "abandoned", name, "holds 1") for name in ("old", "older")]
    outside = world(store, ScriptedMarket(), bots)
    stage = open_stage(fleet_config)
    Fleet(stage, attrs.evolve(outside, abandoned=tuple(alarms)))
    await store.close()
    board = stage.mailboxes["board"]
    assert [board.receive_nowait() for _ in range(board.depth)] == alarms


async def test_a_bot_that_is_given_up_wants_no_market_data(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """R-32: nobody takes its mail any more, and trades are merged, never dropped."""
    fleet_config = config()
    bots = [bot.name for bot in fleet_config.bots]
    actors = world(InlineStore(tmp_path / "ledger.db"), ScriptedMarket(), bots)
    fleet, name = Fleet(open_stage(fleet_config), actors), f"bot:{bots[0]}"
    demand = fleet.stage.demands["binance"]
    async with trio.open_nursery() as nursery:
        await nursery.start(fleet.run)
        await settle()
        was_wanting = name in demand.current()
        while State.FAILED not in {s.state for s in fleet.states() if name in s.path}:
            fleet.crash(name)
            await trio.sleep(5)
        is_wanting = name in demand.current()
        fleet.start(name)
        await settle()
        wants_again = name in demand.current()
        nursery.cancel_scope.cancel()
    assert (was_wanting, is_wanting, wants_again) == (True, False, True)
