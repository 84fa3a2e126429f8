"""What people look at, and the desk where operators are heard.

journal  --Told (facts)-----------------------> [board] --line-------> screen
feed, bots, positions --latest----------------> [board] --answer-----> operators
operators --Question (wish)-------------------> [board] --Record-----> journal

It takes its mail once a LOOK_S, so that prices cost the fleet nothing. It may crash for
ever without touching anything above it; a restart recalls the run from the ledger.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, assert_never, get_args

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Fact,
    FeedState,
    FleetStarted,
    Ticker,
    Told,
)
from actors.messages.board import Alarmed, Evaluated, PositionSeen
from actors.messages.supervision import State
from actors.ports import Desk, Operator, WallClock
from actors.pure.read_model import PriceSeen, ReadModel
from actors.pure.status import Live, status_of
from actors.records import (
    JournalDown,
    JournalWish,
    Recalled,
    Receipt,
    Replay,
    recall,
    record,
)

LOOK_S = 0.1
TURN_MESSAGES = 8  # taken before others get a turn: looking on holds up no order
ANSWER_S = 7.0  # a little more than the journal may take

READS: frozenset[type[Fact]] = frozenset(get_args(Fact))
Answer = Mapping[str, Any]


@attrs.frozen
class Question:
    """What an operator asks: a verb, and the actor or bot it is about."""

    verb: str  # status, pause, resume, start, stop, crash
    subject: str
    reason: str
    receipt: Receipt[Answer]


BoardMail = Told | Ticker | FeedState | Evaluated | PositionSeen | Alarmed | Question


async def run_board(
    mailbox: Mailbox[BoardMail],
    journal: Mailbox[JournalWish],
    desk: Desk,
    operator: Operator,
    *,
    bots: Mapping[str, str],  # bot: account
    clock: WallClock,
    announce: Callable[[int, Fact | Alarmed], None],  # when, what: called, never awaited
    is_first_life: bool = False,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Follow the fleet and answer operators until cancelled.

    In its first life it also says what the run recorded before the board was up.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
    """
    recalled = await recall(journal, mailbox.name)
    board = _Board(mailbox, journal, operator, bots, clock, announce)
    board.recall(recalled, says=is_first_life)
    replay = Replay(recalled.seq)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(desk.serve, board.ask)
        task_status.started()
        while True:
            await board.take_mail(replay, nursery)
            await trio.sleep(LOOK_S)


@attrs.define(eq=False)
class _Board:
    mailbox: Mailbox[BoardMail]
    journal: Mailbox[JournalWish]
    operator: Operator
    bots: Mapping[str, str]
    clock: WallClock
    announce: Callable[[int, Fact | Alarmed], None]
    model: ReadModel = attrs.Factory(ReadModel)
    live: Live = attrs.Factory(Live)

    async def take_mail(self, replay: Replay, nursery: trio.Nursery) -> None:
        """Take all that waits, with a turn for others now and then."""
        seen = 0
        while (message := self.mailbox.receive_nowait()) is not None:
            seen += 1
            if seen % TURN_MESSAGES == 0:
                await trio.lowlevel.checkpoint()
            match message:
                case Told():
                    self.hear(replay.fresh(message), message)
                case Question():
                    nursery.start_soon(self.answer, message)
                case _:
                    self.see(message)
        await trio.lowlevel.checkpoint()

    def recall(self, recalled: Recalled, *, says: bool) -> None:
        """Fold the ledger; say what this run recorded, if nobody has."""
        told = list(zip(recalled.facts, recalled.at_ms, strict=True))
        for fact, at_ms in told:
            self.model.apply(fact, at_ms)
        self.model.seq = recalled.seq
        begins = [n for n, (fact, _) in enumerate(told) if isinstance(fact, FleetStarted)]
        for fact, at_ms in told[begins[-1] + 1 :] if says and begins else ():
            self.announce(at_ms, fact)

    def hear(self, fact: Fact | None, told: Told) -> None:
        """Follow the ledger, and say it on the screen."""
        if fact is None:
            return
        self.model.apply(fact, told.at_ms)
        self.model.seq = told.seq
        self.announce(told.at_ms, fact)

    def see(self, message: Ticker | FeedState | Evaluated | PositionSeen | Alarmed) -> None:
        """Keep the newest of what is shown and not recorded."""
        match message:
            case Ticker():
                now_ms = self.clock.now_ms()
                age_ms = int((trio.current_time() - message.received_s) * 1000)
                self.model.prices[message.symbol] = PriceSeen(
                    message.last, now_ms - age_ms, message.source.value
                )
            case FeedState():
                self.live.feeds[message.exchange] = message
            case Evaluated():
                self.live.evaluated[message.bot] = message
            case PositionSeen():
                self.live.positions[message.bot] = message
            case Alarmed():
                self._alarm(message)
            case _:
                assert_never(message)

    async def ask(self, verb: str, subject: str, reason: str) -> Answer:
        """Put an operator's question into the mailbox and return the answer."""
        receipt = Receipt[Answer]()
        with trio.move_on_after(ANSWER_S):
            await self.mailbox.wish(Question(verb, subject, reason, receipt))
            return await receipt.wait()
        return {"error": f"the fleet did not answer within {ANSWER_S:g} s"}

    async def answer(self, question: Question) -> None:
        """Answer one question; what changes a bot is durable before it is answered."""
        acts: dict[str, Callable[[Question], Awaitable[Answer]]] = {
            "status": self._status,
            "pause": self._pause,
            "resume": self._resume,
            "start": self._start,
            "stop": self._stop,
            "crash": self._crash,
        }
        await trio.lowlevel.checkpoint()
        act = acts.get(question.verb)
        if act is None:
            question.receipt.resolve({"error": f"unknown question {question.verb!r}"})
            return
        try:
            question.receipt.resolve(await act(question))
        except (LookupError, JournalDown) as error:
            question.receipt.resolve({"error": str(error)})

    async def _status(self, _question: Question) -> Answer:
        self.live.actors = self.operator.states()
        await trio.lowlevel.checkpoint()
        now_s, now_ms = trio.current_time(), self.clock.now_ms()
        return status_of(self.model, now_ms, self.live, now_s)

    async def _pause(self, question: Question) -> Answer:
        bot, account = self._named(question)
        await record(self.journal, BotPaused(bot, account, question.reason))
        return {"said": f"{bot} is paused: no new entries, its position stays guarded"}

    async def _resume(self, question: Question) -> Answer:
        bot, account = self._named(question)
        await record(self.journal, BotResumed(bot, account))
        return {"said": f"{bot} may trade again"}

    async def _start(self, question: Question) -> Answer:
        bot, account = self._named(question)
        if self._is_well(bot):
            await trio.lowlevel.checkpoint()
            return {"said": f"{bot} is running already"}
        await record(self.journal, BotStarted(bot, account))
        self.operator.start(f"bot:{bot}")
        return {"said": f"{bot} starts, its failures forgotten"}

    async def _stop(self, question: Question) -> Answer:
        bot, account = self._named(question)
        await record(self.journal, BotStopped(bot, account))
        self.operator.stop(f"bot:{bot}")
        return {"said": f"{bot} stops and stays stopped; its position stays guarded"}

    async def _crash(self, question: Question) -> Answer:
        said = {"said": f"{question.subject} was crashed on purpose"}
        if question.subject == self.mailbox.name:
            question.receipt.resolve(said)
            await trio.sleep(LOOK_S)  # or nobody would be left to answer
        await trio.lowlevel.checkpoint()
        if self.operator.crash(question.subject):
            return said
        return {"error": f"{question.subject} is not alive now"}

    def _is_well(self, bot: str) -> bool:
        """Return whether the bot runs and has no failures that could be forgotten."""
        return not self.model.bot(bot).is_stopped and any(
            actor.path == f"bots/bot:{bot}"
            and actor.state is State.RUNNING
            and not actor.consecutive
            for actor in self.operator.states()
        )

    def _named(self, question: Question) -> tuple[str, str]:
        account = self.bots.get(question.subject)
        if account is None:
            known = ", ".join(sorted(self.bots)[:20])
            raise LookupError(f"no bot is called {question.subject!r}; there are {known}")
        return question.subject, account

    def _alarm(self, alarm: Alarmed) -> None:
        key = (alarm.actor, alarm.code, alarm.subject)
        if alarm.is_over == (key in self.live.alarms):  # news, not said again
            self.announce(self.clock.now_ms(), alarm)
        if alarm.is_over:
            self.live.alarms.pop(key, None)
        else:
            self.live.alarms[key] = alarm
