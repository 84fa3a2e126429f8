"""Who pressed the price lately: what takers bought and sold in windows of time. Pure.

Ages are measured on the clock of this run. What was missed counts as not seen: after a gap
each window says for how long of it trades were heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from actors.messages import Side, Traded
from actors.pure.money import ZERO

TRADES_MAX = 20_000  # remembered for one bot and symbol


@attrs.frozen
class Flow:
    """The trades of one window."""

    window_s: int
    heard_s: float  # for how long of it trades were heard; all of it, but after a gap
    buy_base: Decimal  # takers who bought
    buy_quote: Decimal
    sell_base: Decimal
    sell_quote: Decimal
    trades: int

    @property
    def is_whole(self) -> bool:
        return self.heard_s >= self.window_s

    @property
    def imbalance(self) -> Decimal:
        """Return -1 where all was sold, 0 where even or nothing, 1 where all was bought."""
        base = self.buy_base + self.sell_base
        return (self.buy_base - self.sell_base) / base if base else ZERO


@attrs.define(eq=False)
class _Window:
    """Running sums of one window over the trades that all windows share."""

    window_s: int
    first: int = 0  # number of the oldest trade inside
    base: dict[Side, Decimal] = attrs.Factory(lambda: dict.fromkeys(Side, ZERO))
    quote: dict[Side, Decimal] = attrs.Factory(lambda: dict.fromkeys(Side, ZERO))

    def add(self, trade: Traded) -> None:
        self.base[trade.side] += trade.base
        self.quote[trade.side] += trade.base * trade.price

    def remove(self, trade: Traded) -> None:
        self.base[trade.side] -= trade.base
        self.quote[trade.side] -= trade.base * trade.price


@attrs.define(eq=False)
class TradeFlow:
    """Trades go in oldest first; `flows` says what the windows hold at a time."""

    since_s: float | None  # trades are heard since then; None: they are not
    _windows: tuple[_Window, ...]
    _trades: deque[Traded] = attrs.Factory(deque[Traded])
    _dropped: int = 0  # trades that were remembered once: numbers begin there

    @classmethod
    def of(cls, windows_s: Sequence[int]) -> TradeFlow | None:
        """Return one for these windows; None where there are none, as for most bots."""
        windows = tuple(_Window(window_s) for window_s in sorted(set(windows_s)))
        return cls(None, windows) if windows else None

    def take(self, trades: Iterable[Traded], now_s: float) -> None:
        """Add public trades; the first since a gap begin what is heard."""
        for trade in trades:
            if self.since_s is None:
                self.since_s = now_s
            self._trades.append(trade)
            for window in self._windows:
                window.add(trade)
            if len(self._trades) > TRADES_MAX:
                self.since_s = self._trades[0].received_s
                self._forget_first()

    def resume(self, now_s: float) -> None:
        """Note that every trade is heard from now on, though nobody trades."""
        if self.since_s is None:
            self.since_s = now_s

    def break_off(self) -> None:
        """Forget everything: trades were missed."""
        self.since_s = None
        while self._trades:
            self._forget_first()

    def flows(self, now_s: float) -> dict[int, Flow]:
        """Return what each window holds, by its seconds."""
        for window in self._windows:
            self._slide(window, now_s - window.window_s)
        while self._trades and self._dropped < min(w.first for w in self._windows):
            self._trades.popleft()
            self._dropped += 1
        return {window.window_s: self._flow(window, now_s) for window in self._windows}

    def _slide(self, window: _Window, from_s: float) -> None:
        place = window.first - self._dropped
        while place < len(self._trades) and self._trades[place].received_s <= from_s:
            window.remove(self._trades[place])
            place += 1
        window.first = place + self._dropped

    def _forget_first(self) -> None:
        trade = self._trades.popleft()
        for window in self._windows:
            if window.first <= self._dropped:
                window.remove(trade)
                window.first = self._dropped + 1
        self._dropped += 1

    def _flow(self, window: _Window, now_s: float) -> Flow:
        heard_s = 0.0 if self.since_s is None else max(0.0, now_s - self.since_s)
        return Flow(
            window.window_s,
            min(heard_s, float(window.window_s)),
            window.base[Side.BUY],
            window.quote[Side.BUY],
            window.base[Side.SELL],
            window.quote[Side.SELL],
            len(self._trades) + self._dropped - window.first,
        )
