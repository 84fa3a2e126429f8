"""While Shoal is down, the stop at the exchange guards; the next run finds it, or its work.

The fleet is the real one; network, disk and time are simulated.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from actors.messages import (
    ExitReason,
    ExitTriggered,
    Filled,
    PositionClosed,
    Signal,
    SignalType,
)
from actors.pure.market_view import MarketView
from actors.pure.matching_orders import Order
from tests.simulation.simulation import Outcome
from tests.system.fleet_desk import only
from tests.system.steered import Steered, steer

DOWN_S = 120.0
CONFIG = """
[[bots]]
name = "keeper"
account = "main"
symbol = "BTC/USDT"
strategy = "keep:Keep"
capital = 10_000
position_percent = 10
stop_loss_percent = 2
evaluate_s = 2
"""


class Keep:
    """Buy until something was bought, in whatever life, and keep it."""

    candles_min = 0

    def __init__(self, world: Steered) -> None:
        self._world = world

    def evaluate(self, view: MarketView) -> Signal:
        del view
        kind = SignalType.HOLD if only(Filled, self._world.facts()) else SignalType.BUY
        return Signal(kind, 1.0, 1.0, ("keep",))


def stops(world: Steered) -> list[Order]:
    """Return every stop that the exchange ever took from us, oldest first."""
    orders = world.exchange.engine.orders.values()
    return [order for order in orders if order.stop_price]


async def rests(world: Steered) -> Order:
    """Let it buy, and wait until the position has its stop at the exchange."""
    world.machine.strategies["keep:Keep"] = lambda: Keep(world)
    await world.wait_until(lambda: bool(stops(world)), within_s=30)
    return stops(world)[0]


def die(world: Steered, *, is_power_lost: bool = False) -> None:
    """Let the process be gone, and not be started again for a while."""
    world.chaos.process_down_s, world.watcher.life = DOWN_S, 0
    world.life.die(is_power_lost=is_power_lost)


def fall(world: Steered, percent: float) -> None:
    """Let the market quote so much lower from its next step on."""
    ware: Any = world.exchange.wares["BTCUSDT"]
    ware.market._walk._anchor += math.log1p(-percent / 100)


def run(script: Callable[[Steered], Awaitable[None]]) -> Outcome:
    outcome = steer(CONFIG, script)
    assert outcome.violations == []
    return outcome


@pytest.mark.parametrize("is_power_lost", [False, True], ids=["kill -9", "power loss"])
def test_a_market_that_falls_while_nobody_runs_closes_the_position_once(
    *, is_power_lost: bool
) -> None:
    """DESIGN 6.9, R-15, R-41: told once, with its reason, by the next run."""

    async def script(world: Steered) -> None:
        stop = await rests(world)
        die(world, is_power_lost=is_power_lost)
        fall(world, 2.2)
        await world.wait_until(lambda: not stop.is_open, within_s=DOWN_S / 2)
        assert stop.filled_base == stop.base
        assert only(PositionClosed, world.facts()) == []
        await world.wait_until(
            lambda: bool(only(PositionClosed, world.facts())), within_s=2 * DOWN_S
        )
        (closed,) = only(PositionClosed, world.facts())
        (hit,) = only(ExitTriggered, world.facts())
        assert hit.reason is closed.exit_reason is ExitReason.STOP_LOSS
        assert closed.exit_price == stop.filled_quote / stop.filled_base

    run(script)


def test_a_market_that_jumps_past_the_limit_is_sold_at_the_market_by_the_next_run() -> None:
    """What a stop-limit order cannot do; R-41."""

    async def script(world: Steered) -> None:
        stop = await rests(world)
        die(world)
        fall(world, 8)
        await world.wait_until(
            lambda: bool(only(PositionClosed, world.facts())), within_s=2 * DOWN_S
        )
        (closed,) = only(PositionClosed, world.facts())
        assert closed.exit_reason is ExitReason.STOP_LOSS
        assert not stop.is_open

    run(script)


def test_a_quiet_market_leaves_the_stop_as_it_was() -> None:
    """R-15: the next run asks for no second one."""

    async def script(world: Steered) -> None:
        stop = await rests(world)
        die(world)
        await world.wait_until(lambda: world.life.number == 2, within_s=2 * DOWN_S)
        await trio.sleep(60)
        assert stop.is_open
        assert stops(world) == [stop]

    run(script)
