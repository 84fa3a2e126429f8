"""The venue's gate: one request budget and one ban for everybody behind this address.

Weights come back in every answer; a 429 or 418 closes the gate for all until the venue's
Retry-After, and nothing is sent meanwhile (R-28, I-21). What was spent, connections, and
bans outlive the process, and are shared with every other one of this user (`spent`).
Times are `WallClock.awake_s`.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec.structs import replace

from actors.ports import WallClock
from adapters.binance.codec.instruments import RateLimit
from adapters.errors import RateLimited
from adapters.limits import Limits
from adapters.spent import Memory, RamMemory, Spent

WEIGHT_LIMIT: Final = 6000  # a minute, until exchangeInfo says otherwise
SHARE: Final = 0.9  # of the limit; the rest is for what is urgent and for other programs
URGENT_SHARE: Final = 0.97  # for connections; the rest is for orders that are refused
NEWS: Final = 0.01  # of the limit: what the venue counts more than we remember
PIECE: Final = 50  # of weight, set aside in the memory at once
CONNECTS_MAX: Final = 150  # in CONNECTS_S; the venue allows 300, and we may not be alone
CONNECTS_S: Final = 300.0
TOO_MANY_ORDERS: Final = -1015  # of one account: its limit, not a ban of our address


class Gate:
    """Who wants to send asks `enter`; what comes back is told to `heard`."""

    def __init__(
        self,
        clock: WallClock,
        memory: Memory | None = None,
        *,
        remembers_connects: bool = True,
        weight_limit: int = WEIGHT_LIMIT,
    ) -> None:
        self.weight_limit = weight_limit  # until the venue tells
        self.window_s = 60.0
        self.used = 0  # in this window: the venue's word, and what left since
        self._clock = clock
        self._limits = Limits(
            clock, memory or RamMemory(), CONNECTS_MAX, CONNECTS_S, remembers_connects
        )
        self._in_flight = 0  # weight of questions that are not answered yet
        self._aside = 0  # of the remembered weight: ours, and not spent
        self._has_heard = False  # in this window
        self._window_ends_s = 0.0
        spent = self._limits.spent()
        self.is_unsure = not spent.is_sure  # of what was spent before
        self._venue_s = clock.now_ms() / 1000 - clock.awake_s()  # when `awake_s` was 0
        if spent.venue_s is not None:
            self._venue_s = spent.venue_s
        if spent.weight_limit:
            self.weight_limit = spent.weight_limit

    @property
    def closed_until_s(self) -> float:
        return self._limits.spent().closed_until_s

    def enter(self, weight: int, *, is_urgent: bool = False) -> None:
        """Count a request that is about to be sent; urgent ones may use nearly all of it.

        What weighs nothing, as orders do, is never held back by our own budget.

        Raises:
          RateLimited: nothing may be sent now.
        """
        now_s = self._clock.awake_s()
        spent = self._limits.spent()
        self._limits.check_open()
        self._turn_window(spent, now_s)
        used = self.used
        if not self._has_heard and spent.window_ends_s > now_s:
            used = max(used, spent.weight - self._aside)
        share = URGENT_SHARE if is_urgent else SHARE
        is_free = is_urgent and not weight
        if not is_free and used + weight > self.weight_limit * share:
            raise RateLimited(
                f"request weight {used} of {self.weight_limit} is used up",
                retry_after_s=self._window_ends_s - now_s,
            )
        self.used += weight
        self._set_aside(weight, now_s, 0 if is_urgent else PIECE)

    def connect(self, weight: int) -> None:
        """Count a connection that is about to be opened (R-27).

        Raises:
          RateLimited: no connection may be opened now.
        """
        self._limits.check_connect()
        self.enter(weight, is_urgent=True)
        self._limits.connect()

    @contextmanager
    def asking(self, weight: int) -> Generator[None]:
        """Count a question as in flight: an answer to an earlier one does not know it."""
        self._in_flight += weight
        try:
            yield
        finally:
            self._in_flight -= weight

    def heard(self, used_weight: str | int | None) -> None:
        """Note what the venue counts; it counts whoever else is behind our address."""
        if used_weight is not None and str(used_weight).isdecimal():
            self.used = int(used_weight) + self._in_flight
            self._has_heard = True
            self.be_sure()
            now_s, used = self._clock.awake_s(), self.used
            spent = self._limits.spent()
            is_news = used > spent.weight + self.weight_limit * NEWS
            if is_news and spent.window_ends_s > now_s:  # others are behind our address
                self._limits.change(
                    lambda spent: replace(spent, weight=max(used, spent.weight))
                )

    def be_sure(self) -> None:
        """Go by the venue's word from now on; whoever comes next may rely on it."""
        if self.is_unsure:
            self.is_unsure = False
            used = self.used
            self._limits.change(
                lambda spent: replace(spent, is_sure=True, weight=max(used, spent.weight))
            )

    def close(self, reason: str, *, retry_after_s: float | None) -> RateLimited:
        """Close for everybody, and return the error for who found out."""
        return self._limits.close(reason, retry_after_s=retry_after_s)

    def learn(self, limits: Sequence[RateLimit]) -> None:
        """Take the request weight limit from exchangeInfo."""
        for limit in limits:
            if limit.kind == "REQUEST_WEIGHT" and limit.limit > 0:
                self.weight_limit, self.window_s = limit.limit, float(limit.interval_s)
        self._limits.change(lambda spent: replace(spent, weight_limit=self.weight_limit))

    def align(self, venue_ms: float) -> None:
        """Take the venue's time: its windows begin by its own clock."""
        venue_s = self._venue_s = venue_ms / 1000 - self._clock.awake_s()
        self._limits.change(lambda spent: replace(spent, venue_s=venue_s))

    def leave(self) -> None:
        """Give back what was set aside and not spent; nothing is sent afterwards."""
        aside, self._aside = self._aside, 0
        ends_s = self._window_ends_s

        def given_back(spent: Spent) -> Spent:
            is_same = abs(spent.window_ends_s - ends_s) < 1.0
            return replace(spent, weight=max(0, spent.weight - aside * is_same))

        if aside:
            self._limits.change(given_back)

    def _turn_window(self, spent: Spent, now_s: float) -> None:
        """Begin a new window, or the one that another process has begun."""
        if now_s < self._window_ends_s:
            return
        into_s = (self._venue_s + now_s) % self.window_s
        ends_s = now_s + self.window_s - into_s
        self._window_ends_s = spent.window_ends_s if spent.window_ends_s > now_s else ends_s
        self.used, self._aside, self._has_heard = self._in_flight, 0, False

    def _set_aside(self, weight: int, now_s: float, piece: int) -> None:
        """Remember `weight` before it is spent; mostly a piece is remembered already."""
        if weight <= self._aside:
            self._aside -= weight
            return
        room = int(self.weight_limit * SHARE) - self.used
        more = max(weight - self._aside, min(piece, room))
        before, ends_s = self.used - weight, self._window_ends_s

        def added(spent: Spent) -> Spent:
            is_same = spent.window_ends_s > now_s
            weight = max(before, spent.weight) if is_same else before
            return replace(spent, window_ends_s=ends_s, weight=weight + more)

        self._limits.change(added)
        self._aside += more - weight
