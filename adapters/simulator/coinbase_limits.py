"""How often Coinbase's clients may ask: buckets that fill by the second. Pure.

Source: WIRE 3.4 and 3.12: requests a second and bursts, by address or by profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs


@attrs.frozen
class Rate:
    """So many a second, and so many at once."""

    per_s: float
    burst: int


RATES: Final[Mapping[str, Rate]] = {
    "public": Rate(10, 15),  # Exchange, by address
    "private": Rate(15, 30),  # Exchange, by profile
    "fills": Rate(10, 20),
    "advanced_public": Rate(10, 15),
    "advanced_private": Rate(30, 30),
    "connections": Rate(8, 20),  # by address
    "messages": Rate(100, 100),  # of one address to the sockets
    "anonymous_messages": Rate(8, 20),  # of who showed no token to Advanced Trade
}


@attrs.define
class _Bucket:
    left: float
    at_ms: int


class Buckets:
    """What everybody may still ask, by kind of request and who asks."""

    def __init__(self, rates: Mapping[str, Rate] = RATES) -> None:
        self._rates = rates
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, kind: str, whose: str, now_ms: int) -> bool:
        """Count one; return whether there was one left."""
        rate = self._rates[kind]
        bucket = self._buckets.setdefault((kind, whose), _Bucket(rate.burst, now_ms))
        gained = (now_ms - bucket.at_ms) / 1000 * rate.per_s
        bucket.left = min(float(rate.burst), bucket.left + gained)
        bucket.at_ms = now_ms
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True
