"""Keep orders and holdings together, so that a fill told twice counts once. Pure."""

from __future__ import annotations

import attrs

from actors.messages import Corrected, Filled, PositionClosed
from actors.pure.order_sheet import Orders
from actors.pure.position_math import Holding, Holdings


@attrs.define
class Books:
    """The fold of an account's facts, or of one bot's."""

    orders: Orders = attrs.Factory(Orders)
    holdings: Holdings = attrs.Factory(Holdings)

    def apply(self, fact: object) -> bool:
        """Take one fact; tell whether it changed anything (R-11, I-5).

        A fill of an order too old to be remembered counts: the journal tells it once.
        """
        changed = self.orders.apply(fact) is not None
        match fact:
            case Filled():
                if not changed and self.orders.get(fact.client_order_id) is not None:
                    return False
                return self.holdings.apply(fact) is not None
            case PositionClosed() | Corrected():
                return self.holdings.apply(fact) is not None
            case _:
                return changed

    def of(self, bot: str, symbol: str) -> Holding:
        """Return what a bot holds of a symbol."""
        return self.holdings.of(bot, symbol)
