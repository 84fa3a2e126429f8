"""A watch over what one bot holds, with the real gate behind it; everything at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from actors.messages import (
    Acknowledged,
    CancelIntent,
    ExitIntent,
    Instrument,
    Intended,
    Protection,
    StopMoved,
)
from actors.pure.client_order_id import IntentIds
from actors.pure.guard import Guard
from actors.pure.guard_steps import Step, Ward
from actors.pure.order_gate import Gate, exit_of
from actors.pure.order_life import Order
from actors.pure.watch import Watch
from tests.words import BTC, SYMBOL, attempted, exit_intended, filled, intended

BOTH = Protection(Decimal(2), Decimal(5))
TRAILING = Protection(Decimal(2), None, Decimal("1.5"))
ENTRY = (intended(), attempted(), filled(1, 100))
HALF = Decimal("0.5")  # of a percent: the limit of a resting stop


@attrs.define
class Scene:
    """A watch over what `dawn` holds, and everything that it asked for, done at once."""

    watch: Watch
    gate: Gate = attrs.Factory(Gate)
    ids: IntentIds = attrs.Factory(lambda: IntentIds("e", "r", "positions:main", 1))
    steps: list[Step] = attrs.Factory(list[Step])

    @property
    def guard(self) -> Guard:
        return self.watch.guards["dawn", SYMBOL]

    def tell(self, *facts: Any) -> None:
        for fact in facts:
            self.watch.apply(fact)
            self.gate.apply(fact)

    def look(self, price: str | None, now_s: float) -> list[type]:
        """Do every step there is, as the actor does; return their kinds."""
        kinds: list[type] = []
        at = Decimal(price) if price is not None else None
        guard = self.watch.guards.get(("dawn", SYMBOL))
        while guard and (step := guard.next_step(at, now_s, self.ids)) is not None:
            kinds.append(type(step))
            self.steps.append(step)
            if isinstance(step, ExitIntent):
                guard.asked(step, now_s)
            elif isinstance(step, CancelIntent):
                guard.cancel_asked(step.client_order_id, now_s)
            else:
                if isinstance(step, StopMoved):
                    guard.stop_recorded(now_s)
                self.tell(step)
        return kinds

    def exits(self) -> list[ExitIntent]:
        return [step for step in self.steps if isinstance(step, ExitIntent)]

    def begin_exit(self, order_id: str = "cx1") -> None:
        """Let the exit that was asked for last become an order."""
        wish = self.exits()[-1]
        self.tell(
            exit_intended(
                intent_id=wish.intent_id, exit_reason=wish.reason, notes=wish.notes
            ),
            attempted(wish.intent_id, order_id),
        )

    def send(self, order_id: str) -> Intended:
        """Let the gate judge the last wish, and begin what it allows."""
        wish = self.exits()[-1]
        base, stop = self.gate.exit_base(wish, BTC), self.gate.replaced_by(wish)
        assert isinstance(base, Decimal), base
        begun = exit_of(wish, base, stop.client_order_id if stop else "")
        self.tell(begun, attempted(wish.intent_id, order_id))
        return begun

    def rest(self, order_id: str = "s1") -> Intended:
        """Let the stop that was asked for last rest at the exchange."""
        begun = self.send(order_id)
        self.tell(Acknowledged("dawn", "main", SYMBOL, order_id, f"v-{order_id}"))
        return begun

    def stops(self) -> list[Order]:
        """Return the live stops of the position."""
        exits = self.gate.books.orders.live_exits("dawn", SYMBOL)
        return [order for order in exits if order.is_protective]


def scene(
    protection: Protection = BOTH,
    *facts: Any,
    limit_percent: Decimal | None = None,
    instrument: Instrument = BTC,
) -> Scene:
    ward = Ward("dawn", "main", "binance", SYMBOL, protection, 5.0, 10.0, limit_percent)
    made = Scene(Watch("main", {"dawn": ward}, {SYMBOL: instrument}))
    made.tell(*(facts or ENTRY))
    return made
