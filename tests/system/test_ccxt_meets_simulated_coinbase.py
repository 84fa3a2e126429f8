"""ccxt, unmodified, meets `shoal sim --exchange coinbase`: a process of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import attrs
import pytest

from adapters.simulator.config import ApiKey
from tests.adapters.ccxt_desk import SYMBOL, coinbase, whole_life
from tests.adapters.coinbase_desk import ANN, EVE
from tests.system.processes import running_sim


async def trade(client: Any) -> tuple[Any, ...]:
    """Watch, sell, rest an order and take it back; return what came of it."""
    await client.load_markets()
    ticker = await client.watch_ticker(SYMBOL)
    book = await client.watch_order_book(SYMBOL)
    sold = await client.create_order(SYMBOL, "market", "sell", 0.01)
    low = client.price_to_precision(SYMBOL, book["bids"][0][0] * 0.9)
    resting = await client.create_order(SYMBOL, "limit", "buy", 0.01, float(low))
    opened = await client.fetch_open_orders(SYMBOL)
    await client.cancel_order(resting["id"], SYMBOL)
    filled = await client.fetch_order(sold["id"], SYMBOL)
    mine = await client.fetch_my_trades(SYMBOL)
    return ticker, resting, opened, filled, mine, await client.fetch_balance()


@pytest.mark.parametrize("key", [ANN, EVE], ids=["Exchange", "Advanced Trade"])
def test_ccxt_trades_on_shoal_sim(key: ApiKey) -> None:
    key = attrs.evolve(key, name="key2")
    word = ":".join(filter(None, (key.key, key.secret, key.passphrase)))
    with running_sim("--exchange", "coinbase", "--key", word) as sim:
        made = asyncio.run(whole_life(lambda: coinbase(sim, key), trade))
        truth = sim.truth()
    ticker, resting, opened, filled, mine, balance = made

    assert ticker["last"] > 0
    assert [it["id"] for it in opened] == [resting["id"]]
    assert (filled["status"], filled["filled"], len(mine) >= 1) == ("closed", 0.01, True)
    assert (balance["BTC"]["total"], balance["USDT"]["total"] > 100_000) == (0.99, True)
    assert (truth["orders_taken"], truth["placed_twice"]) == (2, [])
