"""What the inspection says of fleets in which something is wrong."""

from __future__ import annotations

from typing import Any

import trio
import trio.testing

from actors.mailbox import Mailbox
from actors.ports_store import Row
from tests.simulation.assassin import LIFE
from tests.simulation.disk import Disk
from tests.simulation.inspection import left_tasks, overfull, secrets_in_rows, told_secrets
from tests.simulation.planted import planted
from tests.simulation.process import SECRET
from tests.simulation.scenarios import ENTRY_AND_EXIT
from tests.simulation.scene import Cut, play
from tests.simulation.seeding import run_seeded
from tests.simulation.trace import Trace


async def test_a_mailbox_beyond_its_doors_is_seen() -> None:
    box = Mailbox[int]("box", wishes_max=2)
    await box.wish(1)
    await box.wish(2)
    assert list(overfull([box])) == []
    box._wishes += 1  # pyright: ignore[reportPrivateUsage] -- the fault to be seen
    assert len(list(overfull([box]))) == 1


async def test_a_message_past_the_doors_is_seen() -> None:
    box = Mailbox[int]("box")
    hidden: Any = box
    hidden._in.send_nowait(None)
    assert len(list(overfull([box]))) == 1


async def test_a_task_that_outlives_its_process_is_seen() -> None:
    assert list(left_tasks()) == []

    async def orphan() -> None:
        LIFE.set(3)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(orphan)
        await trio.testing.wait_all_tasks_blocked()
        assert len(list(left_tasks())) == 1
        nursery.cancel_scope.cancel()


def test_a_secret_in_a_line_is_seen_and_not_told_again() -> None:
    said = list(told_secrets(["nothing", f"signed with {SECRET}"]))
    assert len(said) == 1
    assert SECRET not in said[0]


def test_a_secret_in_a_row_is_seen() -> None:
    async def main() -> list[str]:
        disk = Disk(1, Trace())
        disk.write([Row("kind", None, "", "", "", 1, 1, f'"{SECRET}"'.encode())])
        return list(secrets_in_rows(disk.rows))

    assert len(run_seeded(main, 1)) == 1


def test_an_actor_that_is_alive_twice_is_seen() -> None:
    with planted("two_incarnations"):
        runs = (play(ENTRY_AND_EXIT, Cut("crash_in_turn", at)) for at in range(20, 120))
        said = (each for run in runs for each in run.outcome.violations)
        assert any("I-24: orders:main is alive 2 times" in each for each in said)
