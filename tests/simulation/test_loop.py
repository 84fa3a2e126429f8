"""The loop of simulations does what Trio's own loop does, turn by turn."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio._core._run as trio_run
from trio.testing import MockClock

from tests.simulation.loop import Deadlock, call_at
from tests.simulation.seeding import LOOP, run_seeded, seeded

TRIOS_OWN = getattr(trio_run, LOOP)


class Boom(Exception):
    pass


class Programme:
    """Tasks that sleep, talk, cancel and fail at random; `seen` is what happened."""

    def __init__(self, seed: int) -> None:
        self.seen: list[str] = []
        self.chance = random.Random(seed)
        self.send, self.receive = trio.open_memory_channel[int](2)
        self.lock = trio.Lock()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(4):
                nursery.start_soon(self.family, number)

    async def family(self, number: int) -> None:
        try:
            async with trio.open_nursery() as nursery:
                for child in range(3):
                    nursery.start_soon(self.live, 10 * number + child)
        except* Boom as booms:
            self.note(f"family {number}: {sorted(map(str, booms.exceptions))}")

    async def live(self, number: int) -> None:
        acts = (self.sleep, self.tell, self.hear, self.share, self.fail)
        with trio.move_on_after(self.chance.uniform(0, 3)) as scope:
            while True:
                await self.chance.choice(acts)(number)
                self.note(f"{number} goes on")
        self.note(f"{number} {scope.cancelled_caught}")

    def note(self, what: str) -> None:
        self.seen.append(f"{trio.current_time():.6f} {what}")

    async def sleep(self, _: int) -> None:
        await trio.sleep(self.chance.choice([0.1, 0.25, self.chance.random()]))

    async def tell(self, number: int) -> None:
        await self.send.send(number)

    async def hear(self, number: int) -> None:
        self.note(f"{number} got {await self.receive.receive()}")

    async def share(self, _: int) -> None:
        async with self.lock:
            await trio.lowlevel.checkpoint()

    async def fail(self, number: int) -> None:
        await trio.lowlevel.checkpoint()
        if self.chance.random() < 0.02:
            raise Boom(str(number))


@pytest.mark.parametrize("seed", range(30))
def test_the_same_happens_under_both_loops(seed: int) -> None:
    async def main() -> list[str]:
        programme = Programme(seed)
        await programme.run()
        return programme.seen

    with seeded(seed):
        setattr(trio_run, LOOP, TRIOS_OWN)
        expected = trio.run(main, clock=MockClock(autojump_threshold=0))
    assert run_seeded(main, seed) == expected
    assert len(expected) > 10


def run(main: Callable[[], Awaitable[list[str]]]) -> list[str]:
    return run_seeded(main, 1)


def test_callbacks_come_at_their_time_and_before_tasks() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        for at_s, name in ((2.0, "b"), (1.0, "a"), (2.0, "c")):
            call_at(at_s, lambda name=name: seen.append(f"{name} {trio.current_time():g}"))
        await trio.sleep(2)
        seen.append("task")
        return seen

    assert run(main) == ["a 1", "b 2", "c 2", "task"]


def test_a_deadlock_ends_the_run() -> None:
    async def main() -> list[str]:
        await trio.sleep_forever()
        return []

    with pytest.raises(Deadlock):
        run(main)


def test_time_stands_still_while_tasks_run() -> None:
    async def main() -> list[str]:
        for _ in range(1000):
            await trio.lowlevel.checkpoint()
        return [str(trio.current_time())]

    assert run(main) == ["0.0"]
