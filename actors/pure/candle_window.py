"""Keep the newest closed candles of one symbol and timeframe, without holes. Pure.

A candle is final only by the venue's flag or by a later candle, never by a clock (R-26).
One window serves every reader of the symbol and timeframe.
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
    """`candles` are closed, oldest first, each beginning where the one before ends."""

    depth: int
    candles: tuple[Candle, ...] = ()
    running: Candle | None = None
    is_loaded: bool = False

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

    def load(self, history: Sequence[Candle]) -> tuple[Candle, ...]:
        """Take candles asked for over REST; return the final ones that are new.

        A history that does not reach back to the window replaces it.
        """
        closed = tuple(candle for candle in history if candle.is_closed)
        if not closed:
            return ()
        known_ms = self.candles[-1].open_ms if self.candles else -1
        new = tuple(candle for candle in closed if candle.open_ms > known_ms)
        older = tuple(
            candle for candle in self.candles if candle.open_ms < closed[0].open_ms
        )
        if older and older[-1].close_ms + 1 != closed[0].open_ms:
            older = ()
        later = tuple(c for c in self.candles if c.open_ms > closed[-1].open_ms)
        self.candles = (*older, *closed, *later)[-self.depth :]
        self.is_loaded = True
        if self.running and self.running.open_ms <= self.candles[-1].open_ms:
            self.running = None
        return new if known_ms >= 0 else ()

    def _follows(self, candle: Candle) -> bool:
        if not self.candles:
            return False
        return candle.open_ms == self.candles[-1].close_ms + 1
