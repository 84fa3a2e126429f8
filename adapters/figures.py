"""Read one figure of a venue's wire, and refuse what no market can mean.

Numbers that arrive as texts are of plain decimal digits: signs, exponents, NaN, spaces,
underscores and digits outside ASCII are refused before `Decimal` sees them.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

import msgspec

from adapters.errors import RemoteProtocolError

FIGURE_MAX: Final = Decimal(10**15)

Figure = Annotated[str, msgspec.Meta(max_length=40)]
Word = Annotated[str, msgspec.Meta(max_length=64)]
Ident = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Ms = Annotated[int, msgspec.Meta(ge=1_230_768_000_000, le=4_102_444_800_000)]  # 2009 … 2100
Level = tuple[Figure, Figure]
Levels = tuple[tuple[Decimal, Decimal], ...]


class BadFigure(ValueError):
    """A number that no market can mean; the text says which and why."""


UNREADABLE: Final = (
    msgspec.MsgspecError,
    BadFigure,
    RecursionError,  # nested deeper than any message of the venue
    UnicodeError,
)


def amount(text: str) -> Decimal:
    """Return a number that is finite, plain, at most 10^15 and not negative."""
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        raise BadFigure(f"not a plain number: {text[:40]!a}")
    number = Decimal(text)
    if number > FIGURE_MAX:
        raise BadFigure(f"absurdly large: {text[:40]}")
    return number


def positive(text: str) -> Decimal:
    """Return a number as `amount` does, but not zero."""
    number = amount(text)
    if not number:
        raise BadFigure("zero where a price or a quantity must be")
    return number


def fee_paid(text: str) -> Decimal:
    """Return a number as `amount` does, or one below zero: a maker's rebate."""
    return -amount(text[1:]) if text.startswith("-") else amount(text)


def amounts(*texts: str) -> list[Decimal]:
    """Return numbers as `amount` does, looked at together: the hot frames have several."""
    together = "".join(texts)
    if not (together.isascii() and together.replace(".", "").isdigit()):
        raise BadFigure(f"not all plain numbers: {texts!a}"[:120])
    try:
        numbers = [Decimal(text) for text in texts]
    except InvalidOperation as error:  # two dots, or nothing
        raise BadFigure(f"not all plain numbers: {texts!a}"[:120]) from error
    if max(numbers) > FIGURE_MAX:
        raise BadFigure(f"absurdly large: {texts!a}"[:120])
    return numbers


def levels(rows: list[Level]) -> Levels:
    """Return book levels as (price > 0, base >= 0)."""
    return tuple([(positive(price), amount(base)) for price, base in rows])


def bad(what: str, text: str | bytes, error: BaseException) -> RemoteProtocolError:
    """Return the refusal of a frame, showing its beginning and why."""
    return RemoteProtocolError(f"bad {what}: {error}: {text[:200]!a}")


def eight(number: Decimal) -> str:
    """Return `number` in fixed point, eight decimals."""
    return f"{number:.8f}"
