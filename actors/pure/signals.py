"""Check what a strategy returned, and tell whether it says something new. Pure."""

from __future__ import annotations

from typing import cast

from actors.messages import Signal

_NO_DIGITS = str.maketrans("", "", "0123456789.,+-")


class BadSignal(Exception):
    """A strategy returned something that is no signal; its author is at fault."""


def checked(answer: object, strategy: str) -> Signal:
    """Return the answer of a strategy if it is a good signal.

    Raises:
      BadSignal: it is no Signal, or strength or confidence are outside 0 … 1.
    """
    if not isinstance(answer, Signal):
        raise BadSignal(f"{strategy} returned {type(answer).__name__}, not a Signal")
    for name in ("strength", "confidence"):
        value = cast("object", getattr(answer, name))
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:  # NaN fails too
            raise BadSignal(f"{strategy} returned {name} {value!r}, not 0 to 1")
    return answer


def gist(signal: Signal) -> str:
    """Return what a signal's reasons say without their numbers."""
    return "\n".join(signal.reasons).translate(_NO_DIGITS)
