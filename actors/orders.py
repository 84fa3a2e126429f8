"""The only sender of orders on one account; it owns each order's life.

risk            --Approved (wish)---------------> [orders] --Record---> journal
bot, positions  --ExitIntent, CancelIntent (wish)> [orders] --request-> venue
journal         --Told (facts)------------------> [orders] --Alarmed--> board
account         --Lease (latest)----------------> [orders]

Intent and attempt are durable before the first byte leaves (R-06); the request leaves
once, from a task of its own, and its outcome comes back as a fact. A crash loses the
wish in hand; an attempt without an outcome is UNKNOWN to the next life and is settled by
the account's reconciliation, never by sending again (R-05, R-07). An attempt that became
durable after nobody waited for it any more was never sent, and is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    Acknowledged,
    Alarmed,
    Approved,
    Attempted,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    CancelIntent,
    Ended,
    ExitIntent,
    Fact,
    Filled,
    Instrument,
    Intended,
    Lease,
    OrderIntent,
    OrderStatus,
    OutcomeUnknown,
    PositionClosed,
    Purpose,
    Reconciled,
    Refused,
    Told,
)
from actors.orders_road import GOODBYE_S, Road
from actors.ports import Random, Trading
from actors.pure.books import Books
from actors.pure.client_order_id import client_order_id
from actors.pure.order_gate import Gate, entry_of, exit_of, refusal
from actors.pure.order_life import begin
from actors.pure.reconnect import ReconnectPolicy
from actors.pure.venue_facts import not_placed
from actors.records import JournalDown, JournalWish, Replay, note, recall, record

NOTE_S = 1.0  # longest wait for the journal, where no order depends on it
SILENT_S = 5.0  # after the journal was silent: entries are refused at once meanwhile

READS: frozenset[type[Fact]] = frozenset(
    {
        Intended,
        Attempted,
        Acknowledged,
        OutcomeUnknown,
        Filled,
        Ended,
        PositionClosed,
        Reconciled,
        BotPaused,
        BotResumed,
        BotStopped,
        BotStarted,
    }
)
OrdersMail = Approved | ExitIntent | CancelIntent | Lease | Told
Recheck = Callable[[OrderIntent, Books], tuple[str, str] | None]


@attrs.frozen
class OrdersSettings:
    account: str
    account_tag: str
    epoch: str
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    execution: str = ""  # one per run; "" waits for no reconciliation


async def run_orders(
    mailbox: Mailbox[OrdersMail],
    trading: Trading,
    journal: Mailbox[JournalWish],
    instruments: Mapping[str, Instrument],
    *,
    settings: OrdersSettings,
    recheck: Recheck,
    is_stopping: Callable[[], bool],
    random: Random,
    board: Mailbox[Any] | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Send what may be sent, until cancelled. Ready once the orders are recalled.

    When the program stops, entries are cancelled and answers in flight waited for.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
    """
    recalled = await recall(journal, mailbox.name)
    gate = Gate.of(recalled.facts, execution=settings.execution)
    road = Road(trading, journal, gate, settings.reconnect, random)
    life = _Orders(mailbox, journal, instruments, gate, road, settings, recheck, board)
    await life.disown_answers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(road.keep_connection)
        try:
            async with trio.open_nursery() as life.sends:
                task_status.started()
                try:
                    await life.serve(Replay(recalled.seq))
                finally:
                    road.end_soon()
        finally:
            if is_stopping():
                with trio.move_on_after(GOODBYE_S, shield=True):
                    await road.cancel_entries()
            road.connection.cancel()


@attrs.define(eq=False)
class _Orders:
    mailbox: Mailbox[OrdersMail]
    journal: Mailbox[JournalWish]
    instruments: Mapping[str, Instrument]
    gate: Gate
    road: Road
    settings: OrdersSettings
    recheck: Recheck
    board: Mailbox[Any] | None
    lost: int = 0  # wishes that the journal would not take; nothing of them was sent
    begun: set[str] = attrs.Factory(set[str])  # attempts of this life, until told
    sends: trio.Nursery = attrs.field(init=False)
    _silent_until_s: float = 0.0  # the journal

    async def serve(self, replay: Replay) -> None:
        """Take one message after the other, for ever."""
        while True:
            message = await self.mailbox.receive()
            match message:
                case Told():
                    self._hear(replay.fresh(message))
                case Lease():
                    self.gate.hold(message)
                case Approved(intent=intent):
                    await self._enter(intent)
                case ExitIntent():
                    await self._exit(message)
                case CancelIntent(symbol=symbol, client_order_id=order_id):
                    self.sends.start_soon(self.road.cancel, symbol, order_id)
                case _:
                    assert_never(message)

    async def disown_answers(self) -> None:
        """Mark attempts whose answer died with an earlier life: UNKNOWN (R-07)."""
        facts = [
            OutcomeUnknown(
                order.bot,
                self.settings.account,
                order.symbol,
                order.client_order_id,
                "the answer was not heard: the sender ended first",
            )
            for order in self.gate.books.orders.live()
            if order.status is OrderStatus.NEW
        ]
        if facts:
            await record(self.journal, *facts)
            for fact in facts:
                self.gate.apply(fact)
        await trio.lowlevel.checkpoint()

    def _hear(self, fact: Fact | None) -> None:
        """Follow the ledger; an attempt in it that this life did not begin was not sent.

        Nobody else sends, and whoever waited for this one to be durable had given up.
        """
        if fact is None:
            return
        self._find_journal()
        self.gate.apply(fact)
        if not isinstance(fact, Attempted):
            return
        order_id = fact.client_order_id
        order = self.gate.books.orders.get(order_id)
        if order_id in self.begun:
            self.begun.discard(order_id)
        elif order is not None and order.status is OrderStatus.NEW:
            never = not_placed(order, "never sent: it was durable too late")
            self.sends.start_soon(self.road.tell, (never,))

    async def _enter(self, intent: OrderIntent) -> None:
        if self.gate.books.orders.intended(intent.intent_id) is not None:
            return await trio.lowlevel.checkpoint()  # one decision, told twice (I-9)
        now_s = trio.current_time()
        bar = self.gate.bar_to_entry(intent, now_s)
        if bar is None and intent.symbol not in self.instruments:
            bar = "unknown_symbol", f"{intent.exchange} does not list {intent.symbol}"
        if bar is None and now_s < self._silent_until_s:
            bar = "journal_down", "the ledger takes nothing: nothing new is begun"
        bar = bar or self.recheck(intent, self.gate.books)
        if bar is not None:
            return await self._refuse(refusal(intent, Purpose.ENTRY, *bar))
        return await self._attempt(entry_of(intent), intent.valid_until_s)

    async def _exit(self, intent: ExitIntent) -> None:
        if self.gate.books.orders.intended(intent.intent_id) is not None:
            return await trio.lowlevel.checkpoint()
        instrument = self.instruments.get(intent.symbol)
        if instrument is None:
            bar = "unknown_symbol", f"{intent.exchange} does not list {intent.symbol}"
        elif trio.current_time() > intent.valid_until_s:
            bar = "expired", "the exit waited too long; the next price asks again"
        elif not self.gate.is_reconciled:
            bar = "not_reconciled", "this run has not yet asked the venue what is open"
        else:
            bar = self.gate.exit_base(intent, instrument)
        if isinstance(bar, tuple):
            return await self._refuse(refusal(intent, Purpose.EXIT, *bar))
        entry = self.gate.books.orders.live_entry(intent.bot, intent.symbol)
        if entry is not None:
            self.sends.start_soon(self.road.cancel, entry.symbol, entry.client_order_id)
        return await self._attempt(exit_of(intent, bar), intent.valid_until_s)

    async def _attempt(self, intended: Intended, valid_until_s: float) -> None:
        attempt = 1  # a second attempt is a new intent, once this one is proven empty
        order_id = client_order_id(
            self.settings.account_tag, self.settings.epoch, intended.intent_id, attempt
        )
        attempted = Attempted(
            intended.bot,
            intended.account,
            intended.symbol,
            intended.intent_id,
            attempt,
            order_id,
            self.road.trading.now_ms(),
        )
        try:
            await record(self.journal, intended, attempted)
        except JournalDown as error:
            self._lose(intended, error)  # nothing is sent (I-2)
        else:
            self._find_journal()
            self.begun.add(order_id)
            self.gate.apply(intended)
            self.gate.apply(attempted)
            order = begin(intended, attempted)
            self.sends.start_soon(self.road.send, order, valid_until_s)
        await trio.lowlevel.checkpoint()

    async def _refuse(self, refused: Refused) -> None:
        """Record a refusal, if the journal answers; no exit waits for it long."""
        is_durable = False
        if trio.current_time() >= self._silent_until_s:
            with trio.move_on_after(NOTE_S):
                is_durable = await note(self.journal, refused)
        self.lost += not is_durable
        await trio.lowlevel.checkpoint()

    def _lose(self, intended: Intended, error: JournalDown) -> None:
        """Say that a wish was not sent because it could not be written first."""
        self.lost += 1
        self._silent_until_s = trio.current_time() + SILENT_S
        text = (
            f"{intended.purpose.value} of {intended.bot} on {intended.symbol} was not sent:"
            f" the ledger did not take it ({error}); {self.lost} so far"
        )
        self._alarm(text, is_over=False)

    def _find_journal(self) -> None:
        if self._silent_until_s:
            self._silent_until_s = 0.0
            self._alarm("the ledger takes orders again", is_over=True)

    def _alarm(self, text: str, *, is_over: bool) -> None:
        if self.board is not None:
            alarm = Alarmed(
                self.mailbox.name, "journal_down", self.settings.account, text, is_over
            )
            self.board.latest((Alarmed, alarm.actor, alarm.code, alarm.subject), alarm)
