"""Judge whether a venue's time is known well enough to begin something new. Pure.

Requests are signed with the measured offset, so what matters is that it was measured since
the last step of our own clock, that the measure is fine enough, and that our clock is not
so far away that somebody should look at the machine (R-29, D-6, I-11).
"""

from __future__ import annotations

import attrs

from actors.messages import ClockMeasured


@attrs.frozen
class ClockLimits:
    """The most that may be wrong with one venue's time."""

    offset_ms_max: int = 5_000
    uncertainty_ms_max: int = 1_000


@attrs.define
class ClockTrust:
    """What is known of one venue's time."""

    limits: ClockLimits
    measured: ClockMeasured | None = None
    stepped: str = ""  # what our clock did since the last measure

    def measure(self, measured: ClockMeasured) -> None:
        """Take a measure: what happened before does not matter any more."""
        self.measured, self.stepped = measured, ""

    def doubt(self) -> str:
        """Return why the time cannot be trusted, or ""."""
        measured, limits = self.measured, self.limits
        if self.stepped:
            return f"{self.stepped}, and the exchange has not told its time since"
        if measured is None:
            return "the exchange has not told its time yet"
        if abs(measured.offset_ms) > limits.offset_ms_max:
            return (
                f"our clock is {measured.offset_ms:+d} ms from the exchange's,"
                f" {limits.offset_ms_max} ms allowed"
            )
        uncertainty_ms = measured.round_trip_ms // 2
        if uncertainty_ms > limits.uncertainty_ms_max:
            return (
                f"the exchange's time is known to {uncertainty_ms} ms only,"
                f" {limits.uncertainty_ms_max} ms allowed"
            )
        return ""
