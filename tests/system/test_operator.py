"""Operators' commands on the whole fleet: durable over a death, and finished after it.

Halts at the single gate (R-37, R-40), a fleet sold flat, a foreign order adopted (R-16).
"""

from __future__ import annotations

from decimal import Decimal

import attrs
import trio

from actors.messages import (
    Attempted,
    BotFlattened,
    ExitReason,
    Fact,
    Filled,
    Halted,
    Intended,
    OrderStatus,
    Purpose,
    Side,
)
from actors.pure.matching_orders import Kind, NewOrder, Order
from actors.pure.position_math import Holdings
from tests.simulation.schedule import Death
from tests.system.steered import ACCOUNT, Steered, bot, steer

BOTS = ("one", "two")
CONFIG = bot("one", "BTC/USDT") + bot("two", "ETH/USDT")
DEATH = Death(0.0, 0, is_power_lost=True, down_s=2.0)


def entries(facts: list[Fact]) -> list[str]:
    """Return the bots of all attempts to enter among these facts, in order."""
    intended = {it.intent_id: it for it in facts if isinstance(it, Intended)}
    return [
        it.bot
        for it in facts
        if isinstance(it, Attempted) and intended[it.intent_id].purpose is Purpose.ENTRY
    ]


def since(facts: list[Fact], kind: type[Fact]) -> list[Fact]:
    """Return what was recorded after the first fact of a kind."""
    first = next(n for n, fact in enumerate(facts) if isinstance(fact, kind))
    return facts[first + 1 :]


@attrs.define(eq=False)
class Halting:
    """Halts the account, kills the program twice, resumes."""

    before: int = 0
    meanwhile: list[str] = attrs.Factory(list[str])
    is_flat: bool = False
    alarms: list[str] = attrs.Factory(list[str])
    compared: str = ""
    after: int = 0

    async def run(self, world: Steered) -> None:
        await trio.sleep(30)
        self.before = len(entries(list(world.facts())))
        await world.ask("halt", ACCOUNT, reason="the exchange is odd")
        for _ in range(2):
            world.chaos.begin(DEATH)
            await trio.sleep(40)
        halted = since(list(world.facts()), Halted)
        self.meanwhile = entries(halted)
        self.is_flat = not holdings(world).open
        self.alarms = list((await world.ask("status"))["alarms"])
        self.compared = str((await world.ask("reconcile", ACCOUNT))["said"])
        await world.ask("resume", ACCOUNT)
        rows = len(world.facts())
        await trio.sleep(30)
        self.after = len(entries(list(world.facts())[rows:]))


def holdings(world: Steered) -> Holdings:
    held = Holdings()
    for fact in world.facts():
        held.apply(fact)
    return held


def test_a_halt_holds_over_two_deaths_of_the_program_and_lets_exits_through() -> None:
    seen = Halting()
    outcome = steer(CONFIG, seen.run)

    assert outcome.violations == [], "\n".join(outcome.lines)
    assert seen.before > 4
    assert seen.meanwhile == []
    assert seen.is_flat  # what was held was sold by its own strategy
    assert seen.alarms == [
        "account main is halted, by an operator until it is resumed: the exchange is odd"
    ]
    assert seen.compared.startswith("main: reconciled, an operator asked · 0 open orders")
    assert seen.after > 4


@attrs.define(eq=False)
class Flattening:
    """Orders everybody flat while they hold, and kills the program at once."""

    preview: str = ""
    held: set[str] = attrs.Factory(set[str])
    is_flat: bool = False
    entered: list[str] = attrs.Factory(list[str])
    reasons: set[ExitReason | None] = attrs.Factory(set[ExitReason | None])

    async def run(self, world: Steered) -> None:
        await world.wait_until(lambda: len(holdings(world).open) == len(BOTS), within_s=120)
        self.preview = str((await world.ask("flatten", ACCOUNT))["said"])
        self.held = {owner for owner, _ in holdings(world).open}
        await world.ask("flatten", ACCOUNT, is_sure=True)
        world.chaos.begin(DEATH)
        await trio.sleep(30)
        self.is_flat = not holdings(world).open
        told = since(list(world.facts()), BotFlattened)
        self.entered = entries(told)
        self.reasons = {it.exit_reason for it in told if isinstance(it, Intended)}


def test_a_fleet_that_is_ordered_flat_is_sold_though_the_program_dies_at_once() -> None:
    seen = Flattening()
    outcome = steer(CONFIG, seen.run)

    assert outcome.violations == [], "\n".join(outcome.lines)
    assert "one: " in seen.preview
    assert "nothing was done" in seen.preview
    assert seen.held == set(BOTS)
    assert seen.is_flat
    assert seen.entered == []
    assert ExitReason.OPERATOR in seen.reasons


@attrs.define(eq=False)
class Adopting:
    """Somebody orders by hand on the account; later the order is given to a bot."""

    foreign: list[str] = attrs.Factory(list[str])
    untouched: bool = False
    answer: str = ""
    fills: list[tuple[str, Decimal]] = attrs.Factory(list[tuple[str, Decimal]])
    status: OrderStatus | None = None

    async def run(self, world: Steered) -> None:
        await trio.sleep(10)
        await world.ask("pause", "one")
        await trio.sleep(20)
        prices = (await world.ask("status"))["prices"]
        order = self.order_by_hand(world, Decimal(prices["binance:BTC/USDT"]["price"]))
        await trio.sleep(70)
        shown = await world.ask("orders")
        self.foreign = list(shown["foreign"][ACCOUNT]["orders"])
        self.untouched = order.is_open and world.orders().get("web_1") is None
        answer = await world.ask("adopt", "web_1", reason="mine", bot="one")
        self.answer = str(answer.get("said") or answer.get("error"))
        await trio.sleep(5)
        world.sell_into(order, order.remaining)
        await trio.sleep(30)
        adopted = world.orders().get("web_1")
        self.status = adopted.status if adopted is not None else None
        self.fills = [
            (it.bot, it.base)
            for it in world.facts()
            if isinstance(it, Filled) and it.client_order_id == "web_1"
        ]

    def order_by_hand(self, world: Steered, market: Decimal) -> Order:
        price, base = (market * Decimal("0.95")).quantize(Decimal(100)), Decimal("0.01")
        new = NewOrder(ACCOUNT, "web_1", "BTCUSDT", Side.BUY, Kind.LIMIT, base, price)
        order = world.exchange.place(new)
        assert isinstance(order, Order)
        world.simulator.dialect.flush()
        return order


def test_a_foreign_order_is_shown_left_alone_and_adopted_by_command_only() -> None:
    seen = Adopting()
    outcome = steer(CONFIG, seen.run)

    assert outcome.violations == [], "\n".join(outcome.lines)
    (shown,) = seen.foreign
    assert shown.startswith("web_1 buy 0.01 BTC/USDT limit at ")
    assert seen.untouched
    assert seen.answer == "web_1, buy 0.01 BTC/USDT, is one's from now on"
    assert sum(base for _, base in seen.fills) == Decimal("0.01")
    assert {name for name, _ in seen.fills} == {"one"}
    assert seen.status is OrderStatus.FILLED
