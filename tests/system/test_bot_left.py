"""An entry is executed while nobody runs; the next `bots.toml` does not name its bot.

The fleet is the real one; network, disk and time are simulated.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.messages import PositionOpened
from actors.pure.config import Config, load
from actors.pure.matching_orders import Order
from tests.system.fleet_desk import only
from tests.system.steered import HEAD, Steered, bot, steer

DOWN_S = 60.0
LEFT = bot("left", "BTC/USDT", order="limit", offset_percent="2")
STAYED = bot("stayed", "ETH/USDT")
MOVED = bot("left", "ETH/USDT", order="limit", offset_percent="2")


async def rests(world: Steered) -> Order:
    """Wait until the entry rests at the exchange; return it."""

    def resting() -> list[Order]:
        found = (world.at_exchange(each) for each in world.attempts("left"))
        return [order for order in found if order is not None and order.is_open]

    await world.wait_until(lambda: bool(resting()), within_s=30)
    return resting()[0]


@pytest.mark.parametrize("now", [STAYED, STAYED + MOVED], ids=["removed", "moved"])
def test_what_it_bought_has_the_levels_that_it_was_decided_with(now: str) -> None:
    """I-14: a stop rests at the exchange, though no settings ask for one any more."""

    async def script(world: Steered) -> None:
        entry = await rests(world)
        world.chaos.process_down_s, world.watcher.life = DOWN_S, 0
        world.life.die(is_power_lost=False)
        world.sell_into(entry, entry.remaining)
        config = load(HEAD + now, "bots.toml")
        assert isinstance(config, Config)
        before, world.machine.config = world.machine.config, config

        def stops() -> list[Order]:
            orders = world.exchange.engine.orders.values()
            mine = (each for each in orders if each.symbol == entry.symbol)
            return [each for each in mine if each.stop_price and each.is_open]

        await world.wait_until(lambda: bool(stops()), within_s=3 * DOWN_S)
        held = only(PositionOpened, world.facts())
        (opened,) = (each for each in held if each.bot == "left")
        assert opened.stop_loss is not None
        assert [each.stop_price for each in stops()] == [opened.stop_loss]
        assert round(opened.stop_loss / opened.entry, 4) == Decimal("0.8")
        world.machine.config = before  # the judges know its money by it

    assert steer(LEFT + STAYED, script).violations == []
