"""Keep the newest closed candles where the venue tells none of a quiet time. Pure.

Two candles may be far apart and yet nothing be missing: that the stream was not broken is
what says so, not the time between them. The window shows such a time as flat candles, once
a later one has ended it (R-26). While history is being asked for, what the stream tells is
kept: what the history says of the same candle may be older.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from actors.messages import Candle
from actors.pure.candle_window import CandleStep
from actors.pure.money import ZERO


@attrs.define
class SparseWindow:
    """`candles` are closed, oldest first, each following the one before."""

    depth: int
    candles: tuple[Candle, ...] = ()
    running: Candle | None = None
    is_loaded: bool = False  # nothing is missing, as of the last history
    needs_ms: int = -1  # history must tell the candle that opened then
    closed_late: tuple[Candle, ...] = ()  # ended by the candle that was just taken
    _met: dict[int, Candle] = attrs.Factory(dict[int, Candle])  # while nothing is loaded

    def take(self, candle: Candle) -> CandleStep:
        """Take one candle of the stream; `closed_late` is what it has ended besides."""
        self.closed_late = ()
        if self.candles and candle.open_ms <= self.candles[-1].open_ms:
            return CandleStep.OLD
        if self.running is not None and candle.open_ms < self.running.open_ms:
            return CandleStep.OLD
        if not self.is_loaded:
            self._met[candle.open_ms] = candle
            if len(self._met) > self.depth:
                del self._met[min(self._met)]
            return CandleStep.HOLE
        running = self.running
        if running is not None and running.open_ms < candle.open_ms:
            self._close(attrs.evolve(running, is_closed=True))
            self.closed_late = self.candles[-1:]
        if self.candles:
            quiet = _quiet_between(self.candles[-1], candle, self.depth)
            self.closed_late += quiet
            self._close(*quiet)
        if not candle.is_closed:
            self.running = candle
            return CandleStep.RUNNING
        self._close(candle)
        return CandleStep.CLOSED

    def follows(self, candle: Candle) -> bool:
        """Tell whether this one ends no candle that somebody may know more of."""
        return self.running is None or candle.open_ms <= self.running.open_ms

    def break_off(self) -> None:
        """Note that candles may have been missed."""
        self.is_loaded, self.running = False, None
        self._met.clear()

    def load(self, history: Sequence[Candle]) -> tuple[Candle, ...]:
        """Take candles asked for over REST; return the final ones that are new.

        A history that does not reach back to the window replaces it, and one that does
        not tell what is needed is too early: `is_loaded` stays False.
        """
        if self.running is not None:
            self._met.setdefault(self.running.open_ms, self.running)
        if not self._reaches(history):
            return ()
        told = {each.open_ms: each for each in history}
        if history:  # what the stream says of a candle is newer, unless it is final here
            for open_ms, met in self._met.items():
                if open_ms not in told or not told[open_ms].is_closed:
                    told[open_ms] = met
        known = self.candles
        if known and (not told or min(told) <= known[-1].open_ms):
            told = {each.open_ms: each for each in known} | told
        self._met.clear()
        self._settle([told[open_ms] for open_ms in sorted(told)])
        self.is_loaded, self.needs_ms = True, -1
        last_ms = known[-1].open_ms if known else None
        return tuple(c for c in self.candles if last_ms is not None and c.open_ms > last_ms)

    def _reaches(self, history: Sequence[Candle]) -> bool:
        """Tell whether a history tells the end of what is needed, if anything is."""
        is_over = max(self._met, default=-1) > self.needs_ms
        return self.needs_ms < 0 or any(
            each.open_ms > self.needs_ms
            or (each.open_ms == self.needs_ms and (each.is_closed or not is_over))
            for each in history
        )

    def _settle(self, ordered: Sequence[Candle]) -> None:
        """Keep these: every one is final but the last, if it is still open."""
        is_open = bool(ordered) and not ordered[-1].is_closed
        final: list[Candle] = []
        for candle in ordered:
            if final:
                final += _quiet_between(final[-1], candle, self.depth)
            final.append(attrs.evolve(candle, is_closed=True))
        if is_open:
            final.pop()
        self.candles = tuple(final)[-self.depth :]
        self.running = ordered[-1] if is_open else None

    def _close(self, *candles: Candle) -> None:
        self.candles = (*self.candles, *candles)[-self.depth :]
        self.running = None


def _quiet_between(before: Candle, after: Candle, most: int) -> tuple[Candle, ...]:
    """Return the flat candles of the time between two, the newest `most` of them."""
    length_ms = before.close_ms + 1 - before.open_ms
    opens_ms = range(before.close_ms + 1, after.open_ms, length_ms)[-most:]
    return tuple(
        attrs.evolve(
            before,
            open_ms=open_ms,
            close_ms=open_ms + length_ms - 1,
            open=before.close,
            high=before.close,
            low=before.close,
            volume_base=ZERO,
            volume_quote=ZERO,
            trades=0,
            is_closed=True,
        )
        for open_ms in opens_ms
    )
