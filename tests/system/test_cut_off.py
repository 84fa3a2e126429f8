"""Ten minutes without the exchange change no order; then all is booked (R-01, R-12).

The fleet is the real one; network and time are simulated, so ten minutes take seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from actors.messages import Acknowledged, Ended, Fact, Filled, OrderStatus, OutcomeUnknown
from actors.pure.matching_orders import Order
from actors.pure.order_life import Order as OurOrder
from adapters.simulator.binance_faults import Refused
from tests.simulation.network import NetFault
from tests.system.steered import Steered, bot, steer

CUT_S = 600.0
BOTS = {
    "filled-1": ("BTC/USDT", "1"),
    "partly": ("BTC/USDT", "2"),
    "expired": ("BTC/USDT", "3"),
    "filled-2": ("ETH/USDT", "1"),
    "partly-expired": ("ETH/USDT", "2"),
    "untouched": ("ETH/USDT", "3"),
}
CONFIG = "".join(
    bot(name, symbol, order="limit", offset_percent=offset)
    for name, (symbol, offset) in BOTS.items()
)
ENDS = {
    "filled-1": OrderStatus.FILLED,
    "partly": OrderStatus.PARTIALLY_FILLED,
    "expired": OrderStatus.EXPIRED,
    "filled-2": OrderStatus.FILLED,
    "partly-expired": OrderStatus.EXPIRED,
    "untouched": OrderStatus.OPEN,
}
ABOUT_ORDERS = (Acknowledged, OutcomeUnknown, Filled, Ended)
Weather = Callable[[Steered], Callable[[], None]]


def cut(world: Steered) -> Callable[[], None]:
    """No byte passes, and nobody is told."""
    world.machine.network.begin(NetFault("cut", 0.0, CUT_S))
    return lambda: None


def refused(world: Steered) -> Callable[[], None]:
    """Every connection is reset, and nobody can connect."""
    network = world.machine.network
    network.begin(NetFault("refuse", 0.0, CUT_S))
    network.begin(NetFault("reset_before", 0.0, CUT_S))
    network.begin(NetFault("lost_answer", 0.0, CUT_S))
    return lambda: None


def maintenance(world: Steered) -> Callable[[], None]:
    """The exchange answers every request with 503, and tells no private event."""
    dialect: Any = world.simulator.dialect

    def refuse(*_: object) -> None:
        raise Refused(-1000, "System is under maintenance.", status=503)

    before = dialect.refuse_by_fault, dialect.tell_user
    dialect.refuse_by_fault, dialect.tell_user = refuse, say_nothing

    def clear() -> None:
        dialect.refuse_by_fault, dialect.tell_user = before

    return clear


def say_nothing(*_: object) -> None:
    pass


@attrs.define(eq=False)
class CutOff:
    """Rest six orders, cut the fleet off, and keep what its ledger said when."""

    weather: Weather
    six: dict[str, Order] = attrs.Factory(dict[str, Order])  # at the exchange
    told: list[Fact] = attrs.Factory(list[Fact])  # of the six, while cut off
    tracked: dict[str, OrderStatus] = attrs.Factory(dict[str, OrderStatus])  # at its end
    after: dict[str, OrderStatus] = attrs.Factory(dict[str, OrderStatus])
    booked: dict[str, frozenset[str]] = attrs.Factory(dict[str, frozenset[str]])

    async def run(self, world: Steered) -> None:
        await world.wait_until(lambda: self.all_rest(world), within_s=30)
        world.machine.is_quiet = True  # no bot sells what it gets
        await trio.sleep(5)
        rows = len(world.facts())
        clear = self.weather(world)
        await trio.sleep(60)
        self.let_things_happen(world)
        await trio.sleep(CUT_S - 61)
        self.told = [fact for fact in world.facts()[rows:] if self.is_about_them(fact)]
        self.tracked = {name: order.status for name, order in self.ours(world).items()}
        clear()
        await trio.sleep(90)  # an account that was given up for a while tries each minute
        self.after = {name: order.status for name, order in self.ours(world).items()}
        self.booked = {name: order.trade_ids for name, order in self.ours(world).items()}

    def all_rest(self, world: Steered) -> bool:
        for name in BOTS.keys() - self.six.keys():
            for order_id in world.attempts(name):
                found = world.at_exchange(order_id)
                if found is not None and found.status is OrderStatus.OPEN:
                    self.six[name] = found
        return len(self.six) == len(BOTS)

    def let_things_happen(self, world: Steered) -> None:
        """Fill, fill in part and let expire what the fleet cannot see."""
        six = self.six
        for name, part in (("filled-1", 1), ("partly", 2), ("filled-2", 1)):
            world.sell_into(six[name], six[name].base / part)
        world.sell_into(six["partly-expired"], six["partly-expired"].base / 4)
        world.expire(six["partly-expired"])
        world.expire(six["expired"])

    def is_about_them(self, fact: Fact) -> bool:
        ids = {order.client_order_id for order in self.six.values()}
        return isinstance(fact, ABOUT_ORDERS) and fact.client_order_id in ids

    def ours(self, world: Steered) -> dict[str, OurOrder]:
        """Return the six as the ledger has them."""
        orders = world.orders()
        found = {name: orders.get(each.client_order_id) for name, each in self.six.items()}
        return {name: order for name, order in found.items() if order is not None}


@pytest.mark.parametrize("weather", [cut, refused, maintenance])
def test_six_resting_orders_outlive_ten_minutes_without_the_exchange(
    weather: Weather,
) -> None:
    seen = CutOff(weather)
    outcome = steer(CONFIG, seen.run)

    assert outcome.violations == []
    assert seen.told == []
    assert seen.tracked == dict.fromkeys(BOTS, OrderStatus.OPEN)
    assert seen.after == ENDS
    assert seen.booked == {
        name: {str(fill.trade.trade_id) for fill in order.fills}
        for name, order in seen.six.items()
    }
