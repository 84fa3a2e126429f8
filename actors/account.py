"""One account's private stream: acks, fills, balances, and the word that all is known.

venue   --VenueOrder, VenueFill--> [account] --Record-----------> journal
journal --Told (facts)-----------> [account] --Lease (latest)---> orders
clock   --ClockStepped (latest)--> [account] --Alarmed (latest)-> board
board   --Question (wish)--------> [account]

Reconciles at each connection of the stream, every 60 s, and soon after something became
unclear. The lease is given while the stream stands and the last pass succeeded; without
it `orders` sends no entries (I-11, I-20). A restart recalls the orders and reconciles
again; it forgets nothing that the ledger or the venue still know.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import attrs
import trio

from actors.account_desk import AccountDesk
from actors.account_passes import AlarmKey, Passes
from actors.mailbox import Mailbox
from actors.messages import (
    ClockStepped,
    Corrected,
    Ended,
    Fact,
    Filled,
    OutcomeUnknown,
    PositionClosed,
    PrivateMessage,
    PrivateStreamEnded,
    Told,
    VenueFill,
    VenueOrder,
)
from actors.ports import (
    ConnectionLost,
    PrivateStream,
    Random,
    RemoteProtocolError,
    Trading,
    VenueError,
)
from actors.pure.books import Books
from actors.pure.client_order_id import epoch_of, is_ours
from actors.pure.order_life import Order
from actors.pure.order_sheet import ORDER_FACTS
from actors.pure.reconnect import ReconnectPolicy
from actors.pure.settling import is_settled_fill
from actors.pure.venue_facts import NOT_REPLACED, fact_of_fill, facts_of_order
from actors.questions import Question
from actors.reconciliation import Reconciliation
from actors.reconnecting import keep_connected
from actors.records import JournalDown, JournalWish, Replay, fold, record

RECONCILE_EVERY_S = 60.0
EARLY_S = 1.0  # the venue may speak of an order before the journal has told us of it
STRANGERS_MAX = 256  # orders that were waited for in vain, and are not waited for again


READS: frozenset[type[Fact]] = ORDER_FACTS | {
    PositionClosed,
    Corrected,
}


@attrs.frozen
class AccountSettings:
    account: str
    account_tag: str
    exchange: str
    symbols: Mapping[str, str]  # of each bot
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    reconcile_every_s: float = RECONCILE_EVERY_S
    epoch: str = ""  # of the ledger; an order of ours with another fences us off
    execution: str = ""  # one per run


async def run_account(
    mailbox: Mailbox[Told | ClockStepped | Question],
    trading: Trading,
    orders_mailbox: Mailbox[Any],
    journal: Mailbox[JournalWish],
    *,
    settings: AccountSettings,
    random: Random,
    board: Mailbox[Any] | None = None,
    told: dict[AlarmKey, str],  # alarms, over all lives
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Hear the venue, record what it says, and reconcile, until cancelled.

    Raises:
      JournalDown: the recall at the start failed.
      FactGap: a fact was lost on the way to us.
      ExceptionGroup: of `AttemptsSpent`, when the stream cannot be reached.
    """
    books = Books()
    replay = await fold(journal, mailbox.name, books.apply)
    found = _reconciliation(settings, trading, books, journal)
    every_s = settings.reconcile_every_s
    passes = Passes(found, mailbox, orders_mailbox, board, every_s, told)
    life = _Account(mailbox, trading, journal, books, settings, passes)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(life.keep_stream, random)
            nursery.start_soon(passes.keep_reconciled)
            nursery.start_soon(passes.keep_lease)
            task_status.started()
            await life.serve(replay, nursery)
    finally:
        passes.lost()


def _reconciliation(
    settings: AccountSettings, trading: Trading, books: Books, journal: Mailbox[JournalWish]
) -> Reconciliation:
    return Reconciliation(
        settings.account,
        settings.account_tag,
        settings.epoch,
        trading,
        books,
        frozenset(settings.symbols.values()),
        partial(_tell, journal),
        settings.execution,
    )


@attrs.define(eq=False)
class _Account:
    mailbox: Mailbox[Any]
    trading: Trading
    journal: Mailbox[JournalWish]
    books: Books
    settings: AccountSettings
    passes: Passes
    lost_reason: str = ""
    strangers: OrderedDict[str, None] = attrs.Factory(OrderedDict[str, None])
    _heard: trio.Event = attrs.Factory(trio.Event)
    _dropped: trio.CancelScope | None = None

    async def serve(self, replay: Replay, nursery: trio.Nursery) -> None:
        """Take one message after the other, for ever."""
        told, journal, trading = self.settings, self.journal, self.trading
        desk = AccountDesk(
            told.account,
            told.exchange,
            trading,
            self.books,
            journal,
            self.passes,
            told.symbols,
        )
        while True:
            match await self.mailbox.receive():
                case Told() as message:
                    self.hear_fact(replay.fresh(message))
                case ClockStepped(reason=reason):
                    self.drop(reason)
                case question:
                    nursery.start_soon(desk.answer, question)

    def hear_fact(self, fact: Fact | None) -> None:
        """Follow the ledger; what became unclear is looked into soon."""
        if fact is None:
            return
        self.books.apply(fact)
        if isinstance(fact, (Filled, Ended)):
            order = self.books.orders.get(fact.client_order_id)
            if order is not None:
                self.passes.look_at(order)
        self._heard.set()
        self._heard = trio.Event()
        if isinstance(fact, (OutcomeUnknown, Ended)) and self._is_unclear(fact):
            self.passes.ask("what became of an order is not known")

    def drop(self, reason: str) -> None:
        """End the stream's connection; the next one reconciles (D-6)."""
        self.lost_reason = reason
        if self._dropped is not None:
            self._dropped.cancel()

    async def keep_stream(self, random: Random) -> None:
        """Keep the private stream, inside this life, as the policy says."""
        await keep_connected(
            self._serve,
            policy=self.settings.reconnect,
            random=random,
            on_lost=self._tell_lost,
        )

    async def _serve(self, connected: Callable[[], None]) -> VenueError:
        with trio.CancelScope() as self._dropped:
            async with self.trading.open_private() as stream:
                connected()
                self.passes.connected()
                try:
                    return await self._pump(stream)
                finally:
                    self.passes.lost()  # before the goodbyes, which may take a second
        await trio.lowlevel.checkpoint()
        return ConnectionLost(self.lost_reason)

    async def _tell_lost(
        self, error: VenueError, _attempt: int, _delay_s: float | None
    ) -> None:
        self.passes.lost(str(error) or "the private stream is lost")
        await trio.lowlevel.checkpoint()

    async def _pump(self, stream: PrivateStream) -> VenueError:
        while True:
            try:
                messages = await stream.receive()
            except RemoteProtocolError:
                self.passes.ask("an event of the private stream was unreadable")
                await trio.lowlevel.checkpoint()
                continue
            try:
                await self._hear(messages)
            except JournalDown:
                self.passes.ask("an event could not be made durable")
                await trio.lowlevel.checkpoint()
            for message in messages:
                if isinstance(message, PrivateStreamEnded):
                    return ConnectionLost(f"the venue ended the stream: {message.reason}")

    async def _hear(self, messages: Sequence[PrivateMessage]) -> None:
        """Record what is said of our orders; the next pass weighs balances at once."""
        facts: list[Fact] = []
        for message in messages:
            if not isinstance(message, (VenueOrder, VenueFill)):
                continue
            order = await self._order_of(message.client_order_id)
            if order is None:
                continue  # foreign: shown by the next pass, never touched
            if isinstance(message, VenueFill):
                if is_settled_fill(order):
                    continue  # an operator has told of it; another pass shows the drift
                facts.append(fact_of_fill(order, message, self.settings.account))
            else:
                facts += facts_of_order(order, message)
        await _tell(self.journal, facts)
        self.mailbox.note_work()

    async def _order_of(self, order_id: str) -> Order | None:
        """Return our order; one that carries our tag may be told of a moment later."""
        order = self.books.orders.get(order_id)
        if order is None and is_ours(order_id, self.settings.account_tag):
            epoch = epoch_of(order_id) or ""
            if self.settings.epoch and epoch != self.settings.epoch:
                self.passes.fence(epoch)  # of another engine: nobody here will tell of it
                self._note_stranger(order_id)
            elif order_id not in self.strangers:
                order = await self._awaited(order_id)
        await trio.lowlevel.checkpoint()
        return order

    async def _awaited(self, order_id: str) -> Order | None:
        order = None
        with trio.move_on_after(EARLY_S):
            await trio.lowlevel.checkpoint()
            while (order := self.books.orders.get(order_id)) is None:
                await self._heard.wait()
        if order is None:
            self._note_stranger(order_id)
        return order

    def _note_stranger(self, order_id: str) -> None:
        """Look into an order with our tag that our ledger does not know, once."""
        if order_id not in self.strangers:
            self.strangers[order_id] = None
            if len(self.strangers) > STRANGERS_MAX:
                self.strangers.popitem(last=False)
            self.passes.ask("an order carries our tag, not our record")

    def _is_unclear(self, fact: OutcomeUnknown | Ended) -> bool:
        order = self.books.orders.get(fact.client_order_id)
        if order is None:
            return False
        if isinstance(fact, Ended) and fact.code == NOT_REPLACED:
            return True  # the stop that it was to replace may be gone
        return order.is_unknown or bool(order.missing_base)


async def _tell(journal: Mailbox[JournalWish], facts: Sequence[Fact]) -> int:
    """Make facts durable; return how many were new."""
    if not facts:
        await trio.lowlevel.checkpoint()
        return 0
    return sum((await record(journal, *facts)).are_new)
