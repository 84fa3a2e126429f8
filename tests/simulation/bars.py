"""The ledger read once more, by code of its own: no entry begins where a row forbids it.

What counts of a halt, a pause, a stop and an order to be flat is when it was durable; of an
entry, when its attempt was stamped. Between the two an entry may be under way (I-11, R-37,
R-40). A symbol is frozen from a pass that finds less of its asset at the exchange than the
ledger holds, to the next one that does not (R-14).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Final

import attrs

from actors.messages import (
    Attempted,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Halted,
    HaltLifted,
    Intended,
    Purpose,
    Reconciled,
)
from actors.pure.facts import decode
from tests.simulation.clocks import AWAKE_S
from tests.simulation.disk import DiskRow
from tests.simulation.witness import RACE_S

SHORT: Final = ": the ledger holds "

Told = BotPaused | BotStopped | BotFlattened
Place = tuple[type[Told], str]  # what was told, which bot


@attrs.frozen
class Standing:
    """What forbids entries, and since when it is durable."""

    text: str
    account: str
    bot: str  # "" is every bot of the account
    since_s: float
    until_ms: int = 0  # of the exchange's clock; 0 is until it is taken back
    asset: str = ""  # "" is every symbol

    def forbids(self, entry: Intended, at_s: float, venue_ms: int) -> bool:
        """Tell whether it stood when the entry's attempt was stamped."""
        is_meant = self.account == entry.account and self.bot in {"", entry.bot}
        is_meant &= self.asset in {"", entry.symbol.partition("/")[0]}
        is_over = 0 < self.until_ms <= venue_ms
        return is_meant and not is_over and at_s > self.since_s + RACE_S


@attrs.define
class Bars:
    """A fold over the ledger that notes entries where a row forbade them."""

    sent: Container[str]  # the orders that left the process
    said: list[str] = attrs.Factory(list[str])
    _entries: dict[str, Intended] = attrs.Factory(dict[str, Intended])
    _halts: dict[tuple[str, str, str], Standing] = attrs.Factory(
        dict[tuple[str, str, str], Standing]
    )
    _told: dict[Place, Standing] = attrs.Factory(dict[Place, Standing])
    _frozen: dict[tuple[str, str], Standing] = attrs.Factory(
        dict[tuple[str, str], Standing]
    )  # by account and asset

    def read(self, rows: Sequence[DiskRow], durable_s: Sequence[float]) -> list[str]:
        """Take all rows, with the time when each was durable; return what was found."""
        for each, since_s in zip(rows, durable_s, strict=False):
            if each.row.kind in _KINDS:
                fact = decode(each.row.kind, each.row.body)
                at_s = each.row.awake_ms / 1000 - AWAKE_S
                self.take(fact, at_s, since_s, each.venue_ms)
        return self.said

    def take(self, fact: object, at_s: float, since_s: float, venue_ms: int) -> None:
        """Take one fact: when it was stamped, when it was durable, the exchange's time."""
        match fact:
            case Intended() if fact.purpose is Purpose.ENTRY and not fact.is_adopted:
                self._entries[fact.intent_id] = fact
            case Attempted():
                self._judge(fact, at_s, venue_ms)
            case Reconciled():
                self._freeze(fact, since_s)
            case HaltLifted():
                self._halts.pop((fact.account, fact.bot, fact.code), None)
            case BotResumed():
                self._told.pop((BotPaused, fact.bot), None)
                self._told.pop((BotFlattened, fact.bot), None)
            case BotStarted():
                self._told.pop((BotStopped, fact.bot), None)
            case _:
                self._forbid(fact, since_s)

    def _forbid(self, fact: object, since_s: float) -> None:
        match fact:
            case Halted():
                place = fact.account, fact.bot, fact.code
                text = f"halted: {fact.code}"
                owner = fact.account, fact.bot
                self._halts[place] = Standing(text, *owner, since_s, fact.until_ms)
            case BotPaused() | BotStopped() | BotFlattened():
                standing = Standing(type(fact).__name__, fact.account, fact.bot, since_s)
                self._told.setdefault((type(fact), fact.bot), standing)
            case _:
                pass

    def _freeze(self, fact: Reconciled, since_s: float) -> None:
        """Take what one pass found: each line begins with the asset that is short."""
        short = {line.partition(":")[0] for line in fact.drifts if SHORT in line}
        for place in [each for each in self._frozen if each[0] == fact.account]:
            if place[1] not in short:
                del self._frozen[place]
        for asset in short:
            standing = Standing(f"{asset} is short", fact.account, "", since_s, 0, asset)
            self._frozen.setdefault((fact.account, asset), standing)

    def _judge(self, fact: Attempted, at_s: float, venue_ms: int) -> None:
        entry = self._entries.get(fact.intent_id)
        if entry is None or fact.client_order_id not in self.sent:
            return
        standing = *self._halts.values(), *self._told.values(), *self._frozen.values()
        for each in standing:
            if each.forbids(entry, at_s, venue_ms):
                late_s = at_s - each.since_s
                self.said.append(
                    f"I-11: entry {fact.client_order_id} of {entry.bot} began"
                    f" {late_s:.2f} s after a row said: {each.text}"
                )


_KINDS: Final = frozenset({
    "intended", "attempted", "halted", "halt_lifted", "bot_paused", "bot_resumed",
    "bot_stopped", "bot_started", "bot_flattened", "reconciled",
})  # fmt: skip
