"""Build candles of one timeframe from shorter ones, or from trades. Pure.

A candle is whole when nothing of it was missed. It is closed by its last part being closed
at its very end, or by a later part: never by a clock (R-26). One that is not whole is not
shown at all; whoever reads them is told to ask the venue for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from actors.messages import Candle, Traded
from actors.pure.timeframes import LENGTH_MS, open_of


@attrs.frozen
class Built:
    """The candles that a part has made, and the one that was missed, if one was."""

    candles: tuple[Candle, ...] = ()
    missed_ms: int | None = None  # when it opened


NOTHING = Built()


@attrs.define
class CandleBuilder:
    """Takes parts in order; those that come late are passed over."""

    timeframe: str
    _closed: Candle | None = None  # the parts of this candle that are final
    _shown: Candle | None = None  # with the part that is not
    _is_whole: bool = False
    _is_unbroken: bool = False  # nothing was missed since the last part
    _is_done: bool = False  # this candle was shown as final
    _part_ms: int = -1  # when the last part opened
    _trade_id: int = 0

    def take(self, part: Candle) -> Built:
        """Take a shorter candle: final, or still running."""
        if part.open_ms < self._part_ms:
            return NOTHING
        return self._take(part, starts=part.open_ms)

    def trade(self, trade: Traded) -> Built:
        """Take a public trade. One with a number that does not follow leaves a hole."""
        if self._trade_id and trade.trade_id <= self._trade_id:
            return NOTHING
        if self._trade_id and trade.trade_id != self._trade_id + 1:
            self.broken()
        self._trade_id = trade.trade_id
        if trade.trade_ms < self._part_ms:
            trade = attrs.evolve(trade, trade_ms=self._part_ms)
        return self._take(_part_of(trade), starts=-1)

    def broken(self) -> None:
        """Note that parts were missed: the running candle will not be whole."""
        self._is_unbroken = self._is_whole = False

    def _take(self, part: Candle, *, starts: int) -> Built:
        """`starts` is when the part's time begins, if the part tells all of it."""
        open_ms = open_of(self.timeframe, part.open_ms)
        ended: tuple[Candle, ...] = ()
        missed_ms = None
        if self._shown is None or open_ms != self._shown.open_ms:
            if self._shown is not None and not self._is_done:
                if self._is_whole:
                    ended = (attrs.evolve(self._shown, is_closed=True),)
                else:
                    missed_ms = self._shown.open_ms
            self._is_whole = self._is_unbroken or starts == open_ms
            self._closed, self._is_done = None, False
        shown = _joined(self._closed, self._framed(part, open_ms))
        is_end = starts >= 0 and part.is_closed and part.close_ms == shown.close_ms
        self._part_ms, self._is_unbroken, self._shown = part.open_ms, True, shown
        if part.is_closed:
            self._closed = shown
        if not self._is_whole:
            if is_end and missed_ms is None:
                self._is_done, missed_ms = True, open_ms
            return Built(ended, missed_ms)
        self._is_done = self._is_done or is_end
        return Built((*ended, attrs.evolve(shown, is_closed=is_end)), missed_ms)

    def _framed(self, part: Candle, open_ms: int) -> Candle:
        close_ms = open_ms + LENGTH_MS[self.timeframe] - 1
        return attrs.evolve(
            part,
            timeframe=self.timeframe,
            open_ms=open_ms,
            close_ms=close_ms,
            is_closed=False,
        )


def longer(parts: Sequence[Candle], timeframe: str) -> list[Candle]:
    """Return candles of `timeframe` out of a history of shorter ones, oldest first.

    The first is left out unless the history begins with it; the last may still be open.
    """
    builder = CandleBuilder(timeframe)
    made: list[Candle] = []
    for part in parts:
        for candle in builder.take(part).candles:
            if made and made[-1].open_ms == candle.open_ms:
                made.pop()
            made.append(candle)
    return made


def _part_of(trade: Traded) -> Candle:
    price, base = trade.price, trade.base
    return Candle(
        trade.exchange,
        trade.symbol,
        "",
        trade.trade_ms,
        trade.trade_ms,
        price,
        price,
        price,
        price,
        volume_base=base,
        volume_quote=price * base,
        trades=1,
        is_closed=True,
    )


def _joined(older: Candle | None, newer: Candle) -> Candle:
    if older is None:
        return newer
    return attrs.evolve(
        newer,
        open=older.open,
        high=max(older.high, newer.high),
        low=min(older.low, newer.low),
        volume_base=older.volume_base + newer.volume_base,
        volume_quote=older.volume_quote + newer.volume_quote,
        trades=older.trades + newer.trades,
    )
