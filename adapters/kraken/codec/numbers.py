"""Read and write Kraken's figures: JSON numbers with every digit, and RFC 3339 times.

Source: docs.kraken.com, "Spot Websockets Introduction" and "Spot REST Introduction",
2026-05-27.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

import msgspec

from adapters.figures import FIGURE_MAX, BadFigure

NOTHING: Final = msgspec.Raw()
ZERO: Final = Decimal(0)

Number = Annotated[str, msgspec.Meta(max_length=60)]  # as REST writes it
Word = Annotated[str, msgspec.Meta(max_length=64)]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_EARLIEST: Final = datetime(2009, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_DIGITS_MAX: Final = 40


def amount(number: Decimal) -> Decimal:
    """Return a number that is finite, of bounded length, at most 10^15, not negative."""
    try:
        if ZERO <= number <= FIGURE_MAX and number.adjusted() > -_DIGITS_MAX:
            return number
    except InvalidOperation as error:
        raise BadFigure("not a number") from error
    raise BadFigure(f"no amount, or absurdly large or small: {number!s:.40}")


def signed(number: Decimal) -> Decimal:
    """Return a number whose size is one that `amount` takes."""
    amount(number.copy_abs())
    return number


def positive(number: Decimal) -> Decimal:
    """Return a number as `amount` does, but not zero."""
    if not amount(number):
        raise BadFigure("zero where a price or a quantity must be")
    return number


def amounts(*numbers: Decimal) -> Sequence[Decimal]:
    """Return numbers as `amount` does, looked at together: the hot frames have several."""
    try:
        is_each = min(numbers) >= ZERO and max(numbers) <= FIGURE_MAX
        if is_each and min(map(Decimal.adjusted, numbers)) > -_DIGITS_MAX:
            return numbers
    except InvalidOperation as error:
        raise BadFigure("not all numbers") from error
    raise BadFigure(f"not all amounts: {numbers!s:.120}")


def unix_ms(at: datetime) -> int:
    """Return Unix milliseconds of a time that an exchange can mean."""
    if at.tzinfo is None or not _EARLIEST < at < _LATEST:
        raise BadFigure(f"not a time: {at}")
    return (at - _EPOCH) // _MS


def seconds_ms(seconds: Decimal) -> int:
    """Return Unix milliseconds of REST's fractional seconds."""
    ms = amount(seconds) * 1000
    if not 1_230_768_000_000 < ms < 4_102_444_800_000:
        raise BadFigure(f"not a time: {seconds}")
    return int(ms)


def rfc3339(ms: int) -> str:
    """Return a time as the venue reads it."""
    at = _EPOCH + ms * _MS
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def bare(number: Decimal) -> msgspec.Raw:
    """Return a JSON number with a point in it and never an exponent.

    The venue refuses texts, and says that it wants floats.
    """
    text = f"{number:f}"
    return msgspec.Raw((text if "." in text else f"{text}.0").encode())


def digits(number: Decimal, decimals: int) -> str:
    """Return the digits of a number written with so many decimals, or more if it has them.

    Without the point and without leading zeros, as the book's checksum wants them.
    """
    text = f"{number:f}"
    whole, _, rest = text.partition(".")
    return f"{whole}{rest.ljust(decimals, '0')}".lstrip("0")
