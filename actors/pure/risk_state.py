"""Fold an account's facts into what risk rules look at: exposure, today's loss. Pure.

Exposure is what is held at live prices, plus what live entries may still spend, plus what
was approved and not heard of since (I-17). Today is the UTC day of the exchange's clock.
Today's loss is what was realized today, plus the loss of what is open now; an open gain
does not pay for a realized loss.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import Filled, Intended, OrderIntent, PositionClosed, Refused, Ticker
from actors.pure.books import Books
from actors.pure.money import ZERO

DAY_MS = 86_400_000
HEARD_OF_S = 5.0  # after `valid_until_s`, in which an approved intent must be heard of


@attrs.frozen
class Pending:
    """An approved intent that no fact has spoken of yet."""

    bot: str
    symbol: str
    quote: Decimal
    until_s: float


@attrs.define
class RiskState:
    """What one account holds, has ordered, was promised, and lost today."""

    books: Books = attrs.Factory(Books)
    pending: dict[str, Pending] = attrs.Factory(dict[str, Pending])
    pending_quote: Decimal = ZERO
    realized_today: Decimal = ZERO
    day: int = 0  # since 1970, UTC
    halted_day: int = -1  # on which the daily loss was reached
    _prices: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])

    def apply(self, fact: object) -> None:
        """Take one fact of the account."""
        match fact:
            case Filled():
                before = self.books.of(fact.bot, fact.symbol).realized_quote
                if self.books.apply(fact):
                    self._begin_day(fact.trade_ms // DAY_MS)
                    after = self.books.of(fact.bot, fact.symbol).realized_quote
                    self.realized_today += after - before
                    self._prices[fact.symbol] = fact.price
            case PositionClosed():
                written_off = self.books.of(fact.bot, fact.symbol).cost_quote
                if self.books.apply(fact):
                    self.realized_today -= written_off
            case Intended() | Refused():
                self._settle(fact.intent_id)
                self.books.apply(fact)
            case _:
                self.books.apply(fact)

    def see(self, ticker: Ticker) -> None:
        """Take a live price, and the day it is at the exchange."""
        if ticker.last.is_finite() and ticker.last > 0:
            self._prices[ticker.symbol] = ticker.last
        self._begin_day(ticker.exchange_ms // DAY_MS)

    def promise(self, intent: OrderIntent, quote: Decimal) -> None:
        """Reserve for an intent that has just been approved."""
        until_s = intent.valid_until_s + HEARD_OF_S
        promise = Pending(intent.bot, intent.symbol, quote, until_s)
        self.pending[intent.intent_id] = promise
        self.pending_quote += quote

    def withdraw(self, intent_id: str) -> None:
        """Take back a promise that did not reach the orders actor."""
        self._settle(intent_id)

    def forget_unheard(self, now_s: float) -> None:
        """Drop the promises whose intents can no longer be sent (I-16)."""
        if self.pending:
            for intent_id, promise in tuple(self.pending.items()):
                if now_s > promise.until_s:
                    self._settle(intent_id)

    def exposure_quote(self) -> Decimal:
        """Return the money at risk now, in quote."""
        held = sum(
            (
                base * self._prices.get(symbol, ZERO)
                for symbol, base in self.books.holdings.base_by_symbol().items()
            ),
            ZERO,
        )
        return held + self.books.orders.reserved_quote + self.pending_quote

    def promised_to(self, bot: str, symbol: str) -> Decimal:
        """Return the quote of this bot's approved intents that were not heard of since."""
        return sum(
            (p.quote for p in self.pending.values() if p.bot == bot and p.symbol == symbol),
            ZERO,
        )

    def positions(self, *, without: tuple[str, str]) -> int:
        """Return how many positions are open or being opened, but for one owner's."""
        held, entering = self.books.holdings.open, self.books.orders.entering
        promised = {(p.bot, p.symbol) for p in self.pending.values()}
        count = len(held) + len(entering - held) + len(promised - held - entering)
        return count - (without in held or without in entering or without in promised)

    def result_today(self) -> Decimal:
        """Return today's result: negative when money was lost."""
        holdings = self.books.holdings
        worth = sum(
            (
                base * self._prices.get(symbol, ZERO)
                for symbol, base in holdings.base_by_symbol().items()
            ),
            ZERO,
        )
        return self.realized_today + min(ZERO, worth - holdings.cost_quote)

    def _settle(self, intent_id: str) -> None:
        promise = self.pending.pop(intent_id, None)
        if promise is not None:
            self.pending_quote -= promise.quote

    def _begin_day(self, day: int) -> None:
        if day > self.day:
            self.day = day
            self.realized_today = ZERO
