"""`just simulate`: run seeds, count what went wrong in them, and say what must not be."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pool

import attrs

from tests.simulation.schedule import CHAOS_S, draw
from tests.simulation.simulation import Outcome, simulate


@attrs.define
class Totals:
    """The sums over many runs."""

    seeds: int = 0
    simulated_s: float = 0.0
    real_s: float = 0.0
    counts: Counter[str] = attrs.Factory(Counter[str])
    faults: Counter[str] = attrs.Factory(Counter[str])
    failures: Counter[str] = attrs.Factory(Counter[str])
    failed: list[int] = attrs.Factory(list[int])

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.simulated_s += outcome.simulated_s
        self.real_s += outcome.real_s
        self.counts.update(outcome.counts)
        self.faults.update(outcome.faults)
        self.failures.update(outcome.failures)
        if outcome.violations:
            self.failed.append(outcome.schedule.seed)

    def lines(self) -> Iterator[str]:
        hours, counts = self.simulated_s / 3600, self.counts
        speed = self.simulated_s / self.real_s if self.real_s else 0.0
        yield (
            f"{self.seeds} seeds · {hours:.1f} simulated hours · {speed:.0f} times real time"
            f" on one core · {counts['steps']} steps of the engine"
        )
        yield (
            f"{self.faults.total()} faults struck · {counts['crashes']} actor crashes ·"
            f" {counts['deaths']} process deaths · {counts['rows lost']} rows lost with power"
            f" · {counts['escalations']} escalations"
        )
        yield f"{counts['orders']} orders · {counts['fills']} fills · {counts['rows']} rows"
        yield "faults: " + _listed(self.faults)
        yield "failures of actors: " + _listed(self.failures)
        yield (
            f"{len(self.failed)} seeds violate an invariant"
            + (f": {' '.join(map(str, self.failed))}" if self.failed else "")
        )


def main() -> int:
    arguments = _arguments()
    totals = Totals()
    if arguments.seed is not None:
        outcomes: Iterator[Outcome] = iter(
            [_run(arguments.seed, arguments.chaos, arguments.trace)]
        )
        for outcome in outcomes:
            totals.add(outcome)
            _tell(outcome, is_whole=True)
    else:
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        run = partial(_run, chaos_s=arguments.chaos, keeps_all=False)
        with Pool(arguments.jobs, maxtasksperchild=50) as pool:
            for outcome in pool.imap(run, seeds, chunksize=1):
                totals.add(outcome)
                if outcome.violations:
                    _tell(outcome, is_whole=arguments.lines)
    _say(*totals.lines())
    return 1 if totals.failed else 0


def _run(seed: int, chaos_s: float, keeps_all: bool) -> Outcome:
    return simulate(draw(seed, chaos_s=chaos_s), keeps_all=keeps_all)


def _tell(outcome: Outcome, *, is_whole: bool) -> None:
    """Say what is needed to see it again."""
    schedule = outcome.schedule
    _say(f"seed {schedule.seed} · trace {outcome.digest}")
    if is_whole:
        _say(schedule.config, *schedule.lines(), *outcome.lines)
    _say(*(f"  {each}" for each in outcome.violations[:12]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, help="run this one and print its last events")
    parser.add_argument("--trace", action="store_true", help="print all its events")
    parser.add_argument("--chaos", type=float, default=CHAOS_S, help="seconds of faults")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--lines", action="store_true", help="print events of what fails")
    return parser.parse_args()


def _listed(counts: Counter[str]) -> str:
    return " · ".join(f"{count} {name}" for name, count in counts.most_common()) or "none"


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
