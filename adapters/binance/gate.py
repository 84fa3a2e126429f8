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
from adapters.spent import BAN_S_MAX, Change, Memory, RamMemory, Spent, as_of

WEIGHT_LIMIT: Final = 6000  # a minute, until exchangeInfo says otherwise
SHARE: Final = 0.9  # of the limit; the rest is for what is urgent and for other programs
URGENT_SHARE: Final = 0.97  # for connections; the rest is for orders that are refused
NEWS: Final = 0.01  # of the limit: what the venue counts more than we remember
PIECE: Final = 50  # of weight, set aside in the memory at once
CONNECTS_MAX: Final = 150  # in CONNECTS_S; the venue allows 300, and we may not be alone
CONNECTS_S: Final = 300.0
TOO_MANY_ORDERS: Final = -1015  # of one account: its limit, not a ban of our address
RETRY_S: Final = 60.0  # where the venue does not say


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
        self._memory = memory or RamMemory()
        self._remembers_connects = remembers_connects
        self._in_flight = 0  # weight of questions that are not answered yet
        self._aside = 0  # of the remembered weight: ours, and not spent
        self._has_heard = False  # in this window
        self._window_ends_s = 0.0
        self._connects_s: tuple[float, ...] = ()  # of this process
        spent = self._spent(clock.awake_s())
        self.is_unsure = not spent.is_sure  # of what was spent before
        self._venue_s = clock.now_ms() / 1000 - clock.awake_s()  # when `awake_s` was 0
        if spent.venue_s is not None:
            self._venue_s = spent.venue_s
        if spent.weight_limit:
            self.weight_limit = spent.weight_limit

    @property
    def closed_until_s(self) -> float:
        return self._spent(self._clock.awake_s()).closed_until_s

    def enter(self, weight: int, *, is_urgent: bool = False) -> None:
        """Count a request that is about to be sent; urgent ones may use nearly all of it.

        What weighs nothing, as orders do, is never held back by our own budget.

        Raises:
          RateLimited: nothing may be sent now.
        """
        now_s = self._clock.awake_s()
        spent = self._spent(now_s)
        if now_s < spent.closed_until_s:
            raise RateLimited(spent.reason, retry_after_s=spent.closed_until_s - now_s)
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
        now_s = self._clock.awake_s()
        recent = _recent(self._spent(now_s).connects_s, now_s)
        if not self._remembers_connects:
            recent = _recent(self._connects_s, now_s)
        if len(recent) >= CONNECTS_MAX:
            raise RateLimited(
                f"{CONNECTS_MAX} connections in {CONNECTS_S:g} s are enough",
                retry_after_s=recent[-CONNECTS_MAX] + CONNECTS_S - now_s,
            )
        self.enter(weight, is_urgent=True)
        self._connects_s = (*_recent(self._connects_s, now_s), now_s)
        if self._remembers_connects:
            self._change(
                lambda spent: replace(
                    spent, connects_s=(*_recent(spent.connects_s, now_s), now_s)
                )
            )

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
            spent = self._spent(now_s)
            is_news = used > spent.weight + self.weight_limit * NEWS
            if is_news and spent.window_ends_s > now_s:  # others are behind our address
                self._change(lambda spent: replace(spent, weight=max(used, spent.weight)))

    def be_sure(self) -> None:
        """Go by the venue's word from now on; whoever comes next may rely on it."""
        if self.is_unsure:
            self.is_unsure = False
            used = self.used
            self._change(
                lambda spent: replace(spent, is_sure=True, weight=max(used, spent.weight))
            )

    def close(self, reason: str, *, retry_after_s: float | None) -> RateLimited:
        """Close for everybody, and return the error for who found out."""
        now_s = self._clock.awake_s()
        wait_s = RETRY_S if retry_after_s is None else retry_after_s
        until_s = now_s + min(max(wait_s, 1.0), BAN_S_MAX)

        def closed(spent: Spent) -> Spent:
            if until_s <= spent.closed_until_s:
                return spent
            return replace(spent, closed_until_s=until_s, reason=reason[:300])

        spent = self._change(closed, must_last=True)
        return RateLimited(reason, retry_after_s=spent.closed_until_s - now_s)

    def learn(self, limits: Sequence[RateLimit]) -> None:
        """Take the request weight limit from exchangeInfo."""
        for limit in limits:
            if limit.kind == "REQUEST_WEIGHT" and limit.limit > 0:
                self.weight_limit, self.window_s = limit.limit, float(limit.interval_s)
        self._change(lambda spent: replace(spent, weight_limit=self.weight_limit))

    def align(self, venue_ms: float) -> None:
        """Take the venue's time: its windows begin by its own clock."""
        venue_s = self._venue_s = venue_ms / 1000 - self._clock.awake_s()
        self._change(lambda spent: replace(spent, venue_s=venue_s))

    def leave(self) -> None:
        """Give back what was set aside and not spent; nothing is sent afterwards."""
        aside, self._aside = self._aside, 0
        ends_s = self._window_ends_s

        def given_back(spent: Spent) -> Spent:
            is_same = abs(spent.window_ends_s - ends_s) < 1.0
            return replace(spent, weight=max(0, spent.weight - aside * is_same))

        if aside:
            self._change(given_back)

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

        self._change(added)
        self._aside += more - weight

    def _spent(self, now_s: float) -> Spent:
        spent = self._memory.look()
        return as_of(spent, now_s, self._clock.now_ms()) if spent is not None else Spent()

    def _change(self, how: Change, *, must_last: bool = False) -> Spent:
        now_s, wall_ms = self._clock.awake_s(), self._clock.now_ms()
        return self._memory.change(
            lambda spent: replace(
                how(as_of(spent, now_s, wall_ms)), awake_s=now_s, wall_ms=wall_ms
            ),
            must_last=must_last,
        )


def _recent(connects_s: tuple[float, ...], now_s: float) -> tuple[float, ...]:
    return tuple(at_s for at_s in connects_s if at_s > now_s - CONNECTS_S)
