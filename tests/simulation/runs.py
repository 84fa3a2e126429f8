"""Many runs: on all cores, with sums over them and a word now and then of how far it is."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from multiprocessing import get_context
from typing import Final

import attrs

from tests.simulation.hours import draw_hours
from tests.simulation.planted import planted
from tests.simulation.schedule import CHAOS_S, Schedule, draw
from tests.simulation.simulation import Outcome, simulate

CORES: Final = os.cpu_count() or 1
PROGRESS_EVERY_S: Final = 30.0
SIMULATED_S_PER_PROCESS: Final = 20_000.0  # then a fresh one takes its place
ACTS: Final = ("actor crashes", "process deaths", "orders", "fills")


@attrs.frozen
class Runs:
    """How each seed is run."""

    chaos_s: float = CHAOS_S
    hours: float = 0.0  # 0: chaos_s of faults, and no long calm
    plant: str = ""
    exchange: str = "binance"
    keeps_all: bool = False  # every event, not only the last
    keeps_lines: bool = False  # the last events, also where nothing broke

    def run(self, seed: int) -> Outcome:
        """Run one seed; its last events are kept where something broke."""
        with planted(self.plant):
            outcome = simulate(self._draw(seed), keeps_all=self.keeps_all)
        if not (outcome.violations or self.keeps_all or self.keeps_lines):
            outcome.lines = []
        return outcome

    def _draw(self, seed: int) -> Schedule:
        if self.hours:
            return draw_hours(seed, self.hours, self.exchange)
        return draw(seed, chaos_s=self.chaos_s, exchange=self.exchange)

    def run_all(self, seeds: Sequence[int], jobs: int = CORES) -> Generator[Outcome]:
        """Run seeds in their order, on some processes that are not used for ever."""
        each_s = self.hours * 3600 or self.chaos_s
        many = max(1, round(SIMULATED_S_PER_PROCESS / each_s))
        with get_context("fork").Pool(jobs, maxtasksperchild=many) as pool:
            yield from pool.imap(self.run, seeds)


@attrs.define
class Totals:
    """The sums over many runs."""

    seeds: int = 0
    simulated_s: float = 0.0
    cpu_s: float = 0.0
    wall_s: float = 0.0  # of all cores together; 0: nobody looked
    counts: Counter[str] = attrs.Factory(Counter[str])
    faults: Counter[str] = attrs.Factory(Counter[str])
    failures: Counter[str] = attrs.Factory(Counter[str])
    failed: list[int] = attrs.Factory(list[int])

    def add(self, outcome: Outcome) -> None:
        """Take one run."""
        self.seeds += 1
        self.simulated_s += outcome.simulated_s
        self.cpu_s += outcome.cpu_s
        self.counts.update(outcome.counts)
        self.faults.update(outcome.faults)
        self.failures.update(outcome.failures)
        if outcome.violations:
            self.failed.append(outcome.schedule.seed)

    @property
    def speed(self) -> float:
        """How many times as fast as the clock, on one core."""
        return self.simulated_s / self.cpu_s if self.cpu_s else 0.0

    def lines(self) -> Iterator[str]:
        """Return the sums for people."""
        hours, counts = self.simulated_s / 3600, self.counts
        together = f", {self.simulated_s / self.wall_s:.0f} in all" if self.wall_s else ""
        others = Counter({name: n for name, n in counts.items() if name not in ACTS})
        yield (
            f"{self.seeds:,} seeds · {hours:,.1f} simulated hours · {self.speed:.0f} times"
            f" as fast as the clock on one core{together}"
        )
        acts = " · ".join(f"{counts[name]:,} {name}" for name in ACTS)
        yield f"{self.faults.total():,} network, exchange and disk faults · {acts}"
        yield f"faults struck: {_listed(self.faults)}"
        yield f"and: {_listed(others)}"
        yield f"failures of actors: {_listed(self.failures)}"
        which = f": {' '.join(map(str, self.failed))}" if self.failed else ""
        yield f"{len(self.failed)} seeds violate an invariant{which}"


def followed(outcomes: Iterable[Outcome], totals: Totals, of: int) -> Iterator[Outcome]:
    """Add up outcomes as they come, and say now and then how far it is."""
    began_s = said_s = done_s = time.monotonic()
    for done, outcome in enumerate(outcomes, 1):
        totals.add(outcome)
        now_s = time.monotonic()
        totals.wall_s += now_s - done_s
        done_s = now_s
        if now_s - said_s >= PROGRESS_EVERY_S:
            said_s = now_s
            left_s = (now_s - began_s) / done * (of - done)
            sys.stderr.write(
                f"{done:,} of {of:,} seeds · {totals.simulated_s / 3600:,.1f} h ·"
                f" {totals.speed:.0f} times the clock · {len(totals.failed)} violate ·"
                f" about {left_s / 60:.0f} min left\n"
            )
            sys.stderr.flush()
        yield outcome


def _listed(counts: Counter[str]) -> str:
    listed = " · ".join(f"{count:,} {name}" for name, count in counts.most_common())
    return listed or "none"
