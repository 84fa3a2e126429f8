"""The venue's gate: one request budget and one ban for everybody behind this address.

Weights come back in every answer; a 429 or 418 closes the gate for all until the venue's
Retry-After, and nothing is sent meanwhile (R-28, I-21). Times are monotonic seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import attrs

from adapters.binance.codec.instruments import RateLimit
from adapters.errors import RateLimited

WEIGHT_LIMIT: Final = 6000  # a minute, until exchangeInfo says otherwise
SHARE: Final = 0.9  # of the limit; the rest is for orders and for other programs
CONNECTS_MAX: Final = 150  # in CONNECTS_S; the venue allows 300, and we may not be alone
CONNECTS_S: Final = 300.0
TOO_MANY_ORDERS: Final = -1015  # of one account: its limit, not a ban of our address
RETRY_S: Final = 60.0  # where the venue does not say


@attrs.define(eq=False)
class Gate:
    """Who wants to send asks `enter`; what comes back is told to `heard`."""

    weight_limit: int = WEIGHT_LIMIT
    window_s: float = 60.0
    used: int = 0
    closed_until_s: float = 0.0
    reason: str = ""
    _window_ends_s: float = 0.0
    _connects_s: deque[float] = attrs.Factory(deque[float])

    def enter(self, weight: int, now_s: float, *, is_urgent: bool = False) -> None:
        """Count a request that is about to be sent; urgent ones ignore our own budget.

        Raises:
          RateLimited: nothing may be sent now.
        """
        if now_s < self.closed_until_s:
            raise RateLimited(self.reason, retry_after_s=self.closed_until_s - now_s)
        if now_s >= self._window_ends_s:
            self.used, self._window_ends_s = 0, now_s + self.window_s
        if not is_urgent and self.used + weight > self.weight_limit * SHARE:
            raise RateLimited(
                f"request weight {self.used} of {self.weight_limit} is used up",
                retry_after_s=self._window_ends_s - now_s,
            )
        self.used += weight

    def connect(self, weight: int, now_s: float) -> None:
        """Count a connection that is about to be opened (R-27).

        Raises:
          RateLimited: no connection may be opened now.
        """
        while self._connects_s and self._connects_s[0] <= now_s - CONNECTS_S:
            self._connects_s.popleft()
        if len(self._connects_s) >= CONNECTS_MAX:
            raise RateLimited(
                f"{CONNECTS_MAX} connections in {CONNECTS_S:g} s are enough",
                retry_after_s=self._connects_s[0] + CONNECTS_S - now_s,
            )
        self.enter(weight, now_s, is_urgent=True)
        self._connects_s.append(now_s)

    def heard(self, used_weight: str | int | None) -> None:
        """Note what the venue counts; it counts whoever else is behind our address."""
        if used_weight is not None and str(used_weight).isdecimal():
            self.used = int(used_weight)

    def close(
        self, reason: str, *, retry_after_s: float | None, now_s: float
    ) -> RateLimited:
        """Close for everybody, and return the error for who found out."""
        wait_s = RETRY_S if retry_after_s is None else max(retry_after_s, 1.0)
        if now_s + wait_s > self.closed_until_s:
            self.closed_until_s, self.reason = now_s + wait_s, reason
        return RateLimited(reason, retry_after_s=self.closed_until_s - now_s)

    def learn(self, limits: Sequence[RateLimit]) -> None:
        """Take the request weight limit from exchangeInfo."""
        for limit in limits:
            if limit.kind == "REQUEST_WEIGHT" and limit.limit > 0:
                self.weight_limit, self.window_s = limit.limit, float(limit.interval_s)
