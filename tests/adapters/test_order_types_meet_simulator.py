"""Our post-only and take-profit orders against the simulator's reading of them."""

from __future__ import annotations

from decimal import Decimal

import attrs
import trio

from actors.messages import (
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    VenueAck,
    VenueReject,
)
from adapters.binance import Endpoints, open_binance
from adapters.clock import SystemClock
from adapters.simulator.server import Simulator
from tests.adapters.binance_desk import Sealed
from tests.adapters.simulator_desk import ANN, start

KEYS = (Sealed(ANN.key), Sealed(ANN.secret))
MAKER = OrderRequest(
    "maker", "BTC/USDT", Side.BUY, OrderType.LIMIT_MAKER, Decimal("0.1"), Decimal(50_000)
)
TARGET = OrderRequest(
    "target", "BTC/USDT", Side.SELL, OrderType.TAKE_PROFIT_LIMIT, Decimal("0.1"),
    Decimal(30_000), Decimal(90_000),
)  # fmt: skip


def endpoints_of(simulator: Simulator) -> Endpoints:
    where = simulator.endpoints
    return Endpoints(where.url, where.ws_api_url, where.rest_url)


async def test_a_post_only_order_rests_and_one_that_would_trade_is_refused(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    crossing = attrs.evolve(MAKER, client_order_id="taker", limit_price=Decimal(90_000))
    async with open_binance(
        endpoints_of(simulator), clock=SystemClock(), allow_foreign_host=True
    ) as binance:
        trading = binance.trading(*KEYS)
        rested = await trading.place(MAKER)
        refused = await trading.place(crossing)
        found = await trading.order("BTC/USDT", "maker")

    assert isinstance(rested, VenueAck)
    assert rested.status is OrderStatus.OPEN
    assert refused == VenueReject(
        "taker", "-2010", "Order would immediately match and take."
    )
    assert found is not None
    assert found.order_type == "LIMIT_MAKER"


async def test_a_take_profit_waits_for_its_price_and_then_sells(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    reached = attrs.evolve(TARGET, client_order_id="late", stop_price=Decimal(50_000))
    async with open_binance(
        endpoints_of(simulator), clock=SystemClock(), allow_foreign_host=True
    ) as binance:
        trading = binance.trading(*KEYS)
        rested = await trading.place(TARGET)
        refused = await trading.place(reached)
        exchange = simulator.exchange
        exchange.engine.tell_last("BTCUSDT", Decimal(90_000), exchange.now_ms())
        found = await trading.order("BTC/USDT", "target")

    assert isinstance(rested, VenueAck)
    assert rested.status is OrderStatus.OPEN
    assert refused == VenueReject("late", "-2010", "Order would trigger immediately.")
    assert found is not None
    assert (found.order_type, found.status) == ("TAKE_PROFIT_LIMIT", OrderStatus.FILLED)
