"""Check what a strategy returned, and tell whether it says something new. Pure."""

from __future__ import annotations

from typing import Any, cast

from actors.messages import Signal, SignalType

_NO_DIGITS = str.maketrans("", "", "0123456789.,+-")


class BadSignal(Exception):
    """A strategy returned something that is no signal; its author is at fault."""


def checked(answer: object, strategy: str) -> Signal:
    """Return the answer of a strategy if it is a good signal.

    Raises:
      BadSignal: it is no Signal, or one of its fields is not what it must be.
    """
    if not isinstance(answer, Signal):
        raise BadSignal(f"{strategy} returned {type(answer).__name__}, not a Signal")
    if not isinstance(answer.type, SignalType):  # pyright: ignore[reportUnnecessaryIsInstance]  # strategies need not be typed
        raise BadSignal(f"{strategy} returned type {answer.type!r}, not a SignalType")
    for name in ("strength", "confidence"):
        value = cast("object", getattr(answer, name))
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:  # NaN fails too
            raise BadSignal(f"{strategy} returned {name} {value!r}, not 0 to 1")
    reasons = cast("object", answer.reasons)
    if not isinstance(reasons, tuple) or not all(map(_is_text, cast("Any", reasons))):
        raise BadSignal(f"{strategy} returned reasons {reasons!r}, not texts")
    return answer


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def gist(signal: Signal) -> str:
    """Return what a signal's reasons say without their numbers."""
    return "\n".join(signal.reasons).translate(_NO_DIGITS)
