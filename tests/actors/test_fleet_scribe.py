"""Every transition is said at once, and in the ledger once, whatever the journal does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.fleet_scribe import ROWS_MAX, Scribe
from actors.messages import Supervised
from actors.messages.supervision import Event, State, Transition
from tests.actors.ledger_room import Room, open_room, settle


def transition(number: int, event: Event = Event.READY, error: str = "") -> Transition:
    return Transition(
        0.0,
        f"bots/bot:{number}",
        1,
        event,
        State.STARTING,
        State.RUNNING,
        error,
        0,
        1.5,
        0.25,
        3,
        "",
    )


@attrs.define(eq=False)
class House:
    room: Room
    said: list[Transition] = attrs.Factory(list[Transition])

    async def paths(self) -> list[str]:
        return [fact.path for fact in await self.room.recorded(Supervised)]

    def scribe(self) -> Scribe:
        return Scribe(self.said.append)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_room(tmp_path) as room:
        yield House(room)


def paths(*numbers: int) -> list[str]:
    return [f"bots/bot:{number}" for number in numbers]


async def test_a_transition_is_said_and_written(
    house: House, autojump_clock: MockClock
) -> None:
    scribe = house.scribe()
    house.room.nursery.start_soon(scribe.run, house.room.journal)
    scribe.report(transition(1))
    assert house.said == [transition(1)]
    await settle()
    (row,) = await house.room.recorded(Supervised)
    assert (row.path, row.delay_ms, row.uptime_ms) == ("bots/bot:1", 1500, 250)
    assert scribe.left() == ()


async def test_a_start_is_said_and_the_row_of_what_came_of_it_follows(
    house: House, autojump_clock: MockClock
) -> None:
    scribe = house.scribe()
    house.room.nursery.start_soon(scribe.run, house.room.journal)
    scribe.report(transition(1, Event.STARTING))
    scribe.report(transition(2))
    await settle()
    assert (len(house.said), await house.paths()) == (2, paths(2))


async def test_while_the_journal_is_down_rows_wait_and_are_written_once(
    house: House, autojump_clock: MockClock
) -> None:
    scribe = house.scribe()
    house.room.nursery.start_soon(scribe.run, house.room.journal)
    house.room.journal_scope.cancel()
    for number in range(200):
        scribe.report(transition(number))
    await trio.sleep(60)
    await house.room.start_journal()
    await settle()
    assert await house.paths() == paths(*range(200))


async def test_a_disk_that_refuses_is_asked_again(
    house: House, autojump_clock: MockClock
) -> None:
    scribe = house.scribe()
    house.room.nursery.start_soon(scribe.run, house.room.journal)
    house.room.disk.error = OSError(28, "No space left on device")
    scribe.report(transition(1))
    await trio.sleep(10)
    house.room.disk.error = None
    await trio.sleep(1)
    assert await house.paths() == paths(1)


async def test_what_is_too_much_drops_the_oldest_and_counts_them(
    house: House, autojump_clock: MockClock
) -> None:
    """R-32: also while the first of them are on their way to the ledger."""
    scribe = house.scribe()
    house.room.disk.slow_s = 1.0
    house.room.nursery.start_soon(scribe.run, house.room.journal)
    scribe.report(transition(0))
    await settle()
    for number in range(1, ROWS_MAX + 10):
        scribe.report(transition(number))
    house.room.disk.slow_s = 0.0
    await trio.sleep(2)
    written = await house.paths()
    assert scribe.dropped == 10
    assert len(written) == len(set(written)) == ROWS_MAX + 1
    assert written[-1] == f"bots/bot:{ROWS_MAX + 9}"


async def test_what_the_journal_never_took_is_left(
    house: House, autojump_clock: MockClock
) -> None:
    scribe = house.scribe()
    house.room.journal_scope.cancel()
    await settle()
    with trio.move_on_after(1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scribe.run, house.room.journal)
            scribe.report(transition(1))
    assert [row.path for row in scribe.left() if isinstance(row, Supervised)] == paths(1)
