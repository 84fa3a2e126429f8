"""Keep the newest closed candles of one symbol and timeframe, without holes. Pure.

A candle is final only by the venue's flag or by a later candle, never by a clock (R-26).
One window serves every reader of the symbol and timeframe. A hole that the venue's own
history has (it was closed for maintenance) is no hole of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import attrs

from actors.messages import Candle


class CandleStep(Enum):
    """What became of a candle."""

    RUNNING = "running"  # the open candle changed
    CLOSED = "closed"  # a new final candle
    OLD = "old"  # the window holds it
    HOLE = "hole"  # final candles are missing: load history


@attrs.define
class CandleWindow:
    """`candles` are closed, oldest first, each following the one before at the venue."""

    depth: int
    candles: tuple[Candle, ...] = ()
    running: Candle | None = None
    is_loaded: bool = False  # nothing is missing, as of the last history
    needs_ms: int = -1  # the hole itself says what is missing
    closed_late: tuple[Candle, ...] = ()  # the venue says of each when it is final

    def take(self, candle: Candle) -> CandleStep:
        """Take one candle of the stream."""
        if self.candles and candle.open_ms <= self.candles[-1].open_ms:
            return CandleStep.OLD
        if not self._follows(candle):
            self.is_loaded = False
            return CandleStep.HOLE
        if not candle.is_closed:
            self.running = candle
            return CandleStep.RUNNING
        self.candles = (*self.candles, candle)[-self.depth :]
        self.running = None
        return CandleStep.CLOSED

    def follows(self, candle: Candle) -> bool:
        """Tell whether the window can take this one: nothing is missing before it."""
        is_old = bool(self.candles) and candle.open_ms <= self.candles[-1].open_ms
        return is_old or self._follows(candle)

    def break_off(self) -> None:
        """Note that candles may have been missed."""
        self.is_loaded = False

    def load(self, history: Sequence[Candle]) -> tuple[Candle, ...]:
        """Take candles asked for over REST; return the final ones that are new.

        A history that does not reach back to the window replaces it. One that ends before
        the window begins is too late to be of use: `is_loaded` stays False.
        """
        closed = tuple(candle for candle in history if candle.is_closed)
        known = self.candles
        later = tuple(c for c in known if not closed or c.open_ms > closed[-1].open_ms)
        if closed and later and later[0].open_ms != closed[-1].close_ms + 1:
            return ()
        older = tuple(c for c in known if closed and c.open_ms < closed[0].open_ms)
        if older and older[-1].close_ms + 1 != closed[0].open_ms:
            older = ()
        self.candles = (*older, *closed, *later)[-self.depth :]
        self.is_loaded = True
        self._keep_running(history)
        if not known:
            return ()
        return tuple(c for c in closed if c.open_ms > known[-1].open_ms)

    def _keep_running(self, history: Sequence[Candle]) -> None:
        """Keep the newest open candle that comes after the closed ones."""
        ends = [c for c in history[-1:] if not c.is_closed]
        if self.running is not None:
            ends.append(self.running)  # of the stream: newer than what REST says of it
        last_ms = self.candles[-1].open_ms if self.candles else -1
        ends = [c for c in ends if c.open_ms > last_ms]
        newest_ms = max((c.open_ms for c in ends), default=-1)
        self.running = next((c for c in reversed(ends) if c.open_ms == newest_ms), None)

    def _follows(self, candle: Candle) -> bool:
        """Tell whether no final candle can lie between the window and `candle`."""
        if self.running is not None and candle.open_ms == self.running.open_ms:
            return True
        if not self.candles:
            return self.is_loaded and self.running is None
        return candle.open_ms == self.candles[-1].close_ms + 1
