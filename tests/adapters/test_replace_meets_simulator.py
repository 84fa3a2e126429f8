"""Our cancel-and-replace against the simulator's: two readings of one document agree."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
import trio

from actors.messages import (
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    VenueAck,
    VenueReject,
    VenueReplaced,
)
from actors.ports import Trading
from adapters.binance import Endpoints, open_binance
from adapters.clock import SystemClock
from tests.adapters.binance_desk import Sealed
from tests.adapters.simulator_desk import ANN, start

KEYS = (Sealed(ANN.key), Sealed(ANN.secret))
STOP = OrderRequest(
    "first", "BTC/USDT", Side.SELL, OrderType.STOP_LOSS_LIMIT, Decimal(2),
    Decimal(50_000), Decimal(51_000),
)  # fmt: skip
RAISED = attrs.evolve(STOP, client_order_id="second", stop_price=Decimal(52_000))
TOO_HIGH = attrs.evolve(STOP, client_order_id="third", stop_price=Decimal(190_000))


@pytest.mark.parametrize("is_by_socket", [True, False])
async def test_a_stop_is_replaced_on_both_roads(
    nursery: trio.Nursery, is_by_socket: bool
) -> None:
    simulator = await start(nursery)
    told: list[VenueReplaced] = []
    where = simulator.endpoints
    endpoints = Endpoints(where.url, where.ws_api_url, where.rest_url)
    async with open_binance(
        endpoints, clock=SystemClock(), allow_foreign_host=True
    ) as binance:
        trading = binance.trading(*KEYS)
        if is_by_socket:
            async with (
                trading.open_orders_connection() as serve,
                trio.open_nursery() as serving,
            ):
                serving.start_soon(serve)
                await _replace_twice(told, trading)
                serving.cancel_scope.cancel()
        else:
            await _replace_twice(told, trading)
        gone = await trading.replace("first", attrs.evolve(STOP, client_order_id="fourth"))
        found = await trading.order("BTC/USDT", "second")

    raised, refused = told
    assert isinstance(raised.cancelled, VenueAck)
    assert isinstance(raised.placed, VenueAck)
    assert raised.cancelled.status is OrderStatus.CANCELED
    assert raised.placed.client_order_id == "second"
    assert isinstance(refused.cancelled, VenueAck)
    assert refused.placed == VenueReject(
        "third", "-2010", "Order would trigger immediately."
    )
    assert gone.cancelled == VenueReject("first", "-2011", "Unknown order sent.")
    assert isinstance(gone.placed, VenueReject)
    assert found is not None
    assert found.status is OrderStatus.CANCELED


async def _replace_twice(told: list[VenueReplaced], trading: Trading) -> None:
    assert isinstance(await trading.place(STOP), VenueAck)
    told.append(await trading.replace("first", RAISED))
    told.append(await trading.replace("second", TOO_HIGH))
