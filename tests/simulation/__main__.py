"""`just simulate`: run seeds, count what went wrong in them, and say what must not be."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool

import attrs

from tests.simulation import gate, sweep
from tests.simulation.planted import PLANTS, planted
from tests.simulation.scenarios import PLOTS
from tests.simulation.schedule import CHAOS_S, draw
from tests.simulation.simulation import Outcome, simulate


@attrs.define
class Totals:
    """The sums over many runs."""

    seeds: int = 0
    simulated_s: float = 0.0
    cpu_s: float = 0.0
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

    def lines(self) -> Iterator[str]:
        """Return the sums for people."""
        speed = self.simulated_s / self.cpu_s if self.cpu_s else 0.0
        hours, counts = self.simulated_s / 3600, self.counts
        pace = f"{speed:.0f} times as fast as the clock, on one core"
        yield f"{self.seeds} seeds · {hours:.1f} simulated hours · {pace}"
        yield f"{self.faults.total()} faults struck: {_listed(self.faults)}"
        yield "acts and things: " + _listed(counts)
        yield "failures of actors: " + _listed(self.failures)
        which = f": {' '.join(map(str, self.failed))}" if self.failed else ""
        yield f"{len(self.failed)} seeds violate an invariant{which}"


def main() -> int:
    """Run what the command line asks for; return 1 when an invariant did not hold."""
    arguments = _arguments()
    if arguments.gate:
        return _gate(arguments)
    if arguments.sweep:
        is_well, said = sweep.command(
            arguments.sweep, arguments.sample, arguments.cut, arguments.jobs
        )
        _say(*said)
        return 0 if is_well else 1
    totals = Totals()
    for outcome in _outcomes(arguments):
        totals.add(outcome)
        is_asked = arguments.seed is not None
        if outcome.violations or is_asked:
            _tell(outcome, is_whole=arguments.lines or is_asked)
    _say(*totals.lines())
    return 1 if totals.failed else 0


def _outcomes(arguments: argparse.Namespace) -> Iterator[Outcome]:
    run = partial(_run, chaos_s=arguments.chaos, plant=arguments.plant)
    if arguments.seed is not None:
        yield run(arguments.seed, keeps_all=arguments.trace)
        return
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with Pool(arguments.jobs, maxtasksperchild=50) as pool:
        yield from pool.imap(run, seeds)


def _run(seed: int, *, chaos_s: float, plant: str = "", keeps_all: bool = False) -> Outcome:
    with planted(plant):
        return simulate(draw(seed, chaos_s=chaos_s), keeps_all=keeps_all)


def _gate(arguments: argparse.Namespace) -> int:
    """Look for each planted bug; return 1 when one stays hidden."""
    hidden = 0
    for found in gate.find_all(arguments.jobs):
        hidden += not found.seed
        _say(found.line())
    return 1 if hidden else 0


def _tell(outcome: Outcome, *, is_whole: bool) -> None:
    """Say what is needed to see it again."""
    schedule = outcome.schedule
    _say(f"seed {schedule.seed} · trace {outcome.digest}")
    if is_whole:
        _say(schedule.config, *schedule.lines(), *outcome.lines)
    _say(*(f"  {each}" for each in outcome.violations[:12]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one, with schedule and last events")
    parser.add_argument("--trace", action="store_true", help="with all its events")
    parser.add_argument("--chaos", type=float, default=CHAOS_S, help="seconds of faults")
    parser.add_argument("--plant", default="", choices=["", *PLANTS], help="this bug")
    parser.add_argument("--gate", action="store_true", help="find every planted bug")
    parser.add_argument(
        "--sweep", nargs="?", const="all", choices=["all", *PLOTS], help="crash anywhere"
    )
    parser.add_argument("--sample", type=int, help="so many places of the sweep")
    parser.add_argument("--cut", default="", help="one of them: KIND:STEP")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--lines", action="store_true", help="events of each that fails")
    return parser.parse_args()


def _listed(counts: Counter[str]) -> str:
    return " · ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
