"""Guard one position of one bot: what must be recorded, sold or cancelled next. Pure.

A guard is a fold of facts plus what it has asked for and not heard of. `next_step` gives
one thing to do; doing it and telling the guard leads to the next one, until there is none.
A triggered exit stays triggered until the position is gone (R-41), and is asked for again
whenever an exit has ended, was refused or was never answered. One exit at a time (I-15).
"""

from __future__ import annotations

from decimal import Decimal
from math import inf

import attrs

from actors.messages import (
    CancelIntent,
    ExitIntent,
    ExitReason,
    ExitTriggered,
    Instrument,
    PositionClosed,
    PositionOpened,
    StopMoved,
)
from actors.pure.books import Books
from actors.pure.client_order_id import IntentIds
from actors.pure.exits import Levels, Protection, judge, moved, trailed, with_entry
from actors.pure.money import ZERO, rounded
from actors.pure.order_life import Order
from actors.pure.position_math import Holding, sellable_base

MOVE_EVERY_S = 1.0  # between recorded moves of a trailing stop
RETRY_S_MAX = 30.0  # between exits that end without a fill
EXIT_VALID_S = 5.0  # an exit is never sent later than this
ANSWER_S = 2.0  # after that, until one not heard of is asked for again

Step = (
    PositionOpened | StopMoved | ExitTriggered | PositionClosed | ExitIntent | CancelIntent
)

_WORDS = {
    ExitReason.STOP_LOSS: "Stop loss hit",
    ExitReason.TAKE_PROFIT: "Take profit hit",
    ExitReason.TRAILING_STOP: "Trailing stop hit",
}


@attrs.frozen
class Ward:
    """Whom a guard guards, and how."""

    bot: str
    account: str
    exchange: str
    symbol: str
    protection: Protection = attrs.Factory(Protection)
    check_s: float = 5.0
    exit_wait_s: float = 10.0  # G of R-41: an exit this old and not done is cancelled


@attrs.define(eq=False)
class Guard:
    """The watch over one open position. `books` are those of the whole account."""

    ward: Ward
    books: Books
    instrument: Instrument
    due_s: float = -inf  # of the next check
    levels: Levels = attrs.Factory(Levels)
    is_recorded: bool = False  # whether PositionOpened is durable
    triggered: ExitReason | None = None
    is_alarmed: bool = False
    _closed_by: ExitReason = ExitReason.SIGNAL
    _notes: str = ""
    _intent_id: str = ""  # of the exit that was asked for and not heard of
    _until_s: float = -inf
    _tries: int = 0  # exits in a row that sold nothing
    _retry_s: float = -inf
    _moved_s: float = -inf
    _exits_since_s: dict[str, float] = attrs.Factory(dict[str, float])
    _cancelled: str = ""

    @property
    def holding(self) -> Holding:
        return self.books.of(self.ward.bot, self.ward.symbol)

    @property
    def position_id(self) -> str:
        return self.holding.position_id

    # What is learned

    def bought(self) -> None:
        """Take another fill of an entry."""
        self.levels = with_entry(
            self.levels, self.holding.entry, self.ward.protection, self.instrument
        )

    def sold(self, order: Order | None) -> None:
        """Take a fill of an exit."""
        self._tries, self._retry_s = 0, -inf
        if order is not None:
            self._closed_by = order.intended.exit_reason or ExitReason.SIGNAL
            self._notes = order.intended.notes

    def opened(self, fact: PositionOpened) -> None:
        """Take the recorded beginning; new settings never loosen its stop (R-15)."""
        self.is_recorded = True
        levels = self.levels
        stop = levels.stop_loss
        if fact.stop_loss is not None and (stop is None or stop < fact.stop_loss):
            levels = attrs.evolve(levels, stop_loss=fact.stop_loss)
        self.levels = attrs.evolve(
            levels,
            take_profit=levels.take_profit or fact.take_profit,
            trailing_stop=levels.trailing_stop or fact.trailing_stop,
        )

    def stop_moved(self, fact: StopMoved) -> None:
        """Take a recorded move of the trailing stop."""
        self.levels = moved(self.levels, fact.stop_loss, fact.high)

    def trigger(self, reason: ExitReason) -> None:
        """Take the decision to exit; the first reason stays."""
        self.triggered = self.triggered or reason

    def asked(self, intent: ExitIntent, now_s: float) -> None:
        """Remember the exit that is on its way."""
        self._intent_id, self._until_s = intent.intent_id, intent.valid_until_s
        self._tries += 1
        self._retry_s = now_s + min(RETRY_S_MAX, 2.0 ** (self._tries - 1))

    def answered(self, intent_id: str) -> None:
        """Take the answer to an exit: it was begun, or refused."""
        if intent_id == self._intent_id:
            self._intent_id = ""

    def cancel_asked(self, client_order_id: str) -> None:
        """Remember that this exit was cancelled: exactly once each (R-41)."""
        self._cancelled = client_order_id

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
        if self._is_gone(holding, price):
            return None if live else self._gone(holding)
        if self.triggered is not None:
            step = self._exit(holding, live, price, now_s, ids)
            return self._opened(holding) if step is None and not self.is_recorded else step
        if price is not None and (reason := judge(self.levels, price)) is not None:
            return self._triggered(reason, price, holding)
        if self.is_recorded:
            return self._moved(price, now_s)
        is_buying = any(order.is_entry for order in live) and now_s < self.due_s
        return None if is_buying else self._opened(holding)

    def _gone(self, holding: Holding) -> PositionOpened | PositionClosed:
        return self._closed(holding) if self.is_recorded else self._opened(holding)

    def _exit(
        self,
        holding: Holding,
        live: tuple[Order, ...],
        price: Decimal | None,
        now_s: float,
        ids: IntentIds,
    ) -> ExitIntent | CancelIntent | None:
        exits = [order for order in live if not order.is_entry]
        if exits:
            return self._overdue(exits[0], now_s)
        is_waiting = self._intent_id and now_s <= self._until_s + ANSWER_S
        if is_waiting or now_s < self._retry_s or self.triggered is None:
            return None
        ward, price = self.ward, price or holding.entry
        if not sellable_base(holding.base, price, self.instrument):
            return None
        return ExitIntent(
            intent_id=ids.next(),
            bot=ward.bot,
            account=ward.account,
            exchange=ward.exchange,
            symbol=ward.symbol,
            position_id=holding.position_id,
            base=holding.base,
            reason=self.triggered,
            price=price,
            notes=_notes(self.triggered),
            valid_until_s=now_s + EXIT_VALID_S,
        )

    def _overdue(self, order: Order, now_s: float) -> CancelIntent | None:
        """Return a cancel for an exit that rests too long; an UNKNOWN one is left alone."""
        order_id = order.client_order_id
        since_s = self._exits_since_s.get(order_id)
        if since_s is None:
            self._exits_since_s = {order_id: now_s}
            return None
        is_young = now_s - since_s < self.ward.exit_wait_s
        if is_young or order.is_unknown or self._cancelled == order_id:
            return None
        ward = self.ward
        text = f"exit not done after {self.ward.exit_wait_s:g} s"
        return CancelIntent(ward.account, ward.bot, ward.symbol, order_id, text)

    def _is_gone(self, holding: Holding, price: Decimal | None) -> bool:
        """Tell whether what is left can no longer be sold (R-18).

        Before anything was sold only the lot decides: a price may rise again.
        """
        if holding.sold_base:
            at = price or holding.exit_price
            return not sellable_base(holding.base, at, self.instrument)
        return not sellable_base(holding.base, ZERO, self.instrument)

    def _triggered(
        self, reason: ExitReason, price: Decimal, holding: Holding
    ) -> ExitTriggered:
        ward = self.ward
        return ExitTriggered(
            ward.bot,
            ward.account,
            ward.symbol,
            holding.position_id,
            reason,
            price,
            rounded(holding.unrealized(price)),
        )

    def _opened(self, holding: Holding) -> PositionOpened:
        ward, levels = self.ward, self.levels
        return PositionOpened(
            ward.bot,
            ward.account,
            ward.exchange,
            ward.symbol,
            holding.position_id,
            rounded(holding.entry),
            holding.base + holding.sold_base,
            levels.stop_loss,
            levels.take_profit,
            levels.trailing_stop,
        )

    def _moved(self, price: Decimal | None, now_s: float) -> StopMoved | None:
        if price is None or now_s - self._moved_s < MOVE_EVERY_S:
            return None
        after = trailed(self.levels, price, self.instrument)
        if after is None or after.stop_loss is None:
            return None
        ward, position_id = self.ward, self.position_id
        return StopMoved(
            ward.bot, ward.account, ward.symbol, position_id, after.stop_loss, after.high
        )

    def _closed(self, holding: Holding) -> PositionClosed:
        ward = self.ward
        is_sold = bool(holding.sold_base)
        return PositionClosed(
            ward.bot,
            ward.account,
            ward.symbol,
            holding.position_id,
            self._closed_by,
            rounded(holding.exit_price),
            rounded(holding.loss_of_dust()),
            holding.base,
            self._notes if is_sold else "less than the exchange lets us sell",
        )


def _notes(reason: ExitReason) -> str:
    return f"Auto-closed by bot: {_WORDS.get(reason, reason.value)}"
