"""One group of two legs, from its intention to its end: what is asked for next. Pure.

    LegsIntended -> both legs leave -> both ended alike            -> settled, matched
                                    -> more bought than sold       -> halt, hedge: sell it
                                                                      where it was bought
                                    -> more sold than bought       -> halt; money is no risk
    a leg that is not over after SETTLE_S counts for what is known of it; while the two
    are level nothing is done but to wait, and no other group begins

The fold of facts, so that a life begun between the legs answers as the one before would.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from math import inf

import attrs

from actors.messages import (
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Fact,
    Filled,
    Halted,
    HaltLifted,
    Intended,
    Leg,
    LegsIntended,
    LegsSettled,
    Refused,
    Side,
)
from actors.pure.books import Books
from actors.pure.halts import Halts, halt_words
from actors.pure.money import ZERO, plain
from actors.pure.order_life import Order
from actors.pure.order_sheet import Orders

ENDED_MAX = 64  # ended orders remembered
ABSENT_S = 10.0  # a leg nobody has heard of by then never left: it was valid for 2 s
SETTLE_S = 5.0  # after which a leg that is not over counts for what is known
LOOK_S = 0.25  # between two looks at an open group
HEDGE_S = 1.0  # between a refused hedge and the next
CODE = "legs"  # of the halt


@attrs.frozen
class Hedge:
    """Sell `base` where it was bought."""

    leg: Leg
    intent_id: str
    base: Decimal


@attrs.frozen
class Settle:
    """Record the end of the group."""

    settled: LegsSettled


@attrs.frozen
class Halt:
    """Halt both bots: the legs do not match, as far as they are known."""

    halts: tuple[Halted, Halted]


Step = Hedge | Settle | Halt


@attrs.frozen
class LegSeen:
    """What is known of one leg."""

    filled: Decimal
    is_over: bool
    words: str


@attrs.define(eq=False)
class LegGroups:
    """The groups of one arbitrage; one at a time. Only facts of its bots are taken."""

    bots: Collection[str]
    books: Books = attrs.Factory(lambda: Books(Orders(ended_max=ENDED_MAX)))
    group: LegsIntended | None = None
    halts: Halts = attrs.Factory(Halts)
    barred: dict[tuple[str, str], str] = attrs.Factory(dict[tuple[str, str], str])
    have_traded: set[str] = attrs.Factory(set[str])  # bots that ever bought
    _since_s: float = -inf  # when this life began to wait for the group
    _refused: dict[str, Refused] = attrs.Factory(dict[str, Refused])  # of this group
    _hedges: list[str] = attrs.Factory(list[str])  # intents of this group, in order
    _hedge_s: float = -inf  # when the last one was asked for
    # Of this group, by intent, whatever the books forget: the legs, and hedges that sold.
    _kept: dict[str, Order] = attrs.Factory(dict[str, Order])

    def apply(self, fact: Fact, now_s: float) -> None:
        """Take one fact, told or recalled."""
        if getattr(fact, "bot", None) not in self.bots:
            return
        match fact:
            case LegsIntended():
                self.group, self._since_s = fact, now_s
                self._refused, self._hedges, self._kept = {}, [], {}
            case LegsSettled(group_id=group_id):
                # An end that the ledger took late may be told after the next beginning.
                if self.group is not None and self.group.group_id == group_id:
                    self.group = None
            case Refused(intent_id=intent_id):
                self._note_intent(intent_id)
                self._refused[intent_id] = fact
            case Halted() | HaltLifted():
                self.halts.apply(fact)
            case _:
                self._apply_other(fact)

    def bar(self, now_ms: int) -> tuple[str, str] | None:
        """Return why nothing new may be begun, or None."""
        for halted in self.halts.standing(now_ms):
            if halted.bot in self.bots:
                return "halted", f"{halted.bot}: {halt_words(halted)}"
        for (bot, _), reason in self.barred.items():
            return "paused", f"{bot}: {reason}"
        return None

    def asked(self, hedge: Hedge, now_s: float) -> None:
        """Remember that a hedge was asked for."""
        self._note_intent(hedge.intent_id)
        self._hedge_s = now_s

    def next_step(self, now_s: float, least: Decimal) -> Step | None:
        """Return what is to be done about the open group now, or None.

        `least` is the smallest quantity that can be sold where the group bought.
        """
        group = self.group
        if group is None:
            return None
        buy, sell = self._seen(group.buy, now_s), self._seen(group.sell, now_s)
        hedged = sum((it.filled_base for it in map(self._order, self._hedges) if it), ZERO)
        is_over, is_late = buy.is_over and sell.is_over, now_s - self._since_s >= SETTLE_S
        has_left = any(self._order(leg.intent_id) for leg in (group.buy, group.sell))
        if not (is_over or (is_late and has_left)) or self._is_hedging(now_s):
            return None
        is_level = buy.filled == sell.filled and not hedged
        words = f"bought {plain(buy.filled)}{buy.words}, sold {plain(sell.filled)}"
        words = f"{words}{sell.words}"
        if not is_level and not self._is_halted():
            return Halt(self._halts(group, words))
        held = self.books.of(group.buy.bot, group.buy.symbol).base
        excess = min(buy.filled - sell.filled - hedged, held)
        if excess >= least and excess > 0:
            return Hedge(group.buy, self._hedge_id(group), excess)
        if not is_over:
            return None
        more = f", {plain(hedged)} of it sold again" if hedged else ""
        return Settle(
            LegsSettled(
                group.bot, group.account, group.symbol, group.group_id, buy.filled,
                sell.filled, hedged, is_level, f"{words}{more}",
            )
        )  # fmt: skip

    def _apply_other(self, fact: Fact) -> None:
        match fact:
            case BotPaused(bot=bot, reason=reason):
                self.barred[bot, "paused"] = reason or "paused by the operator"
            case BotFlattened(bot=bot):
                self.barred[bot, "paused"] = "flattened by the operator"
            case BotResumed(bot=bot):
                self.barred.pop((bot, "paused"), None)
            case BotStopped(bot=bot):
                self.barred[bot, "stopped"] = "stopped by the operator"
            case BotStarted(bot=bot):
                self.barred.pop((bot, "stopped"), None)
            case _:
                if isinstance(fact, Intended):
                    self._note_intent(fact.intent_id)
                if isinstance(fact, Filled) and fact.side is Side.BUY:
                    self.have_traded.add(fact.bot)
                self.books.apply(fact)
                self._keep(self.books.orders.get(getattr(fact, "client_order_id", "")))

    def _keep(self, order: Order | None) -> None:
        """Keep what tells how far the group is, however many hedges end after it."""
        if order is None or self.group is None:
            return
        intent_id = order.intended.intent_id
        is_leg = intent_id in {self.group.buy.intent_id, self.group.sell.intent_id}
        if is_leg or (order.filled_base and intent_id in self._hedges):
            self._kept[intent_id] = order

    def _order(self, intent_id: str) -> Order | None:
        """Return the order of a leg or of a hedge, if it has left."""
        attempts = self.books.orders.attempts(intent_id)
        return attempts[-1] if attempts else self._kept.get(intent_id)

    def _note_intent(self, intent_id: str) -> None:
        group = self.group
        is_hedge = group is not None and intent_id.startswith(f"{group.group_id}/hedge/")
        if is_hedge and intent_id not in self._hedges:
            self._hedges.append(intent_id)

    def _seen(self, leg: Leg, now_s: float) -> LegSeen:
        refused = self._refused.get(leg.intent_id)
        if refused is not None:
            why = "; ".join(refused.reasons)
            return LegSeen(ZERO, True, f" (refused {refused.code}: {why})")
        order = self._order(leg.intent_id)
        if order is None:
            is_absent = now_s - self._since_s >= ABSENT_S
            return LegSeen(ZERO, is_absent, " (never sent)")
        is_over = order.is_terminal and not order.missing_base
        told = f" {order.code} {order.reason}".rstrip()
        is_whole = order.filled_base == order.base
        words = "" if is_whole else f" ({order.status.value}{told})"
        return LegSeen(order.filled_base, is_over, words)

    def _hedge_id(self, group: LegsIntended) -> str:
        """Return the intent of the next hedge.

        One that no row tells of may have left by the emergency file: under the same id it
        is asked for again, and not sent twice (I-1).
        """
        last = self._hedges[-1] if self._hedges else ""
        is_told = last in self._refused or self._order(last) is not None
        if last and not is_told:
            return last
        return f"{group.group_id}/hedge/{len(self._hedges) + 1}"

    def _is_hedging(self, now_s: float) -> bool:
        """Tell whether a hedge is on its way; an absent one is asked for again."""
        if not self._hedges:
            return False
        last = self._hedges[-1]
        order = self._order(last)  # one life's wish may be refused, another's be taken
        if order is None:
            wait_s = HEDGE_S if last in self._refused else ABSENT_S
            return now_s - self._hedge_s < wait_s
        is_live = not order.is_terminal or bool(order.missing_base)
        return is_live or now_s - self._hedge_s < HEDGE_S

    def _is_halted(self) -> bool:
        return any(
            halted.bot in self.bots and halted.code == CODE
            for halted in self.halts.standing(0)
        )

    def _halts(self, group: LegsIntended, words: str) -> tuple[Halted, Halted]:
        reason = f"the legs of {group.group_id} do not match: {words}"
        buy, sell = group.buy, group.sell
        return (
            Halted(buy.bot, buy.account, CODE, reason),
            Halted(sell.bot, sell.account, CODE, reason),
        )
