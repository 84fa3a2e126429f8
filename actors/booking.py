"""Book what the venue knows of our orders, and nobody told us of: a part of a pass.

Executions come before the end of their order, so that whoever hears of the end has them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from math import inf

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
from actors.ports import Archived, NotListed, RateLimited, Trading, VenueError
from actors.pure.books import Books
from actors.pure.executions import stretches
from actors.pure.order_life import Order
from actors.pure.revenants import Revenants
from actors.pure.settling import is_settled_fill
from actors.pure.venue_facts import fact_of_fill, facts_of_order

OVERLAP_MS = 60_000  # executions and history are asked for from this much earlier
LOOKED_S = 45.0  # after its beginning a pass reads no more of the past: it has a minute
UNREADABLE = (NotListed, RateLimited)  # a ban fails the next question, too
KEPT_S = 5.0  # of them for each symbol that follows
GONE_S = 5.0  # for the questions about orders that had ended here, and were open
LATE_S = 60.0  # executions that nobody has told for so long want a person


@attrs.define(eq=False)
class Booking:
    """One account's. `tell` makes facts durable, and returns how many were new."""

    account: str
    trading: Trading
    books: Books
    tell: Callable[[Sequence[Fact]], Awaitable[int]]
    is_behind: bool = False  # the venue's executions lag behind its orders
    until_s: float = inf  # when this pass stops to read the past
    _late_s: dict[str, float] = attrs.Factory(dict[str, float])  # since when, by order
    _seen: set[str] = attrs.Factory(set[str])  # late in this pass
    _unread_s: dict[str, float] = attrs.Factory(dict[str, float])  # when, by symbol

    def begin(self) -> None:
        """Begin a pass."""
        self.is_behind, self._seen = False, set()
        self.until_s = trio.current_time() + LOOKED_S

    def in_turn(self, symbols: Iterable[str]) -> list[str]:
        """Return each once: last those whose past was too long, the latest of them last."""
        once = dict.fromkeys(symbols)
        return sorted(once, key=lambda symbol: self._unread_s.get(symbol, -inf))

    def share_s(self, many: int) -> float:
        """Return until when the first of `many` may read the past: all have their turn."""
        now_s = trio.current_time()
        left_s = max(0.0, self.until_s - now_s)
        return now_s + max(left_s / many, left_s - KEPT_S * (many - 1))

    def unread(self, symbol: str) -> None:
        """Note that the past of a symbol was too long to be read."""
        self._unread_s[symbol] = trio.current_time()

    def late(self) -> tuple[str, ...]:
        """Return a line for each order whose executions have been missing for long."""
        now_s = trio.current_time()
        self._late_s = {it: self._late_s.get(it, now_s) for it in sorted(self._seen)}
        return tuple(
            f"order {order_id}: the venue has executed more of it than it tells"
            for order_id, since_s in self._late_s.items()
            if now_s - since_s > LATE_S
        )

    async def book(self, found: Sequence[tuple[Order, VenueOrder]]) -> tuple[int, int]:
        """Book acknowledgements, then executions, then endings, that nobody told us of."""
        endings: list[Fact] = []
        for order, venue in found:
            facts = facts_of_order(order, venue)
            await self.tell([fact for fact in facts if isinstance(fact, Acknowledged)])
            endings += [fact for fact in facts if isinstance(fact, Ended)]
        fills = await self.book_fills(found)
        return fills, await self.tell(endings)

    async def book_fills(self, found: Sequence[tuple[Order, VenueOrder]]) -> int:
        """Book executions of orders of which the venue has filled more than we (R-12)."""
        booked = 0
        await trio.lowlevel.checkpoint()
        behind = [each for each in found if self._lacks(*each, ())]
        symbols = self.in_turn(order.symbol for order, _ in behind)
        for number, symbol in enumerate(symbols):
            until_s = self.share_s(len(symbols) - number + 1)  # and one for what follows
            here = [each for each in behind if each[0].symbol == symbol]
            placed_ms = min(order.attempt_ms for order, _ in here)
            moved_ms = min(max(placed_ms, venue.update_ms) for _, venue in here)
            for since_ms in stretches(placed_ms, moved_ms, self.trading.now_ms()):
                fills = await self._executed(symbol, here, since_ms, until_s)
                booked += await self.tell(fills)
                here = [each for each in here if self._lacks(*each, fills)]
                if not here:
                    break
                if trio.current_time() >= until_s:
                    self.unread(symbol)
                    break
            self.is_behind |= bool(here)
            self._seen |= {order.client_order_id for order, _ in here}
        return booked

    async def book_revenants(self, revenants: Revenants, now_s: float) -> int:
        """Book what orders execute that have ended here, also once they end there."""
        found = [*revenants.open]
        with trio.move_on_at(now_s + GONE_S):
            await trio.lowlevel.checkpoint()
            for order in revenants.gone:  # what is left has its turn in the next pass
                revenants.asks(order)
                try:
                    venue = await self.trading.order(order.symbol, order.client_order_id)
                except Archived:
                    venue = None
                except VenueError:
                    continue
                found += [(order, venue)] if venue is not None else []
                is_all = venue is None or not self._lacks(order, venue, ())
                revenants.told(order, venue, is_all=is_all, now_s=now_s)
        return await self.book_fills(found)

    async def _executed(
        self,
        symbol: str,
        behind: Sequence[tuple[Order, VenueOrder]],
        since_ms: int,
        until_s: float,
    ) -> list[Filled]:
        """Return what nobody has booked; nothing where the past is too long to be read.

        Neither that nor a symbol that is not listed bars anybody else (R-02).
        """
        listed: Sequence[VenueFill] = ()
        await trio.lowlevel.checkpoint()
        with suppress(*UNREADABLE), trio.move_on_at(until_s):
            listed = await self.trading.fills(symbol, since_ms=since_ms - OVERLAP_MS)
        fills = list[Filled]()
        for order, venue in behind:
            its_own = [it for it in listed if it.venue_order_id == venue.venue_order_id]
            fills += self.unbooked(order, its_own)
        return fills

    def unbooked(self, order: Order, fills: Sequence[VenueFill]) -> list[Filled]:
        """Return what is not booked by now, however old `order` is.

        After an operator's word on what it did, the venue's is late.
        """
        now = self._now(order)
        if is_settled_fill(now):
            return []
        return [
            fact_of_fill(now, fill, self.account)
            for fill in fills
            if fill.trade_id not in now.trade_ids
        ]

    def _lacks(self, order: Order, venue: VenueOrder, fills: Sequence[Filled]) -> bool:
        """Tell whether more was executed than we know by `fills`, just told, and before."""
        now = self._now(order)
        mine = [it for it in fills if it.client_order_id == now.client_order_id]
        new = [it.base for it in mine if it.trade_id not in now.trade_ids]
        is_more = venue.filled_base > sum(new, now.filled_base)
        return is_more and not is_settled_fill(now)

    def _now(self, order: Order) -> Order:
        return self.books.orders.get(order.client_order_id) or order
