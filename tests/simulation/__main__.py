"""`just simulate`: run seeds, count what went wrong in them, and say what must not be."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator

import attrs

from adapters.simulator.venues import VENUES
from tests.simulation import gate, long, shrinking, sweep
from tests.simulation.planted import PLANTS
from tests.simulation.runs import CORES, Runs, Totals, followed
from tests.simulation.scenarios import PLOTS
from tests.simulation.schedule import CHAOS_S, draw
from tests.simulation.simulation import Outcome

TOLD_WHOLE = 3  # runs that fail, with schedule and last events; of the others the violation


def main() -> int:
    """Run what the command line asks for; return 1 when an invariant did not hold."""
    arguments = _arguments()
    if arguments.long:
        return long.run(arguments.jobs)
    if arguments.gate:
        return _gate(arguments)
    if arguments.sweep:
        is_well, said = sweep.command(
            arguments.sweep, arguments.sample, arguments.cut, arguments.jobs
        )
        _say(*said)
        return 0 if is_well else 1
    if arguments.shrink is not None:
        return _shrink(arguments)
    totals = Totals()
    for outcome in _outcomes(arguments, totals):
        is_asked = arguments.seed is not None
        if outcome.violations or is_asked:
            is_first = len(totals.failed) <= TOLD_WHOLE
            _tell(outcome, is_whole=arguments.lines or is_asked or is_first)
    _say(*totals.lines())
    return 1 if totals.failed else 0


def _outcomes(arguments: argparse.Namespace, totals: Totals) -> Iterator[Outcome]:
    runs = Runs(
        arguments.chaos,
        arguments.hours,
        arguments.plant,
        arguments.exchange,
        arguments.trace,
    )
    if arguments.seed is not None:
        outcome = attrs.evolve(runs, keeps_lines=True).run(arguments.seed)
        totals.add(outcome)
        yield outcome
        return
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    yield from followed(runs.run_all(seeds, arguments.jobs), totals, len(seeds))


def _gate(arguments: argparse.Namespace) -> int:
    """Look for each planted bug; return 1 when one stays hidden."""
    hidden = 0
    for found in gate.find_all(arguments.jobs):
        hidden += not found.seed
        _say(found.line())
    return 1 if hidden else 0


def _shrink(arguments: argparse.Namespace) -> int:
    """Print the schedule of a failing seed without the faults that it does not need."""
    schedule = draw(arguments.shrink, chaos_s=arguments.chaos, exchange=arguments.exchange)
    wanted = shrinking.broken(schedule, arguments.plant)
    if not wanted:
        _say(f"seed {arguments.shrink} breaks nothing")
        return 1
    small = shrinking.shrink(
        schedule,
        lambda it: shrinking.broken(it, arguments.plant) == wanted,
        note=lambda text: print(text, file=sys.stderr),  # noqa: T201 -- beside the result
    )
    _say(shrinking.to_json(small, f"{wanted} {arguments.plant}".strip()).rstrip())
    return 0


def _tell(outcome: Outcome, *, is_whole: bool) -> None:
    """Say what is needed to see it again."""
    schedule = outcome.schedule
    _say(f"seed {schedule.seed} · commit {_commit()} · trace {outcome.digest}")
    if is_whole:
        _say(schedule.config, *schedule.lines(), *outcome.lines)
    _say(*(f"  {each}" for each in outcome.violations[:12]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one, with schedule and last events")
    parser.add_argument(
        "--exchange", default="binance", choices=list(VENUES), help="that they trade on"
    )
    parser.add_argument("--trace", action="store_true", help="with all its events")
    parser.add_argument("--chaos", type=float, default=CHAOS_S, help="seconds of faults")
    parser.add_argument("--hours", type=float, default=0.0, help="of each seed, with calm")
    parser.add_argument("--plant", default="", choices=["", *PLANTS], help="this bug")
    parser.add_argument("--gate", action="store_true", help="find every planted bug")
    parser.add_argument(
        "--sweep", nargs="?", const="all", choices=["all", *PLOTS], help="crash anywhere"
    )
    parser.add_argument("--sample", type=int, help="so many places of the sweep")
    parser.add_argument("--cut", default="", help="one of them: KIND:STEP")
    parser.add_argument("--shrink", type=int, help="this seed, to the faults it needs")
    parser.add_argument("--jobs", type=int, default=CORES, help="processes")
    parser.add_argument(
        "--long", action="store_true", help="all of it; goes on where it was"
    )
    parser.add_argument("--lines", action="store_true", help="events of each that fails")
    return parser.parse_args()


def _commit() -> str:
    """Return the commit that a seed has its meaning at."""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    run = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 -- our own question
    return run.stdout.strip() or "unknown"


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
