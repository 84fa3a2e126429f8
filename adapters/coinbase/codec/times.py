"""Read and write Coinbase's times: RFC 3339 in UTC, with micro- or nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from adapters.figures import BadFigure

Time = Annotated[str, msgspec.Meta(max_length=40)]
NOT_TOLD: Final = 0  # odd frames carry the year 1, or no time at all

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS: Final = 1_230_768_000_000  # 2009
_LAST_MS: Final = 4_102_444_800_000  # 2100
_MS: Final = timedelta(milliseconds=1)


def epoch_ms(text: str) -> int:
    """Return Unix milliseconds; `NOT_TOLD` for an empty text and for the year 1.

    Raises:
      BadFigure: no time, no time zone, or not between 2009 and 2100.
    """
    if not text or text.startswith("0001-"):
        return NOT_TOLD
    try:
        at = datetime.fromisoformat(text)
        number = (at - _EPOCH) // _MS
    except (ValueError, TypeError, OverflowError) as error:
        raise BadFigure(f"not a time: {text[:40]!a}") from error
    if not _FIRST_MS <= number <= _LAST_MS:
        raise BadFigure(f"no time of ours: {text[:40]!a}")
    return number


def rfc3339(ms: int) -> str:
    """Return Unix milliseconds as the venue's query parameters want them."""
    at = _EPOCH + max(ms, 0) * _MS
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
