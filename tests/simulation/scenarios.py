"""The scenes that are swept: what a small fleet does, and what the world does to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import attrs
import trio

from actors.messages import Side, SignalType
from actors.pure.market_view import MarketView
from actors.pure.matching_orders import Order
from actors.pure.protective_stop import RAISE_EVERY_S
from tests.simulation.scene import LOOK_S, STILL, Plot, Scene

CONFIG: Final = """
mode = "live"
state = "unused"

[exchanges.binance]
reconnect.attempts = 5
reconnect.initial_s = 0.5
reconnect.max_s = 2

[accounts.main]
exchange = "binance"
key = "env:KEY"
secret = "env:SECRET"

[journal]
price_every_s = 600

[[bots]]
name = "one"
account = "main"
symbol = "BTC/USDT"
strategy = "script:Script"
timeframe = "1s"
capital = 10_000
position_percent = 10
evaluate_s = 1
check_s = 1
"""


def _buy_then_sell(scene: Scene, view: MarketView) -> SignalType:
    """Buy while nothing was ever sold, sell what is held."""
    if view.position is not None:
        return SignalType.SELL
    return SignalType.HOLD if scene.filled(Side.SELL) else SignalType.BUY


def _is_sold(scene: Scene) -> bool:
    return bool(scene.filled(Side.SELL))


ENTRY_AND_EXIT: Final = Plot(
    "entry_and_exit",
    CONFIG + 'order = "market"\nstop_loss_percent = 5\n',
    _buy_then_sell,
    _is_sold,
)


def _stops(scene: Scene) -> list[Order]:
    """Return our protective stops that rest at the exchange."""
    return [each for each in scene.orders if each.is_open and each.stop_price]


async def _until(is_so: Callable[[], bool], for_s: float) -> None:
    """Wait until something has been so for a while."""
    since_s = None
    while since_s is None or trio.current_time() < since_s + for_s:
        await trio.sleep(LOOK_S)  # noqa: ASYNC110 -- the exchange tells nobody
        if not is_so():
            since_s = None
        elif since_s is None:
            since_s = trio.current_time()


# A limit order is filled in two parts; its stop is made larger; then it is sold.


def _entry(scene: Scene) -> Order | None:
    return next((it for it in scene.orders if it.side is Side.BUY and it.is_open), None)


def _is_guarded(scene: Scene, base: Decimal) -> bool:
    """Tell whether a stop rests for all of this but the fee and less than a lot."""
    lot = scene.plot.listing.lot
    return any(each.base > base * Decimal("0.999") - lot for each in _stops(scene))


async def _fill_in_parts(scene: Scene) -> None:
    """Sell to the order that rests, first a part of it, then all the rest."""
    await _until(lambda: _entry(scene) is not None, 1.2)
    while (order := _entry(scene)) is not None and not order.filled_base:
        scene.take(Side.SELL, order.price, order.base * Decimal("0.4"))
        await trio.sleep(LOOK_S)
    await _until(lambda: _is_guarded(scene, scene.filled(Side.BUY)), 0.6)
    while (order := _entry(scene)) is not None:
        scene.take(Side.SELL, order.price, order.remaining)
        await trio.sleep(LOOK_S)


def _sell_when_guarded(scene: Scene, view: MarketView) -> SignalType:
    """Buy while nothing was sold; sell once all that was bought is guarded."""
    if view.position is None:
        return SignalType.HOLD if scene.filled(Side.SELL) else SignalType.BUY
    is_whole = _entry(scene) is None and _is_guarded(scene, scene.filled(Side.BUY))
    return SignalType.SELL if is_whole else SignalType.HOLD


PARTIAL_FILL: Final = Plot(
    "partial_fill",
    CONFIG + 'order = "limit"\nlimit_offset_percent = 0\nstop_loss_percent = 5\n',
    _sell_when_guarded,
    _is_sold,
    _fill_in_parts,
    attrs.evolve(STILL, price=Decimal("60001.00")),  # no resting level of others there
)


# The price rises, the connections for orders and private events break, and the trailing
# stop must be replaced by a nearer one all the same.


def _is_raised(scene: Scene) -> bool:
    return any(each.stop_price > scene.plot.listing.price for each in _stops(scene))


def _sell_when_raised(scene: Scene, view: MarketView) -> SignalType:
    """Buy while nothing was sold; sell once the stop stands above the entry."""
    if view.position is None:
        return SignalType.HOLD if scene.filled(Side.SELL) else SignalType.BUY
    return SignalType.SELL if _is_raised(scene) else SignalType.HOLD


async def _rise_and_reset(scene: Scene) -> None:
    """Raise the price once a stop rests; when it is due to be raised, break sockets."""
    await _until(lambda: bool(_stops(scene)), 0.6)
    scene.move_price(3.0)
    await trio.sleep(1.1)  # the market quotes anew
    scene.take(Side.BUY, Decimal(100_000), scene.plot.listing.lot * 100)
    await _until(lambda: not _stops(scene) or _is_due(scene, _stops(scene)[0]), 0.0)
    scene.reset_sockets("ws_api")


def _is_due(scene: Scene, stop: Order) -> bool:
    """Tell whether a stop may be raised in a moment."""
    age_s = (scene.simulator.exchange.now_ms() - stop.created_ms) / 1000
    return age_s > RAISE_EVERY_S - 2 * LOOK_S


REPLACE_IN_RECONNECT: Final = Plot(
    "replace_in_reconnect",
    CONFIG + 'order = "market"\ntrailing_stop_percent = 1\n',
    _sell_when_raised,
    _is_sold,
    _rise_and_reset,
)

PLOTS: Final[Mapping[str, Plot]] = {
    plot.name: plot for plot in (ENTRY_AND_EXIT, PARTIAL_FILL, REPLACE_IN_RECONNECT)
}
