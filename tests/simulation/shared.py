"""A seed's fleet shared by two owners: orders and money are right for each, nothing mixes.

The first owner is the account of every other simulation, with all that goes wrong for it.
The guest has a bot, an account, keys and a disk that never fails; network, exchange,
deaths of the process and crashes strike both.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

import attrs
import trio

from actors.fleet_world import OpenLedger, World
from actors.messages.supervision import Transition
from actors.ports import Trading
from actors.pure.client_order_id import epoch_text
from adapters.secrets import Secret
from adapters.simulator.config import ApiKey, SimulatorConfig
from tests.simulation.assassin import Assassin
from tests.simulation.at_rest import AtRest
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.chain import chain_violations
from tests.simulation.disk import Disk, SimStore
from tests.simulation.invariants import (
    balance_differences,
    differences,
    read_ledger,
    violations,
)
from tests.simulation.judging import row_violations
from tests.simulation.position_rules import PositionRules
from tests.simulation.process import Process, tag_of
from tests.simulation.schedule import Schedule
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import SETTLE_S, Outcome, Simulation
from tests.simulation.venue import BALANCES, venue_config
from tests.simulation.warm_and_cold import disagreements

GUEST: Final = "guest"
KEY, SECRET = "guest-key", "guest-secret"
ACCOUNT: Final = f"""
[accounts.{GUEST}]
owner = "{GUEST}"
exchange = "binance"
key = "env:GUEST_KEY"
secret = "env:GUEST_SECRET"
"""
BOT: Final = f"""
[[bots]]
name = "guest-bot"
account = "{GUEST}"
symbol = "BTC/USDT"
strategy = "churn:Churn"
timeframe = "1s"
capital = 10_000
position_percent = 10
stop_loss_percent = 5
evaluate_s = 2
"""


@attrs.define(eq=False)
class SharedProcess(Process):
    """One life of a process that serves both."""

    house: Disk = attrs.field(kw_only=True)
    guest: Disk = attrs.field(kw_only=True)

    def die(self, *, is_power_lost: bool) -> None:
        """End it as SIGKILL does, on every disk."""
        super().die(is_power_lost=is_power_lost)
        for disk in (self.house, self.guest):
            disk.process_died(is_power_lost=is_power_lost)

    async def _open(
        self, opened: AsyncExitStack, report: Callable[[Transition], None]
    ) -> World:
        world = await super()._open(opened, report)
        guest = SimStore(self.guest, self.owner)
        return attrs.evolve(
            world,
            store=SimStore(self.house, self.owner),
            emergency={**world.emergency, GUEST: guest.emergency},
            epoch=_epoch(self.house),
            tags={**world.tags, GUEST: tag_of(self.machine.config, KEY)},
            ledgers={
                "me": OpenLedger(self.store, _epoch(self.machine.disk)),
                GUEST: OpenLedger(guest, _epoch(self.guest)),
            },
        )

    def _accounts(self, sign: Callable[[Secret, Secret], Trading]) -> dict[str, Trading]:
        trading = sign(Secret(KEY), Secret(SECRET))
        tag = tag_of(self.machine.config, KEY)
        watched = self.witness(trading, self.guest, tag, lambda _bot, _at_s: "")
        return {**super()._accounts(sign), GUEST: watched}


class SharedSimulation(Simulation):
    """One run of two owners."""

    def __init__(self, schedule: Schedule, watcher: Assassin) -> None:
        first, bots = schedule.config.split("[[bots]]", 1)
        text = f"{first}{ACCOUNT}\n[[bots]]{bots}{BOT}"
        super().__init__(attrs.evolve(schedule, config=text), watcher, keeps_all=False)
        self.house = Disk(schedule.seed + 1_000_003, self.trace)
        self.guest = Disk(schedule.seed + 2_000_003, self.trace)
        for disk in (self.house, self.guest):
            disk.venue_ms, disk.skew_ms = self.disk.venue_ms, self.disk.skew_ms

    def _venue_config(self) -> SimulatorConfig:
        config = venue_config(self.schedule)
        key = ApiKey(GUEST, KEY, SECRET, BALANCES)
        return attrs.evolve(config, keys=(*config.keys, key))

    def _new_process(self, number: int) -> Process:
        return SharedProcess(self.machine, number, house=self.house, guest=self.guest)

    async def _live(self, process: Process) -> None:
        await super()._live(process)
        if not process.was_killed:
            for disk in (self.house, self.guest):
                disk.process_died(is_power_lost=False)

    async def _settle(self) -> None:
        await super()._settle()
        until_s, said = trio.current_time() + SETTLE_S, ["nothing was looked at"]
        positions, rest = PositionRules.of(self.machine.config), AtRest()
        while said and trio.current_time() < until_s:
            await trio.sleep(2.0)
            said = self._guest_differences()
            for judge in (positions, rest):
                judge.read(self.guest.rows[judge.rows : self.guest.visible])
            said += [*positions.unsettled(), *rest.unsettled(self._guest_books())]
        for each in said:
            self._complain(f"{GUEST}: {each}")

    def _guest_books(self) -> BookKeeping:
        return read_ledger(self.guest, self.machine.sent)

    def _guest_differences(self) -> list[str]:
        exchange, books = self.simulator.exchange, self._guest_books()
        said = differences(books, exchange, GUEST)
        said += balance_differences(books, exchange, BALANCES, GUEST)
        if self.process is not None and not said:
            said += disagreements(self.process, self.guest, GUEST)
        return said

    def _outcome(self) -> Outcome:
        exchange, tag = self.simulator.exchange, tag_of(self.machine.config, KEY)
        found = violations(self._guest_books(), exchange, tag, GUEST)
        found += row_violations(self.machine, self.guest, GUEST)
        found += chain_violations(self.house.rows, self.machine.clock.steps)
        self.said += [f"{GUEST}: {each}" for each in found]
        self.said += _mixed(self.disk, {"main"}) + _mixed(self.guest, {GUEST})
        self.said += _mixed(self.house, set())
        by_client = exchange.engine.by_client
        self.counts["guest orders"] = sum(account == GUEST for account, _ in by_client)
        return super()._outcome()


def simulate_shared(schedule: Schedule) -> Outcome:
    """Run one schedule for two owners to its end and judge it."""
    watcher = Assassin()

    async def main() -> Outcome:
        return await SharedSimulation(schedule, watcher).run()

    return run_seeded(main, schedule.seed, [watcher])


def _epoch(disk: Disk) -> str:
    return epoch_text(int(disk.epoch, 16))


def _mixed(disk: Disk, accounts: set[str]) -> list[str]:
    """Return the rows of accounts that a ledger has nothing to do with."""
    found = {each.row.account for each in disk.rows} - accounts - {""}
    return [f"a ledger of {accounts or 'the house'} has rows of {sorted(found)}"] * bool(
        found
    )
