"""Judge the disk under the ledger: does it take rows, and how much room is left. Pure.

What is bad counts at once; what is good again counts once it has been so for a while, or
by a margin, so that nobody hears the same trouble end and begin each second.
"""

from __future__ import annotations

from math import inf

import attrs

from actors.messages.ledger import LedgerState

MEGABYTE = 1_000_000
CALM_S = 3.0  # rows must be taken for so long before a refusal is over
BUSY_S = 1.0  # a commit that takes longer says that the disk does not answer
MARGIN = 1.2  # so much more room than the limit ends what the limit began


@attrs.frozen
class SpaceLimits:
    """Room on the disk, in megabytes: below it people are warned, or entries end (D-2)."""

    free_mb_warn: float = 200.0
    free_mb_safe: float = 50.0


@attrs.define
class LedgerHealth:
    """What was seen of the disk by one life of the journal."""

    limits: SpaceLimits = attrs.Factory(SpaceLimits)
    free_mb: float = inf
    is_low: bool = False  # people should know
    is_short: bool = False  # nothing new is begun
    busy_since_s: float = inf  # of the commit under way
    _why: str = ""
    _refused_s: float = -inf
    _has_taken: bool = True  # rows, since the last refusal

    def refused(self, why: str, now_s: float) -> None:
        """Take that a commit failed."""
        self._why, self._refused_s, self._has_taken = why, now_s, False

    def took(self) -> None:
        """Take that a commit succeeded."""
        self._has_taken = True

    def saw(self, free_bytes: int) -> None:
        """Take how much room is left."""
        self.free_mb, limits = free_bytes / MEGABYTE, self.limits
        self.is_low = self._is_below(limits.free_mb_warn, was_below=self.is_low)
        self.is_short = self._is_below(limits.free_mb_safe, was_below=self.is_short)

    def state(self, now_s: float) -> LedgerState:
        """Return what holds now."""
        if now_s - self.busy_since_s > BUSY_S:
            return LedgerState("the disk does not answer", takes_rows=False)
        if not self._has_taken:
            return LedgerState(f"the ledger refuses: {self._why}", takes_rows=False)
        if now_s - self._refused_s < CALM_S:
            return LedgerState(f"the ledger refused a moment ago: {self._why}")
        if self.is_short:
            return LedgerState(f"{self.room}, below {self.limits.free_mb_safe:g} MB")
        return LedgerState()

    @property
    def room(self) -> str:
        """Return how much room is left, in words."""
        return f"{self.free_mb:.0f} MB are free where the ledger is"

    def _is_below(self, limit_mb: float, *, was_below: bool) -> bool:
        return self.free_mb < limit_mb * (MARGIN if was_below else 1.0)
