"""Our Coinbase and the simulated one, on real sockets: two readings of one wire agree."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final
from uuid import UUID

import attrs
import pytest
import trio

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Channel,
    OrderRequest,
    OrderStatus,
    OrderType,
    PrivateMessage,
    Side,
    StreamMessage,
    Subscription,
    Ticker,
    Traded,
    VenueAck,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from actors.ports import PrivateStream, Trading
from actors.pure.book import Book, BookStep
from adapters.clock import SystemClock
from adapters.coinbase import Coinbase, open_coinbase
from adapters.endpoints import Endpoints
from adapters.errors import ConnectionLost, VenueRefused
from adapters.http import HttpTiming
from adapters.simulator.config import ApiKey, SimulatorConfig
from adapters.simulator.faults import Fault, Kind
from adapters.sockets import OpenSocket
from adapters.websocket import open_websocket
from adapters.websocket_busy import open_busy_websocket
from tests.adapters.coinbase_desk import ANN, BOB, CONFIG, EVE, start
from tests.adapters.coinbase_script import Sealed

SYMBOL: Final = "BTC/USD"
DEEP: Final = Decimal(30_000)  # a price that no market comes to
KEYS: Final = {"exchange": ANN, "es256": BOB, "ed25519": EVE}
PATIENCE_S: Final = 10.0


def name(number: int) -> str:
    """Return a client order id of our shape."""
    return str(UUID(int=number, version=4))


def buy(number: int, kind: OrderType = OrderType.LIMIT, base: str = "0.01") -> OrderRequest:
    limit = None if kind is OrderType.MARKET else DEEP
    return OrderRequest(name(number), SYMBOL, Side.BUY, kind, Decimal(base), limit)


STOP: Final = OrderRequest(
    name(50), SYMBOL, Side.SELL, OrderType.STOP_LOSS_LIMIT, Decimal("0.5"),
    Decimal(29_000), DEEP,
)  # fmt: skip


@asynccontextmanager
async def venue(
    nursery: trio.Nursery,
    config: SimulatorConfig = CONFIG,
    *,
    open_socket: OpenSocket = open_websocket,
) -> AsyncGenerator[Coinbase, None]:
    """Open our side of a simulated Coinbase."""
    where = await start(nursery, config)
    endpoints = Endpoints(where.url, where.ws_api_url, where.rest_url, where.rest_url)
    async with open_coinbase(
        endpoints,
        clock=SystemClock(),
        allow_foreign_host=True,
        http_timing=HttpTiming(read_s=1.0),
        open_socket=open_socket,
    ) as coinbase:
        yield coinbase
    nursery.cancel_scope.cancel()


def trading_of(coinbase: Coinbase, key: ApiKey) -> Trading:
    secrets = [Sealed(key.key), Sealed(key.secret)]
    passphrase = Sealed(key.passphrase) if key.passphrase else None
    return coinbase.trading(secrets[0], secrets[1], passphrase)


each_key = pytest.mark.parametrize("key", [ANN, BOB], ids=["exchange", "advanced"])


async def hear_until(
    stream: PrivateStream, is_it: Callable[[PrivateMessage], bool]
) -> list[PrivateMessage]:
    heard: list[PrivateMessage] = []
    with trio.fail_after(PATIENCE_S):
        while True:
            for message in await stream.receive():
                heard.append(message)
                if is_it(message):
                    return heard


def ended(order_id: str) -> Callable[[PrivateMessage], bool]:
    live = {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED}
    return lambda it: (
        isinstance(it, VenueOrder)
        and it.client_order_id == order_id
        and it.status not in live
    )


async def test_products_prices_candles_and_books_are_read(nursery: trio.Nursery) -> None:
    async with venue(nursery) as coinbase:
        market = coinbase.market
        found = await market.instruments()
        assert set(found) == {"BTC/USD", "ETH/USD"}
        assert found[SYMBOL].tick == Decimal("0.01")
        ticker = await market.ticker(SYMBOL)
        assert Decimal(50_000) < ticker.last < Decimal(70_000)
        book = await market.book(SYMBOL)
        assert book.bids[0][0] < book.asks[0][0]
        for timeframe in ("1m", "5m", "1h"):
            candles = await market.candles(SYMBOL, timeframe, limit=20)
            assert 0 < len(candles) <= 20
            assert all(it.is_closed for it in candles[:-1])
        offset_ms, trip_ms = await market.measure_offset()
        assert abs(offset_ms) <= trip_ms + 50


@pytest.mark.parametrize("open_socket", [open_websocket, open_busy_websocket])
async def test_the_feed_is_heard_and_its_books_equal_the_venues(
    nursery: trio.Nursery, open_socket: OpenSocket
) -> None:
    """Every change follows the one before, and the book is what REST says it is."""
    wanted = [
        Subscription(SYMBOL, channel)
        for channel in (Channel.TICKER, Channel.TRADES, Channel.BOOK, Channel.BOOK_TOP)
    ]
    book, heard = Book("coinbase", SYMBOL), list[StreamMessage]()
    async with (
        venue(nursery, open_socket=open_socket) as coinbase,
        coinbase.market.open_stream() as stream,
    ):
        await stream.subscribe(wanted)
        with trio.fail_after(PATIENCE_S):
            while True:
                heard += await stream.receive()
                if sum(isinstance(it, BookDelta) for it in heard) >= 40:
                    break
    for message in heard:
        if isinstance(message, BookSnapshot):
            assert book.load(message) is BookStep.APPLIED
        elif isinstance(message, BookDelta):
            assert book.apply(message) is BookStep.APPLIED
    assert book.bids.prices[-1] < book.asks.prices[0]
    tops = [it for it in heard if isinstance(it, BookTop)]
    assert (tops[-1].bid, tops[-1].ask) == (book.bids.prices[-1], book.asks.prices[0])
    assert any(isinstance(it, Ticker) for it in heard)
    numbers = [it.trade_id for it in heard if isinstance(it, Traded)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
async def test_an_order_rests_is_found_and_is_cancelled(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, key)
        async with trading.open_private() as stream:
            ack = await trading.place(buy(1))
            assert isinstance(ack, VenueAck), ack
            assert ack.client_order_id == name(1)
            found = await trading.order(SYMBOL, name(1))
            assert found is not None
            assert (found.status, found.limit_price) == (OrderStatus.OPEN, DEEP)
            (listed,) = await trading.open_orders([SYMBOL, "ETH/USD"])
            assert (listed.client_order_id, listed.venue_order_id) == (
                name(1),
                ack.venue_order_id,
            )
            balances = {it.asset: it for it in await trading.balances()}
            assert balances["USD"].locked > 0
            cancelled = await trading.cancel(SYMBOL, name(1))
            assert isinstance(cancelled, VenueAck), cancelled
            heard = await hear_until(stream, ended(name(1)))
            last = heard[-1]
            assert isinstance(last, VenueOrder)
            assert (last.status, last.filled_base) == (OrderStatus.CANCELED, 0)
            final = await trading.order(SYMBOL, name(1))
            assert final is not None
            assert final.status is OrderStatus.CANCELED


@each_key
async def test_an_order_by_our_id_alone_is_found_by_who_never_heard_of_it(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    """As after a restart: nothing is remembered (R-04)."""
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, key)
        await trading.place(buy(1))
        await trading.place(buy(2, OrderType.MARKET))
        anew = trading_of(coinbase, key)
        for number, status in ((1, OrderStatus.OPEN), (2, OrderStatus.FILLED)):
            found = await anew.order(SYMBOL, name(number))
            assert found is not None
            assert found.status is status
        assert await anew.order(SYMBOL, name(3)) is None
        cancelled = await trading_of(coinbase, key).cancel(SYMBOL, name(1))
        assert isinstance(cancelled, VenueAck), cancelled


@each_key
async def test_a_market_order_is_filled_and_its_fills_are_told(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, key)
        begun_ms = trading.now_ms()
        async with trading.open_private() as stream:
            ack = await trading.place(buy(1, OrderType.MARKET, "3"))
            assert isinstance(ack, (VenueAck, VenueReject)), ack
            ack = await trading.place(buy(2, OrderType.MARKET, "0.5"))
            assert isinstance(ack, VenueAck), ack
            heard = await hear_until(stream, ended(name(2)))
        fills = [it for it in heard if isinstance(it, VenueFill)]
        assert {it.client_order_id for it in fills} == {name(2)}
        assert sum(it.base for it in fills) == Decimal("0.5")
        told = await trading.fills(SYMBOL, since_ms=begun_ms - 1000)
        assert [(it.trade_id, it.base, it.price) for it in told] == [
            (it.trade_id, it.base, it.price) for it in fills
        ]
        assert {it.fee_asset for it in told} == {"USD"}
        for mine, theirs in zip(fills, told, strict=True):
            assert abs(mine.fee - theirs.fee) < Decimal("0.01")
            assert mine.fee > 0
        assert {it.venue_order_id for it in told} == {ack.venue_order_id}
        past = await trading.past_orders(SYMBOL, since_ms=begun_ms - 1000)
        assert name(2) in {it.client_order_id for it in past}
        (order,) = [it for it in past if it.client_order_id == name(2)]
        assert (order.status, order.filled_base) == (OrderStatus.FILLED, Decimal("0.5"))


@each_key
async def test_stops_makers_and_refusals(nursery: trio.Nursery, key: ApiKey) -> None:
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, key)
        assert isinstance(await trading.place(STOP), VenueAck)
        resting = await trading.order(SYMBOL, STOP.client_order_id)
        assert resting is not None
        assert (resting.status, resting.stop_price, resting.limit_price) == (
            OrderStatus.OPEN,
            DEEP,
            Decimal(29_000),
        )
        take = attrs.evolve(
            STOP,
            client_order_id=name(51),
            order_type=OrderType.TAKE_PROFIT_LIMIT,
            stop_price=Decimal(90_000),
            limit_price=Decimal(89_000),
        )
        assert isinstance(await trading.place(take), VenueAck)
        upwards = await trading.order(SYMBOL, take.client_order_id)
        assert upwards is not None
        assert upwards.order_type in {"limit stop entry", "STOP_LIMIT STOP_UP"}
        assert resting.order_type in {"limit stop loss", "STOP_LIMIT STOP_DOWN"}
        maker = attrs.evolve(buy(60), order_type=OrderType.LIMIT_MAKER)
        assert isinstance(await trading.place(maker), VenueAck)
        crossing = attrs.evolve(
            maker, client_order_id=name(61), limit_price=Decimal(90_000)
        )
        refused = await trading.place(crossing)
        is_rejected = isinstance(refused, VenueAck) and (
            refused.status is OrderStatus.REJECTED
        )
        assert is_rejected or isinstance(refused, VenueReject), refused
        poor = await trading.place(attrs.evolve(buy(62), base=Decimal(100)))
        assert isinstance(poor, VenueReject), poor
        assert "nsufficient" in poor.reason


@each_key
async def test_a_stop_is_replaced_in_two_steps(nursery: trio.Nursery, key: ApiKey) -> None:
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, key)
        await trading.place(STOP)
        raised = attrs.evolve(STOP, client_order_id=name(52), stop_price=Decimal(31_000))
        both = await trading.replace(STOP.client_order_id, raised)
        assert isinstance(both.cancelled, VenueAck), both
        assert both.cancelled.status is OrderStatus.CANCELED
        assert isinstance(both.placed, VenueAck), both
        (resting,) = await trading.open_orders([SYMBOL])
        assert resting.client_order_id == name(52)


@each_key
async def test_what_ended_before_is_not_replaced(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, key)
        await trading.place(buy(1, OrderType.MARKET))
        both = await trading.replace(name(1), buy(2))
        assert isinstance(both.cancelled, VenueReject), both
        assert isinstance(both.placed, VenueReject), both
        assert await trading.open_orders([SYMBOL]) == []


@pytest.mark.parametrize("kind", ["lost_ack", "server_error"])
@each_key
async def test_an_answer_that_is_lost_leaves_the_order_unknown_until_it_is_found(
    nursery: trio.Nursery, key: ApiKey, kind: Kind
) -> None:
    fault = Fault(kind=kind, at_s=0.0, duration_s=600.0, times=1)
    async with venue(nursery, attrs.evolve(CONFIG, faults=(fault,))) as coinbase:
        trading = trading_of(coinbase, key)
        await coinbase.market.instruments()
        lost = await trading.place(buy(1))
        assert isinstance(lost, VenueUnknown), lost
        found = await trading.order(SYMBOL, name(1))
        assert found is not None
        assert found.status is OrderStatus.OPEN
        assert isinstance(await trading.cancel(SYMBOL, name(1)), VenueAck)


@each_key
async def test_a_private_stream_that_is_cut_is_lost_and_can_be_had_again(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    fault = Fault(kind="disconnect", at_s=4.0)
    async with venue(nursery, attrs.evolve(CONFIG, faults=(fault,))) as coinbase:
        trading = trading_of(coinbase, key)
        async with trading.open_private() as stream:
            with pytest.raises(ConnectionLost):
                await hear_until(stream, lambda _: False)
        async with trading.open_private() as stream:
            await trading.place(buy(1, OrderType.MARKET))
            heard = await hear_until(stream, ended(name(1)))
            assert any(isinstance(it, VenueFill) for it in heard)


async def test_keys_that_the_venue_does_not_know_are_refused(
    nursery: trio.Nursery,
) -> None:
    stranger = attrs.evolve(BOB, key="nobody")
    async with venue(nursery) as coinbase:
        trading = trading_of(coinbase, stranger)
        assert isinstance(await trading.place(buy(1)), VenueReject)
        with pytest.raises(VenueRefused):
            await trading.balances()
        with pytest.raises(VenueRefused):
            async with trading.open_private():
                pass
