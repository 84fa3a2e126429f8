"""`just soak`: a simulated day of prices, trades and an outage; memory stays flat (R-32).

The fleet is the real one, the world around it is kept small (`soak_world.py`). In the first
hours the bots trade until every window of theirs is full, and the network is cut once; from
then on memory is looked at every hour, after a collection, and the depth of each mailbox
every second. At noon the exchange is away for half an hour, in the evening the network for
ten minutes.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from typing import Any, Final

import attrs
import trio

from tests.memory import resident
from tests.simulation.assassin import Assassin
from tests.simulation.events import Event, Mood, VenueRestart
from tests.simulation.network import NetFault
from tests.simulation.schedule import Schedule
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import Outcome, Simulation
from tests.simulation.soak_world import (
    SpooledRows,
    forget_old_minutes,
    settle_charts,
    size_of_memories,
)

BOTS: Final = 40
LOOK_S: Final = 60.0
HOUR_S: Final = 3600.0
WARM_S: Final = 3 * HOUR_S  # every window is full: 1,000 ended orders, two hours of seconds
CUT_S: Final = 2.5 * HOUR_S  # so that a life has begun, which takes a page of the ledger
HOURS_MIN: Final = 7.0  # of a measurement: warm, and only then the outage at half of it
FILLS_S: Final = 1800.0  # of trading all the time, at the start
TRADES_EVERY_S: Final = 7200.0
TRADES_S: Final = 10.0
KEYS_MAX: Final = 3 * BOTS  # what is replaced by a newer one: a price, a bot's view, …
GROWTH_MAX: Final = 0.05
OURS: Final = ("actors.", "trio.")
WORLDS: Final = ("actors.ports", "actors.pure.matching")
CONFIG: Final = """
mode = "live"
state = "unused"

[exchanges.binance]
reconnect.max_s = 30

[accounts.main]
exchange = "binance"
key = "env:KEY"
secret = "env:SECRET"

[journal]
price_every_s = 60
"""
BOT: Final = """
[[bots]]
name = "bot-{number}"
account = "main"
symbol = "{symbol}"
strategy = "churn:Churn"
timeframe = "1m"
capital = 1_000
position_percent = 50
stop_loss_percent = 5
evaluate_s = 5
check_s = 5
"""


@attrs.frozen
class Sample:
    """What the process took at one moment, without the world."""

    at_s: float
    size: int  # bytes
    objects: int  # of the engine and of Trio, that the collector knows


@attrs.define
class Soaked:
    """What became of a soak."""

    outcome: Outcome
    samples: list[Sample]
    overfull: list[str]
    depth_max: dict[str, int]

    @property
    def growth(self) -> float:
        """How far memory went from where it was when warm, at most, as a share of it."""
        return _drift([each.size for each in self.samples])

    @property
    def growth_of_objects(self) -> float:
        """The same of the engine's objects."""
        return _drift([each.objects for each in self.samples])


def soak(
    hours: float, *, warm_s: float = WARM_S, bots: int = BOTS, trades: bool = True
) -> Soaked:
    """Run a fleet for so many simulated hours, the exchange away in the middle of them."""
    watcher = Assassin()
    runs: list[Soak] = []

    async def main() -> Outcome:
        runs.append(Soak(_schedule(hours, bots, trades=trades), watcher, warm_s))
        return await runs[0].run()

    outcome = run_seeded(main, 1, [watcher])
    return Soaked(outcome, runs[0].samples, runs[0].overfull, runs[0].depth_max)


def _schedule(hours: float, bots: int, *, trades: bool) -> Schedule:
    length_s = hours * HOUR_S
    events: list[Event] = [Mood(0.0, is_quiet=not trades), Mood(FILLS_S, is_quiet=True)]
    every_s = int(TRADES_EVERY_S)
    for begins_s in range(every_s, int(length_s), every_s) if trades else ():
        events += [Mood(begins_s, is_quiet=False), Mood(begins_s + TRADES_S, is_quiet=True)]
    if 0.4 * length_s > CUT_S:
        events.append(NetFault("cut", CUT_S, 600.0))
    events.append(VenueRestart(0.5 * length_s, min(1800.0, 0.1 * length_s)))
    events.append(NetFault("cut", 0.75 * length_s, min(600.0, 0.05 * length_s)))
    events.sort(key=lambda event: event.at_s)
    symbols = ("BTC/USDT", "ETH/USDT")
    config = CONFIG + "".join(
        BOT.format(number=n, symbol=symbols[n % 2]) for n in range(bots)
    )
    return Schedule(1, config, tuple(events), length_s, 0, 0.0)


class Soak(Simulation):
    """A simulation that looks at its memory."""

    def __init__(self, schedule: Schedule, watcher: Assassin, warm_s: float) -> None:
        super().__init__(schedule, watcher, keeps_all=False)
        self.samples: list[Sample] = []
        self.overfull: list[str] = []
        self.depth_max: dict[str, int] = {}
        self._warm_s = warm_s
        self._rows: Any = SpooledRows()
        self.disk.rows = self._rows
        settle_charts(self.simulator.exchange)

    async def run(self) -> Outcome:
        """Run as any simulation, but with the collector on, as the real program has it.

        The file with the rows is closed with it.
        """
        gc.enable()
        try:
            return await super().run()
        finally:
            self._rows.close()

    async def _follow_schedule(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._look)
            await super()._follow_schedule()
            nursery.cancel_scope.cancel()

    async def _look(self) -> None:
        began_s = trio.current_time()
        next_s = began_s + self._warm_s
        while True:
            await trio.sleep(LOOK_S)
            gc.collect()
            forget_old_minutes(self.simulator.exchange)
            if trio.current_time() >= next_s:
                next_s += min(HOUR_S, self._warm_s)
                self.samples.append(self._sample())

    def _sample(self) -> Sample:
        """Look twice: the first look leaves room behind that it took for itself."""
        exchange, objects = self.simulator.exchange, _engine_objects()
        looks = [size_of_memories(exchange, self.disk, self.machine) for _ in range(2)]
        return Sample(self.trace.now_s, resident() - looks[-1], objects)

    def _inspect(self) -> None:
        """Look at the mailboxes only: books of all orders would grow with them."""
        process = self.process
        if process is None or process.fleet is None:
            return
        for name, mailbox in process.fleet.stage.mailboxes.items():
            depth = mailbox.depth
            self.depth_max[name] = max(depth, self.depth_max.get(name, 0))
            if depth > _bound(mailbox):
                self.overfull.append(f"{name}: {depth} of {_bound(mailbox)}")


def _drift(figures: Sequence[int]) -> float:
    warm, *later = figures
    return max((abs(each - warm) / warm for each in later), default=0.0)


def _bound(mailbox: Any) -> int:
    """Return how much may wait: wishes and facts by their lanes, one box for each key."""
    return mailbox._wishes_max + mailbox.facts_max + KEYS_MAX


def _engine_objects() -> int:
    """Count what belongs to the engine; rows and matching are the world's here."""
    modules = (type(each).__module__ for each in gc.get_objects())
    return sum(it.startswith(OURS) and not it.startswith(WORLDS) for it in modules)


def main() -> int:
    """Soak, and say what was seen; return 1 when memory grew or a mailbox overflowed."""
    parser = argparse.ArgumentParser(prog="just soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="of simulated time")
    parser.add_argument("--bots", type=int, default=BOTS)
    arguments = parser.parse_args()
    if arguments.hours < HOURS_MIN:
        parser.error(f"--hours {arguments.hours:g}: at least {HOURS_MIN:g}; see HOURS_MIN")
    soaked = soak(arguments.hours, bots=arguments.bots)
    for each in soaked.samples:
        size_mb, each_kb = each.size / 2**20, each.size / arguments.bots / 1024
        _say(
            f"{each.at_s / HOUR_S:5.1f} h  {size_mb:6.1f} MB without the world,"
            f" {each_kb:6.0f} KB for each bot, {each.objects:,} objects"
        )
    deepest = sorted(soaked.depth_max.items(), key=lambda it: -it[1])[:5]
    _say("deepest mailboxes: " + " · ".join(f"{name} {depth}" for name, depth in deepest))
    _say(*soaked.overfull[:20], *soaked.outcome.violations[:20])
    counts = soaked.outcome.counts
    _say(
        f"{soaked.outcome.simulated_s / HOUR_S:.1f} simulated hours · {counts['orders']}"
        f" orders · {counts['fills']} fills · memory within"
        f" {100 * soaked.growth:.1f} % of where it was when warm"
    )
    is_flat = soaked.growth <= GROWTH_MAX
    return 0 if is_flat and not (soaked.overfull or soaked.outcome.violations) else 1


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
