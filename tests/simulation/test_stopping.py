"""What is said of processes that were told to stop and do not, or leave something."""

from __future__ import annotations

from typing import Any

import attrs
import trio

from tests.simulation.assassin import LIFE
from tests.simulation.seeding import run_seeded
from tests.simulation.stopping import watch_stop


@attrs.define
class Network:
    left: int = 0

    def open_clients(self, _owner: object) -> int:
        return self.left


@attrs.define
class Machine:
    network: Network
    said: list[str] = attrs.Factory(list[str])

    def complain(self, text: str) -> None:
        self.said.append(text.partition(":")[0])


@attrs.define
class Process:
    """One that ends so many seconds after it was told to."""

    machine: Machine
    ends_s: float = 1.0
    number: int = 3
    owner: str = "process 3"
    was_killed: bool = False
    ended: trio.Event = attrs.Factory(trio.Event)

    async def run(self) -> None:
        await trio.sleep(self.ends_s)
        self.ended.set()


def seen(left: int = 0, task_of: int = 0, **changes: Any) -> list[str]:
    """Watch a stop that leaves so many connections, and a task of that process."""

    async def linger() -> None:
        LIFE.set(task_of)
        await trio.sleep_forever()

    async def main() -> list[str]:
        process: Any = Process(Machine(Network(left)), **changes)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(process.run)
            nursery.start_soon(linger)
            await watch_stop(process)
            nursery.cancel_scope.cancel()
        return process.machine.said

    return run_seeded(main, 1)


def test_a_stop_in_time_that_leaves_nothing_is_not_blamed() -> None:
    assert seen() == []
    assert seen(ends_s=29.0) == []


def test_a_stop_that_takes_too_long_is_seen() -> None:
    assert seen(ends_s=31.0) == ["I-25"]


def test_a_stop_that_leaves_a_connection_or_a_task_is_seen() -> None:
    assert seen(left=1) == ["I-25"]
    assert seen(task_of=3) == ["I-25"]


def test_what_other_processes_left_is_not_blamed_nor_a_death_in_the_middle() -> None:
    assert seen(task_of=2) == []
    assert seen(left=1, task_of=3, was_killed=True) == []
