"""One strategy: market data in, order intents out.

feed    --Ticker, Candles, Trades, … (latest)-> [bot] --OrderIntent (wish)--> risk
journal --Told (facts)-------------------------> [bot] --ExitIntent (wish)---> orders
clock   --ClockStepped (latest)----------------> [bot] --Evaluated (latest)--> board
                                                 [bot] --Record--------------> journal

A strategy that raises, or returns what is no signal, ends this life. The next one recalls
its orders and its position; it forgets the strategy's memory, which candles rebuild, and
the intent in hand, which is never sent again. While the journal is silent the bot goes on
evaluating and sends no entries (I-11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    BookSnapshot,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Candles,
    Channel,
    ClockStepped,
    Corrected,
    Evaluated,
    Fact,
    FeedState,
    Halted,
    HaltLifted,
    Instrument,
    LegsIntended,
    LegsSettled,
    OrderIntent,
    Pair,
    PositionClosed,
    PriceUpdated,
    Refused,
    Subscription,
    Ticker,
    Told,
    Trades,
    Wanted,
)
from actors.pure.bot_desk import BotDesk, Decision, Wish
from actors.pure.bot_extras import extra_subscriptions
from actors.pure.bot_wishes import BotSettings
from actors.pure.client_order_id import IntentIds
from actors.pure.market_view import Cause, Strategy
from actors.pure.order_sheet import ORDER_FACTS
from actors.records import JournalWish, Receipt, Recorded, Replay, fold, post

NOTE_S = 1.0  # in which the journal answers, or is silent; nothing waits for it
SILENT_S = 5.0  # after the journal was silent, until it is asked again

Work = tuple[Decision | None, PriceUpdated | None]
NOTHING: Work = (None, None)

BotMail = Ticker | Candles | Trades | BookSnapshot | FeedState | ClockStepped | Told

READS: frozenset[type[Fact]] = ORDER_FACTS | {
    Refused,
    PositionClosed,
    BotPaused,
    BotResumed,
    BotStopped,
    BotStarted,
    BotFlattened,
    Corrected,
    Halted,
    HaltLifted,
    LegsIntended,
    LegsSettled,
}


async def run_bot(
    mailbox: Mailbox[BotMail],
    risk: Mailbox[Any],
    orders: Mailbox[Any],
    journal: Mailbox[JournalWish],
    board: Mailbox[Any],
    *,
    settings: BotSettings,
    instruments: Mapping[str, Instrument],
    strategy: Callable[[], Strategy],
    ids: Callable[[], IntentIds],
    want: Mapping[str, Callable[[Wanted], None]],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Trade until cancelled. Ready once orders and position are recalled.

    `strategy` builds a new one, and `ids` begins a new life, each time this is called;
    `want` has a door for each exchange that the bot reads.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
      BadSignal: the strategy returned something that is no signal.
    """
    every = 0.0 if isinstance(settings.evaluate_s, str) else settings.evaluate_s
    due_s = trio.current_time() + every
    desk = BotDesk(settings, instruments, strategy(), ids(), due_s)
    replay = await fold(journal, mailbox.name, desk.sight.remember)
    for exchange, wanted in wanted_by(mailbox.name, settings, desk.strategy).items():
        want[exchange](wanted)
    task_status.started()
    life = _Bot(mailbox, risk, orders, journal, board, desk, replay)
    await life.serve()


def wanted_by(
    reader: str, settings: BotSettings, strategy: Strategy
) -> Mapping[str, Wanted]:
    """Return what a bot with this strategy reads at each exchange."""
    own = Pair(settings.exchange, settings.symbol)
    found = {own.exchange: extra_subscriptions(settings)}
    for pair in (own, *settings.reads):
        wanted = found.setdefault(pair.exchange, set())
        wanted.add(Subscription(pair.symbol, Channel.TICKER))
        if strategy.candles_min:
            candles = Subscription(pair.symbol, Channel.CANDLES, settings.timeframe)
            wanted.add(candles)
        if settings.has_book:
            wanted.add(Subscription(pair.symbol, Channel.BOOK))
    return {
        exchange: Wanted(reader, frozenset(wanted), strategy.candles_min)
        for exchange, wanted in found.items()
    }


@attrs.define(eq=False)
class _Bot:
    mailbox: Mailbox[BotMail]
    risk: Mailbox[Any]
    orders: Mailbox[Any]
    journal: Mailbox[JournalWish]
    board: Mailbox[Any]
    desk: BotDesk
    replay: Replay
    silent_until_s: float = 0.0  # the journal
    owed: list[tuple[float, Receipt[Recorded]]] = attrs.Factory(
        list[tuple[float, Receipt[Recorded]]]
    )  # what it has not answered yet, and when that was handed over

    async def serve(self) -> None:
        """Take one message, or one due evaluation, after the other, for ever."""
        while True:
            decision, sample = await self._next()
            if decision is not None:
                self.board.latest(self._key, decision.shown)
                if decision.wish is not None or decision.facts:
                    await self._carry_out(decision)
            if sample is not None:
                await self._note(sample)

    async def _next(self) -> Work:
        """Return what is to be done next; a price that asks for nothing costs little."""
        if isinstance(self.desk.settings.evaluate_s, str):
            return self._weigh(await self.mailbox.receive())
        with trio.CancelScope(deadline=self.desk.due_s):
            while True:
                work = self._weigh(await self.mailbox.receive())
                if work != NOTHING:
                    return work
        now_s = trio.current_time()
        return self.desk.evaluate(Cause.TIMER, now_s), self.desk.sample(now_s)

    def _weigh(self, message: BotMail) -> Work:
        now_s = trio.current_time()
        return self._take(message, now_s), self.desk.sample(now_s)

    def _take(self, message: BotMail, now_s: float) -> Decision | None:
        desk = self.desk
        match message:
            case Ticker():
                return desk.price(message, now_s)
            case Candles():
                return desk.candles(message, now_s)
            case Trades() | BookSnapshot():
                if isinstance(message, Trades) or desk.sight.is_own(message):
                    desk.sight.take_extra(message, now_s)
                return None
            case Told():
                fact = self.replay.fresh(message)
                return desk.fact(fact, now_s) if fact is not None else None
            case FeedState():
                return desk.feed_state(message, now_s)
            case ClockStepped():
                desk.sight.forget_prices()  # nothing known before is fresh (D-6)
                return None
            case _:
                assert_never(message)

    async def _carry_out(self, decision: Decision) -> None:
        facts = decision.facts
        if decision.wish is not None:
            unsent = await self._send(decision.wish)
            if unsent is not None:
                again = self.desk.unsent(unsent, trio.current_time())
                self.board.latest(self._key, again.shown)
                facts += again.facts
        await self._note(*facts)

    async def _send(self, wish: Wish) -> tuple[str, str] | None:
        """Deliver a wish before it expires; return the code and reason if that failed."""
        is_entry = isinstance(wish, OrderIntent)
        door, name = (self.risk, "risk") if is_entry else (self.orders, "orders")
        closed = getattr(door, "closed_because", "")
        if is_entry and closed:
            await trio.lowlevel.checkpoint()
            return closed, f"{name} is not served"
        if is_entry and self._is_journal_silent(trio.current_time()):
            await trio.lowlevel.checkpoint()
            return "journal_down", "the journal is silent: nothing new is begun"
        with trio.move_on_at(wish.valid_until_s):
            await door.wish(wish)
            return None
        return f"{name}_busy", f"{name} took nothing for {self.desk.settings.valid_s:g} s"

    async def _note(self, *facts: Fact) -> None:
        """Have it recorded what happened, if the journal answers; wait for no disk."""
        now_s = trio.current_time()
        if not facts or self._is_journal_silent(now_s):
            await trio.lowlevel.checkpoint()
            return
        with trio.move_on_after(NOTE_S):
            self.owed.append((now_s, await post(self.journal, *facts)))
            return
        self.silent_until_s = trio.current_time() + SILENT_S

    def _is_journal_silent(self, now_s: float) -> bool:
        """Tell whether the journal failed us a short while ago, or owes us an answer."""
        while self.owed and self.owed[0][1].is_good:
            del self.owed[0]
        if self.owed:
            posted_s, receipt = self.owed[0]
            if receipt.is_failed or now_s > posted_s + NOTE_S:
                self.silent_until_s = now_s + SILENT_S
                self.owed.clear()
        return now_s < self.silent_until_s

    @property
    def _key(self) -> tuple[type[Evaluated], str]:
        return Evaluated, self.desk.settings.name
