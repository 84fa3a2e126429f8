"""What a client of Kraken may still ask: counters that go down by themselves.

REST calls count per key, orders and cancels per account and symbol; young orders are dear
to cancel. There is no word on when to try again.

Source: "Spot REST Rate Limits" and "Spot Trading Rate Limits", 2026-05-27.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import attrs

CANCEL_COSTS: Final = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))  # below s
AMEND_COSTS: Final = ((5, 3), (10, 2), (15, 1))  # on top of one


@attrs.frozen
class KrakenLimits:
    """The venue's numbers for its middle tier ("Intermediate")."""

    calls_max: float = 20.0  # REST counter of one key
    calls_1s: float = 0.5  # how fast it goes down
    orders_max: float = 125.0  # of one account on one symbol
    orders_1s: float = 2.34
    open_max: int = 80  # open orders of one account on one symbol
    public_max: float = 60.0  # public calls of one address; not documented as a number
    public_1s: float = 1.0
    messages_1s: int = 100  # of one WebSocket; not documented as a number
    token_s: int = 900
    idle_s: float = 60.0  # without subscription and without a word
    connects_max: int = 150  # WebSockets of one address in `connects_s`, then a ban
    connects_s: float = 600.0
    connects_ban_s: float = 600.0


class Connects:
    """Who opens WebSockets too often, and how long it is kept out."""

    def __init__(self, limits: KrakenLimits) -> None:
        self._limits = limits
        self._opened_ms: dict[str, deque[int]] = {}
        self._banned_ms: dict[str, int] = {}  # until when

    def is_welcome(self, address: str, now_ms: int) -> bool:
        """Count an attempt; return whether it is let in."""
        if now_ms < self._banned_ms.get(address, 0):
            return False
        opened_ms = self._opened_ms.setdefault(address, deque())
        while opened_ms and opened_ms[0] <= now_ms - self._limits.connects_s * 1000:
            opened_ms.popleft()
        opened_ms.append(now_ms)
        if len(opened_ms) <= self._limits.connects_max:
            return True
        opened_ms.clear()
        self._banned_ms[address] = now_ms + int(self._limits.connects_ban_s * 1000)
        return False


@attrs.define
class _Counter:
    value: float = 0.0
    at_ms: int = 0


class Counters:
    """Decaying counters by name."""

    def __init__(self, refuse: Callable[[str], None]) -> None:
        """`refuse` is told the first part of the name of what was too much."""
        self._counters: dict[tuple[str, ...], _Counter] = {}
        self._refuse = refuse

    def value(self, name: tuple[str, ...], down_1s: float, now_ms: int) -> float:
        """Return what `name` stands at now."""
        counter = self._counters.setdefault(name, _Counter(0.0, now_ms))
        passed_s = (now_ms - counter.at_ms) / 1000
        counter.value = max(0.0, counter.value - down_1s * passed_s)
        counter.at_ms = now_ms
        return counter.value

    def add(
        self, name: tuple[str, ...], cost: float, down_1s: float, most: float, now_ms: int
    ) -> bool:
        """Count `cost`, unless that would be too much; return whether it was counted."""
        value = self.value(name, down_1s, now_ms)
        if value + cost > most:
            self._refuse(name[0])
            return False
        self._counters[name].value = value + cost
        return True

    def add_anyway(
        self, name: tuple[str, ...], cost: float, down_1s: float, now_ms: int
    ) -> None:
        """Count `cost`, however much that is."""
        value = self.value(name, down_1s, now_ms)
        self._counters[name].value = value + cost


def cancel_cost(age_ms: int) -> int:
    """Return what cancelling an order of this age counts."""
    return _cost(CANCEL_COSTS, age_ms)


def amend_cost(age_ms: int) -> int:
    """Return what amending an order of this age counts."""
    return 1 + _cost(AMEND_COSTS, age_ms)


def _cost(costs: Sequence[tuple[int, int]], age_ms: int) -> int:
    return next((cost for below_s, cost in costs if age_ms < below_s * 1000), 0)
