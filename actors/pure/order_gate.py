"""The last word before an order exists: entries and exits are judged here once more. Pure.

`risk` has approved an entry at its own price, but its reservations die with it, and time
has passed since; so `orders` asks again, of the facts alone (I-4, I-11, I-13, I-16).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from actors.messages import (
    Attempted,
    ClockJudged,
    ExitIntent,
    Fact,
    Filled,
    Instrument,
    Intended,
    Lease,
    OrderIntent,
    OrderRequest,
    OrderType,
    Purpose,
    Reconciled,
    Refused,
    Side,
)
from actors.pure.books import Books
from actors.pure.entry_bars import EntryBars
from actors.pure.money import ZERO, plain
from actors.pure.order_life import Order
from actors.pure.position_math import most_for_quote, protective_base, sellable_base

UNTOLD = "nobody has said yet whether the exchange's time can be trusted"


@attrs.define
class Gate:
    """What the facts say of an order about to begin: bars, holdings, other orders."""

    execution: str = ""  # of this run; "" waits for no reconciliation, and for no clock
    is_reconciled: bool = attrs.field(init=False)  # in this run, in whatever life (I-20)
    books: Books = attrs.Factory(Books)
    bars: EntryBars = attrs.Factory(EntryBars)
    symbols: Mapping[str, str] | None = None  # of each bot; None: of whoever orders

    @classmethod
    def of(cls, facts: Iterable[Fact], *, execution: str = "") -> Gate:
        """Return the gate as of these facts."""
        gate = cls(execution)
        for fact in facts:
            gate.apply(fact)
        return gate

    def __attrs_post_init__(self) -> None:
        self.is_reconciled = not self.execution
        # The life before may have taken the clock's last word; the next is due in a second.
        self.bars.clock_doubt = UNTOLD if self.execution else ""

    def apply(self, fact: Fact) -> None:
        """Take one fact."""
        match fact:
            case Reconciled(execution=execution):
                self.is_reconciled = self.is_reconciled or execution == self.execution
            case Attempted() | Filled():
                if self.books.apply(fact):  # told twice, it counts once
                    self.bars.apply(fact)
            case _:
                self.bars.apply(fact)
                self.books.apply(fact)

    def hold(self, lease: Lease) -> None:
        """Take the account stream's newest word."""
        self.bars.lease = lease

    def judge_clock(self, judged: ClockJudged) -> None:
        """Take the clock's newest word on the venue's time (I-11)."""
        self.bars.clock_doubt = judged.doubt

    def bar_to_entry(
        self, intent: OrderIntent, now_s: float, now_ms: int
    ) -> tuple[str, str] | None:
        """Return the code and the reason that forbid this entry, or None; halts first.

        `now_s` is this run's clock, `now_ms` the exchange's.
        """
        return self.bars.of(intent, now_s, now_ms) or self._own_bar(intent)

    def bar_since(
        self,
        facts: Iterable[Fact],
        words: Iterable[object],
        intent: OrderIntent,
        now_s: float,
        now_ms: int,
    ) -> tuple[str, str] | None:
        """Return what news that nobody has applied yet forbids of an entry, or None.

        `words`: of the account and of the clock, as far as one waits behind other mail:
        the lease may be taken back, and the time not be trusted any more (I-11).
        """
        since = EntryBars(lease=self.bars.lease, clock_doubt=self.bars.clock_doubt)
        for word in words:
            if isinstance(word, Lease):
                since.lease = word
            elif isinstance(word, ClockJudged):
                since.clock_doubt = word.doubt
        for fact in facts:
            since.apply(fact)
        return since.of(intent, now_s, now_ms)

    def bar_to_sale(self, intent: ExitIntent, now_s: float) -> tuple[str, str] | None:
        """Return why the account may begin nothing new that sells, or None."""
        return self.bars.lease_bar(intent.symbol, now_s)

    def _own_bar(self, intent: OrderIntent) -> tuple[str, str] | None:
        orders = self.books.orders
        unknown = orders.unknown(intent.bot, intent.symbol)
        if unknown is not None:
            return "unknown_order", f"the outcome of {unknown.client_order_id} is unknown"
        lacking = orders.lacking(intent.bot, intent.symbol)
        if lacking is not None:
            text = f"not every fill of {lacking.client_order_id} is known"
            return "unknown_order", text
        entry = orders.live_entry(intent.bot, intent.symbol)
        if entry is not None:
            return "open_entry", f"{entry.client_order_id} is still open"
        return None

    def unwanted(self, *bots: str) -> list[tuple[Order, str]]:
        """Return the open entries that are cancelled, and why; of these bots, or of all.

        Those of a bot that was ordered flat, and those that no bot of this run trades:
        nobody decides about what they buy. What was adopted for one rests on (R-16).
        """
        live = self.books.orders.live()
        entries = [it for it in live if it.is_entry and (not bots or it.bot in bots)]
        return [(it, why) for it in entries if (why := self._why_unwanted(it)) is not None]

    def _why_unwanted(self, entry: Order) -> str | None:
        if entry.bot in self.bars.flat:
            return ""
        is_traded = self.symbols is None or self.symbols.get(entry.bot) == entry.symbol
        is_left = not is_traded and not entry.intended.is_adopted
        return "no bot of this run trades it" if is_left else None

    def exit_base(
        self, intent: ExitIntent, instrument: Instrument
    ) -> Decimal | tuple[str, str]:
        """Return how much this exit may sell, or the code and reason that forbid it.

        Never more than is held less what other exits may still sell (I-13, I-15). The
        stop that rests at the exchange makes room for it, so that one does not count.
        """
        if not self.is_reconciled:
            text = "nothing is sent before the venue has said what is open in this run"
            return "not_reconciled", text
        held = self.books.of(intent.bot, intent.symbol)
        if not held.is_open or not held.base:
            return "no_position", f"{intent.bot} holds no {intent.symbol}"
        stop = self.replaced_by(intent)
        if stop is not None and not _makes_room(stop, intent):
            return "exit_in_flight", f"stop {stop.client_order_id} is {stop.status.value}"
        exiting = self.books.orders.exiting_base(intent.bot, intent.symbol, besides=stop)
        left = min(intent.base, held.base - exiting)
        base = ZERO if intent.is_protective and exiting else _most(left, intent, instrument)
        if base:
            return base
        if exiting:
            return "exit_in_flight", f"{plain(exiting)} of {plain(held.base)} is being sold"
        return "below_minimum", f"{plain(left)} is less than {intent.symbol} lets us sell"

    def replaced_by(self, intent: ExitIntent) -> Order | None:
        """Return the resting stop that must make room for this exit, or None."""
        return self.books.orders.resting_stop(intent.bot, intent.symbol)


def _makes_room(stop: Order, intent: ExitIntent) -> bool:
    """Tell whether an exit may replace the stop; for a new stop it must be seen there."""
    return stop.is_replaceable and not (intent.is_protective and stop.is_unknown)


def _most(base: Decimal, intent: ExitIntent, instrument: Instrument) -> Decimal:
    """Return the most that one order of this kind may sell of `base`, or 0."""
    if intent.limit_price is not None:
        return protective_base(base, intent.limit_price, instrument)
    sellable = sellable_base(base, intent.price, instrument)
    at_once = most_for_quote(intent.price, instrument)
    bounds = (instrument.market_base_max, instrument.base_max, at_once)
    return min((sellable, *(instrument.floor_base(most) for most in bounds if most)))


def entry_of(intent: OrderIntent) -> Intended:
    """Return the decision to enter, ready to be recorded."""
    return Intended(
        intent.bot,
        intent.account,
        intent.exchange,
        intent.symbol,
        intent.intent_id,
        Purpose.ENTRY,
        intent.side,
        intent.order_type,
        intent.base,
        intent.price,
        intent.limit_price,
        intent.stop_price,
        intent.strategy,
        intent.notes,
        protection=intent.protection,
    )


def exit_of(intent: ExitIntent, base: Decimal, replaces: str = "") -> Intended:
    """Return the decision to sell `base`, now or at a stop, ready to be recorded."""
    return Intended(
        intent.bot,
        intent.account,
        intent.exchange,
        intent.symbol,
        intent.intent_id,
        Purpose.EXIT,
        Side.SELL,
        OrderType.STOP_LOSS_LIMIT if intent.is_protective else OrderType.MARKET,
        base,
        intent.price,
        intent.limit_price,
        intent.stop_price,
        "",
        intent.notes,
        intent.position_id,
        intent.reason,
        replaces,
    )


def request_of(intended: Intended, client_order_id: str) -> OrderRequest:
    """Return what is sent for one attempt at a decision."""
    return OrderRequest(
        client_order_id,
        intended.symbol,
        intended.side,
        intended.order_type,
        intended.base,
        intended.limit_price,
        intended.stop_price,
    )


def refusal(
    intent: OrderIntent | ExitIntent, purpose: Purpose, code: str, reason: str
) -> Refused:
    """Return the refusal of a wish, as a fact."""
    return Refused(
        intent.bot,
        intent.account,
        intent.symbol,
        intent.intent_id,
        purpose,
        code,
        (reason,),
    )
