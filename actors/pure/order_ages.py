"""Know how long the senders of orders are done with them at least, pass by pass. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import attrs

from actors.pure.order_life import Order

MARGIN_S = 0.1  # between two clocks that tell the same moment


@attrs.define
class OrderAges:
    """When a pass first saw each order as it is, UNKNOWN or not.

    Until its sender gave up, it may have held it back, a replacement for seconds. The wall
    clock alone does not say how old an order is: between the attempt and now it may have
    been set, by NTP say (I-10). So both clocks count, ours and the venue's, which was
    astray perhaps and lets a request expire.
    """

    due_s: float = inf  # by our monotonic clock: when an order that is too young is not
    _tracked_s: dict[tuple[str, bool], float] = attrs.Factory(dict[tuple[str, bool], float])
    _begun_s: float = 0.0  # the pass, by our monotonic clock
    _begun_ms: int = 0  # and by the venue's

    def begin(self, orders: Sequence[Order], now_s: float, now_ms: int) -> None:
        """Note since when `orders`, which a pass asks for, are as they are."""
        before = self._tracked_s
        self.due_s, self._begun_s, self._begun_ms = inf, now_s, now_ms
        self._tracked_s = {key: before.get(key, now_s) for key in map(_key, orders)}

    def known_s(self, order: Order) -> float:
        """Return its age as of the beginning of this pass."""
        at_least_s = self._begun_s - self._tracked_s[_key(order)]
        return min(at_least_s, (self._begun_ms - order.attempt_ms) / 1000)

    def age_s(self, order: Order, now_s: float, now_ms: int) -> float:
        """Return its age as of now; an order that no pass has asked for has none."""
        at_least_s = now_s - self._tracked_s.get(_key(order), now_s)
        return min(at_least_s, (now_ms - order.attempt_ms) / 1000)

    def wait(self, order: Order, age_s: float) -> None:
        """Note that nothing can be said of an order before it has this age."""
        left_s = age_s - self.known_s(order)
        self.due_s = min(self.due_s, self._begun_s + left_s + MARGIN_S)


def _key(order: Order) -> tuple[str, bool]:
    return order.client_order_id, order.is_unknown
