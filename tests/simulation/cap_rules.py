"""The ledger read once more, by code of its own: no entry begins beyond a cap (R-46).

What a bot traded and paid counts from when its row was durable; what was under way then is
not blamed. What an operator lifts a halt for is counted anew from there.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import Attempted, Filled, HaltLifted, Intended, Purpose
from actors.pure.config_types import RiskConfig
from actors.pure.facts import decode
from tests.simulation.clocks import AWAKE_S
from tests.simulation.disk import DiskRow
from tests.simulation.witness import RACE_S

ZERO: Final = Decimal(0)
MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000


@attrs.define
class Traded:
    """One fill of a bot, as its caps count it."""

    day: int
    since_s: float  # it is durable
    quote: Decimal
    fee_quote: Decimal


@attrs.define
class Used:
    """What one bot did since its halts were lifted."""

    attempts_ms: list[int] = attrs.Factory(list[int])  # of the last minute
    turnover: list[Traded] = attrs.Factory(list[Traded])
    fees: list[Traded] = attrs.Factory(list[Traded])


@attrs.define
class CapRules:
    """A fold over the ledger that notes entries beyond a cap of their bot."""

    risk: RiskConfig
    sent: Container[str]  # the orders that left the process
    said: list[str] = attrs.Factory(list[str])
    _intended: dict[str, Intended] = attrs.Factory(dict[str, Intended])
    _used: dict[str, Used] = attrs.Factory(dict[str, Used])
    _trades: set[tuple[str, str]] = attrs.Factory(set[tuple[str, str]])

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
            case Intended():
                self._intended[fact.intent_id] = fact
            case Attempted() if fact.client_order_id in self.sent:
                self._begin(fact, at_s, venue_ms)
            case Filled():
                self._fill(fact, since_s)
            case HaltLifted(bot=bot, code=code):
                used = self._of(bot)
                if code == "orders_per_minute":
                    used.attempts_ms.clear()
                elif code == "daily_turnover":
                    used.turnover.clear()
                elif code == "daily_fees":
                    used.fees.clear()
            case _:
                pass

    def _begin(self, fact: Attempted, at_s: float, venue_ms: int) -> None:
        intended, used = self._intended[fact.intent_id], self._of(fact.bot)
        used.attempts_ms = [
            each for each in used.attempts_ms if each > fact.attempt_ms - MINUTE_MS
        ]
        if intended.purpose is Purpose.ENTRY and not intended.is_adopted:
            found = self._beyond(intended, used, at_s, venue_ms // DAY_MS)
            self.said += [
                f"R-46: {fact.client_order_id} of {fact.bot}: {it}" for it in found
            ]
        used.attempts_ms.append(fact.attempt_ms)

    def _beyond(self, entry: Intended, used: Used, at_s: float, day: int) -> list[str]:
        """Return the caps that an entry is beyond."""
        risk, said = self.risk, list[str]()
        quote = entry.base * (entry.limit_price or entry.price)
        if len(used.attempts_ms) >= risk.orders_per_minute_max:
            said.append(f"{len(used.attempts_ms)} orders were begun within a minute")
        if risk.order_quote_max is not None and quote > risk.order_quote_max:
            said.append(f"an order of {quote:.2f}")
        traded = sum((each.quote for each in _known(used.turnover, at_s, day)), quote)
        most = risk.daily_turnover_quote_max
        if most is not None and traded > most:
            said.append(f"with it {traded:.2f} are traded today")
        paid = sum((each.fee_quote for each in _known(used.fees, at_s, day)), ZERO)
        most = risk.daily_fees_quote_max
        if most is not None and paid >= most:
            said.append(f"{paid:.2f} were paid in fees today")
        return said

    def _fill(self, fact: Filled, since_s: float) -> None:
        trade = fact.client_order_id, fact.trade_id
        if trade in self._trades:
            return
        self._trades.add(trade)
        base, quote = fact.symbol.split("/")
        prices = {base: fact.price, quote: Decimal(1)}
        fee_quote = fact.fee * prices.get(fact.fee_asset, ZERO)
        day = fact.trade_ms // DAY_MS
        traded = Traded(day, since_s, fact.base * fact.price, fee_quote)
        self._of(fact.bot).turnover.append(traded)
        self._of(fact.bot).fees.append(traded)

    def _of(self, bot: str) -> Used:
        return self._used.setdefault(bot, Used())


def _known(traded: Sequence[Traded], at_s: float, day: int) -> list[Traded]:
    """Return what of a day's trades was known long enough when an entry began."""
    return [each for each in traded if each.day == day and each.since_s + RACE_S < at_s]


_KINDS: Final = frozenset({"intended", "attempted", "filled", "halt_lifted"})
