"""Guard one position of one bot: what must be recorded, sold or cancelled next. Pure.

A guard is a fold of facts plus what it has asked for and not heard of. `next_step` gives
one thing to do; doing it and telling the guard leads to the next one, until there is none.
A triggered exit stays triggered until the position is gone (R-41), and is asked for again
whenever an exit has ended, was refused or was never answered. One exit at a time (I-15);
the stop that rests at the exchange makes room for it, once it had time to do its work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf

import attrs

from actors.messages import (
    CancelIntent,
    ExitIntent,
    ExitReason,
    Instrument,
    PositionClosed,
    PositionOpened,
    Protection,
    Refused,
    StopMoved,
)
from actors.pure import guard_steps as steps
from actors.pure.asking import Asking
from actors.pure.books import Books
from actors.pure.client_order_id import IntentIds
from actors.pure.exits import Levels, judge, moved, trailed, with_entry
from actors.pure.guard_steps import Step, Ward
from actors.pure.making_room import Room
from actors.pure.money import ZERO
from actors.pure.order_life import Order
from actors.pure.position_math import Holding, is_gone, sellable_base
from actors.pure.protective_stop import ProtectiveStop
from actors.pure.recorded_protection import nearer, recorded_protection

MOVE_EVERY_S = 1.0  # between recorded moves of a trailing stop
RETRY_S_MAX = 30.0  # between exits that end without a fill

NOT_RECONCILED = "not_reconciled"


@attrs.define(eq=False)
class Guard:
    """The watch over one open position. `books` are those of the whole account."""

    ward: Ward
    books: Books
    instrument: Instrument
    balances: Mapping[str, Decimal] = attrs.Factory(dict[str, Decimal])  # the venue's word
    due_s: float = -inf  # of the next check
    look_s: float = inf  # of a look before it
    levels: Levels = attrs.Factory(Levels)
    stop: ProtectiveStop = attrs.field(init=False)
    decided: Protection | None = None  # on what was bought last for a bot that has left
    is_recorded: bool = False  # whether PositionOpened is durable
    triggered: ExitReason | None = None
    _closed_by: ExitReason = ExitReason.SIGNAL
    _notes: str = ""
    _asking: Asking = attrs.Factory(lambda: Asking(RETRY_S_MAX))  # for an exit
    _moved_s: float = -inf
    _high: Decimal = ZERO  # seen in this life
    _room: Room = attrs.field(init=False)
    _wanted: Protection = attrs.field(init=False)  # by the settings and the record
    _is_refused: bool = False  # the venue did, the last exit or stop
    _is_early: bool = False  # something was asked for before the first reconciliation
    _hit: str = ""  # the resting stop that the market came to, once it is executed

    def __attrs_post_init__(self) -> None:
        self.stop = ProtectiveStop(self.instrument, self.ward.limit_percent)
        self._room, self._wanted = Room(self.ward), self.ward.protection

    @property
    def holding(self) -> Holding:
        return self.books.of(self.ward.bot, self.ward.symbol)

    @property
    def position_id(self) -> str:
        return self.holding.position_id

    # What is learned

    def bought(self, decided: Protection | None = None) -> None:
        """Take another fill of an entry, which was `decided` on with these levels."""
        if self.ward.has_left and decided is not None and decided != self.decided:
            self._wanted, self.decided = nearer(self._wanted, decided), decided
        self.levels = with_entry(
            self.levels, self.holding.entry, self._wanted, self.instrument
        )

    def sold(self, order: Order | None) -> None:
        """Take a fill of an exit."""
        self._asking.begin_anew()
        self._is_refused = False
        if order is not None:
            self._closed_by = order.intended.exit_reason or ExitReason.SIGNAL
            self._notes = order.intended.notes
            self._hit = order.client_order_id if order.is_protective else self._hit

    def written_off(self) -> None:
        """Take that an operator took some of it back: what is left may be nothing."""
        self._closed_by = ExitReason.OPERATOR

    def opened(self, fact: PositionOpened) -> None:
        """Take the recorded beginning; new settings never loosen its stop (R-15)."""
        self.is_recorded = True
        if self.ward.has_left:  # the record counts, whatever was decided before
            self.levels, self._wanted = Levels(), Protection()
        levels = self.levels
        stop = levels.stop_loss
        if fact.stop_loss is not None and (stop is None or stop < fact.stop_loss):
            levels = attrs.evolve(levels, stop_loss=fact.stop_loss)
        self.levels = attrs.evolve(
            levels,
            take_profit=levels.take_profit or fact.take_profit,
            trailing_stop=levels.trailing_stop or fact.trailing_stop,
        )
        self._wanted = recorded_protection(fact, self._wanted)
        if self.holding.entry != fact.entry:
            self.bought()  # more than was recorded

    def stop_moved(self, fact: StopMoved) -> None:
        """Take a recorded move of the trailing stop."""
        self.levels = moved(self.levels, fact.stop_loss, fact.high)

    def trigger(self, reason: ExitReason) -> None:
        """Take the decision to exit; the first reason stays."""
        self.triggered = self.triggered or reason

    def asked(self, intent: ExitIntent, now_s: float) -> None:
        """Remember the exit that is on its way."""
        if intent.is_protective:
            self.stop.asked(intent, now_s)
            return
        self._asking.asked(intent, now_s)

    def answered(self, intent_id: str) -> None:
        """Take the answer to an exit: it was begun, or refused."""
        self._asking.answered(intent_id)
        self.stop.answered(intent_id)

    def rejected(self, order: Order, reason: str) -> None:
        """Take the venue's no to an exit, or to the stop that was to rest."""
        self._is_refused = True
        if order.is_protective:
            self.stop.refused = reason

    def unplaced(self) -> None:
        """Take that an exit, or the stop, never arrived: nothing waits for it any more."""
        self._asking.begin_anew()
        self.stop.ask_again()

    def refused(self, fact: Refused) -> None:
        """Take the refusal of an exit, or of the stop that was to rest."""
        self._is_early = self._is_early or fact.code == NOT_RECONCILED
        self.stop.answered(fact.intent_id, "; ".join(fact.reasons) or fact.code)
        self.answered(fact.intent_id)

    def reconciled(self) -> None:
        """Ask again at once for what had to wait for the first pass of this run (I-20)."""
        if self._is_early:
            self._is_early = False
            self._asking.begin_anew()
            self.stop.ask_again()

    def relisted(self, instrument: Instrument) -> None:
        """Take what the exchange allows from now on."""
        self.instrument = instrument
        self.stop.relisted(instrument)

    def cancel_asked(self, client_order_id: str, now_s: float) -> None:
        """Remember that this order is being cancelled."""
        self._room.cancel_asked(client_order_id, now_s)

    def stop_recorded(self, now_s: float) -> None:
        """Remember when the trailing stop was last recorded."""
        self._moved_s = now_s

    # What is decided

    def next_step(self, price: Decimal | None, now_s: float, ids: IntentIds) -> Step | None:
        """Return the next thing to do, or None. `price` is a trusted one, if there is any.

        The order is that of urgency: an exit never waits for the record of an opening.
        """
        holding = self.holding
        if not holding.is_open:
            return None
        live = self.books.orders.live_of(self.ward.bot, self.ward.symbol)
        hit = self.books.orders.get(self._hit)
        if hit is not None and self.triggered is None:
            return steps.executed(self.ward, holding, hit, self.instrument)
        if is_gone(holding, price, self.instrument) and not self._is_covered(holding):
            return self._finish(live, price, now_s) if live else self._gone(holding)
        if self.triggered is not None:
            step = self._exit(holding, live, price, now_s, ids)
            is_told = self.is_recorded or step is not None
            return step if is_told else steps.opened(self.ward, self.levels, holding)
        if price is not None and (reason := judge(self.levels, price)) is not None:
            return steps.triggered(self.ward, holding, reason, price)
        self._high = max(self._high, price or ZERO)
        stop = self._protected(holding, price, now_s, ids)
        return self._recorded(live, price, now_s) if stop is None else stop

    def is_restless(self, now_s: float) -> bool:
        """Tell whether time alone may bring the next step, and soon."""
        if not self.holding.is_open:
            return False
        exits = self.books.orders.live_exits(self.ward.bot, self.ward.symbol)
        is_bare = self.stop.is_bare(self._held(), self.levels, exits, now_s)
        return is_bare or self.triggered is not None

    def _recorded(
        self, live: tuple[Order, ...], price: Decimal | None, now_s: float
    ) -> PositionOpened | StopMoved | None:
        if self.is_recorded:
            return self._moved(price, now_s)
        is_buying = any(order.is_entry for order in live) and now_s < self.due_s
        return None if is_buying else steps.opened(self.ward, self.levels, self.holding)

    def _is_covered(self, holding: Holding) -> bool:
        """Tell whether the resting stop may sell it, though a new order could not.

        An operator who wants it gone waits for no stop.
        """
        if self.triggered is ExitReason.OPERATOR:
            return False
        stop = self.books.orders.resting_stop(self.ward.bot, self.ward.symbol)
        return stop is not None and not stop.filled_base and stop.open_base <= holding.base

    def _gone(self, holding: Holding) -> PositionOpened | PositionClosed:
        if not self.is_recorded:
            return steps.opened(self.ward, self.levels, holding)
        return steps.closed(self.ward, holding, self._closed_by, self._notes)

    def _exit(
        self,
        holding: Holding,
        live: tuple[Order, ...],
        price: Decimal | None,
        now_s: float,
        ids: IntentIds,
    ) -> ExitIntent | CancelIntent | None:
        moving = [each for each in live if not each.is_at_rest]
        step = self._finish(moving, price, now_s)
        stop = self.books.orders.resting_stop(self.ward.bot, self.ward.symbol)
        if step is not None or not all(
            self._room.is_made(each, stop, self.triggered, price, now_s)
            for each in live
            if not each.is_entry
        ):
            return step
        may_ask = self._asking.may_ask(now_s) and not self.stop.is_asking(now_s)
        if not may_ask or self.triggered is None:
            return None
        price = price or holding.entry
        if not sellable_base(self._held(), price, self.instrument):
            return None
        sale = steps.sale(self.ward, holding, ids.next(), self.triggered, price, now_s)
        return attrs.evolve(sale, base=self._held())

    def _held(self) -> Decimal:
        """Return what may be sold: after a refusal no more than the venue has (R-14)."""
        base, asset = self.holding.base, self.instrument.base_asset
        there = self.balances.get(asset) if self._is_refused else None
        return base if there is None else min(base, there)

    def _finish(
        self, live: Sequence[Order], price: Decimal | None, now_s: float
    ) -> CancelIntent | None:
        hit, triggered = bool(self._hit), self.triggered is not None
        return self._room.finish(
            live, price, now_s, is_closed_there=hit, is_triggered=triggered
        )

    def _protected(
        self, holding: Holding, price: Decimal | None, now_s: float, ids: IntentIds
    ) -> ExitIntent | None:
        """Return the stop that the exchange should be asked to hold now, or None."""
        resting = self.books.orders.resting_stop(self.ward.bot, self.ward.symbol)
        wanted = self.stop.wanted(self._held(), self.levels, resting, price, now_s)
        if wanted is None:
            return None
        is_trailed = self.levels.is_trailed
        reason = ExitReason.TRAILING_STOP if is_trailed else ExitReason.STOP_LOSS
        price = price or holding.entry
        sale = steps.sale(self.ward, holding, ids.next(), reason, price, now_s)
        return steps.at_stop(sale, wanted)

    def _moved(self, price: Decimal | None, now_s: float) -> StopMoved | None:
        if price is None or now_s - self._moved_s < MOVE_EVERY_S:
            return None
        after = trailed(self.levels, self._high, self.instrument)
        return steps.stop_moved(self.ward, after, self.holding) if after else None
