"""Decide what must go before an exit may leave, and for how long it may stay. Pure.

One exit at a time (I-15). The stop that rests at the exchange makes room for an exit, once
it had time to do its work (R-41); what is executed in part, or rests too long, is
cancelled. A cancel may be lost, so it is asked for again while its order lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import inf

import attrs

from actors.messages import CancelIntent, ExitReason
from actors.pure import guard_steps as steps
from actors.pure.guard_steps import Ward
from actors.pure.order_life import Order

GAP_S = 1.0  # for an exit whose limit the market has passed by
CANCEL_EVERY_S = 30.0
AT_A_STOP = frozenset({ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP})


@attrs.define(eq=False)
class Room:
    """The live orders of one position, and when they began to stand in the way."""

    ward: Ward
    _since_s: dict[str, float] = attrs.Factory(dict[str, float])
    _reached_s: dict[str, float] = attrs.Factory(dict[str, float])  # resting stops
    _cancelled_s: dict[str, float] = attrs.Factory(dict[str, float])

    def cancel_asked(self, client_order_id: str, now_s: float) -> None:
        """Remember that this order is being cancelled."""
        self._cancelled_s[client_order_id] = now_s

    def finish(
        self,
        live: Sequence[Order],
        price: Decimal | None,
        now_s: float,
        *,
        is_closed_there: bool,
        is_triggered: bool,
    ) -> CancelIntent | None:
        """Return a cancel for what does not end by itself, or None.

        `is_closed_there`: the exchange has sold the position, so no entry is wanted.
        `is_triggered`: it is to be sold. Whoever sends the exit asks for the entry's
        cancel, once; one that was lost would leave it open for ever.
        """
        for order in live:
            if self._is_asked(order, now_s):
                continue
            if order.is_entry:
                if is_closed_there:
                    why = "its position was closed at the exchange"
                    return steps.cancel(self.ward, order, why)
                if is_triggered and self._overdue_s(order, price, now_s) is not None:
                    return steps.cancel(self.ward, order, "its position is sold")
            elif (wait_s := self._overdue_s(order, price, now_s)) is not None:
                return steps.cancel(self.ward, order, f"exit not done after {wait_s:g} s")
        return None

    def is_made(
        self,
        order: Order,
        stop: Order | None,
        triggered: ExitReason | None,
        price: Decimal | None,
        now_s: float,
    ) -> bool:
        """Tell whether the order is the resting stop, and an exit may take its place now.

        A stop that the market came to is given time to do its work (R-41).
        """
        trigger = order.intended.stop_price
        if order is not stop or trigger is None or not order.is_replaceable:
            return False
        if triggered not in AT_A_STOP or order.is_unknown:
            return True
        order_id = order.client_order_id
        if price is not None and price <= trigger:
            self._reached_s.setdefault(order_id, now_s)
        since_s = self._reached_s.get(order_id)
        return since_s is None or now_s - since_s >= self._wait_s(order, price)

    def _is_asked(self, order: Order, now_s: float) -> bool:
        asked_s = self._cancelled_s.get(order.client_order_id, -inf)
        return now_s - asked_s < CANCEL_EVERY_S

    def _overdue_s(self, order: Order, price: Decimal | None, now_s: float) -> float | None:
        """Return how long an order was given, too long; an UNKNOWN one is left alone."""
        since_s = self._since_s.setdefault(order.client_order_id, now_s)
        wait_s = self._wait_s(order, price)
        return wait_s if now_s - since_s >= wait_s and not order.is_unknown else None

    def _wait_s(self, order: Order, price: Decimal | None) -> float:
        """Return how long an exit is given: little where the market has left its limit."""
        limit, wait_s = order.intended.limit_price, self.ward.exit_wait_s
        is_passed = limit is not None and price is not None and price < limit
        return min(GAP_S, wait_s) if is_passed and not order.is_entry else wait_s
