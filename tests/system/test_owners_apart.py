"""Two owners in one fleet, in mock time: whatever becomes of one, the other trades on.

Everything is real but the two exchange accounts, which are in memory, and time. Each owner
has one account and one bot, who buys and sells in turn at each tick.
"""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.fleet_scribe import Scribe
from actors.fleet_world import OpenLedger, Venue, World
from actors.messages import (
    Attempted,
    Fact,
    Filled,
    Halted,
    Intended,
    PositionOpened,
    Refused,
    Signal,
    SignalType,
)
from actors.messages.board import Alarmed, Asked
from actors.messages.supervision import Event, State
from actors.ports import Desk
from actors.ports_store import Query, StoreCorrupt
from actors.pure.client_order_id import account_tag, epoch_of, epoch_text
from actors.pure.facts import KINDS, decode
from actors.pure.market_view import MarketView
from actors.records import record
from adapters.sqlite.inline import InlineStore
from tests.actors.emergency import InlineFile
from tests.actors.ledger_room import Disk
from tests.system.fleet_desk import only
from tests.system.mock_fleet import Exchange, MockFleet, Resting

T = TypeVar("T")
OWNERS = ("ann", "bob")
ANN, BOB = "owners/owner:ann", "owners/owner:bob"


def two_owners() -> str:
    """Return a fleet of ann with account a and bot dawn, and bob with b and dusk."""
    text = 'mode = "sim"\n[exchanges.binance]\n'
    for account, owner in (("a", "ann"), ("b", "bob")):
        text += f'[accounts.{account}]\nowner = "{owner}"\nexchange = "binance"\n'
    text += "[accounts.a.risk]\ndaily_loss_percent_max = 1\n"
    for name, account in (("dawn", "a"), ("dusk", "b")):
        text += (
            f'[[bots]]\nname = "{name}"\naccount = "{account}"\nsymbol = "BTC/USDT"\n'
            'strategy = "mine:Churn"\ncapital = 10_000\nposition_percent = 50\n'
            'evaluate_s = "tick"\n'
        )
    return text


class Churn:
    """Buy and sell in turn."""

    candles_min = 0

    def evaluate(self, view: MarketView) -> Signal:
        kind = SignalType.BUY if view.position is None else SignalType.SELL
        return Signal(kind, 1.0, 1.0, ("churn",))


class AskedDesk(Desk):
    """A desk that the test itself speaks at."""

    ask: Any

    async def serve(self, ask: Any) -> None:
        self.ask = ask
        await trio.sleep_forever()


@attrs.define(eq=False)
class TwoOwners(MockFleet):
    config: str = attrs.Factory(two_owners)
    disks: dict[str, Disk] = attrs.Factory(dict[str, Disk])
    exchanges: dict[str, Exchange] = attrs.Factory(
        lambda: {name: Exchange() for name in ("a", "b")}
    )
    said: list[Alarmed] = attrs.Factory(list[Alarmed])
    desk: AskedDesk = attrs.Factory(AskedDesk)

    async def facts_of(self, owner: str) -> Sequence[Fact]:
        _, rows = await self.disks[owner].ledger.read(Query(sorted(KINDS)))
        return [decode(row.kind, row.body) for row in rows]

    async def status(self, owner: str = "") -> dict[str, Any]:
        return await self.ask("status", f"owner:{owner}" if owner else "")

    async def ask(self, verb: str, subject: str) -> dict[str, Any]:
        return await self.desk.ask(Asked(verb, subject, key=f"{verb}/{subject}"))

    def placed(self, account: str) -> int:
        return len(self.exchanges[account].placed)

    def price(self, price: int) -> None:
        self.exchange.price = Decimal(price)
        for exchange in self.exchanges.values():
            exchange.price = Decimal(price)

    def _world(self, store: InlineStore, scribe: Scribe) -> World:
        alone = super()._world(store, scribe)
        for owner in OWNERS:
            self.disks[owner] = Disk(self.open_store(f"{owner}.db"))
        return attrs.evolve(
            alone,
            emergency={
                name: InlineFile(self.folder / f"emergency-{name}") for name in ("a", "b")
            },
            venues={"binance": Venue(self.market, self.exchanges.__getitem__)},
            desk=self.desk,
            tags={name: account_tag(f"{name}123456789abcdef") for name in ("a", "b")},
            strategies={"dawn": Churn, "dusk": Churn},
            ledgers={
                owner: OpenLedger(disk, epoch_text(int(disk.ledger.epoch, 16)))
                for owner, disk in self.disks.items()
            },
            announce=self._announce,
        )

    def _announce(self, _at_ms: int, fact: Fact | Alarmed) -> None:
        if isinstance(fact, Alarmed):
            self.said.append(fact)


def run_two(
    folder: Path,
    look: Callable[[TwoOwners], Awaitable[T]],
    *,
    victim: str = "",
    ann: Exchange | None = None,
) -> tuple[TwoOwners, T | None]:
    """Run the fleet and look at it; without a view when it gave up before."""
    fleet = TwoOwners(folder, victim=victim)
    if ann is not None:
        fleet.exchanges["a"] = ann

    async def main() -> T | None:
        seen = None
        async with trio.open_nursery() as nursery:
            await nursery.start(fleet.run)
            await trio.sleep(5)
            seen = await look(fleet)
            nursery.cancel_scope.cancel()
        return seen

    return fleet, trio.run(main, clock=MockClock(autojump_threshold=0))


def lives(fleet: TwoOwners, group: str) -> set[int]:
    """Return which lives the actors of a group are in."""
    return {
        actor.incarnation
        for path, actor in fleet.states().items()
        if f"{path}/".startswith(f"{group}/")
    }


async def trades_on(fleet: TwoOwners, account: str) -> bool:
    """Tell whether orders of an account reach the exchange in the next seconds."""
    before = fleet.placed(account)
    await trio.sleep(10)
    return fleet.placed(account) > before + 2


def test_each_owner_has_keys_ledger_and_epoch_apart(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        assert await trades_on(fleet, "a")
        assert await trades_on(fleet, "b")
        epochs: set[str | None] = set()
        for owner, account, bot in (("ann", "a", "dawn"), ("bob", "b", "dusk")):
            facts = await fleet.facts_of(owner)
            attempted = only(Attempted, facts)
            assert {fact.account for fact in (*attempted, *only(Filled, facts))} == {
                account
            }
            assert {fact.bot for fact in only(Intended, facts)} == {bot}
            placed = {each.client_order_id for each in fleet.exchanges[account].placed}
            assert placed <= {each.client_order_id for each in attempted}
            epochs |= {epoch_of(each.client_order_id) for each in attempted}
        assert len(epochs) == 2
        assert only(Attempted, await fleet.facts()) == []  # of the house

    run_two(tmp_path, look)


@pytest.mark.parametrize("role", ["risk:a", "orders:a", "positions:a", "journal:ann"])
def test_a_group_that_cannot_be_kept_alive_ends_alone(tmp_path: Path, role: str) -> None:
    async def look(fleet: TwoOwners) -> None:
        await trio.sleep(200 if role != "risk:a" else 700)
        states = fleet.states()
        assert states[ANN].state is State.FAILED
        assert states[BOB].state is State.RUNNING
        assert lives(fleet, BOB) == {1}
        assert not await trades_on(fleet, "a")
        assert await trades_on(fleet, "b")
        assert [alarm.subject for alarm in fleet.said if alarm.code == "given_up"] == [
            "ann"
        ]
        shown = await fleet.status()
        assert any("all of ann is stopped" in text for text in shown["alarms"])
        assert not any("ann" in text for text in (await fleet.status("bob"))["alarms"])

    fleet, _ = run_two(tmp_path, look, victim=f"{ANN}/{role}")
    assert fleet.escalated is None
    (failed,) = fleet.told_of(ANN, Event.FAILED)
    assert f"{ANN}/{role} could not be kept alive" in failed.error


def test_a_damaged_ledger_stops_its_owner_at_once_and_nobody_else(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        fleet.disks["ann"].error = StoreCorrupt("ann.db is damaged")
        await trio.sleep(2)
        assert fleet.states()[ANN].state is State.FAILED
        assert lives(fleet, BOB) == {1}
        assert await trades_on(fleet, "b")
        assert not await trades_on(fleet, "a")

    fleet, _ = run_two(tmp_path, look)
    assert "LedgerCorrupt: ann.db is damaged" in fleet.told_of(ANN, Event.FAILED)[0].error


def test_a_group_that_is_given_up_wants_no_market_data_until_it_is_started_again(
    tmp_path: Path,
) -> None:
    """R-32: nobody takes its mail any more, and trades are merged, never dropped."""

    def wanting(fleet: TwoOwners) -> set[str]:
        wanted = fleet.fleet.stage.demands["binance"].current()
        return {name for name in wanted if not name.startswith(("board", "positions:b"))}

    async def look(fleet: TwoOwners) -> tuple[bool, set[str], bool]:
        was_wanting = "bot:dawn" in wanting(fleet)
        fleet.disks["ann"].error = StoreCorrupt("ann.db is damaged")
        await trio.sleep(20)
        left = wanting(fleet)
        fleet.disks["ann"].error = None
        await fleet.ask("start", "owner:ann")
        await trio.sleep(20)
        return was_wanting, left, "bot:dawn" in wanting(fleet)

    _, seen = run_two(tmp_path, look)
    assert seen == (True, {"bot:dusk", "risk:b"}, True)


def test_a_full_ledger_stops_the_entries_of_its_owner_only(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        fleet.disks["ann"].error = OSError(errno.ENOSPC, "the disk is full")
        await trio.sleep(2)
        bought = sum(each.side.value == "buy" for each in fleet.exchanges["a"].placed)
        assert await trades_on(fleet, "b")
        assert bought == sum(e.side.value == "buy" for e in fleet.exchanges["a"].placed)
        fleet.disks["ann"].error = None
        await trio.sleep(10)
        assert await trades_on(fleet, "a")
        assert {state.state for state in fleet.states().values()} == {State.RUNNING}

    run_two(tmp_path, look)


def test_a_days_loss_halts_the_owner_who_lost(tmp_path: Path) -> None:
    """Both lose the same; only ann has a limit."""

    async def look(fleet: TwoOwners) -> None:
        for step in range(60):
            fleet.price(50_000 - 100 * step)
            await trio.sleep(1)
        assert not await trades_on(fleet, "a")
        assert await trades_on(fleet, "b")
        assert [fact.code for fact in only(Halted, await fleet.facts_of("bob"))] == []
        refused = only(Refused, await fleet.facts_of("ann"))
        halted = only(Halted, await fleet.facts_of("ann"))
        assert "daily_loss" in {fact.code for fact in (*refused, *halted)}

    run_two(tmp_path, look)


def test_a_halt_of_one_owners_account_stops_no_other(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        halt = Halted("", "a", "operator", "holiday")
        await record(fleet.fleet.stage.mailboxes["journal:ann"], halt)
        await trio.sleep(5)
        assert not await trades_on(fleet, "a")
        assert await trades_on(fleet, "b")

    run_two(tmp_path, look)


def test_an_operator_halts_all_that_one_owner_has(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        assert (await fleet.ask("halt", "owner:ann"))["said"].startswith("a is halted")
        assert not await trades_on(fleet, "a")
        assert await trades_on(fleet, "b")
        assert [fact.account for fact in only(Halted, await fleet.facts_of("ann"))] == ["a"]
        assert only(Halted, await fleet.facts_of("bob")) == []
        await fleet.ask("resume", "owner:ann")
        assert await trades_on(fleet, "a")
        assert "dawn is paused" in (await fleet.ask("pause", "owner:ann"))["said"]
        for verb in ("halt", "status", "orders"):
            lost = await fleet.ask(verb, "owner:anne")
            assert lost["error"].startswith(
                "no owner 'anne' has a group in this fleet; did you"
            )

    run_two(tmp_path, look)


def test_a_group_that_is_given_up_takes_back_its_open_entries(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        (entry,) = fleet.exchanges["a"].placed
        assert fleet.exchanges["a"].cancelled == []
        fleet.disks["ann"].error = StoreCorrupt("ann.db is damaged")
        await trio.sleep(15)
        assert fleet.states()[ANN].state is State.FAILED
        assert fleet.exchanges["a"].cancelled == [entry.client_order_id]

    run_two(tmp_path, look, ann=Resting())


def test_when_nobody_is_left_the_program_ends(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        for owner in OWNERS:
            fleet.disks[owner].error = StoreCorrupt(f"{owner}.db is damaged")
            await trio.sleep(10)

    fleet, _ = run_two(tmp_path, look)
    assert fleet.escalated is not None
    assert fleet.escalated.path == "owners"


def test_the_houses_journal_is_everybodys(tmp_path: Path) -> None:
    async def look(_fleet: TwoOwners) -> None:
        await trio.sleep(200)

    fleet, _ = run_two(tmp_path, look, victim="journal")
    assert fleet.escalated is not None
    assert fleet.escalated.path == "journal"


def test_the_board_comes_back_beside_a_dead_journal(tmp_path: Path) -> None:
    async def look(fleet: TwoOwners) -> None:
        fleet.disks["ann"].error = StoreCorrupt("ann.db is damaged")
        await trio.sleep(2)
        fleet.fleet.crash("board")
        await trio.sleep(10)
        assert fleet.states()["board"].state is State.RUNNING
        shown = await fleet.status()
        assert list(shown["bots"]) == ["dusk"]

    run_two(tmp_path, look)


def test_a_group_that_was_started_under_a_key_is_not_started_again_bot_by_bot(
    tmp_path: Path,
) -> None:
    """S-8: typed again it would have started what an operator stopped meanwhile."""

    async def look(fleet: TwoOwners) -> None:
        fleet.disks["ann"].error = StoreCorrupt("ann.db is damaged")
        await trio.sleep(20)
        fleet.disks["ann"].error = None
        first = await fleet.ask("start", "owner:ann")
        await trio.sleep(20)
        await fleet.ask("stop", "dawn")
        assert await fleet.ask("start", "owner:ann") == first
        await trio.sleep(5)
        assert fleet.states()[f"{ANN}/bots:ann/bot:dawn"].state is State.STOPPED

    run_two(tmp_path, look)


def test_an_operator_starts_a_group_again_and_it_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    async def look(fleet: TwoOwners) -> None:
        fleet.disks["ann"].error = StoreCorrupt("ann.db is damaged")
        await trio.sleep(20)
        fleet.disks["ann"].error = None
        assert (await fleet.ask("start", "owner:ann"))["said"].startswith(
            "the group of ann"
        )
        await trio.sleep(20)
        assert await trades_on(fleet, "a")
        assert lives(fleet, BOB) == {1}
        assert [alarm.is_over for alarm in fleet.said if alarm.code == "given_up"] == [
            False,
            True,
        ]
        opened = only(PositionOpened, await fleet.facts_of("ann"))
        assert len({fact.position_id for fact in opened}) == len(opened)

    run_two(tmp_path, look)
