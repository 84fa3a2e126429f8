"""The operator of a run: gives commands, and knows what was answered.

What counts is the answer: once a fleet has said that a bot is paused, no entry of it may
leave, over crashes, deaths and restarts, until the operator asks for the opposite (R-40).
"""

from __future__ import annotations

from typing import Final

import attrs

OPPOSITE: Final = {"resume": "pause", "start": "stop", "lift": "halt"}


@attrs.define
class OperatorWord:
    """What was forbidden, and since when, as the operator was told."""

    since_s: dict[tuple[str, str], float] = attrs.Factory(dict[tuple[str, str], float])

    def asks(self, verb: str, subject: str) -> None:
        """Take that the operator asks; what may have been allowed is not blamed."""
        self.since_s.pop((OPPOSITE.get(verb, ""), subject), None)

    def hears(self, verb: str, subject: str, now_s: float) -> None:
        """Take that the fleet has said yes."""
        if verb in OPPOSITE.values():
            self.since_s.setdefault((verb, subject), now_s)

    def bar(self, bot: str, at_s: float) -> str:
        """Return what forbade an entry of `bot` at that time, or ""."""
        for (verb, subject), since_s in self.since_s.items():
            if subject in {"", bot} and since_s <= at_s:
                return f"{subject or 'the account'} was told to {verb}"
        return ""
