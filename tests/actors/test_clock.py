"""Time itself is watched: steps, sleeps, and each venue's offset."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.clock import Reading, judge_step, run_clock
from actors.mailbox import Mailbox
from actors.messages import Alarmed, ClockMeasured, ClockStepped
from actors.ports import VenueError
from actors.pure.clock_trust import ClockLimits
from tests.actors.ledger_room import Room, open_room, taken
from tests.actors.scripted_venue import ScriptedMarket


@attrs.define(eq=False)
class House:
    """A machine whose wall clock jumps and which sleeps, as a test wants."""

    room: Room
    market: ScriptedMarket
    feed: Mailbox[Any]
    orders: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("orders:main"))
    board: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("board"))
    told: dict[str, str] = attrs.Factory(dict[str, str])
    jumped_s: float = 0.0
    slept_s: float = 0.0

    def now_ms(self) -> int:
        return int((trio.current_time() + self.jumped_s + self.slept_s) * 1000)

    def awake_s(self) -> float:
        return trio.current_time()

    def elapsed_s(self) -> float:
        return trio.current_time() + self.slept_s

    async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
        self, *, task_status: trio.TaskStatus[None]
    ) -> None:
        await run_clock(
            self,
            {"binance": self.market},
            [self.feed],
            self.room.journal,
            limits={"binance": ClockLimits(1_000, 200)},
            orders={"binance": [self.orders]},
            board=self.board,
            told=self.told,
            task_status=task_status,
        )


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_room(tmp_path) as room:
        yield House(room, ScriptedMarket(offset_ms=70), Mailbox[Any]("feed:binance"))


async def test_a_clock_that_walks_tells_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    await house.room.start(Mailbox[Any]("clock"), house.run)
    await trio.sleep(3600)
    assert taken(house.feed) == []


@pytest.mark.parametrize("jump_s", [-7200.0, -1.5, 1.5, 3600.0])
async def test_a_step_of_the_wall_clock_is_told_once(
    house: House, autojump_clock: MockClock, jump_s: float
) -> None:
    await house.room.start(Mailbox[Any]("clock"), house.run)
    await trio.sleep(10.5)
    house.jumped_s = jump_s
    await trio.sleep(1)
    (told,) = taken(house.feed)
    assert told.jump_ms == pytest.approx(jump_s * 1000, abs=2)
    assert told.reason == f"the wall clock jumped by {jump_s:+.1f} s"
    await trio.sleep(60)
    assert taken(house.feed) == []


async def test_a_sleeping_machine_is_told_as_a_sleep(
    house: House, autojump_clock: MockClock
) -> None:
    await house.room.start(Mailbox[Any]("clock"), house.run)
    await trio.sleep(10.5)
    house.slept_s = 28_800.0
    await trio.sleep(1)
    assert [told.reason for told in taken(house.feed)] == [
        "the machine slept for 28800.0 s"
    ]


async def test_a_small_correction_is_no_step(
    house: House, autojump_clock: MockClock
) -> None:
    await house.room.start(Mailbox[Any]("clock"), house.run)
    for _ in range(20):
        house.jumped_s += 0.4
        await trio.sleep(1)
    assert taken(house.feed) == []


async def test_offsets_are_measured_at_the_start_and_every_ten_minutes(
    house: House, autojump_clock: MockClock
) -> None:
    begun_s = trio.current_time()
    await house.room.start(Mailbox[Any]("clock"), house.run)
    await trio.sleep(1201)
    assert [s - begun_s for s in house.market.asked_for("time")] == [0.0, 600.0, 1200.0]
    assert (await house.room.recorded(ClockMeasured))[0] == ClockMeasured("binance", 70, 10)


async def test_a_step_measures_at_once(house: House, autojump_clock: MockClock) -> None:
    """What is signed with an old offset is refused by the venue for ten minutes (-1021)."""
    await house.room.start(Mailbox[Any]("clock"), house.run)
    await trio.sleep(10.5)
    house.jumped_s = 30.0
    await trio.sleep(1)
    assert len(house.market.asked_for("time")) == 2


async def test_a_venue_that_does_not_answer_is_asked_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.errors[""] = VenueError("down")
    await house.room.start(Mailbox[Any]("clock"), house.run)
    await trio.sleep(31)
    assert len(house.market.asked_for("time")) == 3
    assert await house.room.recorded(ClockMeasured) == []


def test_a_sleep_explains_the_step_of_the_wall_clock() -> None:
    told = judge_step(Reading(0, 0, 0), Reading(9000, 1000, 9000), 1.0)
    assert told == ClockStepped(8000, 1.0, "the machine slept for 8.0 s")


def doubt(house: House) -> str:
    """Return what orders was told last."""
    return taken(house.orders)[-1].doubt


def alarms(house: House) -> list[tuple[str, bool]]:
    told = [each for each in taken(house.board) if isinstance(each, Alarmed)]
    return [(each.text, each.is_over) for each in told]


async def test_orders_hear_once_a_second_that_the_time_is_good(
    house: House, autojump_clock: MockClock
) -> None:
    """A life of orders that begins later hears it, too."""
    await house.room.start(Mailbox("clock"), house.run)
    for _ in range(2):
        await trio.sleep(1.5)
        assert doubt(house) == ""
    assert alarms(house) == []


async def test_an_offset_beyond_its_limit_is_a_doubt_and_an_alarm_until_it_is_less(
    house: House, autojump_clock: MockClock
) -> None:
    """R-29."""
    house.market.offset_ms = -1_001
    await house.room.start(Mailbox("clock"), house.run)
    await trio.sleep(1.5)
    text = "our clock is -1001 ms from the exchange's, 1000 ms allowed"
    assert doubt(house) == text
    assert alarms(house) == [(f"binance: {text}; nothing new is begun", False)]
    house.market.offset_ms = -1_000
    await trio.sleep(16)
    assert doubt(house) == ""
    assert alarms(house) == [(f"binance: {text}; nothing new is begun", True)]


async def test_the_next_life_takes_the_alarm_back(
    house: House, autojump_clock: MockClock
) -> None:
    house.market.offset_ms = -1_001
    life = await house.room.start(Mailbox("clock"), house.run)
    await trio.sleep(1.5)
    life.cancel()
    house.market.offset_ms = 0
    await house.room.start(Mailbox("clock"), house.run)
    await trio.sleep(1.5)
    assert [is_over for _, is_over in alarms(house)] == [True]  # one box, the newest in it


async def test_after_a_step_the_time_is_in_doubt_until_it_was_measured_again(
    house: House, autojump_clock: MockClock
) -> None:
    """D-6, I-11, I-22: the step is in the ledger, with its size."""
    await house.room.start(Mailbox("clock"), house.run)
    await trio.sleep(5)
    house.market.errors[""] = VenueError("HTTP 503")
    house.jumped_s = -30.0
    await trio.sleep(2)
    assert doubt(house).startswith("the wall clock jumped by -30.0 s, and the exchange")
    del house.market.errors[""]
    await trio.sleep(16)
    assert doubt(house) == ""
    steps = await house.room.recorded(ClockStepped)
    assert [step.jump_ms for step in steps] == [-30_000]


async def test_before_the_first_measure_nothing_is_known(
    house: House, autojump_clock: MockClock
) -> None:
    """I-11: orders know that before they begin."""
    house.market.errors[""] = VenueError("HTTP 503")
    for _ in range(2):
        await house.room.start(Mailbox("clock"), house.run)
        assert doubt(house) == "the exchange has not told its time yet"
        await trio.sleep(1.5)
    assert alarms(house) == []


async def test_a_measure_ends_the_doubt_at_once(
    house: House, autojump_clock: MockClock
) -> None:
    await house.room.start(Mailbox("clock"), house.run)
    assert doubt(house) == ""
