"""What the board answers operators: durable first, in words, and never with silence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.board import LOOK_S, run_board
from actors.commands import AccountDoors
from actors.mailbox import Mailbox
from actors.messages import (
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    CancelIntent,
    Commanded,
    ExitIntent,
    ExitReason,
    FleetStarted,
    Halted,
    HaltLifted,
    Link,
)
from actors.messages.board import Asked
from actors.messages.market import FeedState
from actors.messages.supervision import ActorState, State
from actors.pure.client_order_id import IntentIds
from actors.pure.read_model import ReadModel
from actors.pure.status import status_of
from tests.actors.ledger_room import Room, RunClock, open_room, settle, taken
from tests.words import SYMBOL, attempted, filled, intended, ticker

Ask = Callable[[Asked], Awaitable[Mapping[str, Any]]]
STARTED = FleetStarted("run-1", "sim", ("dawn", "dusk"), "0.1.0")


@attrs.define(eq=False)
class House:
    """A board, its desk, and a tree that notes what it was told to do."""

    room: Room
    ask: Ask | None = None
    told: list[tuple[str, str]] = attrs.Factory(list[tuple[str, str]])
    alive: set[str] = attrs.Factory(lambda: {"feed:binance"})
    serving: int = 0
    lives: int = 0
    said: list[object] = attrs.Factory(list[object])
    legs: Mapping[str, str] = attrs.Factory(dict[str, str])
    orders: Mailbox[Any] = attrs.Factory(lambda: Mailbox[Any]("orders:main", wishes_max=9))

    @property
    def mailbox(self) -> Mailbox[Any]:
        return self.room.mailboxes["board"]

    async def serve(self, ask: Ask) -> None:
        self.ask = ask
        self.serving += 1
        await trio.sleep_forever()

    def states(self) -> Sequence[ActorState]:
        return (ActorState("feed:binance", State.RUNNING, 0, 1, 9.0, "", None, 0, 0, 0, 0),)

    def start(self, name: str) -> bool:
        self.told.append(("start", name))
        return True

    def stop(self, name: str) -> bool:
        self.told.append(("stop", name))
        return True

    def crash(self, name: str) -> bool:
        if name not in {state.path for state in self.states()}:
            raise LookupError(f"no actors are called {name!r}")  # as the tree does
        self.told.append(("crash", name))
        return name in self.alive

    async def run(  # noqa: ASYNC128 -- the actor's own body calls started()
        self, *, task_status: trio.TaskStatus[None]
    ) -> None:
        self.lives += 1
        await run_board(
            self.mailbox,
            self.room.journal,
            self,
            self,
            accounts={"main": AccountDoors("binance", self.orders, self.orders)},
            ids=IntentIds("e", STARTED.execution, "board", 1),
            bots={"dawn": "main", "dusk": "main"},
            legs=self.legs,
            alarms={},
            clock=RunClock(),
            announce=lambda _at_ms, fact: self.said.append(fact),
            is_first_life=self.lives == 1,
            task_status=task_status,
        )

    async def begin(self) -> trio.CancelScope:
        return await self.room.start(self.mailbox, self.run)

    async def answer(
        self, verb: str, subject: str = "", reason: str = "", key: str = ""
    ) -> Any:
        assert self.ask is not None
        return await self.ask(Asked(verb, subject, reason, "ann", key))

    async def flatten(self, subject: str) -> Any:
        assert self.ask is not None
        return await self.ask(Asked("flatten", subject, is_sure=True))

    async def status(self) -> Any:
        await trio.sleep(2 * LOOK_S)
        return await self.answer("status")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_room(tmp_path, "board") as room:
        await room.record(STARTED)
        yield House(room)


async def test_what_the_run_recorded_before_the_board_was_up_is_said_once(
    house: House, autojump_clock: MockClock
) -> None:
    paused = BotPaused("dawn", "main", "holiday")
    await house.room.record(paused)
    scope = await house.begin()
    assert house.said == [paused]
    scope.cancel()
    await house.begin()
    assert house.said == [paused]


@pytest.mark.parametrize(
    ("verb", "fact", "order", "said"),
    [
        ("pause", BotPaused("dawn", "main", "holiday"), [], "dawn is paused"),
        ("resume", BotResumed("dawn", "main"), [], "dawn may trade again"),
        ("start", BotStarted("dawn", "main"), [("start", "bot:dawn")], "dawn starts"),
        ("stop", BotStopped("dawn", "main"), [("stop", "bot:dawn")], "dawn stops"),
    ],
)
async def test_what_changes_a_bot_is_durable_before_it_is_answered(
    house: House,
    autojump_clock: MockClock,
    verb: str,
    fact: BotPaused | BotResumed | BotStarted | BotStopped,
    order: list[tuple[str, str]],
    said: str,
) -> None:
    """R-40."""
    await house.begin()
    answer = await house.answer(verb, "dawn", "holiday")
    assert answer["said"].startswith(said)
    assert await house.room.recorded(type(fact)) == [fact]
    assert house.told == order


async def test_a_leg_is_stopped_and_started_by_the_fact_alone(
    house: House, autojump_clock: MockClock
) -> None:
    """It has no actor; to ask the tree for one was answered as an error."""
    house.legs = {"dusk": "dawn"}
    await house.begin()
    assert (await house.answer("stop", "dusk"))["said"].startswith("dusk stops")
    assert (await house.answer("start", "dusk"))["said"].startswith("dusk may trade")
    facts = [BotStopped("dusk", "main"), BotStarted("dusk", "main")]
    assert await house.room.recorded(BotStopped, BotStarted) == facts
    assert house.told == []


@pytest.mark.parametrize("verb", ["pause", "start", "stop"])
async def test_a_bot_that_nobody_knows_is_an_error_that_names_the_others(
    house: House, autojump_clock: MockClock, verb: str
) -> None:
    await house.begin()
    answer = await house.answer(verb, "noon")
    assert answer == {"error": "no bot is called 'noon'; known: dawn, dusk"}
    assert house.told == []


async def test_a_halt_is_durable_with_who_typed_it_and_stands_until_it_is_lifted(
    house: House, autojump_clock: MockClock
) -> None:
    """R-37, R-40, S-8."""
    await house.begin()
    answer = await house.answer("halt", "main", "exchange is odd")
    assert answer["said"].startswith("main is halted: no bot on it enters")
    assert await house.room.recorded(Commanded, Halted) == [
        Commanded("", "main", "halt", "main", "exchange is odd", "ann", "", answer["said"]),
        Halted("", "main", "operator", "exchange is odd"),
    ]
    assert (await house.status())["alarms"] == [
        "account main is halted, by an operator until it is resumed: exchange is odd"
    ]
    assert (await house.answer("resume", "main"))["said"].startswith("main may trade")
    assert await house.room.recorded(HaltLifted) == [HaltLifted("", "main", "operator")]
    assert (await house.status())["alarms"] == []


async def test_a_command_under_one_key_is_carried_out_once(
    house: House, autojump_clock: MockClock
) -> None:
    """S-8: in this life of the board and in the next one."""
    life = await house.begin()
    first = await house.answer("halt", "dawn", key="k1")
    assert await house.answer("halt", "dawn", key="k1") == first
    await house.answer("resume", "dawn", key="k2")
    life.cancel()
    await settle()
    await house.begin()
    assert await house.answer("halt", "dawn", key="k1") == first
    assert len(await house.room.recorded(Halted)) == 1


async def test_a_key_of_another_command_does_nothing_and_says_so(
    house: House, autojump_clock: MockClock
) -> None:
    """S-8: in this life of the board and in the next one."""
    life = await house.begin()
    await house.answer("halt", "dawn", key="k1")
    refusal = 'key k1 was used for "halt dawn": nothing was done; type {} under another key'
    assert await house.answer("halt", "main", key="k1") == {"error": refusal.format("halt")}
    life.cancel()
    await settle()
    await house.begin()
    again = await house.answer("resume", "dawn", key="k1")
    assert again == {"error": refusal.format("resume")}
    assert len(await house.room.recorded(Halted)) == 1
    assert await house.room.recorded(HaltLifted) == []


async def test_an_order_to_be_flat_sells_at_once_where_the_ledger_takes_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    """S-8: the switch works when everything else is broken."""
    await house.begin()
    await house.room.record(intended(), attempted(), filled(1, 100))
    house.room.disk.error = OSError(28, "No space left on device")
    await trio.sleep(1)
    answer = await house.flatten("dawn")
    sold = "asked to sell 1 BTC/USDT of dawn"
    begins = f"the ledger takes nothing (No space left on device): {sold}; type it again"
    assert answer["said"].startswith(begins)
    (sale,) = [each for each in taken(house.orders) if isinstance(each, ExitIntent)]
    assert (sale.bot, sale.base, sale.price, sale.reason) == (
        "dawn",
        1,
        100,
        ExitReason.OPERATOR,
    )
    assert "nothing to sell" in (await house.flatten("dusk"))["said"]


async def test_an_order_to_be_flat_cancels_the_entries_where_the_ledger_takes_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    """S-8: what it would buy later, nobody would sell."""
    await house.begin()
    await house.room.record(intended(), attempted(order_id="c1"))
    house.room.disk.error = OSError(28, "No space left on device")
    await trio.sleep(1)
    said = (await house.flatten("dawn"))["said"]
    assert "asked to cancel c1 of dawn; type it again" in said
    (wish,) = [each for each in taken(house.orders) if isinstance(each, CancelIntent)]
    assert (wish.account, wish.client_order_id) == ("main", "c1")


async def test_an_unknown_question_is_said_to_be_one(
    house: House, autojump_clock: MockClock
) -> None:
    await house.begin()
    assert await house.answer("dance") == {"error": "unknown question 'dance'"}


async def test_a_crash_on_purpose_needs_somebody_alive(
    house: House, autojump_clock: MockClock
) -> None:
    await house.begin()
    assert "said" in await house.answer("crash", "feed:binance")
    house.alive.clear()
    assert await house.answer("crash", "feed:binance") == {
        "error": "feed:binance is not alive now: running"
    }


async def test_a_mistyped_actor_is_named_and_nobody_crashes(
    house: House, autojump_clock: MockClock
) -> None:
    await house.begin()
    assert await house.answer("crash", "fed:binance") == {
        "error": "no actor is called 'fed:binance'; did you mean feed:binance?"
    }
    assert (house.told, (await house.status())["run"]["execution"]) == ([], "run-1")


@pytest.mark.parametrize("verb", ["pause", "stop"])
async def test_what_could_not_be_made_durable_did_not_happen(
    house: House, autojump_clock: MockClock, verb: str
) -> None:
    await house.begin()
    house.room.disk.error = OSError(28, "No space left on device")
    assert await house.answer(verb, "dawn") == {"error": "No space left on device"}
    assert house.told == []


async def test_a_dead_journal_is_an_answer_too(
    house: House, autojump_clock: MockClock
) -> None:
    await house.begin()
    house.room.journal_scope.cancel()
    await settle()
    answer = await house.answer("pause", "dawn")
    assert answer == {
        "error": "no durable acknowledgement within 5 s: it may still be done, and"
        " `shoal log` tells"
    }


async def test_status_needs_no_journal(house: House, autojump_clock: MockClock) -> None:
    await house.begin()
    house.room.journal_scope.cancel()
    assert (await house.status())["run"]["execution"] == "run-1"


async def test_status_is_plain_data_with_everything_in_its_place(
    house: House, autojump_clock: MockClock
) -> None:
    await house.begin()
    await house.room.record(intended(), attempted(), filled(1, 100))
    house.mailbox.latest("ticker", ticker(100, trio.current_time()))
    state = FeedState("binance", Link.RESUMED, trio.current_time())
    house.mailbox.latest("feed", state)
    status = await house.status()
    assert msgspec.json.decode(msgspec.json.encode(status)) == status
    assert status.keys() == {
        "run",
        "exchanges",
        "prices",
        "accounts",
        "bots",
        "alarms",
        "actors",
    }
    assert (status["run"]["is_running"], status["run"]["seq"]) == (True, 4)
    assert status["exchanges"]["binance"]["is_connected"]
    assert (
        status["prices"][f"binance:{SYMBOL}"]["price"],
        status["bots"]["dawn"]["fills"],
    ) == (
        "100",
        1,
    )
    assert [actor["path"] for actor in status["actors"]] == ["feed:binance"]


async def test_the_next_life_of_the_board_tells_the_same(
    house: House, autojump_clock: MockClock
) -> None:
    life = await house.begin()
    await house.room.record(intended(), attempted(), filled(1, 100))
    before = await house.status()
    life.cancel()
    await settle()
    await house.begin()
    assert (await house.status())["bots"] == before["bots"]
    assert (await house.status())["run"] == before["run"]
    assert house.serving == 2


async def test_the_board_and_its_ledger_tell_the_same(
    house: House, autojump_clock: MockClock
) -> None:
    await house.begin()
    await house.room.record(intended(), attempted(), filled(1, 100))
    await house.answer("pause", "dusk", "holiday")
    live = await house.status()
    model = ReadModel()
    for fact in await house.room.recorded(*(type(f) for f in (STARTED, intended()))):
        model.apply(fact, 0)
    for fact in (attempted(), filled(1, 100), BotPaused("dusk", "main", "holiday")):
        model.apply(fact, 0)
    ledger = status_of(model, 0)
    for bot in ("dawn", "dusk"):
        shown = {**live["bots"][bot], "state": ""}
        assert shown == {**ledger["bots"][bot], "state": ""}


async def test_a_board_that_is_gone_is_an_answer_too(
    house: House, autojump_clock: MockClock
) -> None:
    life = await house.begin()
    life.cancel()
    await settle()
    said = "the fleet did not answer within 7 s: nothing was done"
    assert await house.answer("status") == {"error": said}


async def test_what_nobody_waits_for_any_more_is_not_done_by_the_next_life(
    house: House, autojump_clock: MockClock
) -> None:
    life = await house.begin()
    life.cancel()
    await settle()
    said = "the fleet did not answer within 7 s: nothing was done"
    assert await house.answer("stop", "dawn") == {"error": said}
    assert await house.answer("crash", "feed:binance") == {"error": said}
    await house.begin()
    await trio.sleep(60)
    assert (await house.room.recorded(BotStopped, Commanded), house.told) == ([], [])


async def test_many_operators_at_once_are_all_answered(
    house: House, autojump_clock: MockClock
) -> None:
    await house.begin()
    answers: list[Any] = []

    async def ask(verb: str) -> None:
        answers.append(await house.answer(verb, "dawn"))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            for verb in ("status", "pause", "resume"):
                nursery.start_soon(partial(ask, verb))
    assert len(answers) == 150
    assert all("error" not in answer for answer in answers)
