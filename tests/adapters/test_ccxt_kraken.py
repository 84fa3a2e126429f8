"""ccxt's own Kraken client trades on the simulated Kraken, REST and WebSocket."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

import pytest
import trio

from adapters.simulator.config import ApiKey
from tests.adapters.ccxt_desk import SYMBOL, ccxt, config_of, kraken, use, while_watching
from tests.adapters.simulator_desk import start

SECRET = base64.b64encode(b"ann's secret").decode()
ANN = ApiKey("ann", "ANN-KEY", SECRET, {"USDT": Decimal(50_000), "BTC": Decimal(2)})
CONFIG = config_of("kraken", ANN)
T = TypeVar("T")


async def working(
    nursery: trio.Nursery, work: Callable[[Any], Awaitable[T]], key: ApiKey = ANN
) -> T:
    """Let ccxt work on a new simulated Kraken."""
    simulator = await start(nursery, CONFIG)
    return await use(lambda: kraken(simulator.endpoints, key), work)


async def test_markets_are_loaded_with_their_rules(nursery: trio.Nursery) -> None:
    market = (await working(nursery, lambda it: it.load_markets()))[SYMBOL]

    assert (market["id"], market["wsId"], market["altname"]) == (
        "XBTUSDT", "XBT/USDT", "XBTUSDT",
    )  # fmt: skip
    assert (market["base"], market["quote"], market["active"]) == ("BTC", "USDT", True)
    assert market["precision"] == {"amount": 0.00001, "price": 0.01}
    assert market["limits"]["amount"]["min"] == 0.00001
    assert market["limits"]["cost"]["min"] == 5
    assert (market["maker"], market["taker"]) == (0.001, 0.001)


async def test_ticker_book_trades_candles_and_time_are_fetched(
    nursery: trio.Nursery,
) -> None:
    async def fetch(client: Any) -> tuple[Any, ...]:
        await client.watch_trades(SYMBOL)  # so that there are some
        return (
            await client.fetch_ticker(SYMBOL),
            await client.fetch_tickers(),
            await client.fetch_order_book(SYMBOL, 5),
            await client.fetch_trades(SYMBOL),
            await client.fetch_ohlcv(SYMBOL, "1m"),
            await client.fetch_status(),
        )

    ticker, tickers, book, trades, candles, status = await working(nursery, fetch)

    assert (ticker["bid"], ticker["ask"], ticker["last"] in {60000, 60000.01}) == (
        60000.0, 60000.01, True,
    )  # fmt: skip
    assert list(tickers) == [SYMBOL]
    assert (book["bids"][0][0], book["asks"][0][0]) == (60000.0, 60000.01)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    assert {it["price"] for it in trades} <= {60000.0, 60000.01}
    assert {it["side"] for it in trades} <= {"buy", "sell"}
    steps = {b[0] - a[0] for a, b in pairwise(candles)}
    assert (len(candles), steps) == (720, {60_000})
    assert status["status"] == "ok"


async def test_ticker_trades_book_and_candles_are_watched(nursery: trio.Nursery) -> None:
    async def watch(client: Any) -> tuple[Any, ...]:
        ticker = await client.watch_ticker(SYMBOL)
        trades = await client.watch_trades(SYMBOL)
        books = [await client.watch_order_book(SYMBOL, 10) for _ in range(5)]
        candles = await client.watch_ohlcv(SYMBOL, "5m")
        return ticker, trades, books[-1], candles

    ticker, trades, book, candles = await working(nursery, watch)

    assert (ticker["bid"], ticker["ask"]) == (60000.0, 60000.01)
    assert {it["price"] for it in trades} <= {60000.0, 60000.01}
    assert (book["bids"][0][0], book["asks"][0][0]) == (60000.0, 60000.01)
    assert (len(book["bids"]), book["symbol"]) == (10, SYMBOL)
    assert candles[-1][0] % 300_000 == 0


async def test_a_limit_order_rests_is_found_and_is_cancelled(
    nursery: trio.Nursery,
) -> None:
    async def live(client: Any) -> tuple[Any, ...]:
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 54_000.5)
        found = await client.fetch_order(placed["id"])
        resting = await client.fetch_open_orders(SYMBOL)
        held = await client.fetch_balance()
        await client.cancel_order(placed["id"])
        ended = await client.fetch_closed_orders(SYMBOL)
        freed = await client.fetch_balance()
        return found, resting, held, ended, freed

    found, resting, held, ended, freed = await working(nursery, live)

    assert (found["status"], found["price"], found["amount"], found["filled"]) == (
        "open", 54_000.5, 0.01, 0,
    )  # fmt: skip
    assert [it["id"] for it in resting] == [found["id"]]
    assert (held["USDT"]["used"], held["USDT"]["total"]) == (540.545005, 50_000)
    assert [(it["id"], it["status"]) for it in ended] == [(found["id"], "canceled")]
    assert (freed["USDT"]["free"], freed["BTC"]["free"]) == (50_000, 2)


async def test_a_market_order_fills_and_its_fee_is_in_quote(nursery: trio.Nursery) -> None:
    async def buy(client: Any) -> tuple[Any, ...]:
        placed = await client.create_order(SYMBOL, "market", "buy", 0.01)
        order = await client.fetch_order(placed["id"])
        trades = await client.fetch_my_trades(SYMBOL)
        return order, trades, await client.fetch_balance()

    order, trades, balance = await working(nursery, buy)

    assert (order["status"], order["filled"], order["average"]) == (
        "closed", 0.01, 60000.01,
    )  # fmt: skip
    assert (float(order["fee"]["cost"]), order["fee"]["currency"]) == (0.6000001, "USDT")
    assert [(it["order"], it["price"], it["amount"]) for it in trades] == [
        (order["id"], 60000.01, 0.01)
    ]
    assert (trades[0]["takerOrMaker"], trades[0]["fee"]["cost"]) == ("taker", 0.6000001)
    assert balance["BTC"]["total"] == 2.01
    assert balance["USDT"]["total"] == pytest.approx(50_000 - 600.0001 - 0.6000001)


async def test_a_stop_rests_until_everything_is_cancelled(nursery: trio.Nursery) -> None:
    async def rest(client: Any) -> tuple[Any, Any]:
        stop = {"stopLossPrice": 50_000.0}
        await client.create_order(SYMBOL, "limit", "sell", 0.01, 49_900.0, stop)
        resting = await client.fetch_open_orders(SYMBOL)
        await client.cancel_all_orders()
        return resting, await client.fetch_open_orders(SYMBOL)

    resting, left = await working(nursery, rest)

    assert [(it["stopLossPrice"], it["price"], it["side"]) for it in resting] == [
        (50_000, 49_900, "sell")
    ]
    assert left == []


async def test_orders_are_placed_and_cancelled_together(nursery: trio.Nursery) -> None:
    async def batch(client: Any) -> tuple[Any, ...]:
        await client.load_markets()
        order = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01}
        placed = await client.create_orders(
            [{**order, "price": price} for price in (50_000, 51_000)]
        )
        ids = [it["id"] for it in placed]
        resting = await client.fetch_open_orders(SYMBOL)
        await client.cancel_orders(ids)
        return ids, resting, await client.fetch_open_orders(SYMBOL)

    ids, resting, left = await working(nursery, batch)

    assert [(it["id"], it["price"]) for it in resting] == [
        (ids[0], 50_000),
        (ids[1], 51_000),
    ]
    assert left == []


async def test_orders_and_balances_come_by_the_private_socket(
    nursery: trio.Nursery,
) -> None:
    async def buy(client: Any) -> None:
        await client.create_order_ws(SYMBOL, "market", "buy", 0.02)

    async def trade(client: Any) -> tuple[Any, ...]:
        balance = await client.watch_balance()
        placed = await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 54_000.5)
        canceled = await client.cancel_order_ws(placed["id"])
        trades = await while_watching(
            lambda: client.watch_my_trades(SYMBOL), lambda: buy(client)
        )
        after = await while_watching(client.watch_balance, lambda: buy(client))
        return balance, placed, canceled, trades, after

    balance, placed, canceled, trades, after = await working(nursery, trade)

    assert (balance["USDT"]["total"], balance["BTC"]["total"]) == (50_000, 2)
    assert (canceled["success"], canceled["result"]["order_id"]) == (True, placed["id"])
    assert [(it["price"], it["amount"], it["takerOrMaker"]) for it in trades] == [
        (60000.01, 0.02, "taker")
    ]
    assert after["BTC"]["total"] == 2.04


async def test_orders_are_watched_and_all_cancelled_by_the_private_socket(
    nursery: trio.Nursery,
) -> None:
    async def trade(client: Any) -> tuple[Any, ...]:
        async def place() -> None:
            await client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 54_000.5)

        watched = await while_watching(lambda: client.watch_orders(SYMBOL), place)
        ids = [it["id"] for it in await client.fetch_open_orders(SYMBOL)]
        gone = await client.cancel_all_orders_ws()
        return watched, ids, gone, await client.fetch_open_orders(SYMBOL)

    watched, ids, gone, left = await working(nursery, trade)

    assert [(it["id"], it["status"], it["price"]) for it in watched] == [
        (ids[0], "open", 54_000.5)
    ]
    assert (gone["result"]["count"], left) == (1, [])


async def test_an_order_is_edited_by_rest_and_by_the_private_socket(
    nursery: trio.Nursery,
) -> None:
    async def edit(client: Any) -> tuple[Any, ...]:
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 54_000)
        limit = (SYMBOL, "limit", "buy")
        await client.edit_order(placed["id"], *limit, 0.02, 54_100)
        once = await client.fetch_order(placed["id"])
        await client.edit_order_ws(placed["id"], *limit, 0.03, 54_200)
        return placed, once, await client.fetch_order(placed["id"])

    placed, once, twice = await working(nursery, edit)

    assert (once["id"], once["amount"], once["price"]) == (placed["id"], 0.02, 54_100)
    assert (twice["id"], twice["amount"], twice["price"]) == (placed["id"], 0.03, 54_200)


async def test_an_order_is_found_and_cancelled_by_the_clients_own_id(
    nursery: trio.Nursery,
) -> None:
    own = {"clientOrderId": "6d1b345e-2821-40e2-ad83-4ecb18a06876"}

    async def trade(client: Any) -> tuple[Any, ...]:
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 54_000, own)
        opened = await client.fetch_open_orders(SYMBOL, None, None, own)
        await client.cancel_order("", SYMBOL, own)
        return placed, opened, await client.fetch_closed_orders(SYMBOL, None, None, own)

    placed, opened, closed = await working(nursery, trade)

    assert [(it["id"], it["clientOrderId"]) for it in opened] == [
        (placed["id"], own["clientOrderId"])
    ]
    assert [(it["id"], it["status"]) for it in closed] == [(placed["id"], "canceled")]


async def order_too_large(client: Any) -> None:
    await client.create_order(SYMBOL, "limit", "buy", 2, 59_000)


async def order_that_takes(client: Any) -> None:
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 61_000, {"postOnly": True})


async def order_that_is_gone(client: Any) -> None:
    await client.cancel_order("OAAAAA-BBBBB-CCCCCC")


@pytest.mark.parametrize(
    ("work", "error", "words"),
    [
        (order_too_large, ccxt.InsufficientFunds, "EOrder:Insufficient funds"),
        (order_that_takes, ccxt.ExchangeError, "EOrder:Post only order"),
        (order_that_is_gone, ccxt.OrderNotFound, "EOrder:Unknown order"),
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


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (ApiKey("ann", "ANN-KEY", "c29tZWJvZHk="), ccxt.ExchangeError, "EAPI:Invalid sig"),
        (ApiKey("eve", "EVE", SECRET), ccxt.AuthenticationError, "EAPI:Invalid key"),
    ],
)
async def test_a_wrong_signature_and_a_wrong_key_are_refused(
    nursery: trio.Nursery, key: ApiKey, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await working(nursery, lambda it: it.fetch_balance(), key)
