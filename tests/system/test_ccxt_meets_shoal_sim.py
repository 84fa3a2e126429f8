"""ccxt, unmodified, meets `shoal sim` as it comes: a process of its own for each venue."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from adapters.simulator.config import ApiKey
from tests.adapters.ccxt_desk import SYMBOL, Where, binance, kraken, whole_life
from tests.system.processes import running_sim

SECRET = base64.b64encode(b"a secret that Kraken could have given out").decode()
KEY = ApiKey("key2", "CCXT-KEY", SECRET)
CLIENTS: dict[str, Callable[[Where, ApiKey], Any]] = {"binance": binance, "kraken": kraken}


async def trade(client: Any) -> tuple[Any, ...]:
    """Watch, buy, rest an order and take it back; return what came of it."""
    await client.load_markets()
    ticker = await client.watch_ticker(SYMBOL)
    book = await client.watch_order_book(SYMBOL)
    bought = await client.create_order(SYMBOL, "market", "buy", 0.01)
    low = client.price_to_precision(SYMBOL, book["bids"][0][0] * 0.9)
    resting = await client.create_order(SYMBOL, "limit", "buy", 0.01, float(low))
    opened = await client.fetch_open_orders(SYMBOL)
    await client.cancel_order(resting["id"], SYMBOL)
    filled = await client.fetch_order(bought["id"], SYMBOL)
    mine = await client.fetch_my_trades(SYMBOL)
    balance = await client.fetch_balance()
    return ticker, resting, opened, filled, mine, balance


@pytest.mark.parametrize("exchange", CLIENTS)
def test_ccxt_trades_on_shoal_sim(exchange: str) -> None:
    with running_sim("--exchange", exchange, "--key", f"{KEY.key}:{KEY.secret}") as sim:
        made = asyncio.run(whole_life(lambda: CLIENTS[exchange](sim, KEY), trade))
        truth = sim.truth()
    ticker, resting, opened, filled, mine, balance = made

    assert ticker["last"] > 0
    assert [it["id"] for it in opened] == [resting["id"]]
    assert (filled["status"], filled["filled"], len(mine) >= 1) == ("closed", 0.01, True)
    assert (balance["BTC"]["total"] > 1, balance["USDT"]["used"]) == (True, 0)
    assert (truth["orders_taken"], truth["placed_twice"]) == (2, [])
