"""Our Coinbase adapter against the simulator's: two readings of one documentation agree."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from actors.messages import (
    BookDelta,
    BookSnapshot,
    Channel,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    Subscription,
    Ticker,
    Traded,
    VenueAck,
    VenueFill,
    VenueReject,
)
from adapters.clock import SystemClock
from adapters.coinbase import Coinbase, open_coinbase
from adapters.endpoints import Endpoints
from adapters.simulator.config import ApiKey
from tests.adapters.coinbase_desk import ANN, BOB, CONFIG, EVE, STILL, start

KEYS = [
    pytest.param(ANN, id="Exchange"),
    pytest.param(BOB, id="Advanced-ES256"),
    pytest.param(EVE, id="Advanced-Ed25519"),
]
BUY = OrderRequest(
    "1c2e0c1e-6f2a-4c59-9a6e-3d2f1c7b8a91", "BTC/USD", Side.BUY, OrderType.LIMIT,
    Decimal("0.01"), Decimal(50_000),
)  # fmt: skip
MARKET = attrs.evolve(
    BUY,
    client_order_id="2c2e0c1e-6f2a-4c59-9a6e-3d2f1c7b8a92",
    order_type=OrderType.MARKET,
    limit_price=None,
)
STOP = OrderRequest(
    "3c2e0c1e-6f2a-4c59-9a6e-3d2f1c7b8a93", "BTC/USD", Side.SELL,
    OrderType.STOP_LOSS_LIMIT, Decimal("0.01"), Decimal(55_000), Decimal(56_000),
)  # fmt: skip
RAISED = attrs.evolve(
    STOP,
    client_order_id="4c2e0c1e-6f2a-4c59-9a6e-3d2f1c7b8a94",
    stop_price=Decimal(57_000),
)
QUIET = attrs.evolve(CONFIG, listings=(STILL,))


@attrs.frozen
class Sealed:
    text: str

    def reveal(self) -> str:
        return self.text


@asynccontextmanager
async def opened(nursery: trio.Nursery) -> AsyncGenerator[Coinbase, None]:
    where = await start(nursery, QUIET)
    endpoints = Endpoints(
        where.url, where.ws_api_url, where.rest_url, trading_rest_url=where.rest_url
    )
    async with open_coinbase(
        endpoints, clock=SystemClock(), allow_foreign_host=True
    ) as coinbase:
        yield coinbase


async def until(is_enough: Callable[[list[Any]], bool], stream: Any) -> list[Any]:
    """Return what a stream tells until it is enough."""
    heard: list[Any] = []
    with trio.fail_after(10):
        await trio.lowlevel.checkpoint()
        while not is_enough(heard):
            heard.extend(await stream.receive())
    return heard


def trading(coinbase: Coinbase, key: ApiKey) -> Any:
    passphrase = Sealed(key.passphrase) if key.passphrase else None
    return coinbase.trading(Sealed(key.key), Sealed(key.secret), passphrase)


@pytest.mark.parametrize("key", KEYS)
async def test_an_order_is_placed_found_and_cancelled(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async with opened(nursery) as coinbase:
        side = trading(coinbase, key)
        placed = await side.place(BUY)
        resting = await side.open_orders(["BTC/USD"])
        cancelled = await side.cancel("BTC/USD", BUY.client_order_id)
        ended = await side.order("BTC/USD", BUY.client_order_id)

    assert isinstance(placed, VenueAck)
    assert [(it.client_order_id, it.status) for it in resting] == [
        (BUY.client_order_id, OrderStatus.OPEN)
    ]
    assert isinstance(cancelled, VenueAck)
    assert (ended.status, ended.filled_base) == (OrderStatus.CANCELED, 0)


@pytest.mark.parametrize("key", KEYS)
async def test_a_market_order_is_filled_and_its_fee_is_in_quote(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async with opened(nursery) as coinbase:
        side = trading(coinbase, key)
        await side.place(MARKET)
        order = await side.order("BTC/USD", MARKET.client_order_id)
        (fill,) = await side.fills("BTC/USD", since_ms=0)
        free = {it.asset: it.free for it in await side.balances()}

    assert (order.status, order.filled_base) == (OrderStatus.FILLED, Decimal("0.01"))
    assert (fill.price, fill.fee, fill.fee_asset) == (
        Decimal("60000.01"), Decimal("3.6000006"), "USD",
    )  # fmt: skip
    assert (free["USD"], free["BTC"]) == (Decimal("49396.3998994"), Decimal("2.01"))


@pytest.mark.parametrize("key", KEYS)
async def test_a_stop_is_replaced_by_another(nursery: trio.Nursery, key: ApiKey) -> None:
    async with opened(nursery) as coinbase:
        side = trading(coinbase, key)
        await side.place(STOP)
        told = await side.replace(STOP.client_order_id, RAISED)
        (resting,) = await side.open_orders(["BTC/USD"])

    assert isinstance(told.cancelled, VenueAck)
    assert told.cancelled.status is OrderStatus.CANCELED
    assert isinstance(told.placed, VenueAck)
    assert (resting.client_order_id, resting.stop_price) == (
        RAISED.client_order_id, Decimal(57_000),
    )  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
async def test_an_order_that_cannot_be_paid_is_a_definite_no(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async with opened(nursery) as coinbase:
        told = await trading(coinbase, key).place(attrs.evolve(BUY, base=Decimal(9)))

    assert isinstance(told, VenueReject)


@pytest.mark.parametrize("key", KEYS)
async def test_the_private_stream_tells_a_fill(nursery: trio.Nursery, key: ApiKey) -> None:
    async with opened(nursery) as coinbase:
        side = trading(coinbase, key)
        async with side.open_private() as stream:
            await side.place(MARKET)
            heard = await until(lambda heard: VenueFill in map(type, heard), stream)

    fills = [it for it in heard if isinstance(it, VenueFill)]
    assert [(it.base, it.price, it.fee) for it in fills] == [
        (Decimal("0.01"), Decimal("60000.01"), Decimal("3.6000006"))
    ]


async def test_the_market_stream_tells_prices_trades_and_a_whole_book(
    nursery: trio.Nursery,
) -> None:
    wanted = [
        Subscription("BTC/USD", it) for it in (Channel.TICKER, Channel.TRADES, Channel.BOOK)
    ]
    kinds = {Ticker, Traded, BookSnapshot, BookDelta}
    async with opened(nursery) as coinbase:
        await coinbase.market.instruments()
        async with coinbase.market.open_stream() as stream:
            await stream.subscribe(wanted)
            heard = await until(lambda heard: kinds <= set(map(type, heard)), stream)

    assert kinds <= {type(it) for it in heard}
    book = next(it for it in heard if isinstance(it, BookSnapshot))
    assert (book.bids[0][0], book.asks[0][0]) == (Decimal(60_000), Decimal("60000.01"))


async def test_history_and_the_clock_are_asked_over_rest(nursery: trio.Nursery) -> None:
    async with opened(nursery) as coinbase:
        candles = await coinbase.market.candles("BTC/USD", "5m", limit=50)
        ticker = await coinbase.market.ticker("BTC/USD")
        book = await coinbase.market.book("BTC/USD")
        offset_ms, _ = await coinbase.market.measure_offset()

    assert len(candles) == 50
    assert (ticker.bid, ticker.ask) == (Decimal(60_000), Decimal("60000.01"))
    assert book.bids[0][0] == Decimal(60_000)
    assert abs(offset_ms) < 5_000
