"""Lets happen what the schedule says: to the network, the disk, the venue, the clocks.

Crashes and deaths are handed to the assassin, who knows the engine's steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import trio

from adapters.simulator.server import Simulator
from tests.simulation.absence import Absence
from tests.simulation.assassin import Assassin, Shot, crash
from tests.simulation.clocks import VenueClock
from tests.simulation.desk import ACCOUNT, Command
from tests.simulation.disk import DiskFault
from tests.simulation.events import (
    ClockSet,
    ClockStep,
    Crash,
    Death,
    Event,
    Leaving,
    Mood,
    Relisting,
    Stall,
    Stop,
    Suspend,
    VenueFault,
    VenueRestart,
)
from tests.simulation.network import NetFault
from tests.simulation.process import Machine, Process
from tests.simulation.stalls import Stalls
from tests.simulation.stopping import watch_stop

CLOCK_MS_MAX: Final = 59_000  # off, a little less than what the bots.toml of runs allows
CUTTING: Final = frozenset({"disconnect", "storm", "refuse"})  # connections, at once


@attrs.define(eq=False)
class VenueHouse:
    """Keeps the exchange running; its books outlive its lives, its faults do not."""

    simulator: Simulator
    note: Callable[[str], None]
    is_up: bool = False
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _down_s: float = 0.0

    async def run(self) -> None:
        """Run it again whenever it was told to restart."""
        while True:
            with trio.CancelScope() as self._scope:
                async with trio.open_nursery() as nursery:
                    await nursery.start(self.simulator.run)
                    self.is_up = True
            self.is_up = False
            self.end_faults()
            self.unheard()
            self.note("venue down")
            await trio.sleep(self._down_s)

    def restart(self, down_s: float) -> None:
        self._down_s = down_s
        self._scope.cancel()

    def unheard(self) -> None:
        """Let nobody be blamed for a word that was cut off on its way (R-28)."""
        exchange = self.simulator.exchange
        exchange.limits.unheard(exchange.now_ms())

    def deaf(self) -> None:
        """Let nobody be blamed for what a crashed task has in hand, or cannot read."""
        exchange = self.simulator.exchange
        exchange.limits.deaf(exchange.now_ms())

    def end_faults(self) -> None:
        """End whatever its fault script is at."""
        faults = self.simulator.exchange.faults
        hidden: Any = faults
        for active in list(hidden._active):
            faults.end(active)


@attrs.define(eq=False)
class Chaos:
    """The schedule at work."""

    machine: Machine
    venue: VenueHouse
    watcher: Assassin
    current: Callable[[], Process | None]  # the process that is alive
    counts: Counter[str]
    background: Callable[[], trio.Nursery]
    process_down_s: float = 1.0  # until the next process
    stalls: Stalls = attrs.Factory(Stalls)

    def begin(self, event: Event) -> None:
        """Let one event of the schedule happen."""
        self.machine.trace.note(f"event {event}")
        self._acts[type(event)](event)

    def clear(self) -> None:
        """End every fault; what is pending does not happen any more."""
        self.machine.network.clear()
        self.machine.disk.fault = None
        self.watcher.shots.clear()
        self.stalls.release()
        self.venue.end_faults()
        self._set_clock()
        self.machine.trace.note("the last fault is over")

    @property
    def _acts(self) -> Mapping[type[Event], Callable[[Any], None]]:
        return {
            NetFault: self.machine.network.begin,
            DiskFault: self.machine.disk.begin,
            VenueFault: self._inject,
            VenueRestart: lambda event: self.venue.restart(event.down_s),
            Relisting: self._relist,
            ClockStep: self._step,
            ClockSet: lambda _: self._set_clock(),
            Suspend: self._suspend,
            Crash: self._aim(self._crash),
            Death: self._aim(self._die),
            Command: self._type,
            Mood: self._change_mood,
            Stall: self._stall,
            Stop: self._stop,
            Leaving: self._leave,
        }

    def _inject(self, event: VenueFault) -> None:
        if self.venue.is_up:
            if event.fault.kind in CUTTING:
                self.venue.unheard()
            self.venue.simulator.inject(event.fault)

    def _relist(self, event: Relisting) -> None:
        exchange = self.venue.simulator.exchange
        if exchange.config.dialect == "kraken":
            return  # the simulated one writes also old trades with the decimals of now
        listings = exchange.config.listings
        first = listings[int(event.pick * len(listings))]
        exchange.wares[first.venue_symbol].listing = attrs.evolve(
            first,
            lot=first.lot * event.lot_by,
            base_min=first.base_min * event.lot_by,
            tick=first.tick * event.tick_by,
        )
        self.counts["relistings"] += 1

    def _type(self, event: Command) -> None:
        process = self.current()
        if process is not None and not process.owner.is_dead:
            self.counts["commands"] += 1
            process.desk.type(event)

    def _change_mood(self, event: Mood) -> None:
        self.machine.is_quiet = event.is_quiet

    def _step(self, event: ClockStep) -> None:
        self.machine.clock.step(event.by_ms)

    def _set_clock(self) -> None:
        """Set the clock right where nothing would be entered any more for its sake."""
        venue, clock = self.venue.simulator.exchange, self.machine.clock
        ahead_ms = clock.now_ms() - venue.now_ms()
        if abs(ahead_ms) > CLOCK_MS_MAX:
            clock.step(-ahead_ms)

    def _suspend(self, event: Suspend) -> None:
        """Let the world go on without the engine's machine for a while."""
        self.machine.clock.slept_s += event.slept_s
        venue_clock = self.venue.simulator.exchange.clock
        if event.is_clock_right and isinstance(venue_clock, VenueClock):
            venue_clock.skipped_s += event.slept_s
            self.machine.clock.step(round(event.slept_s * 1000))

    def _aim(self, fire: Callable[[Any], None]) -> Callable[[Any], None]:
        def aim(event: Crash | Death) -> None:
            self.watcher.aim(Shot(event.steps, lambda: fire(event), event.is_at_order))

        return aim

    def _crash(self, event: Crash) -> None:
        process = self.current()
        tasks = process.crashable() if process is not None else []
        if tasks:
            task = tasks[int(event.pick * len(tasks))]
            self.machine.trace.note(f"crash {task.name}")
            self.counts["actor crashes"] += 1
            if self.stalls.holds(task):
                self.stalls.release()
            self.venue.deaf()
            crash(task, f"at step {self.watcher.steps}")

    def _die(self, event: Death) -> None:
        process = self.current()
        if process is None or process.owner.is_dead:
            return
        self.machine.trace.note(f"{process.owner.name} dies at step {self.watcher.steps}")
        self.counts["process deaths"] += 1
        self.process_down_s = event.down_s
        self.watcher.life = 0
        self.stalls.release()
        process.die(is_power_lost=event.is_power_lost)

    def _leave(self, event: Leaving) -> None:
        """Let one bot be gone from bots.toml or be moved, or be there again as before."""
        machine = self.machine
        bots = machine.config.bots_of(ACCOUNT)
        if machine.absence.bot:
            machine.absence = Absence()
        else:
            bot = bots[int(event.pick * len(bots))]
            machine.absence = Absence(bot.name, event.is_moved)
        machine.trace.note(f"bots.toml: {machine.absence}")
        self.counts["changes of bots.toml"] += 1
        self._die(Death(event.at_s, 0, down_s=event.down_s))

    def _stall(self, event: Stall) -> None:
        process = self.current()
        bots = process.bots() if process is not None else []
        if bots:
            task = bots[int(event.pick * len(bots))]
            self.machine.trace.note(f"stall {task.name}")
            self.counts["stalls"] += 1
            self.stalls.begin(task, event.duration_s)

    def _stop(self, event: Stop) -> None:
        """Tell the process to stop; whatever is wrong then goes on, but a stall."""
        process = self.current()
        if process is None or process.owner.is_dead or process.is_stopping:
            return
        self.machine.trace.note(f"{process.owner.name} is told to stop")
        self.counts["stops"] += 1
        self.process_down_s = event.down_s
        self.stalls.release()
        process.stop()
        self.background().start_soon(watch_stop, process)
