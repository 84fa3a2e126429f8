"""Guard, gate and an exchange together, under random fills, silences, refusals, crashes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages import (
    Acknowledged,
    CancelIntent,
    Ended,
    ExitIntent,
    ExitTriggered,
    Fact,
    Filled,
    Intended,
    OrderStatus,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    StopMoved,
)
from actors.pure.client_order_id import IntentIds
from actors.pure.guard_steps import Ward
from actors.pure.order_gate import Gate, exit_of
from actors.pure.watch import Watch
from tests.pure.guard_scene import HALF, TRAILING
from tests.words import BTC, SYMBOL, attempted, filled, intended, sold

WARD = Ward("dawn", "main", "binance", SYMBOL, TRAILING, 5.0, 10.0, HALF)
STEP_S = 0.5
PRICES = ["96", "97.4", "97.9", "98.5", "100", "104", "111"]

ACTS = st.one_of(
    st.tuples(st.just("buy"), st.sampled_from(["0.1", "0.25", "0.4"])),
    st.tuples(st.just("price"), st.sampled_from(PRICES)),
    st.tuples(st.just("answer"), st.sampled_from(["yes", "no", "lost", "lost no"])),
    st.tuples(st.just("sell"), st.sampled_from(["0.05", "0.2", "1"])),
    st.tuples(st.just("evidence"), st.just("")),
    st.tuples(st.just("wait"), st.sampled_from(["1", "10", "30"])),
    st.tuples(st.just("crash"), st.just("")),
)


@attrs.define
class There:
    """One order as the exchange has it."""

    intended: Intended
    is_open: bool
    filled_base: Decimal = Decimal(0)


@attrs.define
class World:
    """One bot's position, its guard, the gate, and the exchange."""

    ledger: list[Fact] = attrs.Factory(list[Fact])
    watch: Watch = attrs.field(init=False)
    gate: Gate = attrs.field(init=False)
    ids: IntentIds = attrs.field(init=False)
    there: dict[str, There] = attrs.Factory(dict[str, There])
    untold: list[Fact] = attrs.Factory(list[Fact])  # of answers that were lost
    answers: list[str] = attrs.Factory(list[str])
    triggers: dict[str, Decimal] = attrs.Factory(dict[str, Decimal])  # by position
    price: str = "100"
    now_s: float = 0.0
    lives: int = 0
    number: int = 0

    def __attrs_post_init__(self) -> None:
        self.recall()

    def recall(self) -> None:
        """Begin another life of everything that is ours."""
        self.lives += 1
        self.watch = Watch("main", {"dawn": WARD}, {SYMBOL: BTC})
        self.gate = Gate.of(self.ledger)
        self.ids = IntentIds("e", "r", "positions:main", self.lives)
        for fact in self.ledger:
            self.watch.apply(fact)
        for order in tuple(self.gate.books.orders.live()):
            if order.status is OrderStatus.NEW and not order.is_entry:
                self.tell(self.unknown(order.client_order_id))

    def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self.ledger.append(fact)
            self.watch.apply(fact)
            self.gate.apply(fact)

    def unknown(self, order_id: str) -> OutcomeUnknown:
        return OutcomeUnknown("dawn", "main", SYMBOL, order_id, "EOF")

    def ended(self, order_id: str, status: OrderStatus) -> Ended:
        there = self.there.get(order_id)
        base = there.filled_base if there is not None else Decimal(0)
        return Ended("dawn", "main", SYMBOL, order_id, status, base)

    def look(self) -> None:
        """Let the guard do all it wants to, as its actor does."""
        guard = self.watch.guards.get(("dawn", SYMBOL))
        for _ in range(20):
            step = guard and guard.next_step(Decimal(self.price), self.now_s, self.ids)
            if guard is None or step is None:
                return
            match step:
                case ExitIntent():
                    guard.asked(step, self.now_s)
                    self.begin(step)
                case CancelIntent(client_order_id=order_id):
                    guard.cancel_asked(order_id, self.now_s)
                    self.cancel(order_id)
                case PositionOpened() | StopMoved() | ExitTriggered() | PositionClosed():
                    if isinstance(step, StopMoved):
                        guard.stop_recorded(self.now_s)
                    self.tell(step)
            guard = self.watch.guards.get(("dawn", SYMBOL))
        raise AssertionError("the guard never comes to rest")

    def begin(self, wish: ExitIntent) -> None:
        base = self.gate.exit_base(wish, BTC)
        if isinstance(base, tuple):
            return
        stop = self.gate.replaced_by(wish)
        entry = self.gate.books.orders.live_entry("dawn", SYMBOL)
        if entry is not None and not wish.is_protective:
            self.cancel(entry.client_order_id)
        self.number += 1
        order_id = f"o{self.number}"
        made = exit_of(wish, base, stop.client_order_id if stop else "")
        if made.stop_price is not None:
            highest = self.triggers.get(made.position_id, Decimal(0))
            assert made.stop_price >= highest, "a stop was loosened"
            self.triggers[made.position_id] = made.stop_price
        self.tell(made, attempted(made.intent_id, order_id))
        self.answer(made, order_id, self.answers.pop(0) if self.answers else "yes")

    def answer(self, made: Intended, order_id: str, answer: str) -> None:
        """Do at the exchange what it does, and tell it, or lose the answer."""
        facts: list[Fact] = []
        can_place = answer in {"yes", "lost"}
        if made.replaces:
            old = self.there.get(made.replaces)
            if old is not None and old.is_open and not old.filled_base:
                old.is_open = False
                facts.append(self.ended(made.replaces, OrderStatus.CANCELED))
            else:
                can_place = False
        if can_place:
            self.there[order_id] = There(made, is_open=True)
            facts.append(Acknowledged("dawn", "main", SYMBOL, order_id, order_id))
            if made.stop_price is None:
                facts += self.execute(order_id, made.base)
        else:
            facts.append(self.ended(order_id, OrderStatus.REJECTED))
        if answer.startswith("lost"):
            self.untold += facts
            self.tell(self.unknown(order_id))
        else:
            self.tell(*facts)

    def execute(self, order_id: str, base: Decimal) -> list[Fact]:
        there = self.there[order_id]
        base = min(base, there.intended.base - there.filled_base)
        there.filled_base += base
        self.number += 1
        ids: dict[str, Any] = {"client_order_id": order_id, "trade_id": f"t{self.number}"}
        facts: list[Fact] = [sold(base, self.price, **ids)]
        if there.filled_base == there.intended.base:
            there.is_open = False
            facts.append(self.ended(order_id, OrderStatus.FILLED))
        return facts

    def cancel(self, order_id: str) -> None:
        there, entry = self.there.get(order_id), self.gate.books.orders.get(order_id)
        if there is not None and there.is_open:
            there.is_open = False
            self.tell(self.ended(order_id, OrderStatus.CANCELED))
        elif entry is not None and entry.is_entry:
            end = self.ended(order_id, OrderStatus.CANCELED)
            self.tell(attrs.evolve(end, filled_base=entry.filled_base))

    def buy(self, base: str) -> None:
        """Fill a part of the entry that rests, or of a new one."""
        entry = self.gate.books.orders.live_entry("dawn", SYMBOL)
        self.number += 1
        order_id = f"c{self.number}" if entry is None else entry.client_order_id
        if entry is None:
            wish = f"i{self.number}"
            self.tell(intended(intent_id=wish, base=Decimal(5)), attempted(wish, order_id))
        ids: dict[str, Any] = {"client_order_id": order_id, "trade_id": f"t{self.number}"}
        self.tell(filled(base, self.price, **ids))

    def sell(self, base: str) -> None:
        """Let the exchange execute a part of what rests there."""
        for order_id, there in self.there.items():
            if there.is_open:
                self.tell(*self.execute(order_id, Decimal(base)))
                return

    def learn(self) -> None:
        """Hear at last what lost answers would have said."""
        told, self.untold = self.untold, []
        self.tell(*told)

    def act(self, what: str, how: str) -> None:
        match what:
            case "buy":
                self.buy(how)
            case "price":
                self.price = how
            case "answer":
                self.answers.append(how)
            case "sell":
                self.sell(how)
            case "evidence":
                self.learn()
            case "wait":
                self.now_s += float(how)
            case _:
                self.recall()

    def check(self) -> None:
        """I-13, I-15, and one stop at a time, here and at the exchange."""
        held = self.gate.books.of("dawn", SYMBOL).base
        assert held >= 0
        if not self.untold:  # a stop may be gone, and nobody have heard of it
            assert self.gate.books.orders.exiting_base("dawn", SYMBOL) <= held
        exits = self.gate.books.orders.live_exits("dawn", SYMBOL)
        replaced = {order.intended.replaces for order in exits}
        stops = [it for it in exits if it.is_protective]
        assert len([it for it in stops if it.client_order_id not in replaced]) <= 1
        unsold = [it for it in self.there.values() if it.is_open]
        assert len(unsold) <= 1
        assert sum(it.intended.base - it.filled_base for it in unsold) <= held + sum(
            fact.base for fact in self.untold if isinstance(fact, Filled)
        )


@settings(max_examples=300, deadline=None)
@given(st.lists(ACTS, max_size=60))
def test_a_position_has_one_stop_that_never_loosens_and_never_sells_twice(
    acts: list[tuple[str, str]],
) -> None:
    """I-13, I-15, R-15, R-42."""
    world = World()
    for what, how in acts:
        world.act(what, how)
        world.now_s += STEP_S
        world.look()
        world.check()


@settings(max_examples=300, deadline=None)
@given(st.lists(ACTS, max_size=40))
def test_after_the_last_trouble_the_stop_is_as_large_as_the_position(
    acts: list[tuple[str, str]],
) -> None:
    """I-14: within seconds of the last answer, at the position's own level or above."""
    world = World()
    for what, how in acts:
        world.act(what, how)
        world.now_s += STEP_S
        world.look()
    world.answers.clear()
    world.learn()
    for _ in range(400):
        world.now_s += STEP_S
        world.look()
    held = world.gate.books.of("dawn", SYMBOL)
    guard = world.watch.guards.get(("dawn", SYMBOL))
    resting = [it for it in world.there.values() if it.is_open]
    if guard is None or not held.is_open:
        assert resting == []
        return
    (stop,) = resting
    assert guard.triggered is None
    assert stop.intended.base == BTC.floor_base(held.base)
    assert stop.intended.stop_price is not None
    assert guard.levels.stop_loss is not None
    assert stop.intended.stop_price >= guard.levels.stop_loss
