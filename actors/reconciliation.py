"""Ask the venue what became of our orders, and book what we have missed.

A pass asks for open orders, each order we track, executions, history, balances, and open
orders again. A failed query is not an empty answer: the pass ends with its error and
concludes nothing (R-01, R-03). The ledger decides what is ours, never a time window (R-09).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal

import attrs

from actors.messages import (
    Acknowledged,
    Balanced,
    Ended,
    Fact,
    OrderStatus,
    Reconciled,
    VenueOrder,
)
from actors.ports import Trading
from actors.pure.books import Books
from actors.pure.client_order_id import is_ours
from actors.pure.money import split_symbol
from actors.pure.order_life import Order
from actors.pure.venue_facts import fact_of_fill, facts_of_order, not_placed

EXPIRY_MS = 5_000  # recvWindow: afterwards the venue refuses the request itself
MARGIN_MS = 5_000  # on top, for our measure of the venue's clock
UNSETTLED = frozenset({OrderStatus.NEW, OrderStatus.UNKNOWN})
OVERLAP_MS = 60_000  # executions and history are asked for from this much earlier


@attrs.define(eq=False)
class Reconciliation:
    """One account's passes. `tell` makes facts durable; `books` follow what is told."""

    account: str
    account_tag: str
    trading: Trading
    books: Books
    symbols: frozenset[str]
    tell: Callable[[Sequence[Fact]], Awaitable[int]]  # returns how many were new
    balances: dict[str, Balanced] = attrs.Factory(dict[str, Balanced])

    async def run(self, why: str) -> Reconciled:
        """Make one pass and return what it found.

        Raises:
          VenueError: a query failed; nothing was concluded from it.
          JournalDown: what was found could not be made durable.
        """
        tracked = tracked_orders(self.books)
        symbols = sorted(self.symbols | {order.symbol for order in tracked})
        await self.trading.open_orders(symbols)
        by_venue_id: dict[tuple[str, str], Order] = {}
        endings: list[Fact] = []
        missing: list[Order] = []
        for order in tracked:
            venue = await self.trading.order(order.symbol, order.client_order_id)
            if venue is None:
                missing.append(order)
                continue
            by_venue_id[order.symbol, venue.venue_order_id] = order
            facts = facts_of_order(order, venue)
            await self.tell([fact for fact in facts if isinstance(fact, Acknowledged)])
            endings += [fact for fact in facts if isinstance(fact, Ended)]
        fills = await self._book_fills(by_venue_id)
        settled = await self.tell(endings)
        for order in missing:
            settled += await self._judge_missing(order)
        await self._weigh_balances()
        still_open = await self.trading.open_orders(symbols)
        drifts = (*self._order_drifts(still_open), *self._balance_drifts())
        ours = sum(1 for venue in still_open if self._is_known(venue))
        found = Reconciled(
            self.account, why, ours, fills, settled, drifts, len(still_open) - ours
        )
        await self.tell([found])
        return found

    async def _book_fills(self, by_venue_id: Mapping[tuple[str, str], Order]) -> int:
        """Book executions of the tracked orders that no stream has told us (R-12)."""
        since_ms: dict[str, int] = {}
        for order in by_venue_id.values():
            begin_ms = order.attempt_ms - OVERLAP_MS
            since_ms[order.symbol] = min(since_ms.get(order.symbol, begin_ms), begin_ms)
        booked = 0
        for symbol, begin_ms in since_ms.items():
            facts: list[Fact] = []
            for fill in await self.trading.fills(symbol, since_ms=begin_ms):
                order = by_venue_id.get((symbol, fill.venue_order_id))
                if order is not None and fill.trade_id not in order.trade_ids:
                    facts.append(fact_of_fill(order, fill, self.account))
            booked += await self.tell(facts)
        return booked

    async def _judge_missing(self, order: Order) -> int:
        """Settle an order the venue does not know, once nothing can make it appear.

        Only after the request's own expiry plus a margin, and after the history, a
        second endpoint, does not know it either (I-10).
        """
        if self.trading.now_ms() - order.attempt_ms <= EXPIRY_MS + MARGIN_MS:
            return 0
        since_ms = order.attempt_ms - OVERLAP_MS
        for venue in await self.trading.past_orders(order.symbol, since_ms=since_ms):
            if venue.client_order_id == order.client_order_id:
                return await self.tell(facts_of_order(order, venue))
        reason = "neither the order query nor the history of the venue knows it"
        return await self.tell([not_placed(order, reason)])

    async def _weigh_balances(self) -> None:
        changed: list[Fact] = []
        for balance in await self.trading.balances():
            fact = Balanced(self.account, balance.asset, balance.free, balance.locked)
            if self.balances.get(balance.asset) != fact:
                self.balances[balance.asset] = fact
                changed.append(fact)
        await self.tell(changed)

    def _is_known(self, venue: VenueOrder) -> bool:
        return self.books.orders.get(venue.client_order_id) is not None

    def _order_drifts(self, still_open: Sequence[VenueOrder]) -> list[str]:
        """Return orders that carry our tag and that our ledger does not know (R-17)."""
        return [
            f"{venue.symbol} order {venue.client_order_id} carries our tag, not our record"
            for venue in still_open
            if is_ours(venue.client_order_id, self.account_tag)
            and not self._is_known(venue)
        ]

    def _balance_drifts(self) -> list[str]:
        """Return assets of which the venue holds less than our ledger says we bought."""
        held: dict[str, Decimal] = {}
        for symbol, base in self.books.holdings.base_by_symbol().items():
            asset = split_symbol(symbol)[0]
            held[asset] = held.get(asset, Decimal(0)) + base
        drifts: list[str] = []
        for asset, base in sorted(held.items()):
            balance = self.balances.get(asset)
            total = balance.free + balance.locked if balance is not None else Decimal(0)
            if total < base:
                drifts.append(f"{asset}: the ledger holds {base:f}, the venue {total:f}")
        return drifts


def tracked_orders(books: Books) -> list[Order]:
    """Return the orders that may still change, and those with executions not booked."""
    return [
        *books.orders.live(),
        *(order for order in books.orders.ended() if order.missing_base),
    ]


def is_unsettled(books: Books) -> bool:
    """Tell whether the venue must be asked soon: an outcome or a fill is not known."""
    return any(
        order.status in UNSETTLED or order.missing_base for order in tracked_orders(books)
    )
