"""One account's private stream: acks, fills, balances, and the word that all is known.

venue   --VenueOrder, VenueFill--> [account] --Record---------> journal
journal --Told (facts)-----------> [account] --Lease (latest)-> orders
clock   --ClockStepped (latest)--> [account]

Reconciles at start, at each reconnect of the stream, every 60 s, and soon after an order
became UNKNOWN. The lease is given while the stream stands and the last pass succeeded;
without it `orders` sends no entries (I-11, I-20). A restart recalls the orders and
reconciles again; it forgets nothing that the ledger or the venue still know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    Acknowledged,
    Attempted,
    BalancesHeard,
    ClockStepped,
    Ended,
    Fact,
    Filled,
    Intended,
    Lease,
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
from actors.pure.client_order_id import is_ours
from actors.pure.reconnect import ReconnectPolicy
from actors.pure.venue_facts import fact_of_fill, facts_of_order
from actors.reconciliation import Reconciliation, is_unsettled
from actors.reconnecting import keep_connected
from actors.records import JournalDown, JournalWish, Replay, recall, record

RECONCILE_EVERY_S = 60.0
UNSETTLED_S = 1.0  # first look after an order became UNKNOWN; doubles up to the above
SPACING_S = 1.0  # from one pass to the next, whoever asks
RETRY_S_MAX = 30.0
LEASE_S = 15.0
RENEW_S = 5.0
EARLY_S = 1.0  # the venue may speak of an order before the journal has told us of it


READS: frozenset[type[Fact]] = frozenset(
    {Intended, Attempted, Acknowledged, OutcomeUnknown, Filled, Ended, PositionClosed}
)


@attrs.frozen
class AccountSettings:
    account: str
    account_tag: str
    exchange: str
    symbols: frozenset[str]
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    reconcile_every_s: float = RECONCILE_EVERY_S


async def run_account(
    mailbox: Mailbox[Told | ClockStepped],
    trading: Trading,
    orders_mailbox: Mailbox[Any],
    journal: Mailbox[JournalWish],
    *,
    settings: AccountSettings,
    random: Random,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Hear the venue, record what it says, and reconcile, until cancelled.

    Raises:
      JournalDown: the recall at the start failed.
      FactGap: a fact was lost on the way to us.
      ExceptionGroup: of `AttemptsSpent`, when the stream cannot be reached.
    """
    recalled = await recall(journal, mailbox.name)
    books = Books()
    for fact in recalled.facts:
        books.apply(fact)
    life = _Account(mailbox, trading, orders_mailbox, journal, books, settings)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(
            partial(
                keep_connected,
                life.serve,
                policy=settings.reconnect,
                random=random,
                on_lost=life.tell_lost,
            )
        )
        nursery.start_soon(life.keep_reconciled)
        nursery.start_soon(life.keep_lease)
        task_status.started()
        replay = Replay(recalled.seq)
        while True:
            match await mailbox.receive():
                case Told() as told:
                    life.hear_fact(replay.fresh(told))
                case ClockStepped(reason=reason):
                    life.drop(reason)


@attrs.define(eq=False)
class _Account:
    mailbox: Mailbox[Any]
    trading: Trading
    orders_mailbox: Mailbox[Any]
    journal: Mailbox[JournalWish]
    books: Books
    settings: AccountSettings
    reconciliation: Reconciliation = attrs.field(init=False)
    is_streaming: bool = False
    is_reconciled: bool = False  # since the stream was last connected
    connection: int = 0  # how many there have been
    failures: int = 0  # passes in a row
    lost_reason: str = ""
    _asked: trio.Event = attrs.Factory(trio.Event)
    _why: str = "start"
    _heard: trio.Event = attrs.Factory(trio.Event)
    _unsettled_s: float = UNSETTLED_S
    _passed_s: float = -math.inf  # when the last pass ended
    _dropped: trio.CancelScope | None = None

    def __attrs_post_init__(self) -> None:
        self.reconciliation = Reconciliation(
            self.settings.account,
            self.settings.account_tag,
            self.trading,
            self.books,
            self.settings.symbols,
            self._tell,
        )

    def hear_fact(self, fact: Fact | None) -> None:
        """Follow the ledger; an order that became UNKNOWN is looked into soon."""
        if fact is None:
            return
        self.books.apply(fact)
        self._heard.set()
        self._heard = trio.Event()
        if isinstance(fact, OutcomeUnknown) and is_unsettled(self.books):
            self._unsettled_s = UNSETTLED_S
            self._ask("an order's outcome is unknown")

    def drop(self, reason: str) -> None:
        """End the stream's connection; the next one reconciles (D-6)."""
        self.lost_reason = reason
        if self._dropped is not None:
            self._dropped.cancel()

    async def serve(self, connected: Callable[[], None]) -> VenueError:
        """Serve one connection of the private stream; return why it ended."""
        with trio.CancelScope() as self._dropped:
            async with self.trading.open_private() as stream:
                connected()
                self.is_streaming, self.is_reconciled = True, False
                self.connection += 1
                self._ask("the private stream was connected")
                return await self._pump(stream)
        return ConnectionLost(self.lost_reason)

    async def tell_lost(
        self, error: VenueError, attempt: int, delay_s: float | None
    ) -> None:
        """Take the lease back: what happens now, nobody hears."""
        self.is_streaming = self.is_reconciled = False
        self._post_lease()

    async def keep_reconciled(self) -> None:
        """Reconcile when asked, every 60 s, and often while an order is unsettled."""
        while True:
            with trio.move_on_after(self._next_pass_s()):
                await self._asked.wait()
            self._asked, why, self._why = trio.Event(), self._why, "routine"
            await trio.sleep_until(self._passed_s + SPACING_S)
            connection = self.connection
            try:
                await self.reconciliation.run(why)
            except (VenueError, JournalDown):
                self.failures += 1
                self.is_reconciled = False
                self._post_lease()
                await trio.sleep(min(2.0**self.failures, RETRY_S_MAX))
                self._ask(why)
                continue
            self.failures, self._passed_s = 0, trio.current_time()
            self.mailbox.note_work()
            self.is_reconciled = connection == self.connection
            self._post_lease()

    def _next_pass_s(self) -> float:
        every_s = self.settings.reconcile_every_s
        if not is_unsettled(self.books):
            self._unsettled_s = UNSETTLED_S
            return every_s
        self._unsettled_s *= 2
        return min(self._unsettled_s, every_s)

    async def keep_lease(self) -> None:
        """Renew the lease while there is reason to."""
        while True:
            self._post_lease()
            await trio.sleep(RENEW_S)

    async def _pump(self, stream: PrivateStream) -> VenueError:
        while True:
            try:
                messages = await stream.receive()
            except RemoteProtocolError:
                self._ask("an event of the private stream was unreadable")
                continue
            for message in messages:
                if isinstance(message, PrivateStreamEnded):
                    return ConnectionLost(f"the venue ended the stream: {message.reason}")
            try:
                await self._hear(messages)
            except JournalDown:
                self._ask("an event could not be made durable")

    async def _hear(self, messages: Sequence[PrivateMessage]) -> None:
        facts: list[Fact] = []
        for message in messages:
            if isinstance(message, (VenueOrder, VenueFill)):
                facts += await self._facts_of(message)
            elif isinstance(message, BalancesHeard):
                pass  # the next pass weighs all balances at once
        await self._tell(facts)
        self.mailbox.note_work()

    async def _facts_of(self, message: VenueOrder | VenueFill) -> Sequence[Fact]:
        order = self.books.orders.get(message.client_order_id)
        if order is None and is_ours(message.client_order_id, self.settings.account_tag):
            with trio.move_on_after(EARLY_S):
                while (order := self.books.orders.get(message.client_order_id)) is None:
                    await self._heard.wait()
        if order is None:
            return ()  # foreign: shown by the next pass, never touched
        if isinstance(message, VenueFill):
            return (fact_of_fill(order, message, self.settings.account),)
        return facts_of_order(order, message)

    async def _tell(self, facts: Sequence[Fact]) -> int:
        if not facts:
            return 0
        recorded = await record(self.journal, *facts)
        return sum(recorded.are_new)

    def _ask(self, why: str) -> None:
        self._why = why
        self._asked.set()

    def _post_lease(self) -> None:
        is_given = self.is_streaming and self.is_reconciled
        until_s = trio.current_time() + LEASE_S if is_given else 0.0
        self.orders_mailbox.latest("lease", Lease(self.settings.account, until_s))
