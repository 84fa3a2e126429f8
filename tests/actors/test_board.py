"""The board: what it says by itself, and what it answers an operator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.board import LOOK_S, run_board
from actors.messages import BotPaused, BotStarted, Fact, FleetStarted
from actors.messages.board import Alarmed, AlarmId, Asked
from actors.messages.supervision import ActorState, State
from actors.pure.client_order_id import IntentIds
from tests.actors.ledger_room import Room, RunClock, open_room
from tests.words import filled

UNGUARDED = Alarmed("positions:main", "unguarded", "dawn", "dawn holds BTC/USDT unseen")
OVER = attrs.evolve(UNGUARDED, is_over=True)
Ask = Callable[[Asked], Awaitable[Mapping[str, Any]]]


@attrs.define(eq=False)
class Counter:
    """The desk and the tree behind it, with one bot that may be made to fail."""

    ask: Ask | None = None
    consecutive: int = 0
    started: list[str] = attrs.Factory(list[str])
    said: list[Fact | Alarmed] = attrs.Factory(list[Fact | Alarmed])

    async def serve(self, ask: Ask) -> None:
        self.ask = ask
        await trio.sleep_forever()

    def states(self) -> Sequence[ActorState]:
        bot = ActorState(
            path="bots/bot:dawn",
            state=State.RUNNING,
            consecutive=self.consecutive,
            incarnation=1,
            uptime_s=1.0,
            error="",
            next_try_s=None,
            depth=0,
            taken=0,
            replaced=0,
            completed=0,
        )
        return (bot,)

    def start(self, name: str) -> bool:
        self.started.append(name)
        return True

    def stop(self, name: str) -> bool:
        return bool(name)

    def crash(self, name: str) -> bool:
        return bool(name)

    def announce(self, at_ms: int, fact: Fact | Alarmed) -> None:
        assert at_ms >= 0
        self.said.append(fact)

    async def answer(self, verb: str) -> Mapping[str, Any]:
        assert self.ask is not None
        return await self.ask(Asked(verb, "dawn"))


@asynccontextmanager
async def open_board(
    folder: Path, *recorded: Fact, **settings: Any
) -> AsyncGenerator[tuple[Room, Counter]]:
    """Open a board on a ledger that has these facts already."""
    counter = Counter()
    async with open_room(folder, "board") as room:
        if recorded:
            await room.record(*recorded)
        body = partial(
            run_board,
            room.mailboxes["board"],
            room.journal,
            counter,
            counter,
            accounts={},
            bots={"dawn": "main"},
            clock=RunClock(),
            announce=counter.announce,
            **{"alarms": {}, **settings},
        )
        await room.start(room.mailboxes["board"], body)
        yield room, counter


async def test_an_alarm_is_said_once_and_once_when_it_is_over(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_board(tmp_path) as (room, counter):
        for alarm in (UNGUARDED, UNGUARDED, OVER, OVER):
            room.mailboxes["board"].latest((Alarmed, alarm.code), alarm)
            await trio.sleep(2 * LOOK_S)
    assert counter.said == [UNGUARDED, OVER]


async def test_an_alarm_outlives_the_board(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Whoever raised it says it once; a person sees it until it is over."""
    alarms: dict[AlarmId, Alarmed] = {}
    for number, alarm in enumerate((UNGUARDED, OVER)):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with open_board(folder, alarms=alarms) as (room, counter):
            assert len((await counter.answer("status"))["alarms"]) == number
            room.mailboxes["board"].latest((Alarmed, alarm.code), alarm)
            await trio.sleep(2 * LOOK_S)
        assert counter.said == [alarm]


async def test_an_alarm_is_seen_before_the_board_waits(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """What is in hand when the board crashes is lost; it waits with empty hands."""
    async with open_board(tmp_path) as (room, counter):
        room.mailboxes["board"].latest((Alarmed, UNGUARDED.code), UNGUARDED)
        await trio.sleep(LOOK_S / 2)
        assert counter.said == [UNGUARDED]


async def test_what_a_moved_bot_left_on_an_account_without_bots_is_an_alarm_at_the_start(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_board(tmp_path, filled(1, 100, account="old")) as (_, counter):
        (alarm,) = counter.said
    assert isinstance(alarm, Alarmed)
    assert (alarm.code, alarm.subject) == ("abandoned", "old")


@pytest.mark.parametrize("page_rows", [1, 2, 3, 4, 4096])
@pytest.mark.parametrize(("is_first_life", "said"), [(True, [3, 4]), (False, [])])
async def test_a_first_life_says_what_its_own_run_recorded_before_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_first_life: bool,
    said: list[int],
    page_rows: int,
    autojump_clock: MockClock,
) -> None:
    """And nothing of runs before, wherever a page of the ledger ends."""
    monkeypatch.setattr("actors.journal.PAGE_ROWS", page_rows)
    runs = [FleetStarted(run, "sim", (), "0.1.0") for run in ("run-1", "run-2")]
    facts = [BotPaused("dawn", "main", str(n)) for n in range(5)]
    told = [runs[0], *facts[:3], runs[1], *facts[3:]]
    ids = IntentIds("0e0e0e0", "run-2", "board", 1)
    settings = {"ids": ids, "is_first_life": is_first_life}
    async with open_board(tmp_path, *told, **settings) as (_, counter):
        assert counter.said == [facts[n] for n in said]


async def test_a_bot_that_runs_is_not_started_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_board(tmp_path) as (room, counter):
        assert await counter.answer("start") == {"said": "dawn is running already"}
        assert (counter.started, await room.recorded(BotStarted)) == ([], [])


async def test_a_running_bot_with_failures_has_them_forgotten(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_board(tmp_path) as (_, counter):
        counter.consecutive = 2
        await counter.answer("start")
        assert counter.started == ["bot:dawn"]


async def test_a_stopped_bot_is_started_before_its_life_has_ended(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_board(tmp_path) as (_, counter):
        await counter.answer("stop")
        await trio.sleep(2 * LOOK_S)
        assert (await counter.answer("start"))["said"].startswith("dawn starts")
