"""What a symbol did before the simulation began, made up backwards from its first price.

It is drawn on demand and in one order, so it does not depend on who asks when: seconds for
twenty minutes, minutes for twenty days, hours for five hundred, then days. What was drawn
never changes, so several charts may share one past.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from adapters.simulator.bar import Bar
from adapters.simulator.config import Listing, seeded
from adapters.simulator.prices import to_step
from adapters.simulator.timeframes import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, open_of

PAST_MAX_MS = 3000 * DAY_MS


class Past:
    """The candles of one symbol that end at `end_ms`."""

    def __init__(self, listing: Listing, end_ms: int, chance: random.Random) -> None:
        self.end_ms = open_of("1s", end_ms)
        self.end_price = listing.price
        self.bars: list[Bar] = []  # newest first
        self.day: list[Bar] = []  # its last minutes, once a chart summed them up
        self._listing = listing
        self._chance = chance
        self._price = float(listing.price)

    def recall(self, from_ms: int) -> None:
        """Draw the past back to `from_ms`."""
        oldest_ms = self.bars[-1].open_ms if self.bars else self.end_ms
        from_ms = max(from_ms, self.end_ms - PAST_MAX_MS)
        while oldest_ms > from_ms:
            length_ms = self._length_at(oldest_ms)
            oldest_ms -= length_ms
            self.bars.append(self._draw(oldest_ms, length_ms))

    def _length_at(self, oldest_ms: int) -> int:
        age_ms = self.end_ms - oldest_ms
        if age_ms < 20 * MINUTE_MS or oldest_ms % MINUTE_MS:
            return SECOND_MS
        if age_ms < 20 * DAY_MS or oldest_ms % HOUR_MS:
            return MINUTE_MS
        return HOUR_MS if age_ms < 500 * DAY_MS or oldest_ms % DAY_MS else DAY_MS

    def _draw(self, open_ms: int, length_ms: int) -> Bar:
        """Return a bar that ends at the price where the past so far begins."""
        chance, listing = self._chance, self._listing
        spread = listing.volatility * math.sqrt(length_ms / 1000)
        close = self._price
        first = close * math.exp(spread * chance.gauss(0, 1))
        high = max(first, close) * math.exp(spread * abs(chance.gauss(0, 0.4)))
        low = min(first, close) * math.exp(-spread * abs(chance.gauss(0, 0.4)))
        self._price = first
        trades = 1 + int(length_ms / 1000 * 4 * chance.random())
        quote = trades * listing.level_quote * 0.02 * (0.5 + chance.random())
        base = to_step(quote / close, listing.lot)
        opened, closed = to_step(first, listing.tick), to_step(close, listing.tick)
        return Bar(
            open_ms,
            opened,
            max(to_step(high, listing.tick), opened, closed),
            min(to_step(low, listing.tick), opened, closed),
            closed,
            base,
            base * closed,
            trades,
        )


def draw_past(listing: Listing, seed: int, end_ms: int) -> Past:
    """Return the past that belongs to a seed."""
    return Past(listing, end_ms, seeded(seed, listing.symbol, "past"))


DrawPast = Callable[[Listing, int, int], Past]
