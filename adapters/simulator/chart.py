"""One symbol's candles: a past made up backwards, a present made of trades.

The past is drawn on demand and in one order, so it does not depend on who asks when:
seconds for twenty minutes, minutes for twenty days, hours for five hundred, then days.
Every timeframe is summed up from these, so all agree with each other.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterator
from decimal import Decimal

import attrs

from adapters.simulator.config import ZERO, Listing
from adapters.simulator.timeframes import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    next_of,
    open_of,
)

LIVE_SECONDS_MAX = 7200  # older seconds are summed up to minutes
PAST_MAX_MS = 3000 * DAY_MS


@attrs.define
class Bar:
    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    base: Decimal = ZERO
    quote: Decimal = ZERO
    trades: int = 0
    first_id: int = -1
    last_id: int = -1

    def trade(self, price: Decimal, base: Decimal, trade_id: int) -> None:
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.base += base
        self.quote += price * base
        self.trades += 1
        if self.first_id < 0:
            self.first_id = trade_id
        self.last_id = trade_id

    def before(self, older: Bar) -> None:
        """Take in a bar that ended when this one began."""
        self.open = older.open
        self.high = max(self.high, older.high)
        self.low = min(self.low, older.low)
        self.base += older.base
        self.quote += older.quote
        self.trades += older.trades
        if older.first_id >= 0:
            self.first_id = older.first_id
        self.last_id = max(self.last_id, older.last_id)


def empty_bar(open_ms: int, price: Decimal) -> Bar:
    return Bar(open_ms, price, price, price, price)


class Chart:
    """Candles of one symbol, of every timeframe."""

    def __init__(
        self, listing: Listing, price: Decimal, start_ms: int, chance: random.Random
    ) -> None:
        self._listing = listing
        self._chance = chance
        self._start_ms = open_of("1s", start_ms)
        self._past: deque[Bar] = deque()  # newest first
        self._live: deque[Bar] = deque()  # closed seconds, oldest first
        self._second = empty_bar(self._start_ms, price)
        self._past_price = float(price)
        self._running: dict[str, Bar] = {}

    @property
    def last(self) -> Decimal:
        return self._second.close

    def follow(self, timeframe: str) -> Bar:
        """Return the candle of `timeframe` that is open now, kept up to date."""
        if timeframe not in self._running:
            newest = self.bars(timeframe, 1)
            self._running[timeframe] = newest[0]
        return self._running[timeframe]

    def trade(self, price: Decimal, base: Decimal, trade_id: int) -> None:
        self._second.trade(price, base, trade_id)
        for bar in self._running.values():
            bar.trade(price, base, trade_id)

    def roll(self, now_ms: int) -> list[tuple[str, Bar]]:
        """Close what has ended by `now_ms`; return the closed candles that are followed."""
        while now_ms >= self._second.open_ms + SECOND_MS:
            self._live.append(self._second)
            self._second = empty_bar(self._second.open_ms + SECOND_MS, self._second.close)
        if len(self._live) >= LIVE_SECONDS_MAX + 60:
            self._sum_up()
        closed: list[tuple[str, Bar]] = []
        for timeframe, bar in self._running.items():
            running = bar
            while now_ms >= (next_ms := next_of(timeframe, running.open_ms)):
                closed.append((timeframe, running))
                running = empty_bar(next_ms, running.close)
            self._running[timeframe] = running
        return closed

    def bars(
        self,
        timeframe: str,
        limit: int,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Bar]:
        """Return up to `limit` candles, oldest first: the newest unless `start_ms` is set.

        The last may be open. The bars are copies, but for the past that never changes.
        """
        last_ms = self._second.open_ms if end_ms is None else end_ms
        last_ms = min(last_ms, self._second.open_ms)
        from_ms = open_of(timeframe, last_ms)
        for _ in range(limit - 1):
            from_ms = open_of(timeframe, from_ms - 1)
        if start_ms is not None:
            from_ms = start_ms
        self._recall(from_ms)
        found: list[Bar] = []
        for bar in self._backwards():
            open_ms = open_of(timeframe, bar.open_ms)
            if open_ms < from_ms:
                break
            if open_ms > last_ms:
                continue
            if found and found[-1].open_ms == open_ms:
                found[-1].before(bar)
            else:
                found.append(attrs.evolve(bar, open_ms=open_ms))
        found.reverse()
        return found[:limit]

    def _backwards(self) -> Iterator[Bar]:
        yield self._second
        yield from reversed(self._live)
        yield from self._past

    def _sum_up(self) -> None:
        """Move the oldest live seconds, up to a full minute, into the past."""
        minute = attrs.evolve(self._live.popleft())
        end_ms = next_of("1m", open_of("1m", minute.open_ms))
        while self._live[0].open_ms < end_ms:
            newer = attrs.evolve(self._live.popleft(), open_ms=minute.open_ms)
            newer.before(minute)
            minute = newer
        self._past.appendleft(minute)

    def _recall(self, from_ms: int) -> None:
        """Draw the past back to `from_ms`."""
        oldest_ms = self._past[-1].open_ms if self._past else self._start_ms
        from_ms = max(from_ms, self._start_ms - PAST_MAX_MS)
        while oldest_ms > from_ms:
            length_ms = self._length_at(oldest_ms)
            oldest_ms -= length_ms
            self._past.append(self._draw(oldest_ms, length_ms))

    def _length_at(self, oldest_ms: int) -> int:
        age_ms = self._start_ms - oldest_ms
        if age_ms < 20 * MINUTE_MS or oldest_ms % MINUTE_MS:
            return SECOND_MS
        if age_ms < 20 * DAY_MS or oldest_ms % HOUR_MS:
            return MINUTE_MS
        return HOUR_MS if age_ms < 500 * DAY_MS or oldest_ms % DAY_MS else DAY_MS

    def _draw(self, open_ms: int, length_ms: int) -> Bar:
        """Return a bar that ends at the price where the past so far begins."""
        chance, listing = self._chance, self._listing
        spread = listing.volatility * math.sqrt(length_ms / 1000)
        close = self._past_price
        first = close * math.exp(spread * chance.gauss(0, 1))
        high = max(first, close) * math.exp(spread * abs(chance.gauss(0, 0.4)))
        low = min(first, close) * math.exp(-spread * abs(chance.gauss(0, 0.4)))
        self._past_price = first
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


def to_step(number: float, step: Decimal) -> Decimal:
    """Return `number` as a multiple of `step`, at least one."""
    return max(1, round(number / float(step))) * step
