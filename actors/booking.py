"""Book what the venue knows of our orders, and nobody told us of: a part of a pass.

Executions come before the end of their order, so that whoever hears of the end has them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import attrs
import trio

from actors.messages import (
    Acknowledged,
    Ended,
    Fact,
    Filled,
    VenueFill,
    VenueOrder,
)
from actors.ports import NotListed, Trading
from actors.pure.order_life import Order
from actors.pure.venue_facts import fact_of_fill, facts_of_order

OVERLAP_MS = 60_000  # executions and history are asked for from this much earlier


@attrs.define(eq=False)
class Booking:
    """One account's. `tell` makes facts durable, and returns how many were new."""

    account: str
    trading: Trading
    tell: Callable[[Sequence[Fact]], Awaitable[int]]
    is_behind: bool = False  # the venue's executions lag behind its orders

    async def book(self, found: Sequence[tuple[Order, VenueOrder]]) -> tuple[int, int]:
        """Book acknowledgements, then executions, then endings, that nobody told us of."""
        endings: list[Fact] = []
        for order, venue in found:
            facts = facts_of_order(order, venue)
            await self.tell([fact for fact in facts if isinstance(fact, Acknowledged)])
            endings += [fact for fact in facts if isinstance(fact, Ended)]
        fills = await self._book_fills(
            [each for each in found if each[1].filled_base > each[0].filled_base]
        )
        return fills, await self.tell(endings)

    async def _book_fills(self, behind: Sequence[tuple[Order, VenueOrder]]) -> int:
        """Book executions of orders of which the venue has filled more than we (R-12).

        First just before an order last moved: all since it was placed may take too long.
        """
        booked = 0
        await trio.lowlevel.checkpoint()
        for symbol in dict.fromkeys(order.symbol for order, _ in behind):
            here = [each for each in behind if each[0].symbol == symbol]
            placed_ms = min(order.attempt_ms for order, _ in here)
            moved_ms = min(max(placed_ms, venue.update_ms) for _, venue in here)
            fills, is_all = await self._executed(symbol, here, moved_ms)
            if not is_all and moved_ms > placed_ms:
                fills, is_all = await self._executed(symbol, here, placed_ms)
            self.is_behind |= not is_all
            booked += await self.tell(fills)
        return booked

    async def _executed(
        self, symbol: str, behind: Sequence[tuple[Order, VenueOrder]], since_ms: int
    ) -> tuple[list[Filled], bool]:
        """Return what nobody has booked, and whether it is all that the venue filled."""
        try:
            listed = await self.trading.fills(symbol, since_ms=since_ms - OVERLAP_MS)
        except NotListed:  # it bars nobody else
            await trio.lowlevel.checkpoint()
            return [], False
        fills, is_all = list[Filled](), True
        for order, venue in behind:
            its_own = [it for it in listed if it.venue_order_id == venue.venue_order_id]
            mine = self.unbooked(order, its_own)
            base = sum((it.base for it in mine), order.filled_base)
            is_all, fills = is_all and base >= venue.filled_base, fills + mine
        return fills, is_all

    def unbooked(self, order: Order, fills: Sequence[VenueFill]) -> list[Filled]:
        return [
            fact_of_fill(order, fill, self.account)
            for fill in fills
            if fill.trade_id not in order.trade_ids
        ]
