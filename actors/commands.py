"""Operators' commands, carried out one after the other: durable, then answered (S-8).

board      --Asked------------> [commands] --Record----------> journal
                                [commands] --start, stop-----> the tree of actors
                                [commands] --Question (wish)-> account
                                [commands] --ExitIntent, CancelIntent (wish)> orders

What was typed, by whom and why is recorded in one commit with all that it changes. A
command that is typed again under the same key is answered again and not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import CancelIntent, ExitIntent
from actors.messages.board import Asked
from actors.messages.supervision import State
from actors.ports import Operator, WallClock
from actors.pure.addressing import ACCOUNT_VERBS, addressed
from actors.pure.client_order_id import IntentIds
from actors.pure.commands import PLANS, Place, Plan, commanded
from actors.pure.done_commands import Done
from actors.pure.kill_switch import cancels, sales
from actors.pure.money import plain
from actors.pure.nearest import did_you_mean
from actors.pure.owner_commands import revived, spread
from actors.pure.owners import owner_asked, owner_of
from actors.pure.read_model import ReadModel
from actors.questions import GIVEN_UP, Answer, Question, ask, unrecorded
from actors.records import JournalDown, JournalWish, record

BUSY_S = 0.5  # longest wait for an orders actor
ACCOUNT_S = 6.0  # a little more than the venue may take


@attrs.frozen(eq=False)
class AccountDoors:
    """Where an account is asked, and where its positions are sold if need be."""

    exchange: str
    account: Mailbox[Any]
    orders: Mailbox[Any]


@attrs.define(eq=False)
class Commands:
    """The desk's way into the fleet, for one life of the board."""

    journal: Mailbox[JournalWish]
    journals: Mapping[str, Mailbox[JournalWish]]  # of accounts that another one keeps
    operator: Operator
    bots: Mapping[str, str]  # bot: account
    clock: WallClock
    model: ReadModel
    accounts: Mapping[str, AccountDoors]
    ids: IntentIds | None = None  # of what is sold from here
    legs: Mapping[str, str] = attrs.Factory(dict[str, str])  # leg: its arbitrage
    done: dict[str, Done] = attrs.Factory(dict[str, Done])  # in this life, by key
    turn: trio.Lock = attrs.Factory(trio.Lock)

    async def obey(self, question: Question) -> Answer:
        """Carry out a command; the answer says what it did, or why nothing was done.

        A command that asks the venue holds up no other, but those of its account.
        """
        asked = question.asked
        try:
            if owner_asked(asked.subject):
                return await self._obey_for_all(question)
            if asked.verb in ACCOUNT_VERBS and not self._known(asked):
                return await self._pass_on(question)
            async with self.turn:
                return await self._carry_out(question)
        except LookupError as error:
            await trio.lowlevel.checkpoint()
            return {"error": str(error)}
        except JournalDown as error:
            await trio.lowlevel.checkpoint()
            return unrecorded(error)

    async def _carry_out(self, question: Question) -> Answer:
        asked = question.asked
        known = self._known(asked)
        await trio.lowlevel.checkpoint()
        if known:
            return {"said": known}
        if not question.begins():
            return GIVEN_UP
        now_ms = self.clock.now_ms()
        plan = PLANS[asked.verb](Place(asked, self.bots, self.model, now_ms, self.legs))
        if plan.then == "start" and self._is_well(plan.subject.bot):
            return {"said": f"{plan.subject.bot} is running already"}
        if plan.is_preview:
            return {"said": plan.said}
        journal = self.journals.get(plan.subject.account, self.journal)
        try:
            await record(journal, commanded(asked, plan), *plan.facts)
        except JournalDown as error:
            if asked.verb != "flatten":
                raise
            return await self._sell_unrecorded(plan, error)
        self.done[asked.key] = Done(asked.verb, asked.subject, plan.said)
        tell: dict[str, Callable[[str], bool]] = {
            "start": self.operator.start,
            "stop": self.operator.stop,
        }
        if plan.then:
            tell[plan.then](f"bot:{plan.subject.bot}")
        return {"said": plan.said}

    async def _sell_unrecorded(self, plan: Plan, error: JournalDown) -> Answer:
        """Sell at once although the ledger takes nothing: the switch of last resort."""
        bots = {getattr(fact, "bot", "") for fact in plan.facts}
        exchanges = {name: doors.exchange for name, doors in self.accounts.items()}
        intents = list[ExitIntent | CancelIntent]()
        if self.ids is not None:
            now_s = trio.current_time()
            intents += sales(bots, exchanges, self.model, self.ids, now_s)
        intents += cancels(bots, exchanges, self.model)
        asked_for = list[str]()
        for intent in intents:
            with trio.move_on_after(BUSY_S):
                await self.accounts[intent.account].orders.wish(intent)
                asked_for.append(_words(intent))
        await trio.lowlevel.checkpoint()
        done = f"asked to {', '.join(asked_for)}" if asked_for else "nothing to sell"
        again = "type it again once it does, so that they stay flat"
        return {"said": f"the ledger takes nothing ({error}): {done}; {again}"}

    async def _obey_for_all(self, question: Question) -> Answer:
        """Do it for each account or bot of an owner; the first that fails is the answer."""
        await trio.lowlevel.checkpoint()
        asked = question.asked
        if known := self._known(asked):  # or its bots would be started one by one
            return {"said": known}
        owners = {account: owner_of(box.name) for account, box in self.journals.items()}
        commands = spread(asked, self.bots, owners)
        group = next(
            each for each in self.operator.states() if _name(each.path) == asked.subject
        )
        plan = revived(asked, group.state)
        if plan is not None:  # its own journal is down with it
            if not question.begins():
                return GIVEN_UP
            await record(self.journal, commanded(asked, plan))
            self.done[asked.key] = Done(asked.verb, asked.subject, plan.said)
            self.operator.start(asked.subject)
            return {"said": plan.said}
        each_asked = [attrs.evolve(question, asked=each) for each in commands]
        answers = [await self.obey(each) for each in each_asked]
        failed = [answer for answer in answers if "error" in answer]
        said = "\n".join(str(answer.get("said", "")) for answer in answers)
        return failed[0] if failed else {"said": said}

    async def _pass_on(self, question: Question) -> Answer:
        """Have the account do it that it is about."""
        asked, account = addressed(question.asked, self.bots, self.model)
        if not question.begins():
            await trio.lowlevel.checkpoint()
            return GIVEN_UP
        door, who = self.accounts[account].account, f"account {account}"
        answer = await ask(door, asked, who=who, wait_s=ACCOUNT_S)
        if "said" in answer:
            self.done[asked.key] = Done(asked.verb, asked.subject, str(answer["said"]))
        return answer

    def _known(self, asked: Asked) -> str:
        """Return what was answered to this key before, or "".

        Raises:
          NotPossible: that was another command.
        """
        done = self.done.get(asked.key)
        recorded = self.model.commands.get(asked.key)
        if done is None and recorded is not None:
            done = Done.of(recorded)
        return done.again(asked) if asked.key and done is not None else ""

    def crash(self, actor: str) -> Answer:
        """End the life of an actor, as if it had raised."""
        states = {_name(each.path): each.state for each in self.operator.states()}
        try:
            if self.operator.crash(actor):
                return {"said": f"{actor} was crashed on purpose"}
        except LookupError:
            return {"error": f"no actor is called {actor!r}{did_you_mean(actor, states)}"}
        state = states[_name(actor)].value.lower()
        return {"error": f"{actor} is not alive now: {state}"}

    def _is_well(self, bot: str) -> bool:
        """Return whether the bot runs and has no failures that could be forgotten."""
        return not self.model.bot(bot).is_stopped and any(
            _name(actor.path) == f"bot:{bot}"
            and actor.state is State.RUNNING
            and not actor.consecutive
            for actor in self.operator.states()
        )


def _words(intent: ExitIntent | CancelIntent) -> str:
    if isinstance(intent, CancelIntent):
        return f"cancel {intent.client_order_id} of {intent.bot}"
    return f"sell {plain(intent.base)} {intent.symbol} of {intent.bot}"


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]
