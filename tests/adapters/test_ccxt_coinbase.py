"""ccxt's own Coinbase clients trade on the simulated Coinbase: Advanced Trade, Exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, TypeVar

import attrs
import pytest
import trio

from adapters.simulator.config import ApiKey
from tests.adapters.ccxt_desk import ccxt, coinbase, use, while_watching
from tests.adapters.coinbase_desk import (
    ANN,
    BOB,
    CONFIG,
    EVE,
    OID,
    STILL,
    start,
)

SYMBOL = "BTC/USD"
QUIET = attrs.evolve(CONFIG, listings=(attrs.evolve(STILL, trade_chance=1.0),))
BOTH = [pytest.param(ANN, id="coinbaseexchange"), pytest.param(BOB, id="coinbase")]
Work = Callable[[Any], Awaitable[Any]]
T = TypeVar("T")


async def working(
    nursery: trio.Nursery, key: ApiKey, work: Callable[[Any], Awaitable[T]]
) -> T:
    """Let ccxt work on a new simulated Coinbase."""
    endpoints = await start(nursery, QUIET)
    return await use(lambda: coinbase(endpoints, key), work)


@pytest.mark.parametrize("key", BOTH)
async def test_markets_are_loaded_with_their_rules(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    market = (await working(nursery, key, lambda it: it.load_markets()))[SYMBOL]

    assert (market["id"], market["base"], market["quote"]) == ("BTC-USD", "BTC", "USD")
    assert (market["active"], market["spot"]) == (True, True)
    assert (market["precision"]["amount"], market["precision"]["price"]) == (0.00001, 0.01)
    assert market["limits"]["cost"]["min"] == 5


@pytest.mark.parametrize("key", BOTH)
async def test_ticker_book_trades_and_candles_are_fetched(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async def fetch(it: Any) -> tuple[Any, ...]:
        await it.watch_trades(SYMBOL)  # so that there are some
        return (
            await it.fetch_ticker(SYMBOL),
            await it.fetch_order_book(SYMBOL),
            await it.fetch_trades(SYMBOL),
            await it.fetch_ohlcv(SYMBOL, "5m", None, 100),
            await it.fetch_time(),
        )

    ticker, book, trades, candles, now_ms = await working(nursery, key, fetch)

    assert (ticker["bid"], ticker["ask"]) == (60000.0, 60000.01)
    assert (book["bids"][0][0], book["asks"][0][0]) == (60000.0, 60000.01)
    assert {it["price"] for it in trades} <= {60000.0, 60000.01}
    assert all((it["side"] == "buy") == (it["price"] == 60000.01) for it in trades) == bool(
        key.passphrase  # Advanced Trade tells the maker's side, and ccxt passes it on
    )
    steps = {b[0] - a[0] for a, b in pairwise(candles)}
    assert steps == {300_000}
    assert abs(now_ms - trades[-1]["timestamp"]) < 60_000


@pytest.mark.parametrize("key", BOTH)
async def test_ticker_trades_and_book_are_watched(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async def watch(it: Any) -> tuple[Any, ...]:
        ticker = await it.watch_ticker(SYMBOL)
        tickers = await it.watch_tickers([SYMBOL])
        trades = await it.watch_trades(SYMBOL)
        books = [dict(await it.watch_order_book(SYMBOL)) for _ in range(5)]
        return ticker, tickers, trades, [(b["bids"][0][0], b["asks"][0][0]) for b in books]

    ticker, tickers, trades, tops = await working(nursery, key, watch)

    assert ticker["last"] in {60000.0, 60000.01}
    assert list(tickers) == [SYMBOL]
    assert {it["price"] for it in trades} <= {60000.0, 60000.01}
    assert set(tops) == {(60000.0, 60000.01)}


@pytest.mark.parametrize("key", [*BOTH, pytest.param(EVE, id="coinbase-ed25519")])
async def test_a_limit_order_rests_is_found_and_is_cancelled(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async def live(it: Any) -> tuple[Any, ...]:
        placed = await it.create_order(SYMBOL, "limit", "buy", 0.01, 54_000.5)
        found = await it.fetch_order(placed["id"], SYMBOL)
        resting = await it.fetch_open_orders(SYMBOL)
        held = await it.fetch_balance({} if key.passphrase else {"v3": True})
        await it.cancel_order(placed["id"], SYMBOL)
        return found, resting, held, await it.fetch_open_orders(SYMBOL)

    found, resting, held, left = await working(nursery, key, live)

    assert (found["status"], found["price"], found["amount"], found["filled"]) == (
        "open", 54_000.5, 0.01, 0,
    )  # fmt: skip
    assert [it["id"] for it in resting] == [found["id"]]
    assert (held["USD"]["used"], held["USD"]["total"]) == (543.24503, 50_000)
    assert left == []


@pytest.mark.parametrize("key", BOTH)
async def test_a_market_order_fills_and_its_fee_is_in_quote(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    async def sell(it: Any) -> tuple[Any, ...]:
        placed = await it.create_order(SYMBOL, "market", "sell", 0.01)
        order = await it.fetch_order(placed["id"], SYMBOL)
        closed = await it.fetch_closed_orders(SYMBOL)
        return order, closed, await it.fetch_my_trades(SYMBOL), await it.fetch_balance()

    order, closed, trades, balance = await working(nursery, key, sell)

    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.01, 60000.0)
    assert [it["id"] for it in closed] == [order["id"]]
    assert [(it["order"], it["price"], it["takerOrMaker"]) for it in trades] == [
        (order["id"], 60000.0, "taker")
    ]
    assert trades[0]["fee"]["currency"] == "USD"
    assert trades[0]["fee"]["cost"] == pytest.approx(3.6)
    assert balance["USD"]["total"] == pytest.approx(50_596.4)
    assert balance["BTC"]["total"] == pytest.approx(1.99)


@pytest.mark.parametrize("key", BOTH)
async def test_an_order_that_is_too_dear_is_refused_for_lack_of_funds(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await working(
            nursery, key, lambda it: it.create_order(SYMBOL, "limit", "buy", 1, 59_000)
        )


@pytest.mark.parametrize("key", BOTH)
async def test_a_key_that_signs_wrongly_is_refused(
    nursery: trio.Nursery, key: ApiKey
) -> None:
    other = attrs.evolve(key, key=f"{key.key}-of-nobody")

    with pytest.raises(ccxt.AuthenticationError):
        await working(nursery, other, lambda it: it.fetch_open_orders(SYMBOL))


@pytest.mark.parametrize("key", BOTH)
async def test_an_orders_life_is_watched(nursery: trio.Nursery, key: ApiKey) -> None:
    async def live(it: Any) -> tuple[Any, Any]:
        await it.load_markets()
        placed: list[Any] = []

        async def place() -> None:
            placed.append(await it.create_order(SYMBOL, "limit", "buy", 0.01, 54_000.5))

        orders = await while_watching(lambda: it.watch_orders(SYMBOL), place)
        return placed[0], orders

    placed, orders = await working(nursery, key, live)
    assert [(it["id"], it["status"], it["price"]) for it in orders] == [
        (placed["id"], "open", 54_000.5)
    ]


async def test_ones_own_trades_are_watched_on_the_exchange_feed(
    nursery: trio.Nursery,
) -> None:
    async def live(it: Any) -> Any:
        await it.load_markets()

        async def sell() -> None:
            await it.create_order(SYMBOL, "market", "sell", 0.01)

        return await while_watching(lambda: it.watch_my_trades(SYMBOL), sell)

    trades = await working(nursery, ANN, live)
    assert [(it["side"], it["price"], it["takerOrMaker"]) for it in trades] == [
        ("sell", 60000.0, "taker")
    ]
    assert trades[0]["fee"]["cost"] == pytest.approx(3.6)


async def test_an_exchange_order_is_found_and_cancelled_by_our_own_id(
    nursery: trio.Nursery,
) -> None:
    named = {"clientOrderId": OID}

    async def live(it: Any) -> tuple[Any, Any]:
        await it.create_order(SYMBOL, "limit", "buy", 0.01, 54_000.5, named)
        found = await it.fetch_order("", SYMBOL, named)
        await it.cancel_order("", SYMBOL, named)
        return found, await it.fetch_open_orders(SYMBOL)

    found, left = await working(nursery, ANN, live)
    assert (found["clientOrderId"], found["status"], left) == (OID, "open", [])


@pytest.mark.parametrize("key", BOTH)
async def test_fees_and_accounts_are_told(nursery: trio.Nursery, key: ApiKey) -> None:
    async def ask(it: Any) -> tuple[Any, Any]:
        return await it.fetch_trading_fees(), await it.fetch_accounts()

    fees, accounts = await working(nursery, key, ask)
    assert (fees[SYMBOL]["maker"], fees[SYMBOL]["taker"]) == (0.004, 0.006)
    assert {it["code"] for it in accounts} == {"BTC", "USD"}


async def test_a_stop_limit_order_waits_for_its_trigger(nursery: trio.Nursery) -> None:
    async def live(it: Any) -> Any:
        placed = await it.create_order(
            SYMBOL, "limit", "sell", 0.01, 55_000, {"stopLossPrice": 56_000}
        )
        return await it.fetch_order(placed["id"], SYMBOL)

    found = await working(nursery, BOB, live)
    assert (found["status"], found["triggerPrice"], found["price"]) == (
        "open", 56_000, 55_000,
    )  # fmt: skip
    assert found["info"]["trigger_status"] == "STOP_PENDING"


async def test_an_order_of_advanced_trade_is_edited(nursery: trio.Nursery) -> None:
    async def live(it: Any) -> Any:
        placed = await it.create_order(SYMBOL, "limit", "buy", 0.01, 54_000)
        await it.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 53_000)
        return await it.fetch_order(placed["id"], SYMBOL)

    found = await working(nursery, BOB, live)
    assert (found["status"], found["amount"], found["price"]) == ("open", 0.02, 53_000)
