"""A second engine with a ledger of its own, on the same account, in the middle of a run.

It has the keys and another epoch, as a copy on another machine would. Each engine must
notice the other by its orders and begin nothing new (I-19); exits go on, and each ledger
must still agree with the exchange on its own orders.
"""

from __future__ import annotations

import time
from typing import Final

import attrs
import trio

from actors.messages.board import Alarmed
from actors.messages.supervision import Transition
from actors.pure.client_order_id import epoch_text
from tests.simulation.assassin import Assassin
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.clocks import UNIX_MS, MachineClock
from tests.simulation.disk import Disk
from tests.simulation.invariants import (
    ACCOUNT,
    balance_differences,
    differences,
    read_ledger,
    violations,
)
from tests.simulation.judging import ledger_violations
from tests.simulation.process import Machine, Process, tag_of
from tests.simulation.schedule import Schedule
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import (
    CALM_S,
    SETTLE_S,
    STOP_S,
    Outcome,
    Simulation,
)
from tests.simulation.venue import BALANCES

NUMBER: Final = 500  # of the second engine's process; those of the first count from 1
BEGINS: Final = 0.3  # of the time with faults


def simulate_two(schedule: Schedule, *, keeps_all: bool = False) -> Outcome:
    """Run one schedule with a second engine in it, and judge both."""
    watcher = Assassin()

    async def main() -> Outcome:
        return await TwoEngines(schedule, watcher, keeps_all=keeps_all).run()

    began_s = time.process_time()
    outcome = run_seeded(main, schedule.seed, [watcher])
    outcome.cpu_s = time.process_time() - began_s
    return outcome


class TwoEngines(Simulation):
    """A simulation with another machine beside its own."""

    def __init__(self, schedule: Schedule, watcher: Assassin, *, keeps_all: bool) -> None:
        super().__init__(schedule, watcher, keeps_all=keeps_all)
        seed = -schedule.seed - 1
        first, exchange = self.machine, self.simulator.exchange
        self.other_disk = Disk(seed, self.trace)
        self.other_disk.venue_ms = exchange.told_ms
        self.other = Machine(
            seed,
            first.config,
            self.trace,
            first.network,
            self.other_disk,
            MachineClock(UNIX_MS, 0),
            self._complain,
            lambda: None,
            self._tell_other,
        )
        first.alarmed = self._alarmed
        self.other.alarmed = self._alarmed
        self.other_process = Process(self.other, NUMBER)

    async def _follow_schedule(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(super()._follow_schedule)
            await trio.sleep(BEGINS * self.schedule.chaos_s)
            self.trace.note("a second engine begins")
            self.background.start_soon(self.other_process.run)

    async def _settle(self) -> None:
        """Wait until each ledger agrees with the exchange on its own orders."""
        await trio.sleep(CALM_S)
        self.machine.is_quiet = self.other.is_quiet = True
        said = ["nothing was looked at"]
        until_s = trio.current_time() + SETTLE_S
        while said and trio.current_time() < until_s:
            await trio.sleep(2.0)
            said = self._unsettled()
        for each in said:
            self._complain(each)

    def _unsettled(self) -> list[str]:
        exchange = self.simulator.exchange
        mine, others = self._books()
        said = differences(mine, exchange) + differences(others, exchange)
        both = attrs.evolve(mine, orders=mine.orders | others.orders)
        said += balance_differences(both, exchange, BALANCES)
        return said

    async def _stop(self) -> None:
        if not self.other_process.owner.is_dead:
            self.other_process.stop()
            with trio.move_on_after(STOP_S):
                await self.other_process.gone.wait()
        await super()._stop()

    def _violations(self) -> list[str]:
        exchange = self.simulator.exchange
        tag, said = tag_of(self.machine.config), list[str]()
        ledgers = zip(self._books(), (self.disk, self.other_disk), strict=True)
        for books, disk in ledgers:
            said += violations(books, exchange, own_tag(tag, disk))
        said += ledger_violations(self.other, ACCOUNT)
        return said

    def _books(self) -> tuple[BookKeeping, BookKeeping]:
        return (
            read_ledger(self.disk, self.machine.sent),
            read_ledger(self.other_disk, self.other.sent),
        )

    def _tell_other(self, process: Process, step: Transition) -> None:
        if not process.owner.is_dead:
            self.trace.note(f"{NUMBER} {step.path} {step.event.value} {step.error}")

    def _alarmed(self, alarm: Alarmed) -> None:
        if alarm.code == "second_engine" and not alarm.is_over:
            self.counts["second engines noticed"] += 1


def own_tag(tag: str, disk: Disk) -> str:
    """Return what the client order ids of one ledger begin with: account and epoch."""
    epoch = epoch_text(int(disk.epoch, 16))
    return f"{tag}-{epoch[:4]}-4{epoch[4:]}"
