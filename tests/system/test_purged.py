"""The exchange cancels whatever rests there: each position has its stop again at once."""

from __future__ import annotations

import attrs
import trio

from actors.messages import Side
from actors.pure.matching_orders import Kind
from adapters.simulator.faults import Fault
from tests.system.steered import ACCOUNT, Steered, bot, steer

NAMES = ("one", "two", "three")
CONFIG = (
    bot(NAMES[0], "BTC/USDT", evaluate_s=1)
    + bot(NAMES[1], "ETH/USDT", evaluate_s=2)
    + bot(NAMES[2], "BTC/USDT", evaluate_s=5)
)
AT_ONCE_S = 2.0  # a step of the market tells of the cancels; then one order each


@attrs.define
class Seen:
    stops: int = 0
    canceled: int = 0
    bare: int = 0  # positions, right after
    bare_s: float = 0.0
    guarded: int = 0


def stops(world: Steered) -> list[str]:
    return [
        order.client_order_id
        for order in world.exchange.engine.open_orders(ACCOUNT)
        if order.kind is Kind.STOP_LOSS_LIMIT and order.side is Side.SELL
    ]


def purged(seed: int) -> tuple[Seen, list[str]]:
    seen = Seen()

    async def script(world: Steered) -> None:
        await world.wait_until(lambda: len(stops(world)) == len(NAMES), within_s=300)
        world.machine.is_quiet = True  # nobody sells what is held
        await trio.sleep(3)
        before = stops(world)
        seen.stops = len(before)
        world.simulator.inject(Fault("purge"))
        found = [world.at_exchange(each) for each in before]
        seen.canceled = sum(it is not None and not it.is_open for it in found)
        seen.bare = len(world.guarding.bare())
        began_s = trio.current_time()
        await world.wait_until(lambda: not world.guarding.bare(), within_s=60)
        seen.bare_s = trio.current_time() - began_s
        seen.guarded = len(stops(world))

    return seen, steer(CONFIG, script, seed=seed).violations


def test_a_purge_leaves_nobody_without_a_stop_for_long() -> None:
    seen, violations = purged(seed=3)

    assert seen.bare_s < AT_ONCE_S
    assert attrs.evolve(seen, bare_s=0.0) == Seen(3, 3, 3, 0.0, 3)
    assert violations == []
