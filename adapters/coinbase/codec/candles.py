"""Read candles.

A bucket in which nothing traded is left out of the answer, and so it is here. REST has no
closed flag: a candle is closed once the answer holds a later one (R-26). Quote volume and
the number of trades are not told: 0.

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

Second = Annotated[int, msgspec.Meta(ge=1_230_768_000, le=4_102_444_800)]
# time, low, high, open, close, volume: JSON numbers, read digit by digit
Row = tuple[Second, Decimal, Decimal, Decimal, Decimal, Decimal]

_rows = msgspec.json.Decoder(list[Row])


def decode_candles(body: bytes, symbol: str, timeframe: str) -> tuple[Candle, ...]:
    """Return the candles of one answer, oldest first; the last may still be open.

    Raises:
      RemoteProtocolError: unreadable, or numbers that no candle can have.
    """
    try:
        rows = sorted(_rows.decode(body), key=lambda row: row[0])
        found = [_candle(row, symbol, timeframe) for row in rows]
    except UNREADABLE as error:
        raise bad("candles", body, error) from error
    return closed_by_the_next(found)


def closed_by_the_next(candles: Sequence[Candle]) -> tuple[Candle, ...]:
    """Return candles, all closed but the last."""
    return (*[attrs.evolve(each, is_closed=True) for each in candles[:-1]], *candles[-1:])


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
