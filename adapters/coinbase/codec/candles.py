"""Read candles, and make of them what the venue does not tell: gaps, longer timeframes.

A bucket in which nothing traded is left out of the answer; it becomes a flat candle of the
close before it, with no volume. REST has no closed flag: a candle is closed once the answer
holds a later one (R-26). Quote volume and the number of trades are not told: 0.

Source: Exchange REST, "Get product candles".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final

import attrs
import msgspec

from actors.messages import Candle
from adapters.coinbase.codec.feed import EXCHANGE
from adapters.figures import FIGURE_MAX, UNREADABLE, BadFigure, bad

ROWS_MAX: Final = 300  # of one answer
ZERO: Final = Decimal(0)
GRANULARITY_S: Final[Mapping[str, int]] = {
    "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "6h": 21_600, "1d": 86_400,
}  # fmt: skip
BUILT_S: Final[Mapping[str, int]] = {
    "3m": 180, "30m": 1800, "2h": 7200, "4h": 14_400, "12h": 43_200,
}  # fmt: skip
_MADE_OF: Final = {"3m": "1m", "30m": "15m", "2h": "1h", "4h": "1h", "12h": "6h"}

Second = Annotated[int, msgspec.Meta(ge=1_230_768_000, le=4_102_444_800)]
# time, low, high, open, close, volume: JSON numbers, read digit by digit
Row = tuple[Second, Decimal, Decimal, Decimal, Decimal, Decimal]

_rows = msgspec.json.Decoder(list[Row])


def told_as(timeframe: str) -> str:
    """Return the timeframe to ask the venue for; longer ones are made of it.

    Raises:
      BadFigure: candles of this length cannot be had here.
    """
    found = timeframe if timeframe in GRANULARITY_S else _MADE_OF.get(timeframe)
    if found is None:
        raise BadFigure(f"Coinbase has no candles of {timeframe[:10]!a}")
    return found


def length_s(timeframe: str) -> int:
    """Return the seconds of a timeframe that `told_as` knows."""
    return {**GRANULARITY_S, **BUILT_S}[timeframe]


def decode_candles(body: bytes, symbol: str, timeframe: str) -> tuple[Candle, ...]:
    """Return the candles of one answer, oldest first, as told: with gaps, none closed.

    Raises:
      RemoteProtocolError: unreadable, or numbers that no candle can have.
    """
    try:
        rows = sorted(_rows.decode(body), key=lambda row: row[0])
        return tuple([_candle(row, symbol, timeframe) for row in rows])
    except UNREADABLE as error:
        raise bad("candles", body, error) from error


def _candle(row: Row, symbol: str, timeframe: str) -> Candle:
    at_s, low, high, first, last, volume = row
    for number in row[1:]:
        if not number.is_finite() or number < 0 or number > FIGURE_MAX:
            raise BadFigure(f"no number of a candle: {number}")
    if not 0 < low <= min(first, last) <= max(first, last) <= high:
        raise BadFigure("prices that cannot belong to one candle")
    open_ms, length_ms = at_s * 1000, GRANULARITY_S[timeframe] * 1000
    if open_ms % length_ms:
        raise BadFigure("a candle that begins between two")
    return Candle(
        EXCHANGE, symbol, timeframe, open_ms, open_ms + length_ms - 1,
        first, high, low, last, volume, ZERO, 0, is_closed=False,
    )  # fmt: skip


def complete(candles: Sequence[Candle]) -> tuple[Candle, ...]:
    """Return candles without gaps; all are closed but the last.

    Shape: n candles of one timeframe in, oldest first, no two of one bucket; n or more out.
    """
    whole: list[Candle] = []
    for candle in candles:
        while whole and whole[-1].close_ms + 1 < candle.open_ms:
            whole.append(_flat(whole[-1]))
        whole.append(candle)
    return (*[attrs.evolve(each, is_closed=True) for each in whole[:-1]], *whole[-1:])


def _flat(before: Candle) -> Candle:
    length_ms = before.close_ms + 1 - before.open_ms
    return attrs.evolve(
        before,
        open_ms=before.open_ms + length_ms,
        close_ms=before.close_ms + length_ms,
        open=before.close,
        high=before.close,
        low=before.close,
        volume_base=ZERO,
    )


def built(candles: Sequence[Candle], timeframe: str) -> tuple[Candle, ...]:
    """Return longer candles made of whole ones; a first one that is not whole is left out.

    Shape: as `complete` returns them; the last may still be open.
    """
    length_ms = BUILT_S[timeframe] * 1000
    grouped: dict[int, list[Candle]] = {}
    for candle in candles:
        grouped.setdefault(candle.open_ms // length_ms * length_ms, []).append(candle)
    return tuple(
        [
            _joined(part, timeframe, open_ms, length_ms)
            for open_ms, part in grouped.items()
            if part[0].open_ms == open_ms
        ]
    )


def _joined(part: Sequence[Candle], timeframe: str, open_ms: int, length_ms: int) -> Candle:
    close_ms = open_ms + length_ms - 1
    return attrs.evolve(
        part[0],
        timeframe=timeframe,
        close_ms=close_ms,
        high=max(each.high for each in part),
        low=min(each.low for each in part),
        close=part[-1].close,
        volume_base=sum((each.volume_base for each in part), ZERO),
        is_closed=part[-1].is_closed and part[-1].close_ms == close_ms,
    )
