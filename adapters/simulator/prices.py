"""Where a synthetic price goes: a walk that returns to an anchor, and scripted drift."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from decimal import Decimal

from adapters.simulator.config import Listing, Phase

RETURN_S = 90.0  # the walk forgets its distance from the anchor in about this time


class PriceWalk:
    """One symbol's fair price. Every step draws the same amount of chance."""

    def __init__(
        self,
        listing: Listing,
        chance: random.Random,
        scenario: Sequence[Phase],
        every_s: float,
    ) -> None:
        self._anchor = math.log(float(listing.price))
        self._distance = 0.0
        self._volatility = listing.volatility
        self._chance = chance
        self._phases = [p for p in scenario if p.symbol in {"", listing.symbol}]
        self._every_s = every_s
        self._elapsed_s = 0.0

    def step(self, dt_s: float) -> float:
        """Go `dt_s` on and return the price."""
        self._anchor += self._drift(dt_s)
        self._elapsed_s += dt_s
        self._distance *= 1 - min(1.0, dt_s / RETURN_S)
        self._distance += self._volatility * math.sqrt(dt_s) * self._chance.gauss(0, 1)
        return math.exp(self._anchor + self._distance)

    def _drift(self, dt_s: float) -> float:
        at_s = round(self._elapsed_s, 6)  # ten times 0.1 is one
        if self._every_s:
            at_s %= self._every_s
        return sum(
            math.log1p(phase.percent / 100) * dt_s / phase.duration_s
            for phase in self._phases
            if phase.at_s <= at_s < phase.at_s + phase.duration_s
        )


def to_step(number: float, step: Decimal) -> Decimal:
    """Return `number` as a multiple of `step`, at least one."""
    return max(1, round(number / float(step))) * step
