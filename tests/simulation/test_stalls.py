"""An actor that has no turn does nothing, hears all of it later, and hinders nobody."""

from __future__ import annotations

import trio

from tests.simulation.assassin import Crashed, crash
from tests.simulation.events import Stall, Stop
from tests.simulation.extras import draw_extras
from tests.simulation.seeding import run_seeded
from tests.simulation.stalls import Stalls

Seen = list[tuple[str, float]]


class Stage:
    """Two actors that look at the time every second; one has a task below it."""

    def __init__(self) -> None:
        self.seen: Seen = []
        self.stalls = Stalls()
        self.tasks: dict[str, trio.lowlevel.Task] = {}

    async def look(self, name: str) -> None:
        self.tasks[name] = trio.lowlevel.current_task()
        while True:
            await trio.sleep(1.0)
            self.seen.append((name, trio.current_time()))

    async def slow(self) -> None:
        self.tasks["slow"] = trio.lowlevel.current_task()
        async with trio.open_nursery() as nursery:  # noqa: ASYNC112 -- a task below
            nursery.start_soon(self.look, "below")

    def at(self, name: str) -> list[float]:
        return [at_s for who, at_s in self.seen if who == name]


async def play(stage: Stage, nursery: trio.Nursery) -> None:
    nursery.start_soon(stage.slow)
    nursery.start_soon(stage.look, "free")
    await trio.sleep(1.5)
    stage.stalls.begin(stage.tasks["slow"], 2.2)


def test_an_actor_that_is_stalled_has_no_turn_and_the_others_have() -> None:
    async def main() -> Stage:
        stage = Stage()
        async with trio.open_nursery() as nursery:
            await play(stage, nursery)
            await trio.sleep(3.4)
            nursery.cancel_scope.cancel()
        return stage

    stage = run_seeded(main, 1)
    assert stage.at("free") == [1.0, 2.0, 3.0, 4.0]
    assert stage.at("below") == [1.0, 3.7, 4.7]


def test_a_released_actor_has_turns_at_once_and_may_end() -> None:
    async def main() -> float:
        stage = Stage()
        async with trio.open_nursery() as nursery:
            await play(stage, nursery)
            await trio.sleep(1.0)
            nursery.cancel_scope.cancel()
            stage.stalls.release()
        return trio.current_time()

    assert run_seeded(main, 1) == 2.5


def test_what_fails_while_it_is_stalled_fails_as_soon_as_it_is_released() -> None:
    async def main() -> float:
        stage = Stage()
        try:
            async with trio.open_nursery() as nursery:
                await play(stage, nursery)
                assert stage.stalls.holds(stage.tasks["below"])
                crash(stage.tasks["below"], "now")
                stage.stalls.release()
                await trio.sleep_forever()
        except* Crashed:
            pass
        return trio.current_time()

    assert run_seeded(main, 1) == 1.5


def test_one_stall_ends_another_and_its_end_ends_nothing_else() -> None:
    async def main() -> Stage:
        stage = Stage()
        async with trio.open_nursery() as nursery:
            await play(stage, nursery)  # until 3.7
            await trio.sleep(1.0)
            stage.stalls.begin(stage.tasks["free"], 3.0)  # from 2.5 to 5.5
            await trio.sleep(3.2)
            nursery.cancel_scope.cancel()
        return stage

    stage = run_seeded(main, 1)
    assert stage.at("below") == [1.0, 2.5, 3.5, 4.5, 5.5]
    assert stage.at("free") == [1.0, 2.0, 5.5]


def test_half_of_the_seeds_have_stalls_and_a_third_a_stop() -> None:
    drawn = [list(draw_extras(str(seed), 100.0)) for seed in range(300)]
    stalls = sum(any(isinstance(it, Stall) for it in each) for each in drawn)
    stops = sum(any(isinstance(it, Stop) for it in each) for each in drawn)
    assert 120 < stalls < 180
    assert 80 < stops < 120
