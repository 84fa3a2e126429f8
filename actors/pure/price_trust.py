"""Decide which price may end a position: no single odd price may (R-43). Pure.

A price is trusted when it is finite, positive, fresh, and near the last trusted one. One
that jumped further is only suspected, and trusted when a second datum, of the ticker or
of the best bid and ask, agrees with it. Bad prices never become the reference.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import BookTop, Ticker
from actors.pure.money import HUNDRED, ZERO


@attrs.frozen
class PriceLimits:
    """How far and how old a price may be, for exits."""

    age_s_max: float = 15.0
    jump_percent_max: Decimal = Decimal(10)  # from one trusted price to the next
    agree_percent: Decimal = Decimal(2)  # how near a second price confirms a suspect
    reference_s_max: float = 300.0  # an older trusted price says nothing about jumps


@attrs.define
class PriceTrust:
    """The last trusted price of one symbol, and the suspect that waits for another."""

    limits: PriceLimits
    price: Decimal = ZERO  # 0 before the first
    at_s: float = 0.0  # when it was received
    _suspect: Decimal = ZERO
    _suspect_s: float = 0.0
    suspected: int = 0  # jumps that had to be confirmed

    def take(self, datum: Ticker | BookTop, now_s: float) -> Decimal | None:
        """Return the last price, or the best bid, if it may end a position; else None."""
        price = datum.last if isinstance(datum, Ticker) else datum.bid
        return self._take(price, datum.received_s, now_s)

    def fresh(self, now_s: float) -> Decimal | None:
        """Return the trusted price while it is young enough, else None."""
        if self.price and now_s - self.at_s <= self.limits.age_s_max:
            return self.price
        return None

    def refer(self, price: Decimal, now_s: float) -> None:
        """Take a price of our own as the first reference: a fill has just been there."""
        if not self.price:
            self.price, self.at_s = price, now_s - self.limits.age_s_max - 1.0

    def distrust(self) -> None:
        """Forget how old the price is: the clock stepped, so nothing is fresh (D-6)."""
        self.price = self._suspect = ZERO

    def _take(self, price: Decimal, received_s: float, now_s: float) -> Decimal | None:
        if not price.is_finite() or price <= 0:
            return None
        if now_s - received_s > self.limits.age_s_max or received_s < self.at_s:
            return None
        if self._is_near_reference(price, received_s) or self._confirms(price, received_s):
            self.price, self.at_s, self._suspect = price, received_s, ZERO
            return price
        if received_s != self._suspect_s or not self._suspect:
            self.suspected += 1
            self._suspect, self._suspect_s = price, received_s
        return None

    def _is_near_reference(self, price: Decimal, received_s: float) -> bool:
        if not self.price or received_s - self.at_s > self.limits.reference_s_max:
            return False
        return _distance(price, self.price) <= self.limits.jump_percent_max

    def _confirms(self, price: Decimal, received_s: float) -> bool:
        if not self._suspect or received_s == self._suspect_s:
            return False  # the same datum shown twice is one witness
        return _distance(price, self._suspect) <= self.limits.agree_percent


def _distance(price: Decimal, reference: Decimal) -> Decimal:
    return abs(price - reference) * HUNDRED / reference
