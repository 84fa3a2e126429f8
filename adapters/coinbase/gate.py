"""The venue's gate: requests a second for each kind, and one ban for everybody.

The venue tells neither what was used nor, with a 429, how long it holds. So requests leave
at a pace below its limits, each waiting its turn for a while, and a 429 closes the gate
for all until Retry-After, or for a stated time (R-28). Buckets begin empty: what another
process spent before may still count (I-21). Bans and connections are shared with every
other process of this user (`spent`). Times are `WallClock.awake_s`.

Source: WIRE 3.4 and 3.12: public 10/s, private 15/s (Exchange) and 30/s (Advanced Trade),
8 connections/s.
"""

from __future__ import annotations

from typing import Final

import attrs
import trio

from actors.ports import WallClock
from adapters.errors import RateLimited
from adapters.limits import Limits
from adapters.spent import Memory, RamMemory

WAIT_S_MAX: Final = 5.0  # for one's turn; beyond, the request is refused here
RETRY_S: Final = 10.0  # a 429 that does not say how long
CONNECTS_MAX: Final = 60  # in CONNECTS_S; the venue allows eight a second
CONNECTS_S: Final = 60.0


@attrs.define(eq=False)
class Bucket:
    """So many requests a second, and a few at once. Begins empty."""

    per_s: float
    burst: float
    _tokens: float = 0.0
    _at_s: float | None = None

    def draw(self, now_s: float) -> float:
        """Take a token, and return how long to wait until it is there.

        Raises:
          RateLimited: too many wait already; then none was taken.
        """
        passed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        self._tokens = min(self.burst, self._tokens + passed_s * self.per_s)
        self._at_s = now_s
        wait_s = max(0.0, (1.0 - self._tokens) / self.per_s)
        if wait_s > WAIT_S_MAX:
            raise RateLimited(
                f"more than {self.per_s:g} requests a second for too long",
                retry_after_s=wait_s - WAIT_S_MAX,
            )
        self._tokens -= 1.0
        return wait_s


def public_bucket() -> Bucket:
    """Return the pace of everybody's public questions."""
    return Bucket(per_s=8.0, burst=8.0)


@attrs.frozen
class Paces:
    """One account's private requests: orders wait behind nobody's questions."""

    orders: Bucket
    questions: Bucket


def exchange_paces() -> Paces:
    """Return the paces of an Exchange key: together below 15 a second."""
    return Paces(Bucket(per_s=6.0, burst=10.0), Bucket(per_s=7.0, burst=8.0))


def advanced_paces() -> Paces:
    """Return the paces of a key of Advanced Trade: together below 30 a second."""
    return Paces(Bucket(per_s=12.0, burst=12.0), Bucket(per_s=14.0, burst=12.0))


class Gate:
    """Who wants to send waits in `enter`; a 429 is told to `close`."""

    def __init__(
        self,
        clock: WallClock,
        memory: Memory | None = None,
        *,
        remembers_connects: bool = True,
    ) -> None:
        self.public = public_bucket()
        self.limits = Limits(
            clock,
            memory or RamMemory(),
            connects_max=CONNECTS_MAX,
            connects_s=CONNECTS_S,
            remembers_connects=remembers_connects,
        )

    async def enter(self, bucket: Bucket) -> None:
        """Wait for one's turn.

        Raises:
          RateLimited: nothing may be sent now, or too many wait already.
        """
        self.limits.check_open()
        await trio.sleep(bucket.draw(self.limits.clock.awake_s()))
        self.limits.check_open()

    def connect(self) -> None:
        """Count a connection that is about to be opened (R-27).

        Raises:
          RateLimited: no connection may be opened now.
        """
        self.limits.connect()

    def close(self, reason: str, *, retry_after_s: float | None) -> RateLimited:
        """Close for everybody, and return the error for who found out."""
        wait_s = RETRY_S if retry_after_s is None else retry_after_s
        return self.limits.close(reason, retry_after_s=wait_s)
