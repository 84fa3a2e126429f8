"""Check what a strategy returned, and tell whether it says something new. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from actors.messages import Signal, SignalType
from actors.pure.error_text import writable

_NO_DIGITS = str.maketrans("", "", "0123456789.,+-")


class BadSignal(Exception):
    """A strategy returned something that is no signal; its author is at fault."""


def checked(answer: object, strategy: str) -> Signal:
    """Return the answer of a strategy if it is a good signal, as plain as the ledger is.

    A copy: what its author changes later, or added in a class of their own, is not written.

    Raises:
      BadSignal: it is no Signal, or one of its fields is not what it must be.
    """
    if not isinstance(answer, Signal):
        raise BadSignal(f"{strategy} returned {type(answer).__name__}, not a Signal")
    if not isinstance(answer.type, SignalType):  # pyright: ignore[reportUnnecessaryIsInstance]  # strategies need not be typed
        raise BadSignal(f"{strategy} returned type {answer.type!r}, not a SignalType")
    for name in ("strength", "confidence"):
        value = getattr(answer, name)
        # A bool is an int, and no number in JSON; a NaN is in no range.
        if type(value) not in {int, float} or not 0 <= value <= 1:
            raise BadSignal(
                f"{strategy} returned {name} {value!r}, not 0 to 1 as an int or a float"
            )
    reasons = cast("object", answer.reasons)
    if not isinstance(reasons, tuple) or not all(map(_is_text, cast("Any", reasons))):
        raise BadSignal(f"{strategy} returned reasons {reasons!r}, not texts")
    indicators = _indicators(answer.indicators, strategy)
    texts = tuple(writable(str(each)) for each in answer.reasons)
    return Signal(answer.type, answer.strength, answer.confidence, texts, indicators)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _indicators(found: object, strategy: str) -> dict[str, Decimal]:
    if not isinstance(found, Mapping):
        raise BadSignal(f"{strategy} returned indicators {found!r}, not names to Decimal")
    indicators: dict[str, Decimal] = {}
    for name, value in cast("Mapping[Any, Any]", found).items():
        if type(name) is not str:
            raise BadSignal(
                f"{strategy} returned indicator {name!r}, whose name is no text"
            )
        number = _number(value)
        if number is None:
            raise BadSignal(
                f"{strategy} returned indicator {name!r} {value!r}, not a finite number:"
                " leave it out while it warms up"
            )
        indicators[writable(name)] = number
    return indicators


def _number(value: object) -> Decimal | None:
    """Return a number as it is written, also one of NumPy's; None where it is none."""
    if isinstance(value, float):
        value = Decimal(str(float(value)))
    elif type(value) is int:
        value = Decimal(value)
    return value if type(value) is Decimal and value.is_finite() else None


def gist(signal: Signal) -> str:
    """Return what a signal's reasons say without their numbers."""
    return "\n".join(signal.reasons).translate(_NO_DIGITS)
