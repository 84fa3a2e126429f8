"""Count what each bot orders, trades and pays, and say when a hard cap is reached. Pure.

Everything is counted from facts, so a restart forgets nothing (R-46). A day is a UTC day of
the exchange's clock. Fees in a third asset have no price here and are not counted. What an
operator lifts a halt for is counted anew from there.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

import attrs

from actors.messages import Attempted, Filled, HaltLifted
from actors.pure.money import ZERO, split_symbol

DAY_MS = 86_400_000
MINUTE_MS = 60_000
ORDERS_MAX = 10_000  # counted in a minute; no cap is higher
ORDERS, TURNOVER, FEES = "orders_per_minute", "daily_turnover", "daily_fees"


@attrs.frozen
class Caps:
    """The most one bot may do. None is no cap."""

    orders_per_minute_max: int | None = None
    daily_turnover_quote_max: Decimal | None = None
    daily_fees_quote_max: Decimal | None = None


NO_CAPS = Caps()


@attrs.frozen
class Breach:
    """A cap that was reached, and when it ends by itself; 0 is never."""

    code: str
    reason: str
    until_ms: int


@attrs.define
class _Tally:
    attempts_ms: deque[int] = attrs.Factory(lambda: deque[int](maxlen=ORDERS_MAX))
    day: int = 0
    turnover_quote: Decimal = ZERO
    fees_quote: Decimal = ZERO

    def begin_day(self, day: int) -> None:
        if day > self.day:
            self.day, self.turnover_quote, self.fees_quote = day, ZERO, ZERO


@attrs.define
class Usage:
    """What the bots of one account did: the last minute's orders, today's trades."""

    _tallies: dict[str, _Tally] = attrs.Factory(dict[str, _Tally])

    def apply(self, fact: object) -> None:
        """Take one fact; the caller tells each fill once."""
        match fact:
            case Attempted():
                attempts_ms = self._of(fact.bot).attempts_ms
                attempts_ms.append(fact.attempt_ms)
                while attempts_ms[0] <= fact.attempt_ms - MINUTE_MS:
                    attempts_ms.popleft()
            case Filled():
                self._fill(fact)
            case HaltLifted(bot=bot, code=code) if bot:
                self._begin_anew(bot, code)
            case _:
                pass

    def breach(
        self, bot: str, caps: Caps, quote: Decimal | None, now_ms: int
    ) -> Breach | None:
        """Return the cap that is broken, or would be by an entry of `quote`, or None."""
        tally = self._of(bot)
        tally.begin_day(now_ms // DAY_MS)
        most = caps.orders_per_minute_max
        orders = sum(at_ms > now_ms - MINUTE_MS for at_ms in tally.attempts_ms)
        if most is not None and orders + (quote is not None) > most:
            return Breach(ORDERS, f"{orders} orders within a minute, {most} allowed", 0)
        tomorrow_ms = (tally.day + 1) * DAY_MS
        limit = caps.daily_turnover_quote_max
        traded = tally.turnover_quote + (quote or ZERO)
        if limit is not None and traded > limit:
            text = f"it would have traded {traded:.2f} today, {limit:f} allowed"
            return Breach(TURNOVER, text, tomorrow_ms)
        limit = caps.daily_fees_quote_max
        if limit is not None and tally.fees_quote >= limit:
            text = f"it paid {tally.fees_quote:.2f} in fees today, {limit:f} allowed"
            return Breach(FEES, text, tomorrow_ms)
        return None

    def _fill(self, fact: Filled) -> None:
        base_asset, quote_asset = split_symbol(fact.symbol)
        tally = self._of(fact.bot)
        tally.begin_day(fact.trade_ms // DAY_MS)
        if fact.trade_ms // DAY_MS < tally.day:
            return  # told late, of a day that is over
        tally.turnover_quote += fact.price * fact.base
        if fact.fee_asset == quote_asset:
            tally.fees_quote += fact.fee
        elif fact.fee_asset == base_asset:
            tally.fees_quote += fact.fee * fact.price

    def _begin_anew(self, bot: str, code: str) -> None:
        tally = self._of(bot)
        match code:
            case "orders_per_minute":
                tally.attempts_ms.clear()
            case "daily_turnover":
                tally.turnover_quote = ZERO
            case "daily_fees":
                tally.fees_quote = ZERO
            case _:
                pass

    def _of(self, bot: str) -> _Tally:
        tally = self._tallies.get(bot)
        if tally is None:
            tally = self._tallies[bot] = _Tally()
        return tally
