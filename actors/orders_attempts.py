"""Attempts on their way into the ledger: durable before the first byte leaves (R-06, I-2).

[orders] --Intended, Attempted--> [attempts] --Record---> journal, or the emergency file
journal  --Told (facts)---------> [attempts] --Alarmed--> board

What cannot be written first is not sent; exits go by the emergency file where the ledger
takes nothing. An attempt that became durable after nobody waited for it any more was never
sent, and is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    Attempted,
    ExitIntent,
    Fact,
    Intended,
    OrderIntent,
    OrderStatus,
    PositionClosed,
    Purpose,
    Told,
)
from actors.orders_road import Road
from actors.orders_safe import SafeMode
from actors.pure.client_order_id import client_order_id
from actors.pure.leg_rules import is_half
from actors.pure.order_gate import Gate, refusal
from actors.pure.order_life import Order, begin
from actors.pure.reconnect import ReconnectPolicy
from actors.pure.venue_facts import not_placed
from actors.records import Replay

LOOK_S = 0.1  # between looks whether goodbyes are to be skipped


@attrs.frozen
class OrdersSettings:
    account: str
    account_tag: str
    epoch: str
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    execution: str = ""  # one per run; "" waits for no reconciliation
    symbols: Mapping[str, str] | None = None  # of each bot; None: of whoever orders


@attrs.define(eq=False)
class Attempts:
    """The attempts of one life of the orders actor."""

    settings: OrdersSettings
    gate: Gate
    road: Road
    safe: SafeMode
    unsent: int = 0  # wishes that nothing would take; nothing of them left
    begun: set[str] = attrs.Factory(set[str])  # until told
    in_hand: tuple[Intended, Attempted] | None = None  # on its way into the ledger
    _unsent_of: str | None = None  # whose exit was alarmed; None: perhaps a life before

    async def recover(self) -> None:
        """Take what an earlier life put into the emergency file, before all else.

        Raises:
          OSError: the file cannot be read.
        """
        for fact in await self.safe.recover():
            if isinstance(fact, Attempted):
                self.begun.add(fact.client_order_id)  # it may have been sent

    async def begin(self, intended: Intended) -> Order | None:
        """Make the first attempt at `intended` durable; None when it must not be sent.

        A second attempt is a new intent, once this one is proven empty (R-05).
        """
        attempt = 1
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
        is_new = intended.purpose is Purpose.ENTRY or is_half(intended)
        make_durable = self.safe.enter if is_new else self.safe.exit
        self.in_hand = intended, attempted
        why = await make_durable(intended, attempted)
        self.in_hand = None
        if why:
            self.unsent += 1  # nothing is sent (I-2)
        if not is_new:
            self._show(intended, why)
        if why:
            return None
        self.begun.add(order_id)
        self.gate.apply(intended)
        self.gate.apply(attempted)
        return begin(intended, attempted)

    def heard(self, fact: Fact) -> Fact | None:
        """Follow the ledger; return what is to be told of an attempt nobody sent.

        Nobody else sends, and whoever waited for this one to be durable had given up.
        """
        self.safe.found()
        self.gate.apply(fact)
        if isinstance(fact, PositionClosed) and self._unsent_of in {None, fact.bot}:
            self._alarm("", "what could not be sent needs no exit any more")
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

    async def say_goodbye(
        self, mailbox: Mailbox[Any], replay: Replay, is_stopping: Callable[[], bool]
    ) -> None:
        """Cancel entries, settle what was in hand, and hear what became of exits (R-39).

        What was in hand may be in the ledger or not: facts that are there are not recorded
        again. No cancel waits for a ledger that takes nothing (I-12).
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.road.cancel_entries)
            if self.in_hand is not None:
                intended, attempted = self.in_hand
                why = "never sent: the program stopped"
                never = not_placed(begin(intended, attempted), why)
                nursery.start_soon(self.road.tell, (intended, attempted, never))
        await self._hear_out(mailbox, replay, is_stopping)

    async def _hear_out(
        self, mailbox: Mailbox[Any], replay: Replay, is_stopping: Callable[[], bool]
    ) -> None:
        """Hear what is still being told as the program stops, until no word is due.

        Neither where facts are missing, so that no end can be known, nor once goodbyes are
        to be skipped.
        """
        await trio.lowlevel.checkpoint()
        while is_stopping() and not mailbox.is_overfull:
            message = mailbox.receive_nowait()
            if message is None and not self.gate.books.orders.is_word_due:
                return
            if message is None:
                with trio.move_on_after(LOOK_S):
                    message = await mailbox.receive()
            fact = replay.fresh(message) if isinstance(message, Told) else None
            if fact is not None and (never_sent := self.heard(fact)) is not None:
                await self.road.tell((never_sent,))
            await trio.lowlevel.checkpoint()

    async def refuse(
        self, intent: OrderIntent | ExitIntent, purpose: Purpose, bar: tuple[str, str]
    ) -> None:
        """Record a refusal, if the journal answers, in a task of its own: its row may take
        a while, and exits stand behind it (I-12).
        """
        code, reason = bar
        if code == "unknown_symbol":
            self.road.doubt_listing(intent.symbol, reason)
        await self.safe.note(refusal(intent, purpose, *bar))

    def _show(self, intended: Intended, why: str) -> None:
        """Be loud about an exit that could not be written first, until one can."""
        if self._unsent_of == "" and not why:
            return
        text = "exits can be written first, and leave"
        if why:
            text = (
                f"{intended.purpose.value} of {intended.bot} on {intended.symbol} was NOT"
                f" SENT: neither ledger nor emergency file takes it ({why});"
                f" {self.unsent} wishes so far; make room, or close it at the exchange"
            )
        self._alarm(intended.bot if why else "", text)

    def _alarm(self, bot: str, text: str) -> None:
        """Say that an exit of this bot was not sent; "" takes it back."""
        self._unsent_of = bot
        self.safe.alarm("exit_not_sent", text, is_over=not bot)
