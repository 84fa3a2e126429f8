"""The only door to the orders actor for new risk: approve or refuse, with reasons.

bots    --OrderIntent (wish)-----------> [risk] --Approved (wish)--> orders
feed    --Ticker, FeedState (latest)---> [risk] --Refused, Record--> journal
journal --Told (facts)-----------------> [risk]
bot     --LegQuestion (wish)-----------> [risk] --its answer-------> bot
clock   --ClockStepped (latest)--------> [risk]

An intent is judged at risk's own live price. What was approved stays reserved until a fact
speaks of it; a crash forgets such promises, and `orders` checks the limits once more. The
intent in hand at a crash is lost: its bot hears no answer and decides again.

A limit of the day and a hard cap end in a durable halt. It is looked for at each intent and
fact, at prices once a second, and obeyed by `orders` whatever becomes of this actor (R-37,
R-46). Prices are those of the configured symbols and of what a removed bot still holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, assert_never

import attrs
import trio

from actors.legs import LegMay, LegQuestion
from actors.mailbox import Mailbox
from actors.messages import (
    Approved,
    Attempted,
    Channel,
    ClockStepped,
    Corrected,
    Fact,
    FeedState,
    Filled,
    Halted,
    HaltLifted,
    Instrument,
    Link,
    OrderIntent,
    PositionClosed,
    Purpose,
    Refused,
    Subscription,
    Ticker,
    Told,
    Wanted,
)
from actors.pure.leg_rules import judge_sale
from actors.pure.order_sheet import ORDER_FACTS
from actors.pure.risk_halts import cap_halt, intent_halt, loss_halt
from actors.pure.risk_rules import Limits, judge, order_quote
from actors.pure.risk_state import RiskState
from actors.records import JournalWish, Replay, fold, note

BUSY_S = 1.0  # longest wait for the orders actor
NOTE_S = 1.0  # longest wait for the journal
LOOK_S = 1.0  # between two looks at the day's loss while only prices come

RiskMail = OrderIntent | LegQuestion | Ticker | FeedState | ClockStepped | Told

READS: frozenset[type[Fact]] = ORDER_FACTS | {
    Refused,
    PositionClosed,
    Halted,
    HaltLifted,
    Corrected,
}


async def run_risk(
    mailbox: Mailbox[RiskMail],
    orders: Mailbox[Any],
    journal: Mailbox[JournalWish],
    *,
    account: str,
    symbols: frozenset[str],
    limits: Limits,
    instruments: Mapping[str, Instrument],
    want: Callable[[Wanted], None],
    now_ms: Callable[[], int],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Judge intents until cancelled. Ready once orders and holdings are recalled.

    `now_ms` is our clock corrected to the exchange's.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
    """
    state = RiskState()
    replay = await fold(journal, mailbox.name, state.apply)
    life = _Risk(
        mailbox,
        orders,
        journal,
        account,
        symbols,
        limits,
        instruments,
        want,
        now_ms,
        state,
    )
    life.want_prices()
    task_status.started()
    await life.serve(replay)


@attrs.define(eq=False)
class _Risk:
    mailbox: Mailbox[RiskMail]
    orders: Mailbox[Any]
    journal: Mailbox[JournalWish]
    account: str
    symbols: frozenset[str]  # configured
    limits: Limits
    instruments: Mapping[str, Instrument]
    want: Callable[[Wanted], None]
    now_ms: Callable[[], int]
    state: RiskState
    tickers: dict[str, Ticker] = attrs.Factory(dict[str, Ticker])
    followed: frozenset[str] = frozenset()
    unrecorded: list[Halted] = attrs.Factory(list[Halted])  # in force, and not durable yet
    looked_s: float = -math.inf

    async def serve(self, replay: Replay) -> None:
        """Take one message after the other, for ever."""
        while True:
            message = await self.mailbox.receive()
            match message:
                case OrderIntent():
                    await self._answer(message)
                case LegQuestion():
                    self._judge_leg(message)
                case Told():
                    fact = replay.fresh(message)
                    if fact is not None:
                        self._hear(fact)
                case Ticker() | FeedState() | ClockStepped():
                    self._see(message)
                case _:
                    assert_never(message)
            if self.unrecorded:
                await self._record_halts()

    def want_prices(self) -> None:
        """Ask for the prices of the configured symbols and of those that somebody holds."""
        symbols = self.symbols | self.state.books.holdings.base_by_symbol().keys()
        if symbols == self.followed:
            return
        self.followed = symbols
        wanted = frozenset(Subscription(symbol, Channel.TICKER) for symbol in symbols)
        self.want(Wanted(self.mailbox.name, wanted, is_follower=True))

    def _see(self, message: Ticker | FeedState | ClockStepped) -> None:
        """Keep the newest prices; after a gap or a step of the clock none is (R-20)."""
        if isinstance(message, Ticker):
            kept = self.tickers.get(message.symbol)
            if kept is not None and message.received_s < kept.received_s:
                return  # one that was asked for before the stream told this one
            self.tickers[message.symbol] = message
            self.state.see(message, self.now_ms())
            now_s = trio.current_time()
            if now_s - self.looked_s >= LOOK_S:  # a price that recovers undoes no loss
                self.looked_s = now_s
                self._halt(loss_halt(self.state, self.limits, self.account))
        elif isinstance(message, ClockStepped):
            self.tickers.clear()
        elif message.link is not Link.RESUMED:
            for symbol in message.symbols or tuple(self.tickers):
                self.tickers.pop(symbol, None)

    def _hear(self, fact: Fact) -> None:
        self.state.apply(fact)
        if isinstance(fact, (Halted, HaltLifted)):  # told, it is not written once more
            place = _place(fact)
            self.unrecorded = [it for it in self.unrecorded if _place(it) != place]
        if isinstance(fact, (Attempted, Filled)):
            self._halt(cap_halt(self.state, self.limits, self.account, fact.bot))
        if isinstance(fact, (Filled, PositionClosed)):
            self.want_prices()
            self._halt(loss_halt(self.state, self.limits, self.account))

    def _halt(self, halted: Halted | None) -> None:
        """Put a halt into force; it is in the ledger before the next message is taken."""
        if halted is not None:
            self.state.apply(halted)
            self.unrecorded.append(halted)

    async def _record_halts(self) -> None:
        """Make halts durable; where the journal is silent, the next message asks again."""
        with trio.move_on_after(NOTE_S):
            if await note(self.journal, *self.unrecorded):
                self.unrecorded.clear()

    def _judge(self, intent: OrderIntent) -> Approved | Refused:
        """Judge an entry; what is approved is promised."""
        now_s = trio.current_time()
        self.state.forget_unheard(now_s)
        ticker = self.tickers.get(intent.symbol)
        self._halt(intent_halt(self.state, self.limits, intent, ticker))
        instrument = self.instruments.get(intent.symbol)
        verdict = judge(intent, self.state, self.limits, instrument, ticker, now_s)
        if isinstance(verdict, Approved) and ticker is not None:
            self.state.promise(intent, order_quote(intent, self.limits, ticker))
        return verdict

    def _judge_leg(self, question: LegQuestion) -> None:
        """Answer whether a leg may leave with its other half; send nothing on."""
        intent = question.intent
        if isinstance(intent, OrderIntent):
            question.receipt.resolve(self._judge(intent))
            return
        ticker, instrument = (
            self.tickers.get(intent.symbol),
            self.instruments.get(intent.symbol),
        )
        now_s = trio.current_time()
        no = judge_sale(intent, self.state, self.limits, instrument, ticker, now_s)
        question.receipt.resolve(no or LegMay(intent.intent_id))

    async def _answer(self, intent: OrderIntent) -> None:
        verdict = self._judge(intent)
        if isinstance(verdict, Refused):
            await self._note(verdict)
            return
        with trio.move_on_after(BUSY_S):
            await self.orders.wish(verdict)
            return
        self.state.withdraw(intent.intent_id)
        await self._note(_orders_busy(verdict))

    async def _note(self, refused: Refused) -> None:
        """Record a refusal, if the journal answers; no other intent waits for it long."""
        with trio.move_on_after(NOTE_S):
            await note(self.journal, refused)


def _place(fact: Halted | HaltLifted) -> tuple[str, str, str]:
    return fact.account, fact.bot, fact.code


def _orders_busy(approved: Approved) -> Refused:
    intent, answer = approved.intent, approved.answer
    return Refused(
        intent.bot,
        intent.account,
        intent.symbol,
        intent.intent_id,
        Purpose.ENTRY,
        "orders_busy",
        (f"the orders actor took nothing for {BUSY_S:g} s",),
        answer.warnings,
        answer.current_exposure,
        answer.exposure_max,
    )
