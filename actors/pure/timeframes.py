"""When candles of each timeframe open and close, and what each is built from. Pure.

A candle opens at a whole multiple of its length since 1970 in UTC; weeks open on Mondays.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

SECOND_MS: Final = 1000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
MONDAY_MS: Final = 4 * DAY_MS  # 1970-01-05

LENGTH_MS: Final = {
    "1s": SECOND_MS,
    **{f"{n}m": n * MINUTE_MS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * HOUR_MS for n in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
}

STREAM: Final = ""  # the venue tells them
TRADES: Final = "trades"
PARTS_MAX: Final = 120  # shorter candles in a longer one: as many as a window holds
_FROM_TRADES: Final = frozenset({"1s", "1m"})
_RUNGS: Final = ("1d", "1h", "1m")  # what is built on the way to a longer one


def open_of(timeframe: str, at_ms: int) -> int:
    """Return when the candle that holds `at_ms` opened."""
    offset_ms = MONDAY_MS if timeframe == "1w" else 0
    return at_ms - (at_ms - offset_ms) % LENGTH_MS[timeframe]


def fits(part: str, whole: str) -> bool:
    """Tell whether candles of `whole` can be built from those of `part`."""
    count, rest = divmod(LENGTH_MS[whole], LENGTH_MS[part])
    return not rest and 1 < count <= PARTS_MAX


def sources(wanted: Collection[str], told: Collection[str]) -> dict[str, str]:
    """Return what each timeframe is built from: `STREAM`, `TRADES`, or a shorter one.

    Those wanted together are built from the shortest of them, so that one stream serves
    all. What has to be built on the way is named as well. Longer than a day, venues do not
    agree when a candle opens: what one tells itself is taken from it.
    Shape: `told` are those of the venue's stream; every source is a key, or none.
    """
    chosen: dict[str, str] = {}
    for timeframe in sorted(wanted, key=LENGTH_MS.__getitem__):
        _choose(timeframe, chosen, told)
    return chosen


def longest_part(timeframe: str, of: Collection[str]) -> str | None:
    """Return the longest of `of` that `timeframe` can be built from; itself at best."""
    if timeframe in of:
        return timeframe
    parts = [each for each in of if each in LENGTH_MS and fits(each, timeframe)]
    return max(parts, key=LENGTH_MS.__getitem__, default=None)


def _choose(timeframe: str, chosen: dict[str, str], told: Collection[str]) -> None:
    if timeframe in chosen:
        return
    is_told = timeframe in told
    is_long = LENGTH_MS[timeframe] > DAY_MS
    known = longest_part(timeframe, chosen) if not (is_told and is_long) else None
    if known is not None:
        chosen[timeframe] = known
    elif is_told:
        chosen[timeframe] = STREAM
    elif (part := longest_part(timeframe, told)) is not None:
        chosen[part], chosen[timeframe] = STREAM, part
    elif timeframe in _FROM_TRADES:
        chosen[timeframe] = TRADES
    else:
        rung = next(each for each in _RUNGS if fits(each, timeframe))
        _choose(rung, chosen, told)
        chosen[timeframe] = rung
