"""What the ledger alone can show to be wrong: decisions, refusals, exposure."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import (
    Attempted,
    Ended,
    Filled,
    Intended,
    OrderStatus,
    PositionClosed,
    Purpose,
    Refused,
    Side,
)
from actors.pure.config import Config
from actors.pure.facts import decode
from tests.simulation.disk import DiskRow

ZERO: Final = Decimal(0)
SLACK: Final = Decimal("1.01")  # prices move between two judgements; ours allows 0.5 %
UNSENT: Final = frozenset({OrderStatus.NOT_PLACED, OrderStatus.REJECTED})

# Why an exit may be refused: what is held, what is being sold, age, the venue's filters,
# and a run that has not asked the venue yet. No limit, no halt, no circuit (I-12).
EXIT_CODES: Final = frozenset({
    "no_position", "exit_in_flight", "below_minimum", "expired", "unknown_symbol",
    "not_reconciled", "not_trading", "order_in_flight",
})  # fmt: skip


@attrs.frozen
class Money:
    """The most one account and its bots may have at risk, in quote."""

    exposure_max: Decimal
    by_bot: Mapping[str, Decimal]


def money_of(config: Config, account: str) -> Money:
    """Return the limits of an account as its owner wrote them."""
    settings = config.accounts[account]
    share = settings.risk.exposure_percent_max / 100
    bots = {bot.name: bot.capital for bot in config.bots_of(account)}
    return Money(settings.capital * share, bots)


@attrs.define
class Entry:
    """An order to buy: what it may still spend."""

    intended: Intended
    left: Decimal
    is_over: bool = False

    @property
    def reserved(self) -> Decimal:
        price = self.intended.limit_price or self.intended.price
        return ZERO if self.is_over else self.left * price


@attrs.define
class Stock:
    """What a bot holds of a symbol, at cost."""

    base: Decimal = ZERO
    cost: Decimal = ZERO


@attrs.define
class LedgerRules:
    """A fold over the ledger that notes what must never be true."""

    money: Money
    decided: Mapping[tuple[str, str], int]  # times a strategy said BUY or SELL: run, bot
    left: Container[str]  # client order ids whose first byte left
    said: list[str] = attrs.Factory(list[str])
    _intended: dict[str, Intended] = attrs.Factory(dict[str, Intended])
    _refused: set[str] = attrs.Factory(set[str])
    _by_bot: dict[tuple[str, str], int] = attrs.Factory(dict[tuple[str, str], int])
    _entries: dict[str, Entry] = attrs.Factory(dict[str, Entry])
    _stocks: dict[tuple[str, str], Stock] = attrs.Factory(dict[tuple[str, str], Stock])

    def read(self, rows: Sequence[DiskRow]) -> list[str]:
        """Take all rows and return what was found."""
        for each in rows:
            if each.row.kind in _KINDS:
                self.take(decode(each.row.kind, each.row.body))
        return self.said

    def take(self, fact: object) -> None:
        """Take one fact."""
        match fact:
            case Intended():
                self._note_intent(fact)
            case Refused():
                self._note_refusal(fact)
            case Attempted():
                self._begin(fact)
            case Filled():
                self._fill(fact)
            case Ended():
                if fact.client_order_id in self._entries:
                    self._entries[fact.client_order_id].is_over = True
            case PositionClosed():
                self._stocks.pop((fact.bot, fact.symbol), None)  # what is left is dust
            case _:
                pass

    def _note_intent(self, fact: Intended) -> None:
        """I-9: an intent is begun once, or refused."""
        if fact.intent_id in self._intended:
            self.said.append(f"I-9: {fact.intent_id} is in the ledger twice")
        if fact.intent_id in self._refused:
            self.said.append(f"I-9: {fact.intent_id} was refused, and begun")
        self._intended[fact.intent_id] = fact

    def _count(self, intended: Intended) -> None:
        """I-9: no more orders of a bot's leave than its strategy decided.

        A sale is decided once and asked for again where its first attempt was not sent.
        """
        if intended.is_adopted:
            return  # nobody of ours decided on it
        _, execution, actor, _, _ = intended.intent_id.split("/")
        if not actor.startswith("bot:"):
            return
        key = execution, actor.removeprefix("bot:")
        self._by_bot[key] = self._by_bot.get(key, 0) + 1
        if self._by_bot[key] > self.decided.get(key, 0):
            self.said.append(
                f"I-9: {key[1]} decided {self.decided.get(key, 0)} times in run {key[0]},"
                f" {intended.intent_id} is one more"
            )

    def _note_refusal(self, fact: Refused) -> None:
        """I-12: exits are not refused for the sake of a limit."""
        self._refused.add(fact.intent_id)
        if fact.intent_id in self._intended:
            self.said.append(f"I-9: {fact.intent_id} was begun, and refused: {fact.code}")
        if fact.purpose is Purpose.EXIT and fact.code not in EXIT_CODES:
            self.said.append(f"I-12: exit {fact.intent_id} was refused: {fact.code}")

    def _begin(self, fact: Attempted) -> None:
        """I-17: with this entry, no more than allowed is held, ordered or UNKNOWN."""
        intended = self._intended.get(fact.intent_id)
        if intended is not None and fact.client_order_id in self.left:
            self._count(intended)
        if intended is None or intended.purpose is not Purpose.ENTRY:
            return
        self._entries[fact.client_order_id] = Entry(intended, intended.base)
        exposed = self._exposed("")
        if exposed > self.money.exposure_max * SLACK:
            self.said.append(
                f"I-17: {exposed:.2f} at risk with {fact.client_order_id},"
                f" {self.money.exposure_max:.2f} allowed"
            )
        own, allowed = self._exposed(intended.bot), self.money.by_bot[intended.bot]
        if own > allowed * SLACK:
            self.said.append(
                f"I-17: {own:.2f} at risk by {intended.bot} with {fact.client_order_id},"
                f" {allowed:.2f} allowed"
            )

    def _exposed(self, bot: str) -> Decimal:
        """Return what one bot, or all, hold at cost and may still spend."""
        held = (s.cost for (who, _), s in self._stocks.items() if bot in {"", who})
        live = (e.reserved for e in self._entries.values() if bot in {"", e.intended.bot})
        return sum(held, ZERO) + sum(live, ZERO)

    def _fill(self, fact: Filled) -> None:
        stock = self._stocks.setdefault((fact.bot, fact.symbol), Stock())
        got = fact.base
        if fact.fee_asset == fact.symbol.partition("/")[0]:
            got -= fact.fee if fact.side is Side.BUY else -fact.fee
        if fact.side is Side.BUY:
            stock.base += got
            stock.cost += fact.base * fact.price
            entry = self._entries.get(fact.client_order_id)
            if entry is not None:
                entry.left -= fact.base
        elif stock.base > 0:
            stock.cost -= stock.cost * min(got / stock.base, Decimal(1))
            stock.base -= got


_KINDS = frozenset({
    "intended", "refused", "attempted", "filled", "ended", "position_closed",
})  # fmt: skip
