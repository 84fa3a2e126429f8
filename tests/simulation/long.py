"""`just simulate-long`: every seed, hour, crash point and planted bug there is.

What is done is kept in a file after each part and every few hundred seeds; the command
goes on there, as long as the code is the same. At the end it prints what
docs/reliability.md says of the last result.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import attrs

from tests.simulation import gate, sweep
from tests.simulation.runs import Runs, Totals, followed
from tests.simulation.scenarios import PLOTS
from tests.simulation.source import source_id

KEPT: Final = Path("var/simulate-long.json")
SEEDS: Final = 20_000
HOURS: Final = 100  # seeds of an hour each
AT_ONCE: Final = 400  # seeds between two savings


def run(jobs: int) -> int:
    """Do what is left to be done; return 1 when something broke or stayed hidden."""
    kept = Kept.read()
    for name, runs, count in (
        ("hours", Runs(hours=1.0), HOURS),
        ("seeds", Runs(), SEEDS),
    ):
        kept.run(name, runs, count, jobs)
    if "sweep" not in kept.said:
        total = sweep.sweep(list(PLOTS), jobs=jobs)
        kept.finish("sweep", list(total.lines()), is_well=not total.failed)
    if "gate" not in kept.said:
        found = list(gate.find_all(jobs))
        is_well = all(each.seed for each in found)
        kept.finish("gate", [each.line() for each in found], is_well=is_well)
    _say(*kept.lines())
    return 0 if kept.is_well else 1


@attrs.define
class Kept:
    """What is done of one long run, in a file."""

    source: str
    began: str
    is_well: bool = True
    totals: dict[str, Totals] = attrs.Factory(dict[str, Totals])
    said: dict[str, list[str]] = attrs.Factory(dict[str, list[str]])

    @classmethod
    def read(cls) -> Kept:
        """Return what the file says of this code, or a fresh beginning."""
        fresh = cls(source_id(), f"{datetime.now(UTC):%Y-%m-%d}")
        if not KEPT.exists():
            return fresh
        found: dict[str, Any] = json.loads(KEPT.read_text())
        if found["source"] != fresh.source:
            _say(f"{KEPT} is of other code: everything is run again")
            return fresh
        found["totals"] = {name: _totals(of) for name, of in found["totals"].items()}
        return cls(**found)

    def run(self, name: str, runs: Runs, count: int, jobs: int) -> None:
        """Run the seeds that are left, and save now and then."""
        totals = self.totals.setdefault(name, Totals())
        left = range(totals.seeds + 1, count + 1)
        outcomes = followed(runs.run_all(left, jobs), totals, len(left))
        while batch := list(islice(outcomes, AT_ONCE)):
            for outcome in batch:
                if outcome.violations:
                    self.is_well = False
                    hours = f" --hours {runs.hours:g}" if runs.hours else ""
                    _say(f"just simulate --seed {outcome.schedule.seed}{hours}")
                    _say(*(f"  {each}" for each in outcome.violations[:12]))
            self._save()

    def finish(self, name: str, said: list[str], *, is_well: bool) -> None:
        """Keep what a part says."""
        self.said[name] = said
        self.is_well = self.is_well and is_well
        self._save()

    def lines(self) -> Iterator[str]:
        """Return it as docs/reliability.md has it."""
        ended = f"{datetime.now(UTC):%Y-%m-%d}"
        yield f"`just simulate-long`, {self.began} to {ended}, code {self.source[:12]}:"
        for name, totals in self.totals.items():
            yield ""
            yield f"{name}:"
            yield from (f"* {line}" for line in totals.lines())
        for name, said in self.said.items():
            yield ""
            yield f"{name}:"
            yield from said

    def _save(self) -> None:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        fresh = KEPT.with_suffix(".new")
        fresh.write_text(json.dumps(attrs.asdict(self)))
        fresh.replace(KEPT)


def _totals(found: dict[str, Any]) -> Totals:
    """Return sums as they were saved; counts are counters again."""
    for name in ("counts", "faults", "failures"):
        found[name] = Counter[str](found[name])
    return Totals(**found)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
