"""The position monitor of one account: stop loss, take profit, trailing stop.

feed    --Ticker, BookTop, FeedState (latest)-> [positions] --ExitIntent (wish)---> orders
journal --Told (facts)------------------------> [positions] --CancelIntent (wish)-> orders
clock   --ClockStepped (latest)---------------> [positions] --Record--------------> journal
                                                [positions] --PositionSeen, Alarmed-> board

It looks at every price of a symbol that somebody holds, and at every position each
`check_s`. A restart recalls positions, levels and triggered exits, so that protection is
the same or tighter (R-15). A silent journal delays records, never an exit (I-12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import inf
from typing import Any, assert_never

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import (
    Balanced,
    BookTop,
    BotFlattened,
    BotResumed,
    CancelIntent,
    Channel,
    ClockStepped,
    Corrected,
    ExitIntent,
    ExitTriggered,
    Fact,
    FeedState,
    Instrument,
    PositionClosed,
    PositionOpened,
    PositionSeen,
    Reconciled,
    Refused,
    StopMoved,
    Subscription,
    Ticker,
    Told,
    Wanted,
)
from actors.positions_alarms import GuardAlarms
from actors.pure.client_order_id import IntentIds
from actors.pure.guard import Guard
from actors.pure.guard_steps import Step, Ward
from actors.pure.order_sheet import ORDER_FACTS
from actors.pure.price_trust import PriceLimits, PriceTrust
from actors.pure.watch import Watch, seen_of
from actors.records import JournalWish, Replay, fold, note

BUSY_S = 1.0  # longest wait for the orders actor
NOTE_S = 0.25  # longest wait for the journal; an exit stands behind it
LISTED_S = 5.0  # between looks for symbols that the exchange had not listed to us
LOOK_S = 1.0  # between looks at a position that waits for its stop, or for its exit
SILENT_S = 5.0  # after the journal was silent, until it is asked again

Look = tuple[Guard, Decimal | None]  # with the price it may trust

PositionsMail = Ticker | BookTop | FeedState | ClockStepped | Told

READS: frozenset[type[Fact]] = ORDER_FACTS | {
    Refused,
    PositionOpened,
    StopMoved,
    ExitTriggered,
    PositionClosed,
    Reconciled,
    BotFlattened,
    BotResumed,
    Corrected,
    Balanced,
}


async def run_positions(
    mailbox: Mailbox[PositionsMail],
    orders: Mailbox[Any],
    journal: Mailbox[JournalWish],
    board: Mailbox[Any],
    *,
    account: str,
    wards: Mapping[str, Ward],
    instruments: Mapping[str, Instrument],
    ids: Callable[[], IntentIds],
    want: Callable[[Wanted], None],
    price_limits: PriceLimits,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Guard positions until cancelled. Ready once they are recalled.

    `wards` says by bot what its owner wants guarded; `ids` begins a new life.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
    """
    watch = Watch(account, wards, instruments)
    replay = await fold(journal, mailbox.name, watch.apply)
    alarms = GuardAlarms(mailbox.name, board)
    life = _Positions(
        mailbox, orders, journal, board, watch, ids(), want, replay, price_limits, alarms
    )
    alarms.recalled(watch.guards.values())
    life.want_prices()
    task_status.started()
    await life.serve()


@attrs.define(eq=False)
class _Positions:
    mailbox: Mailbox[PositionsMail]
    orders: Mailbox[Any]
    journal: Mailbox[JournalWish]
    board: Mailbox[Any]
    watch: Watch
    ids: IntentIds
    want: Callable[[Wanted], None]
    replay: Replay
    price_limits: PriceLimits
    alarms: GuardAlarms
    trusts: dict[str, PriceTrust] = attrs.Factory(dict[str, PriceTrust])
    unrecorded: list[ExitTriggered] = attrs.Factory(list[ExitTriggered])
    next_check_s: float = -inf
    silent_until_s: float = -inf  # the journal

    async def serve(self) -> None:
        """Take one message, or the checks that are due, after the other, for ever."""
        while True:
            for guard, price in await self._looks():
                step = guard.next_step(price, trio.current_time(), self.ids)
                if step is not None:
                    await self._work(guard, step, price)
            if self.next_check_s <= trio.current_time():
                await self._check(trio.current_time())

    async def _looks(self) -> Sequence[Look]:
        """Return who has something to do, () when checks are due; few prices ask it."""
        with trio.CancelScope(deadline=self.next_check_s) as scope:
            while True:
                looks = self._take(await self.mailbox.receive(), trio.current_time())
                now_s = trio.current_time()
                if any(guard.next_step(price, now_s, self.ids) for guard, price in looks):
                    return looks
                scope.deadline = self.next_check_s
        return ()

    def want_prices(self) -> None:
        """Ask for the prices of the symbols that somebody holds, and trust them anew."""
        symbols = self.watch.symbols()
        if symbols == self.trusts.keys():
            return
        for gone in self.trusts.keys() - symbols:
            del self.trusts[gone]
        for symbol in symbols - self.trusts.keys():
            trust = self.trusts[symbol] = PriceTrust(self.price_limits)
            for guard in self.watch.on(symbol):
                trust.refer(guard.holding.entry, trio.current_time())
        wanted = frozenset(Subscription(symbol, Channel.TICKER) for symbol in symbols)
        self.want(Wanted(self.mailbox.name, wanted))

    def _take(self, message: PositionsMail, now_s: float) -> Sequence[Look]:
        """Return the guards that must look again, with the price they may trust."""
        match message:
            case Ticker() | BookTop():
                return self._priced(message, now_s)
            case Told():
                return self._told(message, now_s)
            case ClockStepped():
                for trust in self.trusts.values():
                    trust.distrust()
                return ()
            case FeedState():
                return ()  # ages are judged at each check, whatever a feed says
            case _:
                assert_never(message)

    def _priced(self, datum: Ticker | BookTop, now_s: float) -> Sequence[Look]:
        trust = self.trusts.get(datum.symbol)
        price = trust.take(datum, now_s) if trust is not None else None
        if price is None:
            return ()
        return [(guard, price) for guard in self.watch.on(datum.symbol)]

    def _told(self, told: Told, now_s: float) -> Sequence[Look]:
        fact = self.replay.fresh(told)
        if isinstance(fact, Reconciled):
            return [(each, self._fresh(each, now_s)) for each in self.watch.reconciled()]
        guard = self.watch.apply(fact) if fact is not None else None
        self.want_prices()
        if guard is None:
            self._plan_listing(now_s)
            return ()
        self._plan_look(guard, now_s)
        return ((guard, self._fresh(guard, now_s)),)

    async def _check(self, now_s: float) -> None:
        """Look at every position whose time has come, and show it at its checks."""
        await trio.lowlevel.checkpoint()
        if self.unrecorded and await self._recorded(*self.unrecorded):
            self.unrecorded.clear()
        if self.watch.begin_listed():
            self.want_prices()
        self.alarms.unlisted(self.watch.unguarded())
        for guard in tuple(self.watch.guards.values()):
            if min(guard.due_s, guard.look_s) > now_s:
                continue
            price = self._fresh(guard, now_s)
            self.alarms.look(guard, price, now_s)
            step = guard.next_step(price, now_s, self.ids)
            if step is not None:
                await self._work(guard, step, price)
            guard.look_s = now_s + LOOK_S if guard.is_restless(now_s) else inf
            if guard.due_s > now_s:
                continue
            guard.due_s = now_s + guard.ward.check_s
            if guard.holding.is_open:
                seen = seen_of(guard, price)
                self.board.latest((PositionSeen, seen.bot, seen.symbol), seen)
        self._plan()

    async def _work(self, guard: Guard, step: Step, price: Decimal | None) -> None:
        """Do one step after the other until there is none, or one fails."""
        while await self._do(guard, step):
            following = guard.next_step(price, trio.current_time(), self.ids)
            if following is None:
                break
            step = following
        self.want_prices()

    async def _do(self, guard: Guard, step: Step) -> bool:
        """Do one step; tell whether the next one may follow."""
        if isinstance(step, (ExitIntent, CancelIntent)):
            return await self._ask(guard, step)
        if isinstance(step, StopMoved):
            guard.stop_recorded(trio.current_time())
        is_durable = await self._recorded(step)
        if isinstance(step, ExitTriggered):
            guard.trigger(step.reason)  # whatever the journal says: exits wait for nothing
            if not is_durable:
                self.unrecorded.append(step)
            return True
        if is_durable:
            self.watch.apply(step)
            if isinstance(step, PositionClosed):
                self.alarms.over(guard)
        return is_durable

    async def _ask(self, guard: Guard, wish: ExitIntent | CancelIntent) -> bool:
        """Bring a wish to the orders actor; tell whether it was taken in time."""
        with trio.move_on_after(BUSY_S):
            await self.orders.wish(wish)
            if isinstance(wish, ExitIntent):
                guard.asked(wish, trio.current_time())
            else:
                guard.cancel_asked(wish.client_order_id, trio.current_time())
            self.alarms.served(guard)
            return True
        self.alarms.busy(guard, BUSY_S)
        return False

    async def _recorded(self, *facts: Fact) -> bool:
        """Record what happened, if the journal answers; tell whether it is durable."""
        if trio.current_time() < self.silent_until_s:
            await trio.lowlevel.checkpoint()
            return False
        is_durable = False
        with trio.move_on_after(NOTE_S):
            is_durable = await note(self.journal, *facts)
        if not is_durable:
            self.silent_until_s = trio.current_time() + SILENT_S
        return is_durable

    def _fresh(self, guard: Guard, now_s: float) -> Decimal | None:
        trust = self.trusts.get(guard.ward.symbol)
        return trust.fresh(now_s) if trust is not None else None

    def _plan(self) -> None:
        dues = [min(it.due_s, it.look_s) for it in self.watch.guards.values()]
        self.next_check_s = min(dues, default=inf)
        self._plan_listing(trio.current_time())

    def _plan_listing(self, now_s: float) -> None:
        if self.watch.unlisted:
            self.next_check_s = min(self.next_check_s, now_s + LISTED_S)

    def _plan_look(self, guard: Guard, now_s: float) -> None:
        """Plan the first check, and a look soon at what time alone may bring further."""
        if guard.due_s == -inf:
            guard.due_s = now_s + guard.ward.check_s
        if guard.look_s == inf and guard.is_restless(now_s):
            guard.look_s = now_s + LOOK_S
        self.next_check_s = min(self.next_check_s, guard.due_s, guard.look_s)
