"""Attempts on their way into the ledger: durable before the first byte leaves (R-06, I-2).

[orders] --Intended, Attempted--> [attempts] --Record---> journal
journal  --Told (facts)---------> [attempts] --Alarmed--> board

What the journal does not take is not sent. An attempt that became durable after nobody
waited for it any more was never sent, and is told so.
"""

from __future__ import annotations

from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Alarmed, Attempted, Fact, Intended, OrderStatus, Refused
from actors.orders_road import Road
from actors.pure.client_order_id import client_order_id
from actors.pure.order_gate import Gate
from actors.pure.order_life import Order, begin
from actors.pure.reconnect import ReconnectPolicy
from actors.pure.venue_facts import not_placed
from actors.records import JournalDown, JournalWish, note, record

NOTE_S = 1.0  # longest wait for the journal, where no order depends on it
SILENT_S = 5.0  # after the journal was silent: entries are refused at once meanwhile


@attrs.frozen
class OrdersSettings:
    account: str
    account_tag: str
    epoch: str
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    execution: str = ""  # one per run; "" waits for no reconciliation


@attrs.define(eq=False)
class Attempts:
    """The attempts of one life of the orders actor."""

    actor: str
    settings: OrdersSettings
    journal: Mailbox[JournalWish]
    gate: Gate
    road: Road
    board: Mailbox[Any] | None = None
    lost: int = 0  # wishes that the journal would not take; nothing of them was sent
    begun: set[str] = attrs.Factory(set[str])  # until told
    in_hand: tuple[Intended, Attempted] | None = None  # on its way into the ledger
    _silent_until_s: float = 0.0  # the journal

    @property
    def is_journal_silent(self) -> bool:
        """Whether the ledger took nothing a moment ago."""
        return trio.current_time() < self._silent_until_s

    async def begin(self, intended: Intended) -> Order | None:
        """Make the first attempt at `intended` durable; None when it must not be sent.

        A second attempt is a new intent, once this one is proven empty (R-05).
        """
        attempt = 1
        tag, epoch = self.settings.account_tag, self.settings.epoch
        order_id = client_order_id(tag, epoch, intended.intent_id, attempt)
        attempted = Attempted(
            intended.bot,
            intended.account,
            intended.symbol,
            intended.intent_id,
            attempt,
            order_id,
            self.road.trading.now_ms(),
        )
        self.in_hand = intended, attempted
        try:
            await record(self.journal, intended, attempted)
        except JournalDown as error:
            self.in_hand = None
            self._lose(intended, error)  # nothing is sent (I-2)
            await trio.lowlevel.checkpoint()
            return None
        self.in_hand = None
        self._find_journal()
        self.begun.add(order_id)
        self.gate.apply(intended)
        self.gate.apply(attempted)
        return begin(intended, attempted)

    def heard(self, fact: Fact) -> Fact | None:
        """Follow the ledger; return what is to be told of an attempt nobody sent.

        Nobody else sends, and whoever waited for this one to be durable had given up.
        """
        self._find_journal()
        self.gate.apply(fact)
        if not isinstance(fact, Attempted):
            return None
        order_id = fact.client_order_id
        order = self.gate.books.orders.get(order_id)
        if order_id in self.begun:
            self.begun.discard(order_id)
        elif order is None or order.intended.is_adopted:
            return None  # it was at the venue before it was ours
        elif order.status is OrderStatus.NEW:
            return not_placed(order, "never sent: it was durable too late")
        return None

    async def say_goodbye(self) -> None:
        """Settle what was in hand when the program stopped, and cancel entries (R-39).

        It may be in the ledger or not: facts that are there are not recorded again.
        """
        if self.in_hand is not None:
            intended, attempted = self.in_hand
            never = not_placed(
                begin(intended, attempted), "never sent: the program stopped"
            )
            await self.road.tell((intended, attempted, never))
        await self.road.cancel_entries()

    async def refuse(self, refused: Refused) -> None:
        """Record a refusal, if the journal answers; no exit waits for it long."""
        is_durable = False
        if not self.is_journal_silent:
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
            account = self.settings.account
            alarm = Alarmed(self.actor, "journal_down", account, text, is_over)
            self.board.latest((Alarmed, alarm.actor, alarm.code, alarm.subject), alarm)
