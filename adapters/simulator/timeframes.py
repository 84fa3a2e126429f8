"""When candles of each timeframe open and close, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
MONDAY_MS = 4 * DAY_MS  # 1970-01-05: weeks open on Mondays

LENGTH_MS = {
    "1s": SECOND_MS,
    **{f"{n}m": n * MINUTE_MS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * HOUR_MS for n in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
    "1M": 31 * DAY_MS,  # the longest; months open by the calendar
}


def open_of(timeframe: str, at_ms: int) -> int:
    """Return when the candle that holds `at_ms` opened."""
    if timeframe == "1M":
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        month = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return int(month.timestamp()) * 1000
    length_ms = LENGTH_MS[timeframe]
    offset_ms = MONDAY_MS if timeframe == "1w" else 0
    return at_ms - (at_ms - offset_ms) % length_ms


def next_of(timeframe: str, open_ms: int) -> int:
    """Return when the candle after the one that opened at `open_ms` opens."""
    if timeframe == "1M":
        return open_of("1M", open_ms + LENGTH_MS["1M"])
    return open_ms + LENGTH_MS[timeframe]
