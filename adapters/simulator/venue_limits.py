"""What a client may still ask: request weight per address, new orders per account."""

from __future__ import annotations

from typing import Final, TypeVar

import attrs

from adapters.simulator.config import Limits

MINUTE_MS: Final = 60_000
BAN_MS: Final = 120_000  # the shortest that the venue gives
WARNINGS_MAX: Final = 20  # requests after a 429 within one minute, then 418
CONNECTS_MS: Final = 300_000  # the venue allows 300 attempts in so long
GRACE_MS: Final = 1_000  # for what was on its way when the client was told to stop


@attrs.define
class _Count:
    window: int = -1
    used: int = 0


@attrs.frozen
class OverLimit:
    """No: `status` 429 or 418, and until when."""

    status: int
    until_ms: int


class VenueLimits:
    """Fixed windows by the venue's clock, as Binance counts."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._weights: dict[str, _Count] = {}
        self._warnings: dict[str, _Count] = {}
        self._banned: dict[str, int] = {}  # address -> until_ms
        self._orders: dict[tuple[str, int], _Count] = {}
        self._forbidden: dict[str, tuple[int, int]] = {}  # address -> (told_ms, until_ms)
        self._newest: dict[str, tuple[int, int]] = {}  # -> (told_ms, until_ms before it)
        self._deaf_until_ms = 0
        self.weight_peak = 0  # in one window of one address, refused requests included
        self._connects: dict[str, _Count] = {}
        self.connects_peak = 0  # WebSocket attempts in five minutes of one address
        self.refused: dict[str, int] = {}  # by limit, where a dialect counts its own way
        self.while_forbidden = 0  # requests and connections of who was told to stop

    def refuse(self, limit: str) -> None:
        """Note that a dialect refused something by one of its own limits."""
        self.refused[limit] = self.refused.get(limit, 0) + 1

    def connect(self, address: str, now_ms: int) -> None:
        """Count an attempt to open a WebSocket, whatever becomes of it."""
        count = _current(self._connects, address, CONNECTS_MS, now_ms)
        count.used += 1
        self.connects_peak = max(self.connects_peak, count.used)
        self.arrive(address, now_ms)

    def arrive(self, address: str, now_ms: int) -> None:
        """Note a request or a connection, whatever becomes of it."""
        told_ms, until_ms = self._forbidden.get(address, (0, 0))
        if told_ms + GRACE_MS <= now_ms < until_ms:
            self.while_forbidden += 1

    def forbid(self, address: str, until_ms: int, now_ms: int) -> None:
        """Note that a client was told to stop; the first word on it starts the grace."""
        if now_ms < self._deaf_until_ms:
            return
        told_ms, until_was_ms = self._forbidden.get(address, (0, 0))
        if now_ms >= until_was_ms:
            told_ms = now_ms
        self._forbidden[address] = told_ms, max(until_ms, until_was_ms)
        if now_ms >= self._newest.get(address, (-GRACE_MS, 0))[0] + GRACE_MS:
            self._newest[address] = now_ms, until_was_ms

    def unheard(self, now_ms: int) -> None:
        """Forget what was told so late that who died, or was cut off, did not hear it."""
        for address, (newest_ms, until_was_ms) in self._newest.items():
            if now_ms < newest_ms + GRACE_MS:
                told_ms, _ = self._forbidden[address]
                self._forbidden[address] = told_ms, until_was_ms

    def deaf(self, now_ms: int) -> None:
        """Note that who reads one of the connections has crashed, and what it had heard."""
        self.unheard(now_ms)
        self._deaf_until_ms = now_ms + GRACE_MS  # while it says goodbye

    def charge(self, address: str, weight: int, now_ms: int) -> OverLimit | None:
        """Count a request; return why it is refused, or None."""
        banned_ms = self._banned.get(address, 0)
        if now_ms < banned_ms:
            return OverLimit(418, banned_ms)
        count = _current(self._weights, address, MINUTE_MS, now_ms)
        count.used += weight
        self.weight_peak = max(self.weight_peak, count.used)
        if count.used <= self.limits.weight_1m:
            return None
        warnings = _current(self._warnings, address, MINUTE_MS, now_ms)
        warnings.used += 1
        if warnings.used > WARNINGS_MAX:
            self._banned[address] = now_ms + BAN_MS
            return OverLimit(418, now_ms + BAN_MS)
        return OverLimit(429, (count.window + 1) * MINUTE_MS)

    def used(self, address: str, now_ms: int) -> int:
        return _current(self._weights, address, MINUTE_MS, now_ms).used

    def orders(self, account: str, window_s: int, now_ms: int) -> int:
        """Return how many unfilled orders the account has placed in this window."""
        return _current(self._orders, (account, window_s), window_s * 1000, now_ms).used

    def over_orders(self, account: str, now_ms: int) -> tuple[int, int] | None:
        """Return the order limit that is used up as (limit, window_s), or None."""
        for window_s, limit in self.order_windows():
            if self.orders(account, window_s, now_ms) >= limit:
                return limit, window_s
        return None

    def count_order(self, account: str, change: int, now_ms: int) -> None:
        """Count a new order, or (-1) one that is no longer unfilled."""
        for window_s, _ in self.order_windows():
            count = _current(self._orders, (account, window_s), window_s * 1000, now_ms)
            count.used = max(0, count.used + change)

    def order_windows(self) -> tuple[tuple[int, int], ...]:
        """Return (window in seconds, limit) of every limit on new orders."""
        return (10, self.limits.orders_10s), (86_400, self.limits.orders_1d)


K = TypeVar("K")


def _current(counts: dict[K, _Count], key: K, length_ms: int, now_ms: int) -> _Count:
    count = counts.setdefault(key, _Count())
    window = now_ms // length_ms
    if count.window != window:
        count.window, count.used = window, 0
    return count
