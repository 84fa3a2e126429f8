"""A task that runs and runs while time stands still ends a run, and is named (I-8)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import trio

from tests.simulation.assassin import Assassin
from tests.simulation.schedule import draw
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import Simulation


async def spinning() -> None:
    for _ in repeat(None):
        await trio.lowlevel.checkpoint()


class Spinning(Simulation):
    """One task that never waits, as soon as the faults begin."""

    async def _follow_schedule(self) -> None:
        self.background.start_soon(spinning)
        await super()._follow_schedule()


def test_a_task_that_runs_while_time_stands_still_is_seen() -> None:
    schedule, watcher = draw(1, is_calm=True), Assassin()

    async def main() -> Sequence[str]:
        return (await Spinning(schedule, watcher, keeps_all=False).run()).violations

    (said, *_) = run_seeded(main, schedule.seed, [watcher])
    assert said.startswith("I-8: ")
    assert said.endswith("spinning runs for ever while time stands still")
