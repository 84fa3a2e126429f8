"""Say in which order a pass asks the exchange for orders, so that each has its turn. Pure.

A pass has time for so many questions only. First comes what the exchange does not list as
open: it may have ended unheard, and nobody may guard what it bought (I-14). Then what was
asked for longest ago, and last what the pass before asked for in vain.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import attrs

from actors.pure.order_life import Order


@attrs.define
class Turns:
    """Which orders were asked for when, pass by pass."""

    unheard: set[str] = attrs.Factory(set[str])  # of which the last pass has heard nothing
    _in_vain: set[str] = attrs.Factory(set[str])  # that it asked for so
    _asked: dict[str, int] = attrs.Factory(dict[str, int])  # the number of the last time
    _number: int = 0  # of the last question

    def begin(self, orders: Sequence[Order], still_open: Container[str]) -> list[Order]:
        """Return the orders of a pass in their turn; `still_open` are listed so."""
        before, self._in_vain, self.unheard = self._in_vain, set(), set()
        self._asked = {
            each.client_order_id: self._asked.get(each.client_order_id, 0)
            for each in orders
        }
        return sorted(
            orders,
            key=lambda it: (
                it.client_order_id in before,
                it.client_order_id in still_open,
                self._asked[it.client_order_id],
            ),
        )

    def asks(self, order_id: str) -> None:
        """Note that the exchange is being asked for an order."""
        self._number += 1
        self._asked[order_id] = self._number

    def asked_in_vain(self, order_id: str) -> None:
        """Note that it did not answer."""
        self._in_vain.add(order_id)
