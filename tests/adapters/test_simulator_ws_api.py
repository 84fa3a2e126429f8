"""The simulator's WS-API: requests, signatures, and the private stream."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import attrs
import trio

from adapters.simulator.config import ApiKey, Listing, SimulatorConfig
from tests.adapters.simulator_desk import (
    ANN,
    Rest,
    hear,
    hear_until,
    in_thread,
    request,
    socket,
    start,
    ws_params,
)
from tests.adapters.test_simulator_orders import DOC_KEY, DOC_SECRET

# web-socket-api.md, "SIGNED request example (HMAC)".
DOC_MS = 1645423376532
DOC_SIGNED = "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
DOC_UNICODE_SIGNED = "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"
DOC_ORDER: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01000000",
    "price": "52000.00",
    "recvWindow": 100,
    "timestamp": DOC_MS,
    "apiKey": DOC_KEY,
}
DOC_CONFIG = SimulatorConfig(
    listings=(Listing("BTC/USDT", Decimal(40_000)),),
    keys=(ApiKey("doc", DOC_KEY, DOC_SECRET, {"BTC": Decimal(1)}),),
)
BUY: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "MARKET",
    "quantity": "0.01",
}


async def test_the_documented_example_is_taken(nursery: trio.Nursery) -> None:
    config = attrs.evolve(DOC_CONFIG)
    simulator = await start(nursery, config, unix_ms=DOC_MS - 950)
    params: dict[str, object] = {**DOC_ORDER, "signature": DOC_SIGNED}

    def place() -> Any:
        with socket(simulator.endpoints.ws_api_url) as ws:
            return request(ws, "order.place", params)

    answer = await in_thread(place)

    assert (answer["status"], answer["result"]["status"]) == (200, "NEW")


async def test_names_outside_ascii_are_signed_as_they_are(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, DOC_CONFIG, unix_ms=DOC_MS)
    params: dict[str, object] = {
        **DOC_ORDER,
        "symbol": "１２３４５６",  # noqa: RUF001 -- the documentation's own example
        "side": "BUY",
        "price": "0.10000000",
        "quantity": "1.00000000",
        "recvWindow": 5000,
        "signature": DOC_UNICODE_SIGNED,
    }

    def place() -> Any:
        with socket(simulator.endpoints.ws_api_url) as ws:
            return request(ws, "order.place", params)

    answer = await in_thread(place)

    assert answer["error"]["code"] == -1121  # the signature was right, the symbol is not


async def test_an_order_is_placed_queried_and_canceled(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    limit = {**BUY, "type": "LIMIT", "timeInForce": "GTC", "price": "50000"}
    by_id: dict[str, object] = {"symbol": "BTCUSDT", "origClientOrderId": "w1"}

    def live() -> list[Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            place = ws_params(ANN, **limit, newClientOrderId="w1")
            one = {"symbol": "BTCUSDT"}
            return [
                request(ws, "order.place", place)["result"]["status"],
                request(ws, "order.place", place)["error"],
                request(ws, "order.status", ws_params(ANN, **by_id))["result"]["status"],
                len(request(ws, "openOrders.status", ws_params(ANN, **one))["result"]),
                request(ws, "order.cancel", ws_params(ANN, **by_id))["result"]["status"],
                request(ws, "order.cancel", ws_params(ANN, **by_id))["error"],
                request(ws, "account.status", ws_params(ANN))["result"]["canTrade"],
            ]

    assert await in_thread(live) == [
        "NEW",
        {"code": -2010, "msg": "Duplicate order sent."},
        "NEW",
        1,
        "CANCELED",
        {"code": -2011, "msg": "Unknown order sent."},
        True,
    ]


async def test_answers_list_the_limits_unless_told_not_to(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)

    def ask() -> tuple[Any, Any, Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            plain = request(ws, "time", {})
            quiet = request(ws, "ping", {"returnRateLimits": False})
            order = request(ws, "order.place", ws_params(ANN, **BUY))
            return plain, quiet, order

    plain, quiet, order = await in_thread(ask)

    assert [it["rateLimitType"] for it in plain["rateLimits"]] == ["REQUEST_WEIGHT"]
    assert "rateLimits" not in quiet
    assert [it["rateLimitType"] for it in order["rateLimits"]] == [
        "ORDERS",
        "ORDERS",
        "REQUEST_WEIGHT",
    ]


async def test_what_is_not_a_request_is_refused_and_the_connection_lives(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)

    def ask() -> list[Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            ws.send("nonsense")
            garbage = json.loads(ws.recv(timeout=5))
            return [
                garbage["error"]["code"],
                request(ws, "no.such", {})["error"]["code"],
                request(ws, "order.place", dict(BUY))["error"]["code"],
                request(ws, "ping", {})["status"],
            ]

    assert await in_thread(ask) == [-1135, -1130, -1102, 200]


async def test_private_events_come_wrapped_and_in_order(nursery: trio.Nursery) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)

    def live() -> tuple[Any, list[Any], Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            answer = request(ws, "userDataStream.subscribe.signature", ws_params(ANN))
            bought = client.market("p1")
            client.buy_limit("p2", 50000)
            client.signed(
                "DELETE",
                "/api/v3/order",
                symbol="BTCUSDT",
                origClientOrderId="p2",
                newClientOrderId="undo",
            )
            heard = hear_until(ws, lambda it: it["event"].get("x") == "CANCELED")
            return answer, heard, bought

    answer, heard, bought = await in_thread(live)
    reports = [it["event"] for it in heard if it["event"]["e"] == "executionReport"]
    positions = [it["event"] for it in heard if it["event"]["e"] != "executionReport"]

    assert answer["result"] == {"subscriptionId": 0}
    assert {it["subscriptionId"] for it in heard} == {0}
    assert [(it["x"], it["X"], it["c"], it["C"]) for it in reports] == [
        ("NEW", "NEW", "p1", ""),
        ("TRADE", "FILLED", "p1", ""),
        ("NEW", "NEW", "p2", ""),
        ("CANCELED", "CANCELED", "undo", "p2"),
    ]
    fill = bought["fills"][0]
    assert (reports[1]["t"], reports[1]["L"]) == (fill["tradeId"], fill["price"])
    assert {row["a"] for row in positions[0]["B"]} == {"USDT", "BTC"}


async def test_a_subscription_ends_when_told_and_is_one_per_account(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)
    subscribe = "userDataStream.subscribe.signature"

    def live() -> list[Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            first = request(ws, subscribe, ws_params(ANN))["status"]
            second = request(ws, subscribe, ws_params(ANN))["error"]["code"]
            ended = request(ws, "userDataStream.unsubscribe", {})["status"]
            again = request(ws, "userDataStream.unsubscribe", {})["error"]["code"]
            client.market("quiet")
            return [first, second, ended, again, hear(ws, 0.5)]

    assert await in_thread(live) == [200, -2035, 200, -2036, []]
