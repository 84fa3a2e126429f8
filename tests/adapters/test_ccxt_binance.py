"""ccxt's own Binance client trades on the simulated Binance, REST, streams and WS-API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

import pytest
import trio

from adapters.simulator.config import ApiKey
from tests.adapters.ccxt_desk import SYMBOL, binance, ccxt, config_of, use, while_watching
from tests.adapters.simulator_desk import start

ANN = ApiKey("ann", "ANN-KEY", "ann-secret", {"USDT": Decimal(50_000), "BTC": Decimal(2)})
CONFIG = config_of("binance", ANN)
T = TypeVar("T")


async def working(
    nursery: trio.Nursery, work: Callable[[Any], Awaitable[T]], key: ApiKey = ANN
) -> T:
    """Let ccxt work on a new simulated Binance."""
    simulator = await start(nursery, CONFIG)
    return await use(lambda: binance(simulator.endpoints, key), work)


async def test_markets_are_loaded_with_their_rules(nursery: trio.Nursery) -> None:
    market = (await working(nursery, lambda it: it.load_markets()))[SYMBOL]

    assert (market["id"], market["base"], market["quote"]) == ("BTCUSDT", "BTC", "USDT")
    assert (market["active"], market["spot"]) == (True, True)
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.00001, 0.01)
    assert market["limits"]["amount"] == {"min": 0.00001, "max": 9000}
    assert market["limits"]["cost"]["min"] == 5


async def test_ticker_book_trades_and_candles_are_fetched(nursery: trio.Nursery) -> None:
    async def fetch(client: Any) -> tuple[Any, ...]:
        await client.watch_trades(SYMBOL)  # so that there are some
        return (
            await client.fetch_ticker(SYMBOL),
            await client.fetch_bids_asks(),
            await client.fetch_order_book(SYMBOL, 5),
            await client.fetch_trades(SYMBOL),
            await client.fetch_ohlcv(SYMBOL, "5m", None, 100),
        )

    ticker, tops, book, trades, candles = await working(nursery, fetch)

    assert (ticker["bid"], ticker["ask"]) == (60000.0, 60000.01)
    assert (tops[SYMBOL]["bid"], tops[SYMBOL]["ask"]) == (60000.0, 60000.01)
    assert (book["bids"][0][0], book["asks"][0][0]) == (60000.0, 60000.01)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    assert {it["price"] for it in trades} <= {60000.0, 60000.01}
    ids = [int(it["id"]) for it in trades]
    assert ids == sorted(set(ids))
    steps = {b[0] - a[0] for a, b in pairwise(candles)}
    assert (len(candles), steps) == (100, {300_000})


async def test_ticker_trades_book_and_candles_are_watched(nursery: trio.Nursery) -> None:
    async def watch(client: Any) -> tuple[Any, ...]:
        ticker = await client.watch_ticker(SYMBOL)
        tops = await client.watch_bids_asks([SYMBOL])
        trades = await client.watch_trades(SYMBOL)
        books = [await client.watch_order_book(SYMBOL) for _ in range(5)]
        candles = await client.watch_ohlcv(SYMBOL, "1m")
        return ticker, tops, trades, books, candles

    ticker, tops, trades, books, candles = await working(nursery, watch)

    assert ticker["last"] in {60000.0, 60000.01}
    assert (tops[SYMBOL]["bid"], tops[SYMBOL]["ask"]) == (60000.0, 60000.01)
    assert {it["price"] for it in trades} <= {60000.0, 60000.01}
    tops_of_books = {(it["bids"][0][0], it["asks"][0][0]) for it in books}
    assert tops_of_books == {(60000.0, 60000.01)}
    assert candles[-1][0] % 60_000 == 0


async def test_a_limit_order_rests_is_found_and_is_cancelled(
    nursery: trio.Nursery,
) -> None:
    async def live(client: Any) -> tuple[Any, ...]:
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 54_000.5)
        found = await client.fetch_order(placed["id"], SYMBOL)
        resting = await client.fetch_open_orders(SYMBOL)
        held = await client.fetch_balance()
        await client.cancel_order(placed["id"], SYMBOL)
        ended = await client.fetch_canceled_orders(SYMBOL)
        return found, resting, held, ended

    found, resting, held, ended = await working(nursery, live)

    assert (found["status"], found["price"], found["amount"], found["filled"]) == (
        "open", 54_000.5, 0.01, 0,
    )  # fmt: skip
    assert [it["id"] for it in resting] == [found["id"]]
    assert (held["USDT"]["used"], held["USDT"]["total"]) == (540.005, 50_000)
    assert [(it["id"], it["status"]) for it in ended] == [(found["id"], "canceled")]


async def test_a_market_order_fills_and_its_fee_is_in_base(nursery: trio.Nursery) -> None:
    async def buy(client: Any) -> tuple[Any, ...]:
        placed = await client.create_order(SYMBOL, "market", "buy", 0.01)
        order = await client.fetch_order(placed["id"], SYMBOL)
        closed = await client.fetch_closed_orders(SYMBOL)
        trades = await client.fetch_my_trades(SYMBOL)
        return order, closed, trades, await client.fetch_balance()

    order, closed, trades, balance = await working(nursery, buy)

    assert (order["status"], order["filled"], order["average"]) == (
        "closed", 0.01, 60000.01,
    )  # fmt: skip
    assert [it["id"] for it in closed] == [order["id"]]
    assert [(it["order"], it["price"], it["takerOrMaker"]) for it in trades] == [
        (order["id"], 60000.01, "taker")
    ]
    assert trades[0]["fee"] == {"cost": 0.00001, "currency": "BTC"}
    assert (balance["BTC"]["total"], balance["USDT"]["total"]) == (2.00999, 49_399.9999)


async def test_orders_trades_and_balances_come_by_the_ws_api(
    nursery: trio.Nursery,
) -> None:
    async def trade(client: Any) -> tuple[Any, ...]:
        async def buy() -> None:
            await client.create_order_ws(SYMBOL, "market", "buy", 0.02)

        placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 54_000.5)
        resting = await client.fetch_open_orders_ws(SYMBOL)
        canceled = await client.cancel_order_ws(placed["id"], SYMBOL)
        trades = await while_watching(lambda: client.watch_my_trades(SYMBOL), buy)
        orders = await while_watching(lambda: client.watch_orders(SYMBOL), buy)
        balance = await while_watching(client.watch_balance, buy)
        return placed, resting, canceled, trades, orders, balance

    placed, resting, canceled, trades, orders, balance = await working(nursery, trade)

    assert [it["id"] for it in resting] == [placed["id"]]
    assert (canceled["id"], canceled["status"]) == (placed["id"], "canceled")
    assert [(it["price"], it["amount"], it["takerOrMaker"]) for it in trades] == [
        (60000.01, 0.02, "taker")
    ]
    assert {it["symbol"] for it in orders} == {SYMBOL}
    assert balance["BTC"]["total"] == 2.05994


async def order_too_large(client: Any) -> None:
    await client.create_order(SYMBOL, "limit", "buy", 2, 59_000)


async def order_that_takes(client: Any) -> None:
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 61_000, {"postOnly": True})


async def order_that_is_gone(client: Any) -> None:
    await client.cancel_order("123", SYMBOL)


@pytest.mark.parametrize(
    ("work", "error", "words"),
    [
        (order_too_large, ccxt.InsufficientFunds, "insufficient balance"),
        (order_that_takes, ccxt.OrderImmediatelyFillable, "immediately match"),
        (order_that_is_gone, ccxt.OrderNotFound, "Unknown order sent"),
    ],
)
async def test_refusals_are_understood(
    nursery: trio.Nursery,
    work: Callable[[Any], Awaitable[None]],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        await working(nursery, work)


async def test_a_wrong_signature_is_refused(nursery: trio.Nursery) -> None:
    eve = ApiKey("ann", "ANN-KEY", "another-secret")

    with pytest.raises(ccxt.AuthenticationError, match="Signature for this request"):
        await working(nursery, lambda it: it.fetch_balance(), eve)
