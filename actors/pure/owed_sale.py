"""Remember a sale that a strategy decided and that could not begin yet. Pure.

A strategy may say SELL once, at a cross. Where something passing stands in its way (a stop
on its way to the exchange, a busy disk, a comparison that is not done), the sale is asked
for again at the next prices, until it begins, the position is gone or the strategy buys.
A crash of the bot forgets it, as it does all that the strategy remembers.
"""

from __future__ import annotations

import attrs

from actors.messages import Signal

AGAIN_S = 1.0  # until the first, and twice as long after each
AGAIN_S_MAX = 10.0
FINAL = frozenset({"no_position", "below_minimum"})  # asked again, they say the same


@attrs.define
class OwedSale:
    """The decision, and when it is tried next."""

    signal: Signal
    due_s: float
    wait_s: float = AGAIN_S

    @classmethod
    def decided(cls, signal: Signal, now_s: float) -> OwedSale:
        return cls(signal, now_s + AGAIN_S)

    def tried(self, now_s: float) -> None:
        """Wait for the answer, and longer before the next try."""
        self.wait_s = min(2 * self.wait_s, AGAIN_S_MAX)
        self.due_s = now_s + self.wait_s
