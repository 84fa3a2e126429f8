"""The simulator's cancel-and-replace: its rules, its refusals, and what faults do to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest
import trio

from adapters.simulator.config import Limits
from adapters.simulator.faults import Fault
from adapters.simulator.server import Simulator
from tests.adapters.simulator_desk import (
    ANN,
    CONFIG,
    Rest,
    hear_until,
    in_thread,
    request,
    socket,
    start,
    ws_params,
)

PATH = "/api/v3/order/cancelReplace"
LIMIT: dict[str, object] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}
REPLACE: dict[str, object] = {
    **LIMIT,
    "price": "49000",
    "cancelReplaceMode": "STOP_ON_FAILURE",
    "cancelOrigClientOrderId": "old",
    "cancelRestrictions": "ONLY_NEW",
    "newClientOrderId": "new",
}
STOP: dict[str, object] = {
    **LIMIT,
    "side": "SELL",
    "type": "STOP_LOSS_LIMIT",
    "quantity": "2",  # all that the account holds
    "stopPrice": "51000",
}


def statuses(simulator: Simulator) -> dict[str, str]:
    engine = simulator.exchange.engine
    return {
        name: order.status.value
        for (_, name), orders in engine.by_client.items()
        for order in orders
    }


async def test_an_order_is_cancelled_and_another_placed_on_both_roads(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)

    def live() -> tuple[httpx.Response, Any]:
        client.order(**LIMIT, newClientOrderId="old")
        by_rest = client.signed("POST", PATH, **REPLACE)
        with socket(simulator.endpoints.ws_api_url) as ws:
            again = {
                **REPLACE,
                "cancelOrigClientOrderId": "new",
                "newClientOrderId": "newer",
                "cancelNewClientOrderId": "undo",
            }
            return by_rest, request(ws, "order.cancelReplace", ws_params(ANN, **again))

    by_rest, by_socket = await in_thread(live)
    first, second = by_rest.json(), by_socket["result"]

    assert (by_rest.status_code, by_socket["status"]) == (200, 200)
    assert (first["cancelResult"], first["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert first["cancelResponse"]["origClientOrderId"] == "old"
    assert first["newOrderResponse"]["clientOrderId"] == "new"
    assert second["cancelResponse"]["clientOrderId"] == "undo"
    assert second["newOrderResponse"]["status"] == "NEW"
    assert statuses(simulator) == {"old": "canceled", "new": "canceled", "newer": "open"}


async def test_a_stop_s_replacement_uses_the_coins_that_the_old_stop_had_locked(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)
    replacement = {**REPLACE, **STOP, "stopPrice": "52000"}

    def live() -> tuple[Any, Any]:
        client.order(**STOP, newClientOrderId="old")
        short = client.order(**STOP, newClientOrderId="second").json()
        return short, client.signed("POST", PATH, **replacement).json()

    short, answer = await in_thread(live)
    btc = simulator.exchange.engine.wallets.holding("ann", "BTC")
    simulator.exchange.engine.tell_last("BTCUSDT", Decimal(51999), 1)
    order = simulator.exchange.engine.by_client["ann", "new"][0]

    assert short["code"] == -2010
    assert answer["newOrderResult"] == "SUCCESS"
    assert (btc.free, statuses(simulator)["old"]) == (Decimal(0), "canceled")
    assert order.working_ms >= 0  # it has fired, and works as a limit order now


ODD: list[tuple[dict[str, object], int, int, str]] = [
    ({"cancelReplaceMode": ""}, 400, -1102, "'cancelReplaceMode' was not sent"),
    ({"cancelReplaceMode": "MAYBE"}, 400, -1130, "'cancelReplaceMode' is not valid"),
    ({"cancelRestrictions": "ANY"}, 400, -1145, "Invalid cancelRestrictions"),
    ({"orderRateLimitExceededMode": "X"}, 400, -1130, "ExceededMode' is not valid"),
    ({"cancelOrigClientOrderId": None}, 400, -1102, "but both were empty/null!"),
    ({"price": "1.001"}, 400, -1013, "Filter failure: PRICE_FILTER"),
    ({"surprise": 1}, 400, -1104, "Not all sent parameters were read"),
    ({"symbol": "NOPE"}, 400, -1121, "Invalid symbol."),
    ({"newClientOrderId": "no spaces"}, 400, -1100, "Illegal characters"),
]


@pytest.mark.parametrize(("change", "status", "code", "text"), ODD)
async def test_a_malformed_request_leaves_the_old_order_alone(
    nursery: trio.Nursery, change: dict[str, object], status: int, code: int, text: str
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)
    asked = {n: v for n, v in {**REPLACE, **change}.items() if v is not None}

    def live() -> httpx.Response:
        client.order(**LIMIT, newClientOrderId="old")
        return client.signed("POST", PATH, **asked)

    answer = await in_thread(live)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert text in answer.json()["msg"]
    assert statuses(simulator) == {"old": "open"}


TRIGGERED = {**REPLACE, **STOP, "stopPrice": "199000", "price": "198000"}
HALVES = ("cancelResponse", "newOrderResponse")
FAILURES: list[tuple[str, dict[str, object], int, list[object], dict[str, str]]] = [
    (
        "gone, so nothing is attempted",
        {**REPLACE, "cancelOrigClientOrderId": "nobody"},
        400,
        [-2022, "FAILURE", "NOT_ATTEMPTED", -2011, None],
        {"old": "open"},
    ),
    (
        "restricted, so nothing is attempted",
        {**REPLACE, "cancelRestrictions": "ONLY_PARTIALLY_FILLED"},
        400,
        [-2022, "FAILURE", "NOT_ATTEMPTED", -2011, None],
        {"old": "open"},
    ),
    (
        "cancelled, then refused",
        TRIGGERED,
        409,
        [-2021, "SUCCESS", "FAILURE", None, -2010],
        {"old": "canceled"},
    ),
    (
        "placed although nothing was cancelled",
        {**REPLACE, "cancelOrigClientOrderId": "no", "cancelReplaceMode": "ALLOW_FAILURE"},
        409,
        [-2021, "FAILURE", "SUCCESS", -2011, None],
        {"old": "open", "new": "open"},
    ),
    (
        "neither",
        {
            **TRIGGERED,
            "cancelOrigClientOrderId": "no",
            "cancelReplaceMode": "ALLOW_FAILURE",
        },
        400,
        [-2022, "FAILURE", "FAILURE", -2011, -2010],
        {"old": "open"},
    ),
]


@pytest.mark.parametrize(
    ("asked", "status", "said", "left"),
    [row[1:] for row in FAILURES],
    ids=[row[0] for row in FAILURES],
)
async def test_a_half_that_fails_is_told_with_its_reason(
    nursery: trio.Nursery,
    asked: dict[str, object],
    status: int,
    said: list[object],
    left: dict[str, str],
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)

    def live() -> tuple[httpx.Response, Any]:
        client.order(**LIMIT, newClientOrderId="old")
        answer = client.signed("POST", PATH, **asked)
        with socket(simulator.endpoints.ws_api_url) as ws:
            cancel = {"symbol": "BTCUSDT", "origClientOrderId": "new"}
            request(ws, "order.cancel", ws_params(ANN, **cancel))
            if "old" in left and left["old"] == "canceled":
                client.order(**LIMIT, newClientOrderId="old")
            return answer, request(ws, "order.cancelReplace", ws_params(ANN, **asked))

    by_rest, by_socket = await in_thread(live)
    fault = by_rest.json()
    data = fault["data"]

    assert by_rest.status_code == status
    assert [
        fault["code"],
        data["cancelResult"],
        data["newOrderResult"],
        *[data[half] and data[half].get("code") for half in HALVES],
    ] == said
    assert statuses(simulator) == left
    assert by_socket["status"] == status
    assert by_socket["error"]["data"]["cancelResult"] == said[1]


async def test_what_has_begun_to_fill_is_not_cancelled(nursery: trio.Nursery) -> None:
    rich = attrs.evolve(ANN, balances={"USDT": Decimal(10**7)})
    still = attrs.evolve(CONFIG, ticks_per_s=0.001, keys=(rich,))
    simulator = await start(nursery, still)
    client = Rest(simulator.endpoints)
    price, depth = simulator.exchange.wares["BTCUSDT"].book.asks.top()
    asked = {**REPLACE, "quantity": "0.01"}

    def live() -> Any:
        client.buy_limit("old", f"{price:.2f}", f"{depth + Decimal('0.01'):.5f}")
        return client.signed("POST", PATH, **asked).json()

    answer = await in_thread(live)

    assert statuses(simulator) == {"old": "partially_filled"}
    assert answer["data"]["cancelResponse"] == {
        "code": -2011,
        "msg": "Order was not canceled due to cancel restrictions.",
    }


async def test_an_account_with_too_many_orders_keeps_the_old_one_unless_told_otherwise(
    nursery: trio.Nursery,
) -> None:
    config = attrs.evolve(CONFIG, limits=Limits(orders_1d=1))
    simulator = await start(nursery, config)
    client = Rest(simulator.endpoints)
    anyway = {**REPLACE, "orderRateLimitExceededMode": "CANCEL_ONLY"}

    def live() -> tuple[Any, dict[str, str], httpx.Response]:
        client.order(**LIMIT, newClientOrderId="old")
        refused = client.signed("POST", PATH, **REPLACE)
        kept = statuses(simulator)
        return refused.json(), kept, client.signed("POST", PATH, **anyway)

    refused, kept, cancelled = await in_thread(live)

    assert (refused["code"], kept) == (-1015, {"old": "open"})
    assert cancelled.status_code == 409
    assert cancelled.json()["data"]["newOrderResponse"]["code"] == -1015
    assert statuses(simulator) == {"old": "canceled"}


@pytest.mark.parametrize("asked", [REPLACE, TRIGGERED], ids=["whole", "partly"])
@pytest.mark.parametrize("kind", ["lost_ack", "server_error"])
async def test_faults_take_the_answer_and_leave_what_was_done(
    nursery: trio.Nursery, kind: Any, asked: dict[str, object]
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)

    def live() -> object:
        client.order(**LIMIT, newClientOrderId="old")
        simulator.exchange.faults.begin(Fault(kind, times=1), 0)
        try:
            return client.signed("POST", PATH, **asked).status_code
        except httpx.RemoteProtocolError:
            return "cut"

    assert await in_thread(live) == {"lost_ack": "cut", "server_error": 504}[kind]
    assert statuses(simulator)["old"] == "canceled"


async def test_the_private_stream_names_the_cancelled_order_by_its_own_id(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery)
    client = Rest(simulator.endpoints)

    def live() -> list[Any]:
        with socket(simulator.endpoints.ws_api_url) as ws:
            request(ws, "userDataStream.subscribe.signature", ws_params(ANN))
            client.order(**LIMIT, newClientOrderId="old")
            client.signed("POST", PATH, **REPLACE)
            return hear_until(ws, lambda it: it["event"].get("c") == "new")

    heard = await in_thread(live)
    reports = [it["event"] for it in heard if it["event"]["e"] == "executionReport"]

    assert [(it["x"], it["C"] or it["c"]) for it in reports] == [
        ("NEW", "old"),
        ("CANCELED", "old"),
        ("NEW", "new"),
    ]
