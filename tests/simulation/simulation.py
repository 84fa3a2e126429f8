"""One run of one seed: the whole fleet, the exchange, and everything that goes wrong."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

import attrs
import trio

from actors.errors import Escalated
from actors.messages.supervision import Event, Transition
from actors.pure.config import Problems, load
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.server import Simulator
from tests.simulation.assassin import Assassin
from tests.simulation.at_rest import AtRest, restless
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.chaos import Chaos, VenueHouse
from tests.simulation.clocks import UNIX_MS, MachineClock, VenueClock
from tests.simulation.disk import Disk
from tests.simulation.events import Relisting
from tests.simulation.guarding import BARE_AFTER_FAULTS_S_MAX, BARE_S_MAX, Guarding
from tests.simulation.inspection import (
    is_whole,
    keep_inspecting,
    overfull,
    told_secrets,
    twins,
    wait_left,
)
from tests.simulation.invariants import (
    ACCOUNT,
    balance_differences,
    differences,
    read_ledger,
    violations,
)
from tests.simulation.judging import halts, ledger_violations
from tests.simulation.network import Network
from tests.simulation.position_rules import PositionRules
from tests.simulation.process import Machine, Process, tag_of
from tests.simulation.schedule import Schedule
from tests.simulation.seeding import run_seeded
from tests.simulation.stopping import STOP_S
from tests.simulation.supervision import Supervision
from tests.simulation.trace import Trace
from tests.simulation.venue import BALANCES, past_of, venue_config
from tests.simulation.venue_limits_check import limit_violations
from tests.simulation.warm_and_cold import disagreements

SETTLE_S: Final = 180.0  # after the last fault; an open circuit waits up to 66 s
CALM_S: Final = 20.0  # after the last fault, in which bots go on trading
SWALLOWING: Final = frozenset({"half_open", "server_shutdown"})  # words, before they cut
DEAD_S: Final = 120.0  # for the tasks of a dead process to end


@attrs.define
class Outcome:
    """What became of one run."""

    schedule: Schedule
    violations: list[str]
    digest: str
    lines: list[str]
    simulated_s: float
    counts: Counter[str]
    faults: Counter[str]
    failures: Counter[str]  # of actors, by role
    cpu_s: float = 0.0


def simulate(schedule: Schedule, *, keeps_all: bool = False) -> Outcome:
    """Run one schedule to its end and judge it."""
    watcher = Assassin()

    async def main() -> Outcome:
        return await Simulation(schedule, watcher, keeps_all=keeps_all).run()

    began_s = time.process_time()
    outcome = run_seeded(main, schedule.seed, [watcher])
    outcome.cpu_s = time.process_time() - began_s
    return outcome


class Simulation:
    """The state of one run; made inside Trio."""

    def __init__(self, schedule: Schedule, watcher: Assassin, *, keeps_all: bool) -> None:
        config = load(schedule.config, "bots.toml")
        assert not isinstance(config, Problems), str(config)
        self.schedule = schedule
        self.watcher = watcher
        self.said: list[str] = []
        self.trace = Trace(keeps_all=keeps_all)
        self.disk = Disk(schedule.seed, self.trace)
        self.machine = Machine(
            schedule.seed,
            config,
            self.trace,
            Network(schedule.seed, self.trace),
            self.disk,
            MachineClock(UNIX_MS, schedule.skew_ms),
            self._complain,
            watcher.order_left,
            self._tell,
        )
        self.simulator = Simulator(
            self._venue_config(),
            seed=schedule.seed,
            clock=lambda: VenueClock(UNIX_MS),
            open_listeners=self.machine.network.open_listeners,
            draw_past=past_of,
        )
        self.disk.venue_ms = self.simulator.exchange.told_ms
        self.disk.skew_ms = self.simulator.exchange.faults.skew_ms
        self.counts: Counter[str] = Counter()
        self.process: Process | None = None
        self.supervision: dict[int, Supervision] = {}
        self.venue = VenueHouse(self.simulator, self.trace.note)
        self.chaos = Chaos(
            self.machine,
            self.venue,
            watcher,
            lambda: self.process,
            self.counts,
            lambda: self.background,
        )
        self.guarding = Guarding(
            self.machine.config,
            self.simulator.exchange,
            self.disk,
            BARE_AFTER_FAULTS_S_MAX if schedule.events else BARE_S_MAX,
            max([1, *(it.lot_by for it in schedule.events if isinstance(it, Relisting))]),
        )
        self.is_calm = not schedule.events  # nothing goes wrong any more
        self._is_over = False
        self.background: trio.Nursery  # of the run

    async def run(self) -> Outcome:
        """Run the schedule, wait until all is settled, stop, and judge."""
        async with trio.open_nursery() as nursery:

            def on_livelock(name: str) -> None:
                self._complain(f"I-8: {name} runs for ever while time stands still")
                nursery.cancel_scope.cancel()

            self.watcher.on_livelock, self.background = on_livelock, nursery
            nursery.start_soon(self.venue.run)
            nursery.start_soon(self._keep_process, nursery)
            nursery.start_soon(keep_inspecting, self._inspect)
            await self._follow_schedule()
            await self._settle()
            await self._stop()
            self.said += await wait_left(DEAD_S)
            nursery.cancel_scope.cancel()
        self.said += self._violations()
        self.said += ledger_violations(self.machine, ACCOUNT)
        self.said += told_secrets(self.trace.lines)
        exchange = self.simulator.exchange
        is_true = not self.machine.network.struck
        is_true &= SWALLOWING.isdisjoint(exchange.faults.struck)
        self.said += limit_violations(exchange, is_network_true=is_true)
        for each in self.supervision.values():
            self.said += each.said
        return self._outcome()

    def _violations(self) -> list[str]:
        books = read_ledger(self.disk, self.machine.sent)
        tag = tag_of(self.machine.config)
        return violations(books, self.simulator.exchange, tag)

    def _venue_config(self) -> SimulatorConfig:
        return venue_config(self.schedule)

    def _new_process(self, number: int) -> Process:
        return Process(self.machine, number)

    async def _keep_process(self, nursery: trio.Nursery) -> None:
        """Start the process again whenever it ends, as whoever runs Shoal does."""
        number = 0
        while not self._is_over:
            number += 1
            process = self._new_process(number)
            self.process, self.watcher.life = process, number
            self.supervision[number] = Supervision.of(self.machine.config)
            self.trace.note(f"{process.owner.name} begins")
            self.chaos.process_down_s = 1.0
            nursery.start_soon(self._live, process)
            await process.ended.wait()
            if process.was_killed:
                self.venue.unheard()
            self.watcher.life = 0
            self.trace.note(f"{process.owner.name} ended")
            await trio.sleep(self.chaos.process_down_s)

    async def _live(self, process: Process) -> None:
        try:
            await process.run()
        except* Escalated as errors:
            self.trace.note(f"{process.owner.name} escalated: {errors.exceptions}")
            self.counts["escalations"] += 1
        if not process.was_killed:
            self.disk.process_died(is_power_lost=False)

    def _inspect(self) -> None:
        process = self.process
        if process is None or process.fleet is None:
            return
        for each in overfull(process.fleet.stage.mailboxes.values()):
            self._complain(each)
        if not self.is_calm or not is_whole(process):
            self.guarding.trouble()
        for each in self.guarding.look(trio.current_time()):
            self._complain(each)

    async def _follow_schedule(self) -> None:
        began_s = trio.current_time()
        for event in self.schedule.events:
            await trio.sleep_until(began_s + event.at_s)
            self.chaos.begin(event)
        await trio.sleep_until(began_s + self.schedule.chaos_s)
        self.chaos.clear()
        self.is_calm = True

    async def _settle(self) -> None:
        """Wait until ledger and venue agree on everything (I-7, I-8)."""
        await trio.sleep(CALM_S)
        self.machine.is_quiet = True
        until_s = trio.current_time() + SETTLE_S
        said = ["nothing was looked at"]
        books = BookKeeping(self.machine.sent)
        positions, rest = PositionRules.of(self.machine.config), AtRest()
        while said and trio.current_time() < until_s:
            await trio.sleep(2.0)
            books.read(self.disk.rows[books.rows : self.disk.visible])
            said = differences(books, self.simulator.exchange)
            said += balance_differences(books, self.simulator.exchange, BALANCES)
            if books.reconciled is None:
                said.append("I-8: the account was never reconciled")
            if self.process is not None and not said:
                said += disagreements(self.process, self.disk)
            said += self._restless(books, positions, rest)
            said += [f"I-14: {each}" for each in self.guarding.bare().values()]
        for each in said:
            self._complain(each)

    def _restless(
        self, books: BookKeeping, positions: PositionRules, rest: AtRest
    ) -> list[str]:
        """Return what is not over though ledger and venue may agree."""
        for judge in (positions, rest):
            judge.read(self.disk.rows[judge.rows : self.disk.visible])
        said = [*positions.unsettled(), *rest.unsettled(books)]
        if self.process is not None:
            said += restless(self.process)
        return said

    async def _stop(self) -> None:
        """Stop as SIGTERM does, and see that nothing is left (I-25)."""
        self._is_over = True
        process = self.process
        if process is None:
            return
        if not process.owner.is_dead:
            process.stop()
            with trio.move_on_after(STOP_S):
                await process.ended.wait()
            if not process.ended.is_set():
                self._complain(f"I-25: a stop takes longer than {STOP_S:g} s")
        with trio.move_on_after(DEAD_S):
            await process.gone.wait()
        left = self.machine.network.open_clients()
        if left:
            self._complain(f"I-25: {left} connections are left open")

    def _complain(self, what: str) -> None:
        self.trace.note(f"VIOLATION {what}")
        self.said.append(what)

    def _tell(self, process: Process, step: Transition) -> None:
        if process.owner.is_dead:
            return
        text = f"{step.path} {step.incarnation} {step.event.value} {step.error}"
        if step.event is Event.STARTING:
            self.said += twins(process)
            self.guarding.trouble()
        self.trace.note(f"{process.number} {text}")
        self.supervision[process.number].hear(step)

    def _outcome(self) -> Outcome:
        exchange, counts = self.simulator.exchange, self.counts
        orders = exchange.engine.orders.values()
        counts["orders"] = len(orders)
        counts["fills"] = sum(len(order.fills) for order in orders)
        counts["steps of the engine"] = self.watcher.steps
        counts["rows"] = len(self.disk.rows)
        counts["rows lost with power"] = self.disk.lost_rows
        counts["records of the emergency file"] = self.disk.blocks.written
        counts.update(halts(self.disk))
        faults = Counter[str](exchange.faults.struck)
        faults.update(self.machine.network.struck)
        faults.update(self.disk.struck)
        failures: Counter[str] = Counter()
        for each in self.supervision.values():
            failures.update(each.failures)
        return Outcome(
            self.schedule,
            self.said,
            self.trace.digest(),
            list(self.trace.lines),
            self.trace.now_s,
            counts,
            faults,
            failures,
        )
