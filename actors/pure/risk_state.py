"""Fold an account's facts into what risk rules look at: exposure, loss, halts. Pure.

Exposure is what is held at live prices, plus what live entries may still spend, plus what
was approved and not heard of since (I-17). Today is the UTC day of the exchange's clock.
Today's loss is what was realized today, plus the loss of what is open now; an open gain
does not pay for a realized loss. When an operator lifts the halt of a day's loss, the loss
that was realized so far is forgiven; a gain stays.

A symbol without a live price of this life counts at its cost in today's result: the price
of an old fill would invent a loss or a gain. In the exposure its last known price is good
enough.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import (
    Filled,
    Halted,
    HaltLifted,
    Intended,
    OrderIntent,
    PositionClosed,
    Refused,
    Ticker,
)
from actors.pure.books import Books
from actors.pure.caps import DAY_MS, Usage
from actors.pure.halts import Halts
from actors.pure.money import ZERO

DAILY_LOSS = "daily_loss"
AHEAD_MS_MAX = 60_000  # of a ticker's own time, before what we measured of the exchange's
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
    """What one account holds, has ordered, was promised, lost today; what halts it."""

    books: Books = attrs.Factory(Books)
    pending: dict[str, Pending] = attrs.Factory(dict[str, Pending])
    pending_quote: Decimal = ZERO
    realized_today: Decimal = ZERO
    day: int = 0  # since 1970, UTC
    seen_ms: int = 0  # the newest time of the exchange
    halts: Halts = attrs.Factory(Halts)
    usage: Usage = attrs.Factory(Usage)
    _prices: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])  # last known
    _filled_days: dict[tuple[str, str], int] = attrs.Factory(dict[tuple[str, str], int])
    _live: set[str] = attrs.Factory(set[str])  # symbols whose price was told in this life

    def apply(self, fact: object) -> None:
        """Take one fact of the account."""
        match fact:
            case Filled():
                self._fill(fact)
            case PositionClosed():
                self._close(fact)
            case Intended() | Refused():
                self._settle(fact.intent_id)
                self.books.apply(fact)
            case Halted() | HaltLifted():
                self._halt(fact)
            case _:
                if self.books.apply(fact):
                    self.usage.apply(fact)

    def _fill(self, fact: Filled) -> None:
        before = self.books.of(fact.bot, fact.symbol).realized_quote
        if not self.books.apply(fact):
            return
        self._begin_day(fact.trade_ms)
        self.usage.apply(fact)
        after = self.books.of(fact.bot, fact.symbol).realized_quote
        day = self._filled_days[fact.bot, fact.symbol] = fact.trade_ms // DAY_MS
        if day >= self.day:  # else told late, of a day that is over
            self.realized_today += after - before
        if fact.symbol not in self._live:  # a fill may be told long after it happened
            self._prices[fact.symbol] = fact.price

    def _close(self, fact: PositionClosed) -> None:
        """Write dust off on the day of the last fill: a closing has no time of its own."""
        before = self.books.of(fact.bot, fact.symbol).cost_quote
        is_todays = self._filled_days.get((fact.bot, fact.symbol), 0) >= self.day
        if self.books.apply(fact) and is_todays:  # what was bought meanwhile is held on
            held = self.books.of(fact.bot, fact.symbol).cost_quote
            self.realized_today += held - before

    def see(self, ticker: Ticker, now_ms: int) -> None:
        """Take a live price, and the day it is at the exchange.

        `now_ms` is our clock corrected to the exchange's. It counts where the ticker's time
        lies far ahead of it: days only go forward, so one such time would end the halts of
        today, and no day would begin before it.
        """
        if ticker.last.is_finite() and ticker.last > 0:
            self._prices[ticker.symbol] = ticker.last
            self._live.add(ticker.symbol)
        is_ahead = ticker.exchange_ms > now_ms + AHEAD_MS_MAX
        self._begin_day(now_ms if is_ahead else ticker.exchange_ms)

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
        """Return the money at risk now, in quote; without any price at its cost."""
        held = sum(
            (
                self._worth(symbol, base)
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
        held = self.books.holdings.open.keys()
        entering = self.books.orders.entering.keys()
        promised = {(p.bot, p.symbol) for p in self.pending.values()}
        count = len(held) + len(entering - held) + len(promised - held - entering)
        return count - (without in held or without in entering or without in promised)

    def result_today(self) -> Decimal:
        """Return today's result: negative when money was lost.

        What is held without a live price of this life counts at its cost.
        """
        holdings = self.books.holdings
        unrealized = sum(
            (
                self._worth(symbol, base) - holdings.cost_of(symbol)
                for symbol, base in holdings.base_by_symbol().items()
                if symbol in self._live
            ),
            ZERO,
        )
        return self.realized_today + min(ZERO, unrealized)

    def _worth(self, symbol: str, base: Decimal) -> Decimal:
        price = self._prices.get(symbol)
        return self.books.holdings.cost_of(symbol) if price is None else base * price

    def _settle(self, intent_id: str) -> None:
        promise = self.pending.pop(intent_id, None)
        if promise is not None:
            self.pending_quote -= promise.quote

    def _halt(self, fact: Halted | HaltLifted) -> None:
        self.halts.apply(fact)
        if isinstance(fact, HaltLifted):
            self.usage.apply(fact)
            if fact.code == DAILY_LOSS:
                self.realized_today = max(ZERO, self.realized_today)

    def _begin_day(self, at_ms: int) -> None:
        self.seen_ms = max(self.seen_ms, at_ms)
        if at_ms // DAY_MS > self.day:
            self.day = at_ms // DAY_MS
            self.realized_today = ZERO
