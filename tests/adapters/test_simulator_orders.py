"""Orders on the simulator by REST: signatures, times, rules, lives, and the truth."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from adapters.simulator.config import ApiKey, Limits, Listing, SimulatorConfig
from tests.adapters.simulator_desk import ANN, BOB, CONFIG, Rest, in_thread, start

# The official examples: rest-api.md, "SIGNED Endpoint Examples".
DOC_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
DOC_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
DOC_MS = 1499827319559
DOC_TAIL = (
    "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
    f"&timestamp={DOC_MS}"
)
DOC_SIGNED = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
DOC_UNICODE_SIGNED = "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
DOC_CONFIG = SimulatorConfig(
    listings=(
        Listing("LTC/BTC", Decimal("0.2"), quote_min=Decimal("0.0001"), level_quote=10.0),
    ),
    keys=(ApiKey("doc", DOC_KEY, DOC_SECRET, {"BTC": Decimal(1)}),),
)
LIMIT: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}


@pytest.mark.parametrize("place", ["query", "body", "both"])
async def test_the_documented_example_is_taken_wherever_its_parameters_are(
    nursery: trio.Nursery, place: str
) -> None:
    client = Rest((await start(nursery, DOC_CONFIG, unix_ms=DOC_MS)).endpoints)
    payload = f"symbol=LTCBTC&{DOC_TAIL}"
    headers = {
        "X-MBX-APIKEY": DOC_KEY,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    signed = f"{payload}&signature={DOC_SIGNED}"
    query, body = {"query": (signed, ""), "body": ("", signed)}.get(place, ("", ""))
    if place == "both":  # concatenated without a separator, as the documentation says
        query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
        rest = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
        mixed = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
        body = f"{rest}&signature={mixed}"

    answer = await in_thread(
        lambda: client.ask("POST", f"/api/v3/order?{query}", content=body, headers=headers)
    )

    assert answer.json().get("status") == "NEW"


async def test_a_symbol_outside_ascii_is_signed_percent_encoded(
    nursery: trio.Nursery,
) -> None:
    client = Rest((await start(nursery, DOC_CONFIG, unix_ms=DOC_MS)).endpoints)
    symbol = "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96"
    target = f"/api/v3/order?symbol={symbol}&{DOC_TAIL}&signature={DOC_UNICODE_SIGNED}"

    answer = await in_thread(
        lambda: client.ask("POST", target, headers={"X-MBX-APIKEY": DOC_KEY})
    )

    assert answer.json()["code"] == -1121  # the signature was right, the symbol is not


async def test_who_may_not_ask_is_told_why(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)
    stranger = attrs.evolve(client, key=ApiKey("eve", "EVE", "x"))
    forger = attrs.evolve(client, key=ApiKey("ann", ANN.key, "wrong"))
    malformed = attrs.evolve(client, key=ApiKey("eve", "no key!", "x"))
    now_ms = int(time.time() * 1000)

    def answers() -> list[tuple[int, Any, Any]]:
        found = [
            stranger.order(**LIMIT),
            malformed.order(**LIMIT),
            forger.order(**LIMIT),
            client.order(**LIMIT, timestamp=now_ms - 7000),
            client.order(**LIMIT, timestamp=now_ms + 2000),
            client.order(**LIMIT, recvWindow=60001),
            client.ask("POST", "/api/v3/order?timestamp=1"),
        ]
        return [(it.status_code, it.json()["code"], it.json()["msg"]) for it in found]

    assert await in_thread(answers) == [
        (401, -2015, "Invalid API-key, IP, or permissions for action."),
        (401, -2014, "API-key format invalid."),
        (400, -1022, "Signature for this request is not valid."),
        (400, -1021, "Timestamp for this request is outside of the recvWindow."),
        (400, -1021, "Timestamp for this request was 1000ms ahead of the server's time."),
        (400, -1131, "recvWindow must be less than 60000."),
        (
            400,
            -1102,
            "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
        ),
    ]


REFUSALS: list[tuple[dict[str, object], int, str]] = [
    ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
    ({"side": "HOLD"}, -1117, "Invalid side."),
    ({"type": "GUESS"}, -1116, "Invalid orderType."),
    ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
    ({"quantity": "1e-2"}, -1100, "Illegal characters found in parameter 'quantity'"),
    ({"quantity": "-1"}, -1100, "Illegal characters found in parameter 'quantity'"),
    ({"quantity": "0.000000001"}, -1111, "Parameter 'quantity' has too much precision."),
    ({"quantity": "0"}, -1013, "Invalid quantity."),
    ({"price": "0"}, -1013, "Invalid price."),
    ({"price": "50000.001"}, -1013, "Filter failure: PRICE_FILTER"),
    ({"price": "1000"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    ({"quantity": "0.000011"}, -1013, "Filter failure: LOT_SIZE"),
    ({"quantity": "9001"}, -1013, "Filter failure: LOT_SIZE"),
    ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
    ({"quantity": "10"}, -2010, "Account has insufficient balance for requested action."),
    ({"newClientOrderId": "a b"}, -1100, "Illegal characters found in parameter 'newCl"),
    ({"newClientOrderId": "x" * 37}, -1100, "Illegal characters found in parameter 'new"),
    ({"stopPrice": "51000"}, -1106, "Parameter 'stopPrice' sent when not required."),
    ({"quoteOrderQty": "10"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
    ({"colour": "red"}, -1104, "Not all sent parameters were read; read '8' parameter(s)"),
    ({"type": "MARKET"}, -1106, "Parameter 'timeInForce' sent when not required."),
    ({"type": "STOP_LOSS_LIMIT"}, -1102, "Mandatory parameter 'stopPrice' was not sent"),
    (
        {"type": "STOP_LOSS_LIMIT", "stopPrice": "50000"},
        -2010,
        "Order would trigger immediately.",
    ),
    (
        {"type": "MARKET", "timeInForce": None, "price": None, "quantity": "101"},
        -1013,
        "Filter failure: MARKET_LOT_SIZE",
    ),
    (
        {"type": "LIMIT_MAKER", "timeInForce": None, "price": "61000", "quantity": "0.1"},
        -2010,
        "Order would immediately match and take.",
    ),
]


async def test_orders_are_refused_with_the_venues_codes_and_words(
    nursery: trio.Nursery,
) -> None:
    client = Rest((await start(nursery)).endpoints)

    for changes, code, words in REFUSALS:
        params = {k: v for k, v in {**LIMIT, **changes}.items() if v is not None}
        answer = await in_thread(lambda params=params: client.order(**params))
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, code), changes
        assert body["msg"].startswith(words), changes
    assert (await in_thread(client.truth))["orders_taken"] == 0


async def test_a_market_order_is_filled_with_its_fees(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    bought = await in_thread(lambda: client.market("m1", base="0.02"))

    paid = Decimal(bought["cummulativeQuoteQty"])
    fee = sum(Decimal(fill["commission"]) for fill in bought["fills"])
    truth = await in_thread(client.truth)
    assert (bought["status"], fee) == ("FILLED", Decimal("0.00002"))
    assert Decimal(truth["balances"]["ann"]["BTC"]["free"]) == Decimal("2.01998")
    assert Decimal(truth["balances"]["ann"]["USDT"]["free"]) == 50_000 - paid


async def test_an_order_lives_from_new_to_canceled(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    def live() -> list[Any]:
        by_id = {"symbol": "BTCUSDT", "origClientOrderId": "o1"}
        path = "/api/v3/order"
        return [
            client.buy_limit("o1", 50000)["status"],
            client.buy_limit("o1", 50000)["msg"],
            client.signed("GET", path, **by_id).json()["status"],
            len(client.signed("GET", "/api/v3/openOrders").json()),
            client.signed("DELETE", path, **by_id).json()["origClientOrderId"],
            client.signed("DELETE", path, **by_id).json()["msg"],
            client.signed("GET", path, **by_id).json()["status"],
            client.signed("GET", path, symbol="BTCUSDT", orderId=5).json()["code"],
            client.signed("GET", path, symbol="BTCUSDT").json()["code"],
            client.buy_limit("o1", 50000)["status"],
            len(client.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").json()),
            len(client.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT").json()),
        ]

    assert await in_thread(live) == [
        "NEW",
        "Duplicate order sent.",
        "NEW",
        1,
        "o1",
        "Unknown order sent.",
        "CANCELED",
        -2013,
        -1102,
        "NEW",
        1,
        2,
    ]


async def test_the_truth_counts_what_was_asked_and_what_was_placed(
    nursery: trio.Nursery,
) -> None:
    client = Rest((await start(nursery)).endpoints)

    def place() -> Any:
        client.market("once")
        for _ in range(2):
            client.market("twice")
        client.buy_limit("open", 50000)
        client.buy_limit("open", 50000)
        return client.truth()

    truth = await in_thread(place)

    orders = truth["orders"]["ann"]
    assert {name: (it["placed"], it["asked"]) for name, it in orders.items()} == {
        "once": (1, 1),
        "twice": (2, 2),
        "open": (1, 2),
    }
    assert (truth["placed_twice"], truth["asked_twice"]) == (["twice"], ["twice", "open"])


async def test_one_account_does_not_see_anothers_orders(nursery: trio.Nursery) -> None:
    endpoints = (await start(nursery)).endpoints
    ann, bob = Rest(endpoints, ANN), Rest(endpoints, BOB)

    def look() -> tuple[Any, Any]:
        ann.buy_limit("mine", 50000)
        ann.market("traded")
        query = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
        seen = bob.signed("GET", "/api/v3/order", **query).json()
        trades = bob.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT").json()
        return seen["code"], trades

    assert await in_thread(look) == (-2013, [])


async def test_fills_are_listed_by_page_and_by_order(nursery: trio.Nursery) -> None:
    client = Rest((await start(nursery)).endpoints)

    def trade() -> tuple[Any, ...]:
        orders = [client.market(f"t{number}") for number in range(4)]
        path, symbol = "/api/v3/myTrades", "BTCUSDT"
        every = client.signed("GET", path, symbol=symbol).json()
        later = client.signed("GET", path, symbol=symbol, fromId=every[2]["id"]).json()
        newest = client.signed("GET", path, symbol=symbol, limit=1).json()
        first = client.signed("GET", path, symbol=symbol, orderId=orders[0]["orderId"])
        bad = client.signed("GET", path, symbol=symbol, fromId=1, startTime=1).json()
        long = client.signed("GET", path, symbol=symbol, startTime=1, endTime=10**12)
        return every, later, newest, first.json(), bad["code"], long.json()["code"]

    every, later, newest, first, bad, long = await in_thread(trade)

    assert (later, newest, first) == (every[2:], every[-1:], every[:1])
    assert (bad, long) == (-1128, -1127)


async def test_order_test_checks_everything_and_places_nothing(
    nursery: trio.Nursery,
) -> None:
    client = Rest((await start(nursery)).endpoints)

    def try_it() -> tuple[Any, Any, Any]:
        path = "/api/v3/order/test"
        good = client.signed("POST", path, **LIMIT).json()
        bad = client.signed("POST", path, **{**LIMIT, "price": "1.001"}).json()
        return good, bad["msg"], client.truth()["orders_taken"]

    assert await in_thread(try_it) == ({}, "Filter failure: PRICE_FILTER", 0)


async def test_too_many_unfilled_orders_are_refused(nursery: trio.Nursery) -> None:
    config = attrs.evolve(CONFIG, limits=Limits(orders_10s=3))
    client = Rest((await start(nursery, config)).endpoints)

    def place() -> list[Any]:
        return [client.buy_limit(f"n{number}", 50000).get("code") for number in range(9)]

    codes = await in_thread(place)

    assert codes.count(-1015) >= 3
    assert codes[0] is None


async def test_a_stop_fires_when_the_market_reaches_it(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)
    best = simulator.exchange.wares["BTCUSDT"].book.bids.top()[0]
    stop = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_LOSS_LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "50000",
        "stopPrice": f"{best - 1000:.2f}",
        "newClientOrderId": "s1",
    }

    placed = await in_thread(lambda: client.order(**stop).json())
    simulator.exchange.engine.tell_last("BTCUSDT", best - 1000, 1)
    found = await in_thread(
        lambda: client.signed(
            "GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="s1"
        ).json()
    )

    assert placed["clientOrderId"] == "s1"
    assert "status" not in placed  # conditional orders are acknowledged only
    assert (found["status"], found["isWorking"]) == ("FILLED", True)


async def test_a_large_order_fills_bit_by_bit_as_the_book_refills(
    nursery: trio.Nursery,
) -> None:
    config = attrs.evolve(CONFIG, ticks_per_s=100.0)
    simulator = await start(nursery, config)
    client = Rest(simulator.endpoints)
    best = simulator.exchange.wares["BTCUSDT"].book.asks.top()[0]

    await in_thread(lambda: client.buy_limit("big", f"{best + 1:.2f}", "0.8"))
    order = simulator.exchange.engine.by_client["ann", "big"][0]
    with trio.fail_after(10):
        await trio.sleep(0.1)
        while order.is_open:  # noqa: ASYNC110 -- the engine has nothing to wait on
            await trio.sleep(0.02)

    trades = [fill.trade.trade_id for fill in order.fills]
    assert (order.filled_base, len(trades)) == (Decimal("0.8"), len(set(trades)))
    assert max(fill.trade.price for fill in order.fills) <= best + 1
