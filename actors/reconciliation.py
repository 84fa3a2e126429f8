"""Ask the venue what became of our orders, and book what we have missed.

A pass asks for open orders, each order we track, executions, history and balances. A
failed query is not an empty answer: about one order it leaves that order as it is, about
the account it ends the pass with its error (R-01, R-03). The ledger decides what is ours,
never a time window (R-09).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal

import attrs
import trio

from actors.booking import OVERLAP_MS, UNREADABLE, Booking
from actors.messages import (
    Balanced,
    Fact,
    Reconciled,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from actors.ports import Archived, NotListed, Trading, VenueError
from actors.pure.adopting import foreign_line, strange_orders
from actors.pure.books import Books
from actors.pure.client_order_id import epoch_of
from actors.pure.drift import ZERO_BALANCE, Shortage, held_base, new_balances
from actors.pure.executions import executions_of
from actors.pure.lost_cancels import LostCancels
from actors.pure.order_ages import OrderAges
from actors.pure.order_life import Order
from actors.pure.revenants import Revenants
from actors.pure.settling import SETTLED_S, is_judged, judged_after_s
from actors.pure.turns import Turns
from actors.pure.unsettled import UNSETTLED, tracked_orders, untold_ends
from actors.pure.venue_facts import archived, forgotten, not_placed

ASK_S = 30.0  # for the questions about single orders, all together
FOREIGN_MAX = 50  # shown one by one; all are counted
UNLISTED_S = 600.0  # then a symbol is asked for again: maintenance may have hidden it


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
    # Symbols that the venue said it does not have, and until when it is believed.
    unlisted: dict[str, float] = attrs.Factory(dict[str, float])
    turns: Turns = attrs.Factory(Turns)
    foreign_epoch: str = ""  # of an open order with our tag: a second engine (I-19)
    order_drifts: tuple[str, ...] = ()  # of the last pass: a line for each
    has_vanished: bool = False  # an order that the venue once had, and now does not know
    ages: OrderAges = attrs.Factory(OrderAges)
    cancels: LostCancels = attrs.Factory(LostCancels)
    revenants: Revenants = attrs.Factory(Revenants)
    booking: Booking = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.booking = Booking(self.account, self.trading, self.books, self.tell)

    async def run(self, why: str) -> Reconciled:
        """Make one pass and return what it found.

        Raises:
          VenueError: a query failed; nothing was concluded from it.
          JournalDown: what was found could not be made durable.
        """
        self.booking.begin()
        self.has_vanished = False
        tracked = tracked_orders(self.books)
        self.ages.begin(tracked, trio.current_time(), self.trading.now_ms())
        await self._ask_again()
        symbols = self.listed()
        told = await self._open(symbols)
        found, missing, ended = await self._ask_each(tracked, told)
        fills, settled = await self.booking.book(found)
        lost: list[str] = []
        settled += ended + await self._judge_due(missing, told, lost)
        settled += await self.tell(untold_ends(self.books))
        held = held_base(self.books)
        totals = await self._balances(held)
        still_open = await self._open(symbols)
        unmoved = {venue.client_order_id for venue in still_open if self.is_unmoved(venue)}
        self.shortage.weigh(self.books, held, totals, unmoved)
        fills += await self._look_at_open(still_open, lost)
        self.order_drifts = (*lost, *self._strange(still_open))
        foreign = [it for it in still_open if not self._is_known(it)]
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

    @property
    def frozen(self) -> frozenset[str]:
        """The symbols on which nothing new may be begun."""
        return self.shortage.frozen | self.revenants.symbols

    def listed(self) -> Sequence[str]:
        """Return the symbols to ask for: configured, or of orders that may still change."""
        tracked = {order.symbol for order in tracked_orders(self.books)}
        return sorted((self.symbols | tracked) - self.unlisted.keys())

    async def _ask_again(self) -> None:
        """Ask for what was not listed a while ago; the venue's no fails no pass again."""
        await trio.lowlevel.checkpoint()
        now_s = trio.current_time()
        for symbol in [it for it, until_s in self.unlisted.items() if until_s <= now_s]:
            try:
                await self.trading.open_orders([symbol])
            except NotListed:
                self.unlisted[symbol] = now_s + UNLISTED_S
            else:
                del self.unlisted[symbol]

    async def _ask_each(
        self, tracked: Sequence[Order], still_open: Sequence[VenueOrder]
    ) -> tuple[list[tuple[Order, VenueOrder]], list[Order], int]:
        """Return the orders that the venue knows, and those that it says it does not.

        One of which it says nothing is in neither, and bars only its own symbol (R-02).
        Those that it has archived have ended; they are counted.
        """
        known = {venue.client_order_id: venue for venue in still_open}
        found: list[tuple[Order, VenueOrder]] = []
        missing: list[Order] = []
        ended = 0
        deadline_s = trio.current_time() + ASK_S
        for order in self.turns.begin(tracked, known):
            order_id = order.client_order_id
            is_silent, venue = trio.current_time() >= deadline_s, None
            if not is_silent:
                self.turns.asks(order_id)
                try:
                    with trio.fail_at(deadline_s):
                        venue = await self.trading.order(order.symbol, order_id)
                except Archived:
                    ended += await self.tell([archived(order)])
                    continue
                except (VenueError, trio.TooSlowError):
                    is_silent = True
                    self.turns.asked_in_vain(order_id)
            venue = venue or known.get(order_id)
            if venue is not None:
                found.append((order, venue))
            elif is_silent:
                self.turns.unheard.add(order_id)
            else:
                missing.append(order)
        await trio.lowlevel.checkpoint()
        return found, missing, ended

    async def _open(self, symbols: Sequence[str]) -> Sequence[VenueOrder]:
        try:
            return await self.trading.open_orders(symbols)
        except NotListed as error:  # the next pass leaves it out
            self.unlisted[error.symbol] = trio.current_time() + UNLISTED_S
            raise

    async def _judge_due(
        self, missing: Sequence[Order], still_open: Sequence[VenueOrder], lost: list[str]
    ) -> int:
        """Settle what may be settled by now of the orders that the venue does not know."""
        settled, due = 0, list[Order]()
        await trio.lowlevel.checkpoint()
        for order in missing:
            if order.status not in UNSETTLED or is_judged(order, self.ages.known_s(order)):
                due.append(order)
            else:
                self.ages.wait(order, judged_after_s(order))
        symbols = self.booking.in_turn(order.symbol for order in due)
        for number, symbol in enumerate(symbols):
            until_s = self.booking.share_s(len(symbols) - number + 1)
            here = [order for order in due if order.symbol == symbol]
            since_ms = min(order.attempt_ms for order in here) - OVERLAP_MS
            try:
                with trio.fail_at(until_s):
                    past = await self.trading.past_orders(symbol, since_ms=since_ms)
                    fills = await self.trading.fills(symbol, since_ms=since_ms)
            except (*UNREADABLE, trio.TooSlowError) as error:  # it bars nobody else
                self.has_vanished = True
                if not isinstance(error, NotListed):
                    self.booking.unread(symbol)
                    lost.append(f"{symbol}: nobody could read in time what was executed")
                continue
            told = (*past, *still_open)
            for order in here:
                settled += await self._judge_missing(order, told, fills, lost)
        return settled

    async def _judge_missing(
        self,
        order: Order,
        told: Sequence[VenueOrder],
        fills: Sequence[VenueFill],
        lost: list[str],
    ) -> int:
        """Settle an order that neither its query nor the open orders know.

        It was never placed only if history and executions, asked for after nothing could
        make it appear any more, do not know it either (R-03, I-10). An order that the
        venue once had was cancelled, where the venue forgets such orders; elsewhere it is
        `lost`, and stays as it is.
        """
        order_id = order.client_order_id
        await trio.lowlevel.checkpoint()
        if self.books.orders.get(order_id) is not order:
            return 0  # it was told of meanwhile: the next pass asks again
        for venue in told:
            if venue.client_order_id == order_id:
                booked, settled = await self.booking.book([(order, venue)])
                return booked + settled
        executed = executions_of(order, fills, self.books, told)
        mine = executed.mine
        was_known = mine or order.status not in UNSETTLED
        is_old = self.ages.known_s(order) > SETTLED_S
        if was_known and self.trading.forgets_canceled and is_old:
            booked = await self.tell(self.booking.unbooked(order, mine))
            return booked + await self.tell([forgotten(order, mine)])
        if was_known or executed.doubt:
            if was_known:
                self.has_vanished = True
            if was_known and not is_old:
                self.ages.wait(order, SETTLED_S)
            why = executed.doubt or "the venue had it and does not know it"
            lost.append(f"order {order_id}: {why}")
            return await self.tell(self.booking.unbooked(order, mine))
        reason = "no order query, open orders, history or executions of the venue know it"
        return await self.tell([not_placed(order, reason)])

    async def _look_at_open(self, still_open: Sequence[VenueOrder], lost: list[str]) -> int:
        """Look for cancels that were lost, and for orders that have ended here only.

        What these execute is booked, also once they end there.
        """
        now_s = trio.current_time()
        await self.tell(self.cancels.found(self.books, still_open, now_s))
        self.revenants.look(self.books, still_open, now_s)
        fills = await self.booking.book_revenants(self.revenants, now_s)
        lost += [*self.booking.late(), *self.revenants.lines()]
        return fills

    def _is_known(self, venue: VenueOrder) -> bool:
        return self.books.orders.get(venue.client_order_id) is not None

    async def _balances(self, before: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return what the venue holds of each asset, and record what changed.

        `before`: what was held by the ledger as the venue was asked.
        """
        told = {balance.asset: balance for balance in await self.trading.balances()}
        for asset in self.balances.keys() - told.keys():  # a venue may leave out zeros
            told[asset] = VenueBalance(asset, *ZERO_BALANCE)
        now = [Balanced(self.account, it.asset, it.free, it.locked) for it in told.values()]
        changed = new_balances(now, self.balances, before, held_base(self.books))
        await self.tell(changed)
        self.balances |= {fact.asset: fact for fact in changed}
        return {asset: each.free + each.locked for asset, each in told.items()}

    def is_unmoved(self, venue: VenueOrder) -> bool:
        """Tell whether the venue has executed as much of our order as we have booked."""
        order = self.books.orders.get(venue.client_order_id)
        return order is not None and order.filled_base == venue.filled_base

    def _strange(self, still_open: Sequence[VenueOrder]) -> list[str]:
        """Return a line for each order that carries our tag and that is not ours (R-17)."""
        strange = strange_orders(still_open, self.books, self.account_tag)
        epochs = {epoch_of(order_id) or "" for order_id in strange} - {self.epoch}
        self.foreign_epoch = min(epochs, default="") if self.epoch else ""
        return [f"order {order_id} carries our tag, not our record" for order_id in strange]
