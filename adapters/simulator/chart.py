"""One symbol's candles: a past made up backwards, a present made of trades.

Every timeframe is summed up from the same bars, so all agree with each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from adapters.simulator.bar import Bar, empty_bar
from adapters.simulator.past import Past
from adapters.simulator.timeframes import SECOND_MS, next_of, open_of

LIVE_SECONDS_MAX = 7200  # older seconds are summed up to minutes


class Chart:
    """Candles of one symbol, of every timeframe."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._minutes: deque[Bar] = deque()  # since the start, newest first
        self._live: deque[Bar] = deque()  # closed seconds, oldest first
        self._second = empty_bar(past.end_ms, past.end_price)
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
        self._past.recall(from_ms)
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
                found.append(bar.copied(open_ms))
        found.reverse()
        return found[:limit]

    def day_before(self, minutes: int) -> list[Bar]:
        """Return the minutes before the start; only the last, which is open, is a copy."""
        past = self._past
        if len(past.day) != minutes:
            past.day = self.bars("1m", minutes, end_ms=past.end_ms)
        *closed, last = past.day
        return [*closed, last.copied(last.open_ms)]

    def _backwards(self) -> Iterator[Bar]:
        yield self._second
        yield from reversed(self._live)
        yield from self._minutes
        yield from self._past.bars

    def _sum_up(self) -> None:
        """Move the oldest live seconds, up to a full minute, into the past."""
        minute = self._live.popleft()
        minute = minute.copied(minute.open_ms)
        end_ms = next_of("1m", open_of("1m", minute.open_ms))
        while self._live[0].open_ms < end_ms:
            newer = self._live.popleft().copied(minute.open_ms)
            newer.before(minute)
            minute = newer
        self._minutes.appendleft(minute)
