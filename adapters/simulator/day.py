"""The statistics of the rolling 24 hours of one symbol, kept up trade by trade."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from adapters.simulator.bar import Bar, empty_bar
from adapters.simulator.chart import Chart
from adapters.simulator.timeframes import DAY_MS, MINUTE_MS, open_of

MINUTES = 1440


class RollingDay:
    """Open, high, low and volumes of the last 1,440 minutes."""

    def __init__(self, chart: Chart) -> None:
        bars = chart.day_before(MINUTES)
        self._minutes: deque[Bar] = deque(bars, maxlen=MINUTES)
        self.last = bars[-1].close
        self.last_base = Decimal(0)
        self._sum()

    @property
    def open_ms(self) -> int:
        return self._minutes[-1].open_ms - DAY_MS + MINUTE_MS

    def trade(self, price: Decimal, base: Decimal, trade_id: int, at_ms: int) -> None:
        self.roll(at_ms)
        self._minutes[-1].trade(price, base, trade_id)
        self.last, self.last_base = price, base
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.base += base
        self.quote += price * base
        self.trades += 1
        self.last_id = trade_id

    def roll(self, now_ms: int) -> None:
        """Let go of the minutes that are older than a day."""
        newest_ms = self._minutes[-1].open_ms
        if now_ms < newest_ms + MINUTE_MS:
            return
        missing = min((open_of("1m", now_ms) - newest_ms) // MINUTE_MS, MINUTES)
        for number in range(missing):
            newest_ms = open_of("1m", now_ms) - (missing - number - 1) * MINUTE_MS
            self._minutes.append(empty_bar(newest_ms, self.last))
        self._sum()

    def _sum(self) -> None:
        bars = self._minutes
        self.open = bars[0].open
        self.high = max(bar.high for bar in bars)
        self.low = min(bar.low for bar in bars)
        self.base = sum((bar.base for bar in bars), Decimal(0))
        self.quote = sum((bar.quote for bar in bars), Decimal(0))
        self.trades = sum(bar.trades for bar in bars)
        self.last_id = max(bar.last_id for bar in bars)
