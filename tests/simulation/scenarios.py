"""The scenes that are swept: what a small fleet does, and what the world does to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actors.messages import Side, SignalType
from actors.pure.market_view import MarketView
from tests.simulation.scene import Plot, Scene

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

PLOTS: Final[Mapping[str, Plot]] = {plot.name: plot for plot in (ENTRY_AND_EXIT,)}
