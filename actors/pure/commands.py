"""Decide what an operator's command changes: facts, an answer, an actor to tell. Pure.

A command is carried out by its facts alone, so after a crash it was done or it was not.
Names are those of `bots.toml`; where a bot and an account share one, "bot:NAME" and
"account:NAME" tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import attrs

from actors.messages import (
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Commanded,
    Fact,
    Halted,
    HaltLifted,
)
from actors.messages.board import Asked
from actors.pure.halts import OPERATOR, halt_words
from actors.pure.money import plain
from actors.pure.nearest import did_you_mean
from actors.pure.read_model import ReadModel


class NotPossible(LookupError):
    """The command cannot be carried out; the text says why, in one line."""


@attrs.frozen
class Subject:
    """A bot, or with bot "" a whole account."""

    bot: str
    account: str

    @property
    def name(self) -> str:
        return self.bot or self.account


@attrs.frozen
class Plan:
    """What is recorded, what is answered, and which actor is told afterwards."""

    subject: Subject
    facts: tuple[Fact, ...]
    said: str
    then: Literal["", "start", "stop"] = ""
    is_preview: bool = False  # nothing is recorded


def commanded(asked: Asked, plan: Plan) -> Commanded:
    """Return the audit row of a command (S-8)."""
    return Commanded(
        plan.subject.bot,
        plan.subject.account,
        asked.verb,
        asked.subject,
        asked.reason,
        asked.by,
        asked.key,
        plan.said,
    )


@attrs.frozen
class Place:
    """What a command is judged by."""

    asked: Asked
    bots: Mapping[str, str]  # bot: account
    model: ReadModel
    now_ms: int
    legs: Mapping[str, str] = attrs.Factory(dict[str, str])  # leg: its arbitrage

    def a_bot(self) -> Subject:
        """Return the bot it is about.

        Raises:
          NotPossible: there is none of that name.
        """
        name = self.asked.subject.removeprefix("bot:")
        if name not in self.bots:
            near = did_you_mean(name, self.bots)
            raise NotPossible(f"no bot is called {name!r}{near}")
        return Subject(name, self.bots[name])

    def a_bot_or_account(self) -> Subject:
        """Return the bot or the account it is about; an account before one that left.

        Raises:
          NotPossible: there is none of that name, or there are both.
        """
        kind, colon, name = self.asked.subject.rpartition(":")
        accounts = set(self.bots.values())
        bot_on = self.bots.get(name) or self._left(name)
        is_bot = bot_on in accounts and kind in {"", "bot"}
        is_account = name in accounts and kind in {"", "account"}
        if is_account and is_bot and name in self.bots:
            raise NotPossible(
                f"{name} is a bot and an account: say bot:{name} or account:{name}"
            )
        if not is_bot and not is_account:
            near = did_you_mean(name, {*self.bots, *accounts})
            raise NotPossible(f"no bot or account is called {kind}{colon}{name!r}{near}")
        return Subject("", name) if is_account else Subject(name, bot_on)

    def _left(self, bot: str) -> str:
        """Return the account of a bot that left the file and still holds, or is kept."""
        model = self.model
        for halted in model.halts.standing(self.now_ms):
            if bot and halted.bot == bot:
                return halted.account
        seen = model.bots.get(bot)
        if seen is None:
            return ""
        is_holding = any(owner == bot for owner, _ in model.holdings.open)
        return seen.account if is_holding or seen.is_flat or seen.paused else ""


def halt(place: Place) -> Plan:
    """Let no entry leave any more until it is lifted."""
    subject, reason = place.a_bot_or_account(), place.asked.reason
    bots = "no bot on it enters" if not subject.bot else "it enters nothing"
    said = f"{subject.name} is halted: {bots} until `shoal resume {subject.name}`;"
    facts = (Halted(subject.bot, subject.account, OPERATOR, reason),)
    return Plan(subject, facts, f"{said} exits go on")


def resume(place: Place) -> Plan:
    """Lift the halts of a bot or of an account; a bot is not paused any more either."""
    subject, reason = place.a_bot_or_account(), place.asked.reason
    bot, account = subject.bot, subject.account
    halts, now_ms = place.model.halts, place.now_ms
    standing = halts.of(account, bot, now_ms)
    facts: list[Fact] = [HaltLifted(bot, account, h.code, reason) for h in standing]
    if bot:
        facts.append(BotResumed(bot, account))
    said = f"{subject.name} may trade again"
    if bot and place.model.bot(bot).is_stopped:
        said = f"{bot} is stopped, and may trade again after `shoal start {bot}`"
    if standing:
        said += f", no longer halted by {', '.join(halted.code for halted in standing)}"
    elif not bot:
        said = f"{account} was not halted"
    kept = [] if bot else _kept_on(place, account)
    if kept:
        said += "; still paused, stopped or halted, to be resumed by name: "
        said += ", ".join(kept)
    above = halts.of(account, "", now_ms) if bot else ()
    if above:
        said += f"; but account {account} is halted: {halt_words(above[0])}"
    return Plan(subject, tuple(facts), said)


def _kept_on(place: Place, account: str) -> list[str]:
    """Return the bots of an account that something of their own keeps from entering."""
    halted = {each.bot for each in place.model.halts.standing(place.now_ms)}
    seen = [(bot, place.model.bot(bot)) for bot in _bots_on(place, account)]
    return [bot for bot, it in seen if it.paused or it.is_stopped or bot in halted]


def pause(place: Place) -> Plan:
    """Let a bot open no positions."""
    subject = place.a_bot()
    fact = BotPaused(subject.bot, subject.account, place.asked.reason)
    said = f"{subject.bot} is paused: no new entries, its position stays guarded"
    return Plan(subject, (fact,), said)


def start(place: Place) -> Plan:
    """Start a bot, its failures forgotten; a leg has no actor that could start."""
    subject = place.a_bot()
    pair = place.legs.get(subject.bot)
    fact = BotStarted(subject.bot, subject.account)
    if pair is None:
        said = f"{subject.bot} starts, its failures forgotten"
        return Plan(subject, (fact,), said, "start")
    if not place.model.bot(subject.bot).is_stopped:
        return Plan(subject, (), f"{subject.bot} is not stopped", is_preview=True)
    said = f"{subject.bot} may trade again; {pair} decides for it"
    if place.model.bot(pair).is_stopped:
        said += ", and is stopped"
    return Plan(subject, (fact,), said)


def stop(place: Place) -> Plan:
    """Stop a bot until it is started; a leg has no actor, its arbitrage hears the fact."""
    subject = place.a_bot()
    pair = place.legs.get(subject.bot)
    facts = (BotStopped(subject.bot, subject.account),)
    said = f"{subject.bot} stops and stays stopped; its position stays guarded"
    if pair is None:
        return Plan(subject, facts, said, "stop")
    return Plan(subject, facts, f"{said}; {pair}, which decides for it, begins nothing")


def flatten(place: Place) -> Plan:
    """Sell what a bot, or every bot of an account, holds; show it first."""
    subject, model = place.a_bot_or_account(), place.model
    bots = [subject.bot] if subject.bot else _bots_on(place, subject.account)
    lines = [_would_sell(bot, model) for bot in bots]
    if not place.asked.is_sure:
        lines.append("nothing was done: --yes pauses them, cancels the entries and sells")
        return Plan(subject, (), "\n".join(lines), is_preview=True)
    reason = place.asked.reason
    facts = tuple(BotFlattened(bot, subject.account, reason) for bot in bots)
    lines.append(
        f"being sold; nothing is entered until `shoal resume` of {', '.join(bots)}"
    )
    return Plan(subject, facts, "\n".join(lines))


def _bots_on(place: Place, account: str) -> list[str]:
    """Return the bots of an account, and those that left the file and still hold."""
    holding = {bot for bot, _ in place.model.holdings.open}
    gone = {bot for bot in holding if place.model.bot(bot).account == account}
    return sorted(gone | {bot for bot, on in place.bots.items() if on == account})


def _would_sell(bot: str, model: ReadModel) -> str:
    held = [
        f"{plain(holding.base)} {symbol} bought at {plain(holding.entry)}"
        for owner, symbol in sorted(model.holdings.open)
        if owner == bot and (holding := model.holdings.of(bot, symbol)).base
    ]
    entries = [
        f"entry {order.client_order_id} to be cancelled"
        for order in model.orders.live()
        if order.bot == bot and order.is_entry
    ]
    return f"{bot}: {'; '.join(held + entries) or 'holds nothing'}"


PLANS: Mapping[str, Callable[[Place], Plan]] = {
    "flatten": flatten,
    "halt": halt,
    "resume": resume,
    "pause": pause,
    "start": start,
    "stop": stop,
}
