"""What a venue allows whoever is behind our address, where it tells no count of its own.

Bans, connections, and counters that drain. All of it outlives the process and is shared
with every other one of this user (`spent`, I-21): what is asked for is remembered before it
is sent. Times are `WallClock.awake_s`.
"""

from __future__ import annotations

from typing import Final

import attrs
from msgspec.structs import replace

from actors.ports import WallClock
from adapters.errors import RateLimited
from adapters.spent import BAN_S_MAX, Change, Memory, RamMemory, Spent, as_of

RETRY_S: Final = 60.0  # where the venue does not say
LEVELS_MAX: Final = 500  # counters remembered; drained ones are forgotten first
OVER_MAX: Final = 4  # times its limit: what is sent in any case may raise a counter so far


@attrs.frozen
class Bucket:
    """A counter that may rise to `level_max` and drains all the time."""

    level_max: float
    drain_per_s: float
    is_assumed_full: bool = True  # where nobody remembers what it stands at (I-21)


@attrs.define(eq=False)
class Limits:
    """Who wants to send asks here first. Several counters may have one name's bucket."""

    clock: WallClock
    memory: Memory = attrs.Factory(RamMemory)
    connects_max: int = 100  # in connects_s
    connects_s: float = 600.0
    remembers_connects: bool = True
    _own_connects_s: tuple[float, ...] = ()

    @property
    def closed_until_s(self) -> float:
        return self.spent().closed_until_s

    def check_open(self) -> None:
        """Let nobody through while the venue forbids requests (R-28).

        Raises:
          RateLimited: says for how long.
        """
        now_s, spent = self.clock.awake_s(), self.spent()
        if now_s < spent.closed_until_s:
            raise RateLimited(spent.reason, retry_after_s=spent.closed_until_s - now_s)

    def wait_s(
        self, name: str, bucket: Bucket, weight: float, *, share: float = 1
    ) -> float:
        """Return how long `weight` must wait until the counter has room for it."""
        over = self._level(name, bucket) + weight - bucket.level_max * share
        return max(0.0, over / bucket.drain_per_s)

    def enter(self, name: str, bucket: Bucket, weight: float, *, share: float = 1) -> None:
        """Count what is about to be sent.

        Raises:
          RateLimited: nothing may be sent now; says for how long.
        """
        self.check_open()
        wait_s = self.wait_s(name, bucket, weight, share=share)
        if wait_s > 0:
            text = f"the counter {name} is at its limit of {bucket.level_max:g}"
            raise RateLimited(text, retry_after_s=wait_s)
        self.count(name, bucket, weight)

    def count(self, name: str, bucket: Bucket, weight: float) -> None:
        """Count what is sent in any case: above its limit a counter must drain longer."""
        now_s = self.clock.awake_s()
        level = min(self._level(name, bucket) + weight, OVER_MAX * bucket.level_max)

        def counted(spent: Spent) -> Spent:
            others = {
                other: (found, at_s, drain_per_s)
                for other, (found, at_s, drain_per_s) in spent.levels.items()
                if other != name and found > (now_s - at_s) * drain_per_s
            }
            newest = dict(list(others.items())[1 - LEVELS_MAX :])
            return replace(
                spent, levels={**newest, name: (level, now_s, bucket.drain_per_s)}
            )

        self.change(counted)

    def fill(self, name: str, bucket: Bucket) -> None:
        """Take the venue's word that a counter is at its limit, if not above."""
        self.count(name, bucket, max(0.0, bucket.level_max - self._level(name, bucket)))

    def check_connect(self) -> None:
        """Let nobody connect while there were enough connections (R-27).

        Raises:
          RateLimited: says for how long.
        """
        self.check_open()
        now_s = self.clock.awake_s()
        told = self.spent().connects_s if self.remembers_connects else self._own_connects_s
        recent = self._recent(told, now_s)
        if len(recent) >= self.connects_max:
            raise RateLimited(
                f"{self.connects_max} connections in {self.connects_s:g} s are enough",
                retry_after_s=recent[-self.connects_max] + self.connects_s - now_s,
            )

    def connect(self) -> None:
        """Count a connection that is about to be opened.

        Raises:
          RateLimited: no connection may be opened now.
        """
        self.check_connect()
        now_s = self.clock.awake_s()
        self._own_connects_s = (*self._recent(self._own_connects_s, now_s), now_s)
        if self.remembers_connects:
            self.change(
                lambda spent: replace(
                    spent, connects_s=(*self._recent(spent.connects_s, now_s), now_s)
                )
            )

    def close(self, reason: str, *, retry_after_s: float | None) -> RateLimited:
        """Close for everybody, and return the error for who found out."""
        now_s = self.clock.awake_s()
        wait_s = RETRY_S if retry_after_s is None else retry_after_s
        until_s = now_s + min(max(wait_s, 1.0), BAN_S_MAX)

        def closed(spent: Spent) -> Spent:
            if until_s <= spent.closed_until_s:
                return spent
            return replace(spent, closed_until_s=until_s, reason=reason[:300])

        spent = self.change(closed, must_last=True)
        return RateLimited(reason, retry_after_s=spent.closed_until_s - now_s)

    def spent(self) -> Spent:
        """Return what is remembered, in the seconds of this boot."""
        spent = self.memory.look()
        if spent is None:
            return Spent()
        return as_of(spent, self.clock.awake_s(), self.clock.now_ms())

    def _level(self, name: str, bucket: Bucket) -> float:
        """Return what a counter stands at; where the memory began, it was full (I-21)."""
        now_s, spent = self.clock.awake_s(), self.spent()
        begun_s = spent.begun_s
        if begun_s is None:
            begun_s, spent = now_s, self.change(lambda spent: spent)
        is_empty = spent.is_sure or not bucket.is_assumed_full
        full = 0.0 if is_empty else bucket.level_max
        level, at_s, _ = spent.levels.get(name, (full, begun_s, 0.0))
        return max(0.0, level - (now_s - at_s) * bucket.drain_per_s)

    def _recent(self, connects_s: tuple[float, ...], now_s: float) -> tuple[float, ...]:
        return tuple(at_s for at_s in connects_s if at_s > now_s - self.connects_s)

    def change(self, how: Change, *, must_last: bool = False) -> Spent:
        """Change what is remembered, as one step."""
        now_s, wall_ms = self.clock.awake_s(), self.clock.now_ms()

        def changed(spent: Spent) -> Spent:
            spent = how(as_of(spent, now_s, wall_ms))
            begun_s = now_s if spent.begun_s is None else spent.begun_s
            return replace(spent, awake_s=now_s, wall_ms=wall_ms, begun_s=begun_s)

        return self.memory.change(changed, must_last=must_last)
