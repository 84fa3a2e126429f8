"""Ask the venue what became of our orders, and book what we have missed.

A pass asks for open orders, each order we track, executions, history and balances. A
failed query is not an empty answer: about one order it leaves that order as it is, about
the account it ends the pass with its error (R-01, R-03). The ledger decides what is ours,
never a time window (R-09).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

import attrs
import trio

from actors.messages import (
    Acknowledged,
    Balanced,
    Ended,
    Fact,
    Filled,
    Reconciled,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from actors.ports import NotListed, Trading, VenueError
from actors.pure.books import Books
from actors.pure.client_order_id import epoch_of, is_ours
from actors.pure.drift import ZERO_BALANCE, Shortage, held_base
from actors.pure.executions import executions_of
from actors.pure.money import plain
from actors.pure.order_ages import OrderAges
from actors.pure.order_life import Order
from actors.pure.settling import SETTLED_S, is_judged, judged_after_s
from actors.pure.unsettled import UNSETTLED, tracked_orders
from actors.pure.venue_facts import fact_of_fill, facts_of_order, forgotten, not_placed

ALARM_MS = 30_000  # an outcome unknown for so long wants a person
ASK_S = 30.0  # for the questions about single orders, all together
FOREIGN_MAX = 50  # shown one by one; all are counted
OVERLAP_MS = 60_000  # executions and history are asked for from this much earlier


@attrs.define(eq=False)
class Reconciliation:
    """One account's passes. `tell` makes facts durable; `books` follow what is told."""

    account: str
    account_tag: str
    epoch: str  # of our ledger; "" fences nobody off
    trading: Trading
    books: Books
    symbols: frozenset[str]
    tell: Callable[[Sequence[Fact]], Awaitable[int]]  # returns how many were new
    execution: str = ""  # one per run
    shortage: Shortage = attrs.Factory(Shortage)
    balances: dict[str, Balanced] = attrs.Factory(dict[str, Balanced])
    unlisted: set[str] = attrs.Factory(set[str])  # symbols that the venue does not have
    in_vain: set[str] = attrs.Factory(set[str])  # orders that the last pass asked for so
    foreign_epoch: str = ""  # of an open order with our tag: a second engine (I-19)
    order_drifts: tuple[str, ...] = ()  # of the last pass: a line for each
    has_missing_fills: bool = False  # the venue's executions lag behind its orders
    has_vanished: bool = False  # an order that the venue once had, and now does not know
    ages: OrderAges = attrs.Factory(OrderAges)

    async def run(self, why: str) -> Reconciled:
        """Make one pass and return what it found.

        Raises:
          VenueError: a query failed; nothing was concluded from it.
          JournalDown: what was found could not be made durable.
        """
        self.has_missing_fills = self.has_vanished = False
        tracked = tracked_orders(self.books)
        self.ages.begin(tracked, trio.current_time(), self.trading.now_ms())
        symbols = sorted(
            (self.symbols | {order.symbol for order in tracked}) - self.unlisted
        )
        told = await self._open(symbols)
        found, missing = await self._ask_each(tracked, told)
        fills, settled = await self._book(found)
        lost: list[str] = []
        settled += await self._judge_due(missing, told, lost)
        held = held_base(self.books)
        totals = await self._balances()
        still_open = await self._open(symbols)
        unmoved = {venue.client_order_id for venue in still_open if self.is_unmoved(venue)}
        self.shortage.weigh(self.books, held, totals, unmoved)
        self.order_drifts = (*lost, *self._strange(still_open))
        foreign = [venue for venue in still_open if not self._is_known(venue)]
        result = Reconciled(
            self.account,
            why,
            len(still_open) - len(foreign),
            fills,
            settled,
            (*self.order_drifts, *self.shortage.lines()),
            len(foreign),
            self.execution,
            tuple(foreign_line(venue) for venue in foreign[:FOREIGN_MAX]),
        )
        await self.tell([result])
        return result

    async def _ask_each(
        self, tracked: Sequence[Order], still_open: Sequence[VenueOrder]
    ) -> tuple[list[tuple[Order, VenueOrder]], list[Order]]:
        """Return the orders that the venue knows, and those that it says it does not.

        One of which it says nothing is in neither list: it bars its own bot and symbol,
        and nobody else (R-02). The next pass asks for it last, so that all are heard.
        """
        known = {venue.client_order_id: venue for venue in still_open}
        before, self.in_vain = self.in_vain, set()
        found: list[tuple[Order, VenueOrder]] = []
        missing: list[Order] = []
        deadline_s = trio.current_time() + ASK_S
        for order in sorted(tracked, key=lambda it: it.client_order_id in before):
            order_id = order.client_order_id
            is_silent, venue = trio.current_time() >= deadline_s, None
            if not is_silent:
                try:
                    with trio.fail_at(deadline_s):
                        venue = await self.trading.order(order.symbol, order_id)
                except (VenueError, trio.TooSlowError):
                    is_silent = True
                    self.in_vain.add(order_id)
            venue = venue or known.get(order_id)
            if venue is not None:
                found.append((order, venue))
            elif not is_silent:
                missing.append(order)
        await trio.lowlevel.checkpoint()
        return found, missing

    async def _open(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        try:
            return await self.trading.open_orders(symbols)
        except NotListed as error:  # the next pass leaves it out
            self.unlisted.add(error.symbol)
            raise

    async def _book(self, found: Sequence[tuple[Order, VenueOrder]]) -> tuple[int, int]:
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
            self.has_missing_fills |= not is_all
            booked += await self.tell(fills)
        return booked

    async def _executed(
        self, symbol: str, behind: Sequence[tuple[Order, VenueOrder]], since_ms: int
    ) -> tuple[list[Filled], bool]:
        """Return what nobody has booked, and whether it is all that the venue filled."""
        listed = await self.trading.fills(symbol, since_ms=since_ms - OVERLAP_MS)
        fills, is_all = list[Filled](), True
        for order, venue in behind:
            mine = self._unbooked(order, [it for it in listed if _is_of(it, venue)])
            base = sum((it.base for it in mine), order.filled_base)
            is_all, fills = is_all and base >= venue.filled_base, fills + mine
        return fills, is_all

    def _unbooked(self, order: Order, fills: Sequence[VenueFill]) -> list[Filled]:
        return [
            fact_of_fill(order, fill, self.account)
            for fill in fills
            if fill.trade_id not in order.trade_ids
        ]

    async def _judge_due(
        self, missing: Sequence[Order], still_open: Sequence[VenueOrder], lost: list[str]
    ) -> int:
        """Settle what may be settled by now of the orders that the venue does not know."""
        settled = 0
        await trio.lowlevel.checkpoint()
        for order in missing:
            if order.status not in UNSETTLED or is_judged(order, self.ages.known_s(order)):
                settled += await self._judge_missing(order, still_open, lost)
            else:
                self.ages.wait(order, judged_after_s(order))
        return settled

    async def _judge_missing(
        self, order: Order, still_open: Sequence[VenueOrder], lost: list[str]
    ) -> int:
        """Settle an order that neither its query nor the open orders know.

        It was never placed only if history and executions, asked for after nothing could
        make it appear any more, do not know it either (R-03, I-10). An order that the
        venue once had was cancelled, where the venue forgets such orders; elsewhere it is
        `lost`, and stays as it is.
        """
        since_ms, order_id = order.attempt_ms - OVERLAP_MS, order.client_order_id
        past = await self.trading.past_orders(order.symbol, since_ms=since_ms)
        for venue in past:
            if venue.client_order_id == order_id:
                booked, settled = await self._book([(order, venue)])
                return booked + settled
        fills = await self.trading.fills(order.symbol, since_ms=since_ms)
        executed = executions_of(order, fills, self.books, (*past, *still_open))
        mine = executed.mine
        was_known = mine or order.status not in UNSETTLED
        is_old = self.ages.known_s(order) > SETTLED_S
        if was_known and self.trading.forgets_canceled and is_old:
            booked = await self.tell(self._unbooked(order, mine))
            return booked + await self.tell([forgotten(order, mine)])
        if was_known or executed.doubt:
            if was_known:
                self.has_vanished = True
            if was_known and not is_old:
                self.ages.wait(order, SETTLED_S)
            why = executed.doubt or "the venue had it and does not know it"
            lost.append(f"order {order_id}: {why}")
            return await self.tell(self._unbooked(order, mine))
        reason = "no order query, open orders, history or executions of the venue know it"
        return await self.tell([not_placed(order, reason)])

    async def _balances(self) -> dict[str, Decimal]:
        """Return what the venue holds of each asset, and record what changed."""
        told = {balance.asset: balance for balance in await self.trading.balances()}
        for asset in self.balances.keys() - told.keys():  # a venue may leave out zeros
            told[asset] = VenueBalance(asset, *ZERO_BALANCE)
        changed: list[Fact] = []
        for asset, balance in told.items():
            fact = Balanced(self.account, asset, balance.free, balance.locked)
            if self.balances.get(asset) != fact:
                self.balances[asset] = fact
                changed.append(fact)
        await self.tell(changed)
        return {asset: each.free + each.locked for asset, each in told.items()}

    def is_unmoved(self, venue: VenueOrder) -> bool:
        """Tell whether the venue has executed as much of our order as we have booked."""
        order = self.books.orders.get(venue.client_order_id)
        return order is not None and order.filled_base == venue.filled_base

    def long_unknown(self) -> list[Order]:
        """Return the orders whose outcome should have been known by now (R-02)."""
        before_ms = self.trading.now_ms() - ALARM_MS
        live = self.books.orders.live()
        return [it for it in live if it.is_unknown and it.attempt_ms < before_ms]

    def _is_known(self, venue: VenueOrder) -> bool:
        return self.books.orders.get(venue.client_order_id) is not None

    def _strange(self, still_open: Sequence[VenueOrder]) -> list[str]:
        """Return orders that carry our tag and that our ledger does not know (R-17)."""
        strange = [
            venue.client_order_id
            for venue in still_open
            if is_ours(venue.client_order_id, self.account_tag)
            and not self._is_known(venue)
        ]
        epochs = {epoch_of(order_id) or "" for order_id in strange} - {self.epoch}
        self.foreign_epoch = min(epochs, default="") if self.epoch else ""
        return [f"order {order_id} carries our tag, not our record" for order_id in strange]


def foreign_line(venue: VenueOrder) -> str:
    """Return an order that is not ours as people read it, an id of it first (R-16)."""
    price = venue.limit_price or venue.stop_price
    at = f" at {plain(price)}" if price else ""
    name = venue.client_order_id or venue.venue_order_id
    what = f"{name} {venue.side.value} {plain(venue.base)} {venue.symbol}"
    return f"{what} {venue.order_type.lower()}{at}"


def _is_of(fill: VenueFill, venue: VenueOrder) -> bool:
    return fill.venue_order_id == venue.venue_order_id
