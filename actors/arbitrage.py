"""One arbitrage: two exchanges watched, both legs of a group sent, and answered for.

feed    --Ticker, FeedState (latest)--> [bot] --LegQuestion (wish)----> risk, orders
journal --Told (facts)----------------> [bot] --Approved (wish)-------> orders of one leg
clock   --ClockStepped (latest)-------> [bot] --ExitIntent (wish)-----> orders of the other
                                        [bot] --Record----------------> journal
                                        [bot] --Evaluated, Alarmed----> board

Both legs are asked for at every door first; then the group is durable; then both leave. A
life that begins finds the open group among the facts and goes on with it: legs that nobody
heard of never left, what was bought and not sold is sold again. It forgets nothing else
but prices. While the journal is silent no group begins; a hedge waits for no journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, assert_never

import attrs
import trio

from actors.arbitrage_shown import Shown
from actors.legs import LegDoors, ask_both, send_both
from actors.mailbox import Mailbox
from actors.messages import (
    BookTop,
    Candles,
    Channel,
    ClockStepped,
    Fact,
    FeedState,
    Outcome,
    Purpose,
    Refused,
    Subscription,
    Ticker,
    Told,
    Wanted,
)
from actors.pure.arbitrage import ArbitrageSettings, Chance, Market, find
from actors.pure.client_order_id import IntentIds
from actors.pure.leg_group import LOOK_S, Halt, Hedge, LegGroups, Settle
from actors.pure.leg_wishes import (
    group_of,
    hedge_intent,
    inventory_intent,
    least_of,
    purchase_intent,
    sale_intent,
)
from actors.records import JournalDown, JournalWish, Replay, fold, note, record

NOTE_S = 0.25  # longest wait for the journal; a hedge stands behind it
BUSY_S = 1.0  # longest wait for a hedge to be taken

ArbitrageMail = Ticker | BookTop | Candles | FeedState | ClockStepped | Told


async def run_arbitrage(
    mailbox: Mailbox[ArbitrageMail],
    doors: Mapping[str, LegDoors],
    journal: Mailbox[JournalWish],
    board: Mailbox[Any],
    *,
    settings: ArbitrageSettings,
    ids: Callable[[], IntentIds],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Trade until cancelled. Ready once orders, positions and the open group are recalled.

    `doors` is by the bot of each leg; `ids` begins a new life.

    Raises:
      JournalDown: the recall failed.
      FactGap: a fact was lost on the way to us.
    """
    groups = LegGroups({leg.bot for leg in settings.legs})
    replay = await fold(
        journal, mailbox.name, lambda fact: groups.apply(fact, trio.current_time())
    )
    for leg in settings.legs:
        wanted = frozenset({Subscription(leg.symbol, Channel.TICKER)})
        doors[leg.bot].want(Wanted(mailbox.name, wanted))
    markets = {
        leg.exchange: Market(leg.symbol, doors[leg.bot].instruments.get(leg.symbol))
        for leg in settings.legs
    }
    shown = Shown(mailbox.name, board, settings)
    life = _Arbitrage(mailbox, doors, journal, shown, settings, ids(), groups, markets)
    task_status.started()
    await life.serve(replay)


@attrs.define(eq=False)
class _Arbitrage:
    mailbox: Mailbox[ArbitrageMail]
    doors: Mapping[str, LegDoors]
    journal: Mailbox[JournalWish]
    shown: Shown
    settings: ArbitrageSettings
    ids: IntentIds
    groups: LegGroups
    markets: dict[str, Market]
    unrecorded: list[Fact] = attrs.Factory(list[Fact])
    heard: set[str] = attrs.Factory(set[str])  # exchanges that have told a price
    is_due: bool = False  # a price came that was not looked at
    quiet_until_s: float = -inf
    record_s: float = -inf  # when unrecorded facts are tried again

    async def serve(self, replay: Replay) -> None:
        """Take one message after the other; look again while a group is open."""
        while True:
            with trio.move_on_at(self._wake_s()):
                self._take(await self.mailbox.receive(), replay)
            now_s = trio.current_time()
            if self.unrecorded and now_s >= self.record_s:
                await self._record_rest()
            if self.groups.group is not None:
                await self._work(now_s)
            elif self.is_due and now_s >= self.quiet_until_s:
                self.is_due = False
                await self._look(now_s)

    def _wake_s(self) -> float:
        """Return when something is due though nobody says a word."""
        if self.groups.group is not None:
            return trio.current_time() + LOOK_S
        rest_s = self.record_s if self.unrecorded else inf
        return min(rest_s, self.quiet_until_s if self.is_due else inf)

    def _take(self, message: ArbitrageMail, replay: Replay) -> None:
        match message:
            case Ticker(exchange=exchange):
                self.markets[exchange].ticker = message
                self.heard.add(exchange)
                self.is_due = len(self.heard) == len(self.markets)
                self._learn()
            case FeedState(exchange=exchange):
                self.markets[exchange].hear(message)
            case ClockStepped():
                self._forget_prices()
            case Told():
                self._hear(replay.fresh(message))
            case BookTop() | Candles():
                pass
            case _:
                assert_never(message)

    def _hear(self, fact: Fact | None) -> None:
        if fact is not None:
            self.groups.apply(fact, trio.current_time())

    def _forget_prices(self) -> None:
        for market in self.markets.values():
            market.ticker = None

    def _learn(self) -> None:
        """Take the newest word on both symbols; the exchanges may tell it late."""
        for leg in self.settings.legs:
            known = self.doors[leg.bot].instruments.get(leg.symbol)
            self.markets[leg.exchange].instrument = known

    async def _look(self, now_s: float) -> None:
        """Begin a group if there is a chance and nothing stands in the way."""
        await trio.lowlevel.checkpoint()
        self.shown.begin(self.markets)
        bar = self.groups.bar(self._now_ms())
        if bar is not None:
            await self._refuse(*bar, now_s)
            return
        if self.shown.is_alarmed:
            self.shown.alarm("the legs of the last group were looked at", is_over=True)
        if await self._buy_inventory(now_s):
            return
        found = find(self.settings, self.markets, self.groups.books, now_s)
        if isinstance(found, Chance):
            await self._begin(found, now_s)
        elif found[0]:
            await self._refuse(*found, now_s)
        else:
            self.shown.show(Outcome.HOLD, "", (found[1],), now_s)

    def _now_ms(self) -> int:
        """Return the newest time that an exchange has told; 0 lets no halt be over."""
        tickers = [market.ticker for market in self.markets.values()]
        return max((each.exchange_ms for each in tickers if each is not None), default=0)

    async def _buy_inventory(self, now_s: float) -> bool:
        """Buy once what a leg is to hold before the first group; tell whether it is due."""
        await trio.lowlevel.checkpoint()
        for leg in self.settings.legs:
            if not leg.inventory_percent or leg.bot in self.groups.have_traded:
                continue
            market, books = self.markets[leg.exchange], self.groups.books
            is_busy = bool(books.orders.live_of(leg.bot, leg.symbol))
            if is_busy or market.ticker is None or market.instrument is None:
                return True
            self.quiet_until_s = now_s + self.settings.refused_wait_s
            intent = inventory_intent(
                self.settings, leg, market.instrument, market.ticker, self.ids.next(), now_s
            )
            self.shown.show(Outcome.SENT, "", (intent.notes,), now_s)
            with trio.move_on_at(intent.valid_until_s):
                await self.doors[leg.bot].risk.wish(intent)
            return True
        return False

    async def _begin(self, chance: Chance, now_s: float) -> None:
        """Ask every door; make the group durable; let both legs leave."""
        await trio.lowlevel.checkpoint()
        here, there = (
            self.markets[leg.exchange].ticker for leg in (chance.buy, chance.sell)
        )
        if here is None or there is None:
            return
        group_id, settings = self.ids.next(), self.settings
        buy = purchase_intent(settings, chance, here, group_id, now_s)
        held = self.groups.books.of(chance.sell.bot, chance.sell.symbol)
        sell = sale_intent(settings, chance, there, held.position_id, group_id, now_s)
        here_doors, there_doors = self.doors[buy.bot], self.doors[sell.bot]
        approved = await ask_both(here_doors, buy, there_doors, sell)
        if isinstance(approved, Refused):
            await self._refuse(approved.code, "; ".join(approved.reasons), now_s)
            return
        group = group_of(settings, chance, buy, sell)
        try:
            await record(self.journal, group)  # before either leaves
        except JournalDown as error:
            await self._refuse("journal_down", str(error), now_s)
            return
        self.groups.apply(group, trio.current_time())
        self.shown.show(Outcome.SENT, "", (group_id,), now_s)
        await send_both(here_doors, approved, there_doors, sell)

    async def _work(self, now_s: float) -> None:
        """Do what the open group asks for, one step after the other."""
        await trio.lowlevel.checkpoint()
        group = self.groups.group
        if group is None:
            return
        market = self.markets[group.buy.exchange]
        step = self.groups.next_step(now_s, least_of(market, group.buy.price))
        match step:
            case Hedge():
                wish = hedge_intent(self.settings, group, step, now_s)
                with trio.move_on_after(BUSY_S):
                    await self.doors[step.leg.bot].orders.wish(wish)
                    self.groups.asked(step, now_s)
            case Halt(halts=halts):
                for halted in halts:
                    self.groups.apply(halted, now_s)
                self.shown.alarm(halts[0].reason, is_over=False)
                await self._record(*halts)
            case Settle(settled=settled):
                self.groups.apply(settled, now_s)
                self.shown.show(Outcome.ORDERED, "", (settled.reason,), now_s)
                await self._record(settled)
            case None:
                pass

    async def _record(self, *facts: Fact) -> None:
        """Make facts durable; where the journal is silent, they are tried again."""
        self.unrecorded += facts
        await self._record_rest()

    async def _record_rest(self) -> None:
        self.record_s = trio.current_time() + 1.0
        with trio.move_on_after(NOTE_S):
            if await note(self.journal, *self.unrecorded):
                self.unrecorded.clear()

    async def _refuse(self, code: str, reason: str, now_s: float) -> None:
        """Show why nothing is begun; the first of a row is recorded."""
        self.quiet_until_s = now_s + self.settings.refused_wait_s
        evaluated = self.shown.show(Outcome.REFUSED, code, (reason,), now_s)
        if code == "halted":
            self.shown.alarm(reason, is_over=False)
        await trio.lowlevel.checkpoint()
        if evaluated.repeated:
            return
        leg = self.settings.legs[0]
        with trio.move_on_after(NOTE_S):
            fact = Refused(
                leg.bot,
                leg.account,
                leg.symbol,
                self.ids.next(),
                Purpose.ENTRY,
                code,
                (reason,),
            )
            await note(self.journal, fact)
