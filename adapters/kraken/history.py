"""Page through what the venue remembers of an account, each time to its end or not at all:
ended orders, and executions.

Pages come newest first, so that what happens meanwhile moves rows to later pages: some are
seen twice and none is missed. One answer is about every pair; for a moment it also answers
the questions about other symbols that a pass asks one after the other.

Source: docs.kraken.com, "Get Closed Orders", "Get Trades History", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

import attrs
import msgspec
import trio

from actors.messages import VenueFill, VenueOrder
from adapters.errors import RemoteProtocolError, VenueError
from adapters.kraken.caller import Caller
from adapters.kraken.codec import orders
from adapters.kraken.venue import Venue

SHARED_S: Final = 2.0  # an order is judged missing after ten
PAGES_MAX: Final = 200
WEIGHTS: Final = {"TradesHistory": 2}  # other questions weigh 1
# Else what a taker met at once is one row, and its id names another quantity than the
# stream's does (I-5).
SINGLY: Final = {"TradesHistory": {"consolidate_taker": "false"}}

Row = TypeVar("Row", VenueOrder, VenueFill)


@attrs.define(eq=False)
class Answered(Generic[Row]):
    """What one question brought, and whom it has answered."""

    since_ms: int
    asked_s: float
    rows: list[Row]
    taken: set[str] = attrs.Factory(set[str])

    def answers(self, symbol: str, since_ms: int, now_s: float) -> bool:
        """Tell whether it may answer for one more symbol. Nobody is told it twice."""
        is_fresh = now_s - self.asked_s < SHARED_S
        return is_fresh and since_ms >= self.since_ms and symbol not in self.taken


@attrs.frozen
class Open:
    """What the venue has just said is open, and when; nothing has happened since."""

    asked_s: float
    changes: int  # of our own orders, when it was asked
    orders: Mapping[str, VenueOrder]  # by our ids

    def holds(self, changes: int, now_s: float) -> bool:
        """Tell whether the answer is still true."""
        return changes == self.changes and now_s - self.asked_s < SHARED_S


@attrs.define(eq=False)
class History:
    """The two histories of one account."""

    _venue: Venue
    _caller: Caller
    _orders: Answered[VenueOrder] | None = None
    _fills: Answered[VenueFill] | None = None

    async def orders(self, symbol: str, since_ms: int) -> list[VenueOrder]:
        """Return the orders of a symbol that have ended since then, oldest first."""
        answered = self._orders
        if answered is None or not answered.answers(symbol, since_ms, trio.current_time()):
            answered = Answered(since_ms, trio.current_time(), list[VenueOrder]())
            answered.rows = await self._page(
                "ClosedOrders",
                since_ms,
                lambda result: orders.decode_closed_orders(result, self._venue.symbol_of),
                lambda order: order.venue_order_id,
            )
            self._orders = answered
        await trio.lowlevel.checkpoint()
        answered.taken.add(symbol)
        found = [each for each in answered.rows if each.symbol == symbol]
        return sorted(
            (each for each in found if each.update_ms >= since_ms),
            key=lambda each: each.update_ms,
        )

    async def fills(self, symbol: str, since_ms: int) -> list[VenueFill]:
        """Return the account's executions of a symbol since then, oldest first."""
        answered = self._fills
        if answered is None or not answered.answers(symbol, since_ms, trio.current_time()):
            instruments = self._venue.listing.instruments
            quotes = {name: each.quote_asset for name, each in instruments.items()}
            answered = Answered(since_ms, trio.current_time(), list[VenueFill]())
            answered.rows = await self._page(
                "TradesHistory",
                since_ms,
                lambda result: orders.decode_trades(result, self._venue.symbol_of, quotes),
                lambda fill: fill.trade_id,
            )
            self._fills = answered
        await trio.lowlevel.checkpoint()
        answered.taken.add(symbol)
        found = [each for each in answered.rows if each.symbol == symbol]
        return sorted(
            (each for each in found if each.trade_ms >= since_ms),
            key=lambda each: (each.trade_ms, each.trade_id),
        )

    async def _page(
        self,
        path: str,
        since_ms: int,
        decode: Callable[[msgspec.Raw], tuple[Sequence[Row], int]],
        id_of: Callable[[Row], str],
    ) -> list[Row]:
        """Return every row since then, each once.

        Raises:
          VenueError: there are more than anybody could want; nothing is concluded.
          RemoteProtocolError: the pages end before all rows were seen.
        """
        await self._venue.know_symbols()
        found: dict[str, Row] = {}
        seen = 0
        for _ in range(PAGES_MAX):
            params: dict[str, str | int] = {
                "start": max(0, since_ms // 1000 - 1),
                "ofs": seen,
                **SINGLY.get(path, {}),
            }
            result = await self._caller.ask(path, params, weight=WEIGHTS.get(path, 1))
            page, count = decode(result)
            found.update({id_of(row): row for row in page})
            seen += len(page)
            if seen >= count:
                return list(found.values())
            if not page:
                raise RemoteProtocolError(f"{path}: no more rows after {seen} of {count}")
        raise VenueError(f"{path}: more than {PAGES_MAX} pages")
