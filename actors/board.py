"""What people look at, and the desk where operators are heard.

journal  --Told (facts)-----------------------> [board] --line-------> screen
feed, bots, positions --latest----------------> [board] --answer-----> operators
operators --Question (wish)-------------------> [board] --Record-----> journal
                                                [board] --Question---> account

It takes its mail once in LOOK_S at most, so that prices cost the fleet little
and idleness nothing. It may crash for ever without touching anything above it; a restart
recalls the run from the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never, get_args

import attrs
import trio

from actors.board_ledgers import Ledgers
from actors.commands import AccountDoors, Commands
from actors.mailbox import Mailbox
from actors.messages import (
    Fact,
    FeedState,
    FleetStarted,
    Pair,
    Ticker,
    Told,
)
from actors.messages.board import Alarmed, AlarmId, Asked, Evaluated, PositionSeen
from actors.ports import Desk, Operator, WallClock
from actors.pure.abandoned import Abandoned
from actors.pure.addressing import ACCOUNT_VERBS
from actors.pure.client_order_id import IntentIds
from actors.pure.commands import PLANS
from actors.pure.nearest import did_you_mean
from actors.pure.orders_shown import orders_of
from actors.pure.owner_view import view
from actors.pure.owners import owner_asked, owner_of
from actors.pure.read_model import PriceSeen, ReadModel
from actors.pure.status import Live, status_of
from actors.questions import Answer, Question, ask
from actors.records import JournalWish, Recalled

LOOK_S = 0.1
TURN_MESSAGES = 8  # taken before others get a turn: looking on holds up no order
ANSWER_S = 7.0  # a little more than the journal may take

READS: frozenset[type[Fact]] = frozenset(get_args(Fact))
NO_ACCOUNTS: Mapping[str, AccountDoors] = {}
NO_LEGS: Mapping[str, str] = {}
NO_OTHERS: Mapping[str, Mailbox[JournalWish]] = {}


BoardMail = Told | Ticker | FeedState | Evaluated | PositionSeen | Alarmed | Question


async def run_board(
    mailbox: Mailbox[BoardMail],
    journal: Mailbox[JournalWish],
    desk: Desk,
    operator: Operator,
    *,
    bots: Mapping[str, str],  # bot: account
    legs: Mapping[str, str] = NO_LEGS,  # leg: its arbitrage
    journals: Mapping[str, Mailbox[JournalWish]] = NO_OTHERS,  # of owners, by account
    accounts: Mapping[str, AccountDoors] = NO_ACCOUNTS,
    ids: IntentIds | None = None,  # of this life
    clock: WallClock,
    announce: Callable[[int, Fact | Alarmed], None],  # when, what: called, never awaited
    is_first_life: bool = False,
    alarms: dict[AlarmId, Alarmed],  # that are up, over all lives
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Follow the fleet and answer operators until cancelled.

    In its first life it also says what the run recorded before the board was up.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
    """
    model = ReadModel()
    commands = Commands(journal, journals, operator, bots, clock, model, accounts, ids)
    commands.legs = legs
    says = ids.execution if is_first_life and ids is not None else ""
    board = _Board(mailbox, operator, commands, clock, announce, model, says, alarms)
    owners = {each.name: each for each in journals.values()}
    board.ledgers = Ledgers(mailbox.name, journal, owners, board.fold, board.hear)
    await board.ledgers.begin()
    async with trio.open_nursery() as nursery:
        await board.ledgers.follow(nursery)
        nursery.start_soon(desk.serve, board.ask)
        task_status.started()
        while True:
            await board.take_mail(await mailbox.receive(), nursery)
            await trio.sleep(LOOK_S)


@attrs.define(eq=False)
class _Board:
    mailbox: Mailbox[BoardMail]
    operator: Operator
    commands: Commands
    clock: WallClock
    announce: Callable[[int, Fact | Alarmed], None]
    model: ReadModel
    says: str  # the run of which it says what was recorded before us; "": of none
    alarms: dict[AlarmId, Alarmed]
    abandoned: Abandoned = attrs.field(init=False)
    live: Live = attrs.field(init=False)
    unsaid: dict[str, list[tuple[int, Fact]]] = attrs.Factory(
        dict[str, list[tuple[int, Fact]]]
    )  # by journal, while more of it is to be folded
    ledgers: Ledgers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.live = Live(alarms=self.alarms)
        self.abandoned = Abandoned(frozenset(self.commands.bots.values()))

    async def take_mail(self, first: BoardMail, nursery: trio.Nursery) -> None:
        """Take all that waits, with a turn for others now and then."""
        message, seen = first, 0
        while message is not None:
            match message:
                case Told():
                    self.ledgers.take(message)
                case Question():
                    if not message.is_dead:
                        nursery.start_soon(self.answer, message)
                case _:
                    self.see(message)
            seen += 1
            if seen % TURN_MESSAGES == 0:
                await trio.lowlevel.checkpoint()
            message = self.mailbox.receive_nowait()
        await trio.lowlevel.checkpoint()

    def fold(self, journal: str, recalled: Recalled) -> None:
        """Fold the next of a ledger; say what this run recorded in it, if nobody has."""
        for fact, at_ms in zip(recalled.facts, recalled.at_ms, strict=True):
            self.model.apply(fact, at_ms, owner_of(journal))
            self.abandoned.apply(fact)
            if isinstance(fact, FleetStarted) and fact.execution == self.says:
                self.unsaid[journal] = []
            elif journal in self.unsaid:
                self.unsaid[journal].append((at_ms, fact))
        for at_ms, fact in self.unsaid.pop(journal, ()) if recalled.is_last else ():
            self.announce(at_ms, fact)
        for alarm in self.abandoned.alarms(self.mailbox.name) if recalled.is_last else ():
            self._alarm(alarm)

    def hear(self, journal: str, fact: Fact, told: Told) -> None:
        """Follow a ledger, and say it on the screen."""
        self.model.apply(fact, told.at_ms, owner_of(journal))
        self.announce(told.at_ms, fact)

    def see(self, message: Ticker | FeedState | Evaluated | PositionSeen | Alarmed) -> None:
        """Keep the newest of what is shown and not recorded."""
        match message:
            case Ticker():
                now_ms = self.clock.now_ms()
                age_ms = int((trio.current_time() - message.received_s) * 1000)
                pair = Pair(message.exchange, message.symbol)
                self.model.prices[pair] = PriceSeen(
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

    async def ask(self, asked: Asked) -> Answer:
        """Put an operator's question into the mailbox and return the answer."""
        return await ask(self.mailbox, asked, who="the fleet", wait_s=ANSWER_S)

    async def answer(self, question: Question) -> None:
        """Answer one question; what changes something is durable before it is answered."""
        asked = question.asked
        if asked.verb == "status":
            answer = await self._status(owner_asked(asked.subject))
        elif asked.verb == "orders":
            answer = await self._orders(asked)
        elif asked.verb in PLANS or asked.verb in ACCOUNT_VERBS:
            answer = await self.commands.obey(question)
        elif asked.verb == "crash":
            answer = await self._crash(question)
        else:
            answer = {"error": f"unknown question {asked.verb!r}"}
            await trio.lowlevel.checkpoint()
        question.receipt.resolve(answer)

    async def _status(self, owner: str) -> Answer:
        self.live.actors = self.operator.states()
        await trio.lowlevel.checkpoint()
        now_s, now_ms = trio.current_time(), self.clock.now_ms()
        self.model.seq = self.ledgers.recorded
        model, live = view(self.model, self.live, owner)
        return self._stranger(owner) or status_of(model, now_ms, live, now_s)

    async def _orders(self, asked: Asked) -> Answer:
        await trio.lowlevel.checkpoint()
        owner = owner_asked(asked.subject)
        model, _ = view(self.model, self.live, owner)
        found = orders_of(model, is_open_only=asked.outcome == "open")
        return self._stranger(owner) or found

    def _stranger(self, owner: str) -> Answer:
        """Return the complaint of an owner whom nobody here knows, or nothing."""
        known = set(self.model.bot_owners.values())
        if not owner or owner in known:
            return {}
        near = did_you_mean(owner, known)
        return {"error": f"no owner {owner!r} has a group in this fleet{near}"}

    async def _crash(self, question: Question) -> Answer:
        actor = question.asked.subject
        if actor == self.mailbox.name:
            question.receipt.resolve({"said": f"{actor} was crashed on purpose"})
            await trio.sleep(LOOK_S)  # or nobody would be left to answer
        await trio.lowlevel.checkpoint()
        return self.commands.crash(actor)

    def _alarm(self, alarm: Alarmed) -> None:
        key = (alarm.actor, alarm.code, alarm.subject)
        if alarm.is_over == (key in self.live.alarms):  # news, not said again
            self.announce(self.clock.now_ms(), alarm)
        if alarm.is_over:
            self.live.alarms.pop(key, None)
        else:
            self.live.alarms[key] = alarm
