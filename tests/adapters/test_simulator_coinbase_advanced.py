"""Coinbase Advanced Trade on the simulator: tokens, orders, refusals, numbered messages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest
import trio

from adapters.simulator.coinbase_texts import micro
from adapters.simulator.server import Simulator
from tests.adapters.coinbase_desk import (
    BOB,
    CONFIG,
    EVE,
    QUICK,
    STILL,
    Advanced,
    advanced_url,
    start,
)
from tests.adapters.simulator_desk import closing, hear, hear_until, in_thread, socket

ORDERS = "GET api.coinbase.com/api/v3/brokerage/orders/historical/batch"


@pytest.mark.parametrize("key", [BOB, EVE], ids=["ES256", "Ed25519"])
async def test_a_token_of_either_kind_of_key_is_taken(
    nursery: trio.Nursery, key: Any
) -> None:
    client = Advanced(await start(nursery), key)

    answer = await in_thread(lambda: client.ask("GET", "/accounts"))

    held = {
        row["currency"]: row["available_balance"]["value"]
        for row in answer.json()["accounts"]
    }
    assert Decimal(held["USD"]) == 50_000


@pytest.mark.parametrize(
    ("uri", "more"),
    [
        ("GET api.coinbase.com/api/v3/brokerage/accounts", {}),
        ("POST api.coinbase.com/api/v3/brokerage/orders/historical/batch", {}),
        ("GET evil.example/api/v3/brokerage/orders/historical/batch", {}),
        (None, {}),
        (ORDERS, {"age_s": 121}),
        (ORDERS, {"life_s": 121}),
        (ORDERS, {"age_s": -5}),
    ],
)
async def test_a_token_for_something_else_or_another_time_is_unauthorized(
    nursery: trio.Nursery, uri: str | None, more: dict[str, int]
) -> None:
    client = Advanced(await start(nursery))

    def ask() -> tuple[int, str]:
        token = client.token(uri, **more)
        answer = client.bearing(token, "GET", "/orders/historical/batch")
        return answer.status_code, answer.text

    assert await in_thread(ask) == (401, "Unauthorized\n")


async def test_a_token_that_another_key_signed_is_unauthorized(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery)
    forged = Advanced(endpoints, attrs.evolve(EVE, key=BOB.key))

    answer = await in_thread(lambda: forged.ask("GET", "/orders/historical/batch"))

    assert answer.status_code == 401


async def test_a_changed_token_is_unauthorized(nursery: trio.Nursery) -> None:
    client = Advanced(await start(nursery))

    def ask() -> int:
        head, body, signature = client.token(ORDERS).split(".")
        other = client.token(ORDERS, life_s=60).split(".")[1]
        token = ".".join((head, other, signature))
        assert other != body
        return client.bearing(token, "GET", "/orders/historical/batch").status_code

    assert await in_thread(ask) == 401


async def test_an_order_lives_is_listed_and_stays_after_its_cancel(
    nursery: trio.Nursery,
) -> None:
    client = Advanced(await start(nursery))

    def trade() -> tuple[Any, ...]:
        placed = client.limit("free text 1")
        order_id = placed["success_response"]["order_id"]
        resting = client.get("/orders/historical/batch?order_status=OPEN")["orders"]
        cancel = {"order_ids": [order_id, "nope"]}
        canceled = client.ask("POST", "/orders/batch_cancel", cancel).json()["results"]
        ended = client.get(f"/orders/historical/{order_id}")["order"]
        return placed, resting, canceled, ended

    placed, resting, canceled, ended = await in_thread(trade)
    assert placed["success_response"]["client_order_id"] == "free text 1"
    assert placed["order_configuration"] == {
        "limit_limit_gtc": {"base_size": "0.01", "limit_price": "50000", "post_only": False}
    }
    assert [(it["client_order_id"], it["outstanding_hold_amount"]) for it in resting] == [
        ("free text 1", "503")
    ]
    assert [(it["success"], it["failure_reason"]) for it in canceled] == [
        (True, "UNKNOWN_CANCEL_FAILURE_REASON"),
        (False, "UNKNOWN_CANCEL_ORDER"),
    ]
    assert ended["status"] == "CANCELLED"


async def test_the_same_client_order_id_is_the_same_order(nursery: trio.Nursery) -> None:
    simulator = Simulator(CONFIG)
    await nursery.start(simulator.run)
    client = Advanced(simulator.endpoints)

    def trade() -> list[Any]:
        return [client.limit("one"), client.limit("one", price="40000")]

    first, second = await in_thread(trade)
    assert first == second
    assert simulator.exchange.orders_taken == 1


async def test_a_market_order_pays_its_fee_in_quote_out_of_its_size(
    nursery: trio.Nursery,
) -> None:
    client = Advanced(await start(nursery))

    def trade() -> tuple[Any, list[Any]]:
        placed = client.place("m", {"market_market_ioc": {"quote_size": "600"}})
        order_id = placed["success_response"]["order_id"]
        order = client.get(f"/orders/historical/{order_id}")["order"]
        return order, client.get(f"/orders/historical/fills?order_ids={order_id}")["fills"]

    order, fills = await in_thread(trade)
    assert (order["status"], order["order_type"]) == ("FILLED", "MARKET")
    assert Decimal(599) < Decimal(order["total_value_after_fees"]) <= Decimal(600)
    assert {it["liquidity_indicator"] for it in fills} == {"TAKER"}
    assert sum(Decimal(it["commission"]) for it in fills) == Decimal(order["total_fees"])


LIMIT = {"base_size": "0.01", "limit_price": "50000"}
STOP = LIMIT | {"stop_price": "61000", "stop_direction": "STOP_DIRECTION_STOP_DOWN"}


@pytest.mark.parametrize(
    ("change", "error", "preview"),
    [
        ({"product_id": "NOPE-USD"}, "INVALID_PRODUCT_ID", ""),
        ({"side": "UP"}, "INVALID_SIDE", ""),
        ({"order_configuration": {}}, "INVALID_REQUEST", ""),
        (
            {"order_configuration": {"trigger_bracket_gtc": LIMIT}},
            "UNSUPPORTED_ORDER_CONFIGURATION",
            "",
        ),
        (
            {"order_configuration": {"limit_limit_gtc": LIMIT | {"limit_price": "1.001"}}},
            "INVALID_PRICE_PRECISION",
            "PREVIEW_INVALID_PRICE_PRECISION",
        ),
        (
            {"order_configuration": {"limit_limit_gtc": LIMIT | {"base_size": "9"}}},
            "INSUFFICIENT_FUND",
            "PREVIEW_INSUFFICIENT_FUND",
        ),
        (
            {"side": "SELL", "order_configuration": {"stop_limit_stop_limit_gtc": STOP}},
            "UNKNOWN_FAILURE_REASON",
            "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
        ),
    ],
)
async def test_an_order_is_refused_inside_an_answer_of_status_200(
    nursery: trio.Nursery, change: dict[str, Any], error: str, preview: str
) -> None:
    client = Advanced(await start(nursery))
    order = {
        "client_order_id": "c",
        "product_id": "BTC-USD",
        "side": "BUY",
        "order_configuration": {"limit_limit_gtc": LIMIT},
    }

    answer = await in_thread(lambda: client.ask("POST", "/orders", order | change))

    body = answer.json()
    assert (answer.status_code, body["success"]) == (200, False)
    assert body["error_response"]["error"] == error
    unknown = "UNKNOWN_PREVIEW_FAILURE_REASON"
    assert body["error_response"]["preview_failure_reason"] == preview or unknown


async def test_a_resting_order_is_edited_and_keeps_its_id(nursery: trio.Nursery) -> None:
    client = Advanced(await start(nursery))

    def trade() -> tuple[Any, ...]:
        order_id = client.limit("e")["success_response"]["order_id"]
        change = {"order_id": order_id, "price": "51000", "size": "0.02"}
        edited = client.ask("POST", "/orders/edit", change).json()
        order = client.get(f"/orders/historical/{order_id}")["order"]
        refusals = [
            client.ask("POST", "/orders/edit", {"order_id": order_id} | more).json()
            for more in ({"price": "1.001"}, {"size": "9"}, {"order_id": "nope"})
        ]
        return edited, order, [it["errors"][0]["edit_failure_reason"] for it in refusals]

    edited, order, refusals = await in_thread(trade)
    assert (edited["success"], order["status"]) == (True, "OPEN")
    assert order["order_configuration"]["limit_limit_gtc"] == {
        "base_size": "0.02", "limit_price": "51000", "post_only": False,
    }  # fmt: skip
    assert order["outstanding_hold_amount"] == "1026.12"
    assert refusals == [
        "INVALID_EDITED_PRICE", "COMMANDER_REJECTED_EDIT_ORDER", "ORDER_NOT_FOUND",
    ]  # fmt: skip


async def test_a_good_till_date_order_expires(nursery: trio.Nursery) -> None:
    simulator = Simulator(CONFIG)
    await nursery.start(simulator.run)
    client = Advanced(simulator.endpoints)
    end_ms = simulator.exchange.now_ms() + 60_000
    until = {"end_time": micro(end_ms), "post_only": True}

    def place() -> Any:
        placed = client.place("g", {"limit_limit_gtd": LIMIT | until})
        return placed["success_response"]["order_id"]

    order_id = await in_thread(place)
    simulator.dialect.beat(end_ms, 10)
    ended = await in_thread(lambda: client.get(f"/orders/historical/{order_id}"))

    assert ended["order"]["status"] == "EXPIRED"
    assert ended["order"]["time_in_force"] == "GOOD_UNTIL_DATE_TIME"


async def test_a_query_for_nobodys_order_is_not_found(nursery: trio.Nursery) -> None:
    client = Advanced(await start(nursery))

    answer = await in_thread(lambda: client.ask("GET", "/orders/historical/nope"))

    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


async def test_candles_books_and_trades_are_public(nursery: trio.Nursery) -> None:
    client = Advanced(await start(nursery))
    market = "/market/products/BTC-USD"

    def ask() -> tuple[Any, ...]:
        span = "start=1700000000&end=1700003000&granularity=ONE_MINUTE"
        far = "start=1700000000&end=1800003000&granularity=ONE_MINUTE"
        return (
            client.bearing("none", "GET", f"{market}/candles?{span}").json()["candles"],
            client.bearing("none", "GET", f"{market}/candles?{far}").json(),
            client.bearing("none", "GET", "/market/product_book?product_id=BTC-USD").json(),
            client.bearing("none", "GET", "/market/products").json(),
        )

    candles, too_many, book, products = await in_thread(ask)
    assert [int(it["start"]) for it in candles] == sorted(
        (int(it["start"]) for it in candles), reverse=True
    )
    assert too_many["error"] == "INVALID_ARGUMENT"
    assert book["pricebook"]["product_id"] == "BTC-USD"
    assert [it["product_id"] for it in products["products"]] == ["BTC-USD", "ETH-USD"]


async def test_messages_of_a_connection_are_numbered_without_a_gap(
    nursery: trio.Nursery,
) -> None:
    client = Advanced(await start(nursery))
    channels = ("level2", "market_trades", "ticker", "candles")

    def read() -> list[Any]:
        with socket(advanced_url(client.endpoints)) as ws:
            for channel in channels:
                ws.send(client.subscription(channel))
            ws.send(json.dumps({"type": "subscribe", "channel": "heartbeats"}))
            return hear(ws, 2.5)

    heard = await in_thread(read)
    numbers = [it["sequence_num"] for it in heard]
    told = {it["channel"] for it in heard}
    assert numbers == list(range(len(heard)))
    assert told == {"subscriptions", "l2_data", "heartbeats", *channels} - {"level2"}
    assert [it["channel"] for it in heard[:2]] == ["l2_data", "subscriptions"]
    beats = [
        it["events"][0]["heartbeat_counter"]
        for it in heard
        if it["channel"] == "heartbeats"
    ]
    assert beats == list(range(len(beats)))


async def test_a_lost_message_leaves_a_gap_in_the_numbers(nursery: trio.Nursery) -> None:
    client = Advanced(await start(nursery))
    fault = json.dumps({"kind": "silence", "duration_s": 0.5})

    def read() -> list[int]:
        with socket(advanced_url(client.endpoints)) as ws:
            ws.send(client.subscription("level2"))
            hear_until(ws, lambda it: it["channel"] == "l2_data")
            client.bearing("none", "GET", "/time")
            post_fault(client, fault)
            return [it["sequence_num"] for it in hear(ws, 1.5)]

    numbers = await in_thread(read)
    assert numbers != list(range(numbers[0], numbers[0] + len(numbers)))


def post_fault(client: Advanced, fault: str) -> None:
    url = f"{client.endpoints.rest_url}/simulator/faults"
    httpx.post(url, content=fault, trust_env=False).raise_for_status()


async def test_the_user_channel_tells_open_orders_then_every_change(
    nursery: trio.Nursery,
) -> None:
    client = Advanced(await start(nursery, attrs.evolve(CONFIG, listings=(STILL,))))

    def trade() -> list[Any]:
        client.limit("old")
        url = advanced_url(client.endpoints, "/advanced-trade-ws-user")
        with socket(url) as ws:
            ws.send(client.subscription("user", product=""))
            hear_until(ws, lambda it: it["channel"] == "subscriptions")
            client.place("new", {"market_market_ioc": {"base_size": "0.01"}})
            return hear(ws, 0.7)

    orders = [it["events"][0]["orders"][0] for it in await in_thread(trade)]
    assert [(it["client_order_id"], it["status"]) for it in orders] == [
        ("new", "OPEN"),
        ("new", "FILLED"),
    ]
    assert (orders[1]["cumulative_quantity"], orders[1]["leaves_quantity"]) == ("0.01", "0")
    assert (orders[1]["avg_price"], orders[1]["number_of_fills"]) == ("60000.01", "1")
    assert orders[1]["total_fees"] == "3.6000006"


async def test_the_user_channel_is_not_opened_without_a_token(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery)

    def read() -> Any:
        with socket(advanced_url(endpoints)) as ws:
            ws.send(json.dumps({"type": "subscribe", "channel": "user"}))
            return json.loads(ws.recv(timeout=5))

    answer = await in_thread(read)
    assert answer == {"type": "error", "message": "authentication failure"}


async def test_who_subscribes_to_nothing_in_time_is_sent_away(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery, QUICK)

    def read() -> Any:
        with socket(advanced_url(endpoints)) as ws:
            return closing(ws)

    closed = await in_thread(read)
    assert closed is not None
    assert closed.rcvd is not None
    assert closed.rcvd.code == 1008
