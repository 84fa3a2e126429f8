"""The whole fleet under faults: fixed seeds, and others with each commit.

They run on all cores, each test waits for its own. A failure prints how to see it again.
Thousands more are `just simulate --seeds 2000` and `just simulate-long`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.runs import Runs
from tests.simulation.schedule import draw
from tests.simulation.simulation import Outcome, simulate
from tests.simulation.source import seeds_of_commit
from tests.simulation.time_left import OVER, is_over

FIXED = 50
SEEDS = int(os.environ.get("SHOAL_SEEDS", "300"))  # in all
ALL = [*range(1, FIXED + 1), *seeds_of_commit(SEEDS - FIXED)][:SEEDS]
CHAOS_S = 40.0  # of each: less than `just simulate` does, which has more time
HOURS = [2]  # seeds of an hour each


class Underway:
    """Runs that go on while tests look at those that are done, in the same order."""

    def __init__(self, runs: Runs, seeds: list[int]) -> None:
        self._outcomes = runs.run_all(seeds)
        self._done: dict[int, Outcome] = {}

    def of(self, seed: int) -> Outcome | None:
        """Return what became of a seed; None: the time was over before."""
        while seed not in self._done:
            outcome = None if is_over() else next(self._outcomes, None)
            if outcome is None:
                self._outcomes.close()
                return None
            self._done[outcome.schedule.seed] = outcome
        return self._done.pop(seed)


@pytest.fixture(scope="module")
def underway(request: pytest.FixtureRequest) -> Underway:
    """Run the seeds of the tests that were chosen."""
    chosen = [
        int(str(item.callspec.params["seed"]))
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.originalname == test_whatever_goes_wrong_no_invariant_breaks.__name__
    ]
    return Underway(Runs(CHAOS_S), chosen)


@pytest.mark.parametrize("seed", ALL)
def test_whatever_goes_wrong_no_invariant_breaks(seed: int, underway: Underway) -> None:
    outcome = underway.of(seed)
    if outcome is None:
        pytest.skip(OVER)
    assert outcome.violations == [], told(
        outcome, f"just simulate --seed {seed} --chaos {CHAOS_S:g} --trace"
    )


@pytest.mark.parametrize("seed", HOURS)
def test_an_hour_of_storms_and_calm_breaks_no_invariant(seed: int) -> None:
    outcome = Runs(hours=1.0).run(seed)
    again = f"just simulate --hours 1 --seed {seed} --trace"
    assert outcome.violations == [], told(outcome, again)
    assert outcome.simulated_s > 3600


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 7, 8])
def test_lives_that_begin_by_many_pages_break_no_invariant(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Crashes and deaths come between two pages of a recall, too."""
    monkeypatch.setattr("actors.journal.PAGE_ROWS", 7)
    outcome = Runs(CHAOS_S).run(seed)
    assert outcome.violations == [], told(outcome, f"seed {seed}, pages of 7 rows")


def told(outcome: Outcome, again: str) -> str:
    return "\n".join([
        again,
        *outcome.schedule.lines(),
        *outcome.lines,
        *outcome.violations,
    ])  # fmt: skip


def test_the_seeds_of_a_commit_are_always_the_same_and_each_once() -> None:
    seeds = list(seeds_of_commit(250))
    assert seeds == list(seeds_of_commit(250))
    assert len(set(seeds)) == 250
    assert min(seeds) > FIXED


def test_a_calm_run_fills_orders_and_stops_clean() -> None:
    outcome = simulate(draw(2, is_calm=True))
    assert outcome.violations == []
    assert outcome.counts["fills"] > 20
    assert not outcome.failures
    assert not outcome.faults


def test_faults_crashes_and_deaths_are_delivered() -> None:
    outcome = simulate(draw(14))
    assert outcome.faults.total() > 0
    assert outcome.counts["actor crashes"] > 0
    assert outcome.counts["process deaths"] > 0


DIGESTS = """
from tests.simulation.schedule import draw
from tests.simulation.simulation import simulate
print(*(simulate(draw(seed, chaos_s=20.0)).digest for seed in (7, 12, 107, 131)))
"""


def test_the_same_seed_gives_the_same_trace_in_every_process() -> None:
    """Whatever the order of sets and the addresses of objects may be."""
    processes = [
        subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-c", DIGESTS],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "12345", "random")
    ]
    digests = {process.communicate()[0] for process in processes}
    assert len(digests) == 1
    assert len(digests.pop().split()) == 4
