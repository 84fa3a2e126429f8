"""What is said of a fleet at rest whose stops are not where they should be."""

from __future__ import annotations

from decimal import Decimal

import trio

from tests.simulation.assassin import Assassin
from tests.simulation.guarding import RAISED_S, Level
from tests.simulation.schedule import draw
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import Simulation


class Loose(Simulation):
    """Once all is settled, every stop should be far above where it is."""

    async def _settle(self) -> None:
        await super()._settle()
        assert self.guarding.bare() == {}
        held, now_s = self.guarding.levels, trio.current_time()
        assert held, "nobody holds anything"
        for levels in held.values():
            levels.append(Level(Decimal(10_000_000), now_s))
        assert self.guarding.bare() == {}  # just recorded
        for levels in held.values():
            levels.append(Level(Decimal(10_000_000), now_s - RAISED_S))
        self.said += self.guarding.bare().values()


def test_a_stop_below_the_level_that_was_recorded_guards_nothing() -> None:
    schedule, watcher = draw(2, is_calm=True), Assassin()

    async def main() -> list[str]:
        return (await Loose(schedule, watcher, keeps_all=False).run()).violations

    said = run_seeded(main, schedule.seed, [watcher])
    assert said
    assert all(each.endswith("and 0 of it is guarded") for each in said)
