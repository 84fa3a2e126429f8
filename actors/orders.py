"""The only sender of orders on one account; it owns each order's life.

risk            --Approved (wish)---------------> [orders] --Record---> journal
bot, positions  --ExitIntent, CancelIntent (wish)> [orders] --request-> venue
journal         --Told (facts)------------------> [orders]
account         --Lease (latest)----------------> [orders]

Intent and attempt are durable before the first byte leaves (R-06); the request leaves
once, from a task of its own, and its outcome comes back as a fact. A crash loses the
wish in hand; an attempt without an outcome is UNKNOWN to the next life and is settled by
the account's reconciliation, never by sending again (R-05, R-07).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    Acknowledged,
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
    Told,
    VenueAck,
    VenueReject,
    VenueUnknown,
)
from actors.ports import Random, Trading, VenueError
from actors.pure.books import Books
from actors.pure.client_order_id import client_order_id
from actors.pure.order_gate import Gate, entry_of, exit_of, refusal, request_of
from actors.pure.order_life import Order, begin
from actors.pure.reconnect import ReconnectPolicy
from actors.pure.venue_facts import facts_of_answer, facts_of_order
from actors.reconnecting import keep_connected
from actors.records import JournalDown, JournalWish, Replay, note, recall, record

SEND_S = 15.0  # the transport answers UNKNOWN well before
GOODBYE_S = 2.0  # for answers in flight, and for cancelling entries, when a life ends

READS: frozenset[type[Fact]] = frozenset(
    {
        Intended,
        Attempted,
        Acknowledged,
        OutcomeUnknown,
        Filled,
        Ended,
        PositionClosed,
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
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Send what may be sent, until cancelled. Ready once the orders are recalled.

    When the program stops, entries are cancelled and answers in flight waited for.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
    """
    recalled = await recall(journal, mailbox.name)
    gate = Gate()
    for fact in recalled.facts:
        gate.apply(fact)
    life = _Orders(mailbox, trading, journal, instruments, gate, settings, recheck)
    await life.disown_answers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(life.keep_connection, random)
        try:
            async with trio.open_nursery() as life.sends:
                task_status.started()
                try:
                    await life.serve(Replay(recalled.seq))
                finally:
                    life.end_soon()
        finally:
            if is_stopping():
                with trio.move_on_after(GOODBYE_S, shield=True):
                    await life.cancel_entries()
            life.connection.cancel()


@attrs.define(eq=False)
class _Orders:
    mailbox: Mailbox[OrdersMail]
    trading: Trading
    journal: Mailbox[JournalWish]
    instruments: Mapping[str, Instrument]
    gate: Gate
    settings: OrdersSettings
    recheck: Recheck
    # Shielded, so that answers in flight still arrive while the life ends; its deadline
    # is set by `end_soon`.
    connection: trio.CancelScope = attrs.Factory(
        lambda: trio.CancelScope(shield=True, deadline=math.inf)
    )
    in_flight: set[trio.CancelScope] = attrs.Factory(set[trio.CancelScope])
    sends: trio.Nursery = attrs.field(init=False)

    async def serve(self, replay: Replay) -> None:
        """Take one message after the other, for ever."""
        while True:
            message = await self.mailbox.receive()
            match message:
                case Told():
                    fact = replay.fresh(message)
                    if fact is not None:
                        self.gate.apply(fact)
                case Lease(valid_until_s=until_s):
                    self.gate.lease_until_s = until_s
                case Approved(intent=intent):
                    await self._enter(intent)
                case ExitIntent():
                    await self._exit(message)
                case CancelIntent(symbol=symbol, client_order_id=order_id):
                    self.sends.start_soon(self._cancel, symbol, order_id)
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

    async def keep_connection(self, random: Random) -> None:
        """Keep the orders' own socket; REST is the second road, so this never gives up."""

        async def serve(connected: Callable[[], None]) -> VenueError:
            async with self.trading.open_orders_connection() as serve_socket:
                connected()
                await serve_socket()
            return VenueError("the orders' connection ended")

        async def say_nothing(_error: VenueError, _n: int, _delay_s: float | None) -> None:
            pass  # the account's stream and the feed tell of outages

        with self.connection:
            await keep_connected(
                serve,
                policy=self.settings.reconnect,
                random=random,
                on_lost=say_nothing,
                is_endless=True,
            )

    def end_soon(self) -> None:
        """Give answers in flight a short while, then end them: UNKNOWN."""
        deadline = trio.current_time() + GOODBYE_S
        self.connection.deadline = deadline + GOODBYE_S
        for scope in self.in_flight:
            scope.deadline = min(scope.deadline, deadline)

    async def cancel_entries(self) -> None:
        """Cancel what would add risk while nobody watches; exits stay (R-39)."""
        entries = [order for order in self.gate.books.orders.live() if order.is_entry]
        async with trio.open_nursery() as nursery:
            for order in entries:
                nursery.start_soon(self._cancel, order.symbol, order.client_order_id)

    async def _enter(self, intent: OrderIntent) -> None:
        if self.gate.books.orders.intended(intent.intent_id) is not None:
            return  # the same decision twice is one decision (I-9)
        bar = self.gate.bar_to_entry(intent, trio.current_time())
        bar = bar or self.recheck(intent, self.gate.books)
        if bar is not None:
            await note(self.journal, refusal(intent, Purpose.ENTRY, *bar))
            return
        await self._attempt(entry_of(intent), intent.valid_until_s)

    async def _exit(self, intent: ExitIntent) -> None:
        if self.gate.books.orders.intended(intent.intent_id) is not None:
            return
        instrument = self.instruments.get(intent.symbol)
        if instrument is None:
            bar = "unknown_symbol", f"{intent.exchange} does not list {intent.symbol}"
        elif trio.current_time() > intent.valid_until_s:
            bar = "expired", "the exit waited too long; the next price asks again"
        else:
            bar = self.gate.exit_base(intent, instrument)
        if isinstance(bar, tuple):
            await note(self.journal, refusal(intent, Purpose.EXIT, *bar))
            return
        entry = self.gate.books.orders.live_entry(intent.bot, intent.symbol)
        if entry is not None:
            self.sends.start_soon(self._cancel, entry.symbol, entry.client_order_id)
        await self._attempt(exit_of(intent, bar), intent.valid_until_s)

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
            self.trading.now_ms(),
        )
        try:
            await record(self.journal, intended, attempted)
        except JournalDown:
            return  # nothing was sent; the wish expires and is made again (I-2)
        self.gate.apply(intended)
        self.gate.apply(attempted)
        self.sends.start_soon(self._send, begin(intended, attempted), valid_until_s)

    async def _send(self, order: Order, valid_until_s: float) -> None:
        deadline = trio.current_time() + SEND_S
        with trio.CancelScope(shield=True, deadline=deadline) as scope:
            self.in_flight.add(scope)
            try:
                if trio.current_time() > valid_until_s:
                    late = "durable too late to be sent"
                    answer = VenueReject(order.client_order_id, "expired", late)
                else:
                    answer = await self.trading.place(
                        request_of(order.intended, order.client_order_id)
                    )
                if not self._is_answered(order, answer):
                    await self._tell(facts_of_answer(order, answer))
            finally:
                self.in_flight.discard(scope)

    def _is_answered(
        self, order: Order, answer: VenueAck | VenueReject | VenueUnknown
    ) -> bool:
        """Tell whether the stream has told what a lost answer would have."""
        known = self.gate.books.orders.get(order.client_order_id)
        return (
            isinstance(answer, VenueUnknown)
            and known is not None
            and known.status is not OrderStatus.NEW
        )

    async def _cancel(self, symbol: str, order_id: str) -> None:
        """Ask for a cancel, then read the final state back in any case (R-08)."""
        order = self.gate.books.orders.get(order_id)
        if order is None:
            return
        await self.trading.cancel(symbol, order_id)
        try:
            venue = await self.trading.order(symbol, order_id)
        except VenueError:
            return  # the account's next pass reads it back
        if venue is not None:
            await self._tell(facts_of_order(order, venue))

    async def _tell(self, facts: Sequence[Fact]) -> None:
        """Record an outcome; if that fails, the account's next pass finds it again."""
        await note(self.journal, *facts)
