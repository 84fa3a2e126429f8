"""A simulated Kraken with our own client on it, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final, TypeVar

import attrs
import trio

from actors.messages import OrderRequest, OrderType, Side
from actors.ports import PrivateStream
from adapters.clock import SystemClock
from adapters.http import HttpTiming
from adapters.kraken import Endpoints, Kraken, open_kraken
from adapters.kraken.trading import KrakenTrading
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.faults import Fault
from adapters.simulator.server import Simulator
from adapters.sockets import Timing
from tests.adapters.binance_desk import Sealed

ANN: Final = ApiKey(
    "ann",
    "canary-key-7f3e",
    "a3Jha2VuIGNhbmFyeSBzZWNyZXQ=",
    {"USDT": Decimal(50_000), "BTC": Decimal(2)},
)
KEYS: Final = (Sealed(ANN.key), Sealed(ANN.secret))
CONFIG: Final = SimulatorConfig(dialect="kraken", keys=(ANN,))
IDS: Final = [f"0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a{number:02d}" for number in range(100)]
T = TypeVar("T")


def order(number: int, kind: OrderType = OrderType.LIMIT, **more: Any) -> OrderRequest:
    """Return a request: by default a bid far below the market, which rests."""
    return attrs.evolve(
        OrderRequest(
            IDS[number], "BTC/USDT", Side.BUY, kind, Decimal("0.01"), Decimal(30_000)
        ),
        **more,
    )


def market(number: int, side: Side = Side.BUY) -> OrderRequest:
    return order(number, OrderType.MARKET, side=side, limit_price=None)


@asynccontextmanager
async def opened(
    nursery: trio.Nursery, config: SimulatorConfig = CONFIG
) -> AsyncGenerator[tuple[Simulator, Kraken], None]:
    simulator = Simulator(config)
    await nursery.start(simulator.run)
    where = simulator.endpoints
    async with open_kraken(
        Endpoints(where.url, where.ws_api_url, where.rest_url),
        clock=SystemClock(),
        allow_foreign_host=True,
        timing=Timing(connect_s=2.0),
        http_timing=HttpTiming(read_s=1.0),
    ) as kraken:
        yield simulator, kraken
    nursery.cancel_scope.cancel()


@asynccontextmanager
async def by_socket(trading: KrakenTrading) -> AsyncGenerator[None, None]:
    """Have the orders' own connection served for the length of the block."""
    async with (
        trading.open_orders_connection() as serve,
        trio.open_nursery() as serving,
    ):
        serving.start_soon(serve)
        yield
        serving.cancel_scope.cancel()


async def heard(
    stream: PrivateStream, is_it: Callable[[Any], bool], *, within_s: float = 5.0
) -> Sequence[Any]:
    """Return what the stream told, up to the first that `is_it`."""
    told: list[Any] = []
    with trio.fail_after(within_s):
        await trio.lowlevel.checkpoint()
        while not any(is_it(each) for each in told):
            told += await stream.receive()
    return told


async def keep_hearing(stream: PrivateStream) -> None:
    """Receive, as an account does all the time."""
    while True:
        await stream.receive()


def fault(kind: Any, **more: Any) -> Fault:
    return Fault(kind=kind, **more)
