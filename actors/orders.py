"""The only sender of orders on one account; it owns each order's life.

risk            --Approved (wish)---------------> [orders] --Record---> journal
bot, positions  --ExitIntent, CancelIntent (wish)> [orders] --request-> venue
journal         --Told (facts)------------------> [orders] --Alarmed--> board
account         --Lease (latest)----------------> [orders] --bytes--> emergency file
bot             --LegQuestion (wish)------------> [orders] --its answer--> bot
clock, journal  --ClockJudged, LedgerState (latest)> [orders] --ListingDoubted--> catalogue

Intent and attempt are durable before the first byte leaves (R-06), those of exits in the
emergency file while the ledger takes nothing (SAFE mode, D-2); the request leaves once,
from a task of its own, and its outcome comes back as a fact. A crash loses the wish in
hand; an attempt without an outcome is UNKNOWN to the next life and is settled by the
account's reconciliation, never by sending again (R-05, R-07).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, assert_never

import attrs
import trio

from actors.legs import LegMay, LegQuestion, no
from actors.mailbox import Mailbox
from actors.messages import (
    Acknowledged,
    Approved,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    CancelIntent,
    ClockJudged,
    Corrected,
    ExitIntent,
    Fact,
    Halted,
    HaltLifted,
    Instrument,
    Lease,
    LedgerState,
    OrderIntent,
    OrderStatus,
    OutcomeUnknown,
    PositionClosed,
    Purpose,
    Reconciled,
    Told,
)
from actors.orders_attempts import Attempts, OrdersSettings
from actors.orders_road import GOODBYE_S, TELL_S, Road
from actors.orders_safe import SafeMode
from actors.ports import Random, Trading
from actors.ports_disk import EmergencyFile
from actors.pure.left_behind import left_behind
from actors.pure.money import plain
from actors.pure.order_gate import Gate, entry_of, exit_of
from actors.pure.order_life import Order
from actors.pure.order_sheet import ORDER_FACTS
from actors.pure.venue_facts import not_placed
from actors.records import JournalWish, Replay, fold

READS: frozenset[type[Fact]] = ORDER_FACTS | {
    PositionClosed,
    Reconciled,
    BotPaused,
    BotResumed,
    BotStopped,
    BotStarted,
    Halted,
    HaltLifted,
    BotFlattened,
    Corrected,
}
OrdersMail = (
    Approved
    | ExitIntent
    | CancelIntent
    | LegQuestion
    | Lease
    | LedgerState
    | ClockJudged
    | Told
)
Recheck = Callable[[OrderIntent, Gate, int], tuple[str, str] | None]  # int: now, in ms


async def run_orders(
    mailbox: Mailbox[OrdersMail],
    trading: Trading,
    journal: Mailbox[JournalWish],
    instruments: Mapping[str, Instrument],
    emergency: EmergencyFile,
    *,
    settings: OrdersSettings,
    recheck: Recheck,
    is_stopping: Callable[[], bool],
    random: Random,
    board: Mailbox[Any] | None = None,
    catalogue: Mailbox[Any] | None = None,
    leave: Callable[[str], object] = str,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Send what may be sent, until cancelled; `leave` is told what a stop leaves (R-39).

    Raises:
      JournalDown, FactGap: the recall failed, or a fact was lost on the way to us.
    """
    gate = Gate(settings.execution, symbols=settings.symbols)
    replay = await fold(journal, mailbox.name, gate.apply)
    safe = SafeMode(mailbox.name, settings.account, journal, gate, emergency, board)
    road = Road(trading, safe, gate, settings.reconnect, random, catalogue)
    begun = Attempts(settings, gate, road, safe)
    life = _Orders(mailbox, instruments, gate, road, begun, recheck)
    await life.recover(replay.ledger)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(road.keep_connection)
        try:
            async with trio.open_nursery() as life.sends:
                task_status.started()
                await life.serve_until_cancelled(replay)
        finally:
            if is_stopping():
                with trio.move_on_after(GOODBYE_S, shield=True):
                    await begun.say_goodbye(mailbox, replay, is_stopping)
                leave(left_behind(gate.books))
            road.connection.cancel()


@attrs.define(eq=False)
class _Orders:
    mailbox: Mailbox[OrdersMail]
    instruments: Mapping[str, Instrument]
    gate: Gate
    road: Road
    attempts: Attempts
    recheck: Recheck
    sends: trio.Nursery = attrs.field(init=False)

    async def serve_until_cancelled(self, replay: Replay) -> None:
        """Serve; when that ends, answers in flight have a short while."""
        try:
            await self.serve(replay)
        finally:
            self.road.end_soon()

    async def serve(self, replay: Replay) -> None:
        """Take one message after the other, for ever."""
        self.sends.start_soon(self.attempts.safe.keep_emptied)
        self.cancel_unwanted()
        while True:
            message = await self.mailbox.receive()
            match message:
                case Told():
                    self._hear(replay.fresh(message))
                case Lease() | LedgerState() | ClockJudged():
                    self._see(message)
                case Approved(intent=intent):
                    await self._enter(intent)
                case ExitIntent():
                    await self._exit(message)
                case LegQuestion():
                    self._answer_leg(message)
                case CancelIntent(symbol=symbol, client_order_id=order_id, reason=why):
                    self.sends.start_soon(self.road.cancel, symbol, order_id, why)
                case _:
                    assert_never(message)

    def _see(self, message: Lease | LedgerState | ClockJudged) -> None:
        """Take the newest word on what bars entries."""
        match message:
            case Lease():
                self.gate.hold(message)
            case LedgerState():
                self.attempts.safe.hear(message)
            case ClockJudged():
                self.gate.judge_clock(message)

    async def recover(self, ledger: LedgerState) -> None:
        """Take what earlier lives left: the emergency file, answers not heard (R-07)."""
        self.attempts.safe.state = ledger  # or SAFE mode is over for this life (D-2)
        await self.attempts.recover()
        facts = [
            OutcomeUnknown(
                order.bot,
                order.intended.account,
                order.symbol,
                order.client_order_id,
                "the answer was not heard: the sender ended first",
            )
            for order in self.gate.books.orders.live()
            if order.status is OrderStatus.NEW
        ]
        if await self.attempts.safe.settle(facts, within_s=TELL_S):
            for fact in facts:
                self.gate.apply(fact)

    def cancel_unwanted(self, *bots: str) -> None:
        """Cancel the open entries of these bots, or of all, that nobody wants any more."""
        for entry, why in self.gate.unwanted(*bots):
            order_id = entry.client_order_id
            self.sends.start_soon(self.road.cancel, entry.symbol, order_id, why)

    def _hear(self, fact: Fact | None) -> None:
        if fact is None:
            return
        never_sent = self.attempts.heard(fact)
        if isinstance(fact, Reconciled):  # a cancel of before may have been lost
            self.cancel_unwanted()
        elif isinstance(fact, (BotFlattened, Acknowledged)):
            self.cancel_unwanted(fact.bot)
        if never_sent is not None:
            self.sends.start_soon(self.road.tell, (never_sent,))

    async def _enter(self, intent: OrderIntent) -> None:
        if self.gate.books.orders.intended(intent.intent_id) is not None:
            return await trio.lowlevel.checkpoint()  # one decision, told twice (I-9)
        bar = self._entry_bar(intent)
        if bar is not None:
            self.sends.start_soon(self.attempts.refuse, intent, Purpose.ENTRY, bar)
            return await trio.lowlevel.checkpoint()  # exits stand behind it (I-12)
        order = await self.attempts.begin(entry_of(intent))
        if order is not None:
            self._send_unless_barred(order, intent)
        return None

    def _send_unless_barred(self, order: Order, intent: OrderIntent) -> None:
        """Send an entry unless it was forbidden while it became durable (R-37, I-11).

        Whoever halted it may have been answered meanwhile; the word waits for us here.
        """
        told = (it.fact for it in self.mailbox.facts_waiting() if isinstance(it, Told))
        now_s, now_ms = trio.current_time(), self.road.trading.now_ms()
        words = map(self.mailbox.latest_waiting, ("lease", "clock"))
        bar = self.gate.bar_since(told, words, intent, now_s, now_ms)
        if bar is None:
            self.sends.start_soon(self.road.send, order, intent.valid_until_s)
        else:
            never = not_placed(order, f"never sent: {bar[1]}", bar[0])
            self.sends.start_soon(self.road.tell, (never,))

    def _entry_bar(self, intent: OrderIntent) -> tuple[str, str] | None:
        now_s, now_ms = trio.current_time(), self.road.trading.now_ms()
        reason = self.attempts.safe.reason
        bar = ("safe_mode", reason) if reason else None
        bar = bar or self.gate.bar_to_entry(intent, now_s, now_ms)
        if bar is None and intent.symbol not in self.instruments:
            bar = "unknown_symbol", f"{intent.exchange} does not list {intent.symbol}"
        return bar or self.recheck(intent, self.gate, now_ms)

    def _answer_leg(self, question: LegQuestion) -> None:
        """Say whether a leg would be sent now. A sale needs the lease, too: it is no exit
        but half of something new.
        """
        intent, bar = question.intent, None
        if isinstance(intent, OrderIntent):
            bar = self._entry_bar(intent)
        else:
            reason = self.attempts.safe.reason
            bar = ("safe_mode", reason) if reason else None
            bar = bar or self.gate.bar_to_sale(intent, trio.current_time())
            base = bar or self._exit_base(intent)
            if isinstance(base, tuple):
                bar = base
            elif base < intent.base:
                bar = "filters", f"only {plain(base)} of it can be sold at once"
        may = LegMay(intent.intent_id)
        question.receipt.resolve(no(intent, *bar) if bar is not None else may)

    async def _exit(self, intent: ExitIntent) -> None:
        if self.gate.books.orders.intended(intent.intent_id) is not None:
            return await trio.lowlevel.checkpoint()
        bar = self._exit_base(intent)
        if isinstance(bar, tuple):
            self.sends.start_soon(self.attempts.refuse, intent, Purpose.EXIT, bar)
            return await trio.lowlevel.checkpoint()
        entry = self.gate.books.orders.live_entry(intent.bot, intent.symbol)
        if entry is not None and not intent.is_protective:
            self.sends.start_soon(self.road.cancel, entry.symbol, entry.client_order_id)
        stop = self.gate.replaced_by(intent)
        replaces = stop.client_order_id if stop is not None else ""
        order = await self.attempts.begin(exit_of(intent, bar, replaces))
        if order is not None:
            self.sends.start_soon(self.road.send, order, intent.valid_until_s)
        return None

    def _exit_base(self, intent: ExitIntent) -> Decimal | tuple[str, str]:
        """Return how much the exit may sell now, or the code and reason that forbid it."""
        instrument = self.instruments.get(intent.symbol)
        if instrument is None:
            return "unknown_symbol", f"{intent.exchange} does not list {intent.symbol}"
        if trio.current_time() > intent.valid_until_s:
            return "expired", "the exit waited too long; the next price asks again"
        return self.gate.exit_base(intent, instrument)
