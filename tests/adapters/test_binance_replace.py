"""Cancel-and-replace: one request, two halves, each judged by what the venue said of it.

The bodies are the documentation's own: web-socket-api.md, "Cancel and replace order".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest
import trio
from trio_websocket import WebSocketConnection

from actors.messages import (
    OrderStatus,
    OrderType,
    Side,
    VenueAck,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.ports import Trading
from adapters.binance.codec.envelope import Request
from adapters.binance.replaced import NOT_REPLACED
from adapters.binance.trading import NOT_SENT
from tests.adapters.binance_desk import BUY, KEY, NOW_MS, SECRET, Sealed, opened
from tests.adapters.peers import http
from tests.adapters.test_binance_order_socket import with_socket

KEYS = (Sealed(KEY), Sealed(SECRET))
OLD, NEW = "4d96324ff9d44481926157", "bX5wROblo6YeDwa9iTLeyY"
STOP = attrs.evolve(
    BUY,
    client_order_id=NEW,
    side=Side.SELL,
    order_type=OrderType.STOP_LOSS_LIMIT,
    limit_price=Decimal(98),
    stop_price=Decimal("99.5"),
)
CANCELED: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "origClientOrderId": OLD,
    "orderId": 125690984230,
    "orderListId": -1,
    "clientOrderId": "91fe37ce9e69c90d6358c0",
    "transactTime": 1684804350068,
    "price": "23450.00000000",
    "origQty": "0.00847000",
    "executedQty": "0.00000000",
    "origQuoteOrderQty": "0.000000",
    "cummulativeQuoteQty": "0.00000000",
    "status": "CANCELED",
    "timeInForce": "GTC",
    "type": "LIMIT",
    "side": "SELL",
    "selfTradePreventionMode": "NONE",
}
PLACED: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "orderId": 12569099453,
    "orderListId": -1,
    "clientOrderId": NEW,
    "transactTime": 1660813156959,
    "price": "23416.10000000",
    "origQty": "0.00847000",
    "executedQty": "0.00000000",
    "origQuoteOrderQty": "0.000000",
    "cummulativeQuoteQty": "0.00000000",
    "status": "NEW",
    "timeInForce": "GTC",
    "type": "LIMIT",
    "side": "SELL",
    "selfTradePreventionMode": "NONE",
}
UNTIMED = {name: value for name, value in CANCELED.items() if name != "transactTime"}
GONE: dict[str, Any] = {"code": -2011, "msg": "Unknown order sent."}
FILLING: dict[str, Any] = {
    "code": -2011,
    "msg": "Order was not canceled due to cancel restrictions.",
}
TRIGGERS: dict[str, Any] = {"code": -2010, "msg": "Order would trigger immediately."}
TWICE: dict[str, Any] = {"code": -2010, "msg": "Duplicate order sent."}

OLD_ACK = VenueAck(OLD, "125690984230", OrderStatus.CANCELED, Decimal(0), 1684804350068)
NEW_ACK = VenueAck(NEW, "12569099453", OrderStatus.OPEN, Decimal(0), 1660813156959)
# Computed with openssl: the query string, dgst -sha256 -hmac canary-secret-93d1.
SIGNED = "efd28a85161a9959d9cf10fecab7f895c617dde434dadcf0be4648f5cc993213"
NOT_TRIED = VenueReject(NEW, NOT_REPLACED, "the venue did not attempt it")


def halves(cancel: str, cancelled: object, place: str, placed: object) -> dict[str, object]:
    return {
        "cancelResult": cancel,
        "newOrderResult": place,
        "cancelResponse": cancelled,
        "newOrderResponse": placed,
    }


def failed(code: int, data: Mapping[str, object] | None) -> dict[str, object]:
    what = {-2021: "partially failed", -2022: "failed"}.get(code, "x")
    fault: dict[str, object] = {"code": code, "msg": f"Order cancel-replace {what}."}
    return fault if data is None else {**fault, "data": data}


DONE = halves("SUCCESS", CANCELED, "SUCCESS", PLACED)
UNSAID = (VenueUnknown, VenueUnknown)
SAID: list[tuple[str, int, dict[str, object], tuple[object, object]]] = [
    ("both done", 200, DONE, (OLD_ACK, NEW_ACK)),
    (
        "the old one is gone",
        400,
        failed(-2022, halves("FAILURE", GONE, "NOT_ATTEMPTED", None)),
        (VenueReject(OLD, "-2011", GONE["msg"]), NOT_TRIED),
    ),
    (
        "the old one has begun to fill",
        400,
        failed(-2022, halves("FAILURE", FILLING, "NOT_ATTEMPTED", None)),
        (VenueReject(OLD, "-2011", FILLING["msg"]), NOT_TRIED),
    ),
    (
        "cancelled, but the new one is refused; the documented example has no time",
        409,
        failed(-2021, halves("SUCCESS", UNTIMED, "FAILURE", TRIGGERS)),
        (attrs.evolve(OLD_ACK, transact_ms=0), VenueReject(NEW, "-2010", TRIGGERS["msg"])),
    ),
    (
        "the new one is there already, by a request nobody answered",
        409,
        failed(-2021, halves("SUCCESS", CANCELED, "FAILURE", TWICE)),
        (OLD_ACK, VenueUnknown),
    ),
    (
        "placed although not cancelled: not in our mode, but said",
        409,
        failed(-2021, halves("FAILURE", GONE, "SUCCESS", PLACED)),
        (VenueReject(OLD, "-2011", GONE["msg"]), NEW_ACK),
    ),
    ("no word on the halves", 409, failed(-2021, None), UNSAID),
    ("an unknown result", 409, failed(-2021, {**DONE, "cancelResult": "MAYBE"}), UNSAID),
    ("nothing at all", 200, {}, UNSAID),
    (
        "a success that cannot be read",
        200,
        {**DONE, "newOrderResponse": {"orderId": "?"}},
        (OLD_ACK, VenueUnknown),
    ),
    (
        "an answer about another order",
        200,
        {**DONE, "newOrderResponse": {**PLACED, "clientOrderId": "another"}},
        (OLD_ACK, VenueUnknown),
    ),
    (
        "a fault that cannot be read",
        409,
        failed(-2021, halves("SUCCESS", CANCELED, "FAILURE", None)),
        (OLD_ACK, VenueUnknown),
    ),
    (
        "a filter, judged before anything is done",
        400,
        {"code": -1013, "msg": "Filter failure: LOT_SIZE"},
        (
            VenueReject(OLD, "-1013", "Filter failure: LOT_SIZE"),
            VenueReject(NEW, "-1013", "Filter failure: LOT_SIZE"),
        ),
    ),
    ("a time-out within the venue", 400, {"code": -1007, "msg": "Timeout"}, UNSAID),
    ("5xx whatever it says", 500, failed(-2022, halves("FAILURE", GONE, "NOT_ATTEMPTED",
     None)), UNSAID),
]  # fmt: skip


def agrees(half: object, wanted: object) -> bool:
    if isinstance(wanted, type):
        return isinstance(half, wanted)
    return half == wanted


@pytest.mark.parametrize(
    ("status", "body", "wanted"), [row[1:] for row in SAID], ids=[row[0] for row in SAID]
)
async def test_each_half_over_rest_is_what_the_venue_said_of_it_or_unknown(
    status: int,
    body: dict[str, object],
    wanted: tuple[object, object],
    nursery: trio.Nursery,
) -> None:
    said = http(status, json.dumps(body))
    async with opened(nursery, lambda _line, _headers: said) as (desk, binance):
        replaced = await binance.trading(*KEYS).replace(OLD, STOP)
        posts = [line for line in desk.requests if line.startswith("POST")]
    assert agrees(replaced.cancelled, wanted[0])
    assert agrees(replaced.placed, wanted[1])
    assert replaced.cancelled.client_order_id == OLD
    assert replaced.placed.client_order_id == NEW
    assert len(posts) == 1


@pytest.mark.parametrize(
    ("status", "body", "wanted"), [row[1:] for row in SAID], ids=[row[0] for row in SAID]
)
async def test_each_half_over_the_socket_is_what_the_venue_said_of_it_or_unknown(
    status: int,
    body: dict[str, object],
    wanted: tuple[object, object],
    nursery: trio.Nursery,
) -> None:
    asked: list[Request] = []

    async def reply(connection: WebSocketConnection, request: Request) -> None:
        asked.append(request)
        told = {"result": body} if status == 200 else {"error": body}
        text = json.dumps({"id": request.id, "status": status, **told})
        await connection.send_message(text)

    async def talk(trading: Trading) -> None:
        replaced = await trading.replace(OLD, STOP)
        assert agrees(replaced.cancelled, wanted[0])
        assert agrees(replaced.placed, wanted[1])

    assert await with_socket(nursery, reply, talk) == []  # nothing went by REST
    assert [request.method for request in asked] == ["order.cancelReplace"]


async def test_it_is_sent_signed_and_may_only_cancel_what_has_not_begun_to_fill(
    nursery: trio.Nursery,
) -> None:
    said = http(200, json.dumps(DONE))
    async with opened(nursery, lambda _line, _headers: said) as (desk, binance):
        replaced = await binance.trading(*KEYS).replace(OLD, STOP)
        _, target, _ = desk.requests[-1].split()
    split = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(split.query).items()}
    assert replaced == VenueReplaced(OLD_ACK, NEW_ACK)
    assert split.path == "/api/v3/order/cancelReplace"
    assert query.pop("signature") == SIGNED
    assert query == {
        "symbol": "BTCUSDT",
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrigClientOrderId": OLD,
        "cancelRestrictions": "ONLY_NEW",
        "side": "SELL",
        "type": "STOP_LOSS_LIMIT",
        "quantity": "0.5",
        "newClientOrderId": NEW,
        "newOrderRespType": "FULL",
        "timeInForce": "GTC",
        "price": "98",
        "stopPrice": "99.5",
        "recvWindow": "5000",
        "timestamp": str(NOW_MS),
    }


@pytest.mark.parametrize("said", [None, http(502, "<html>Bad gateway</html>")])
async def test_no_readable_answer_leaves_both_halves_unknown(
    said: bytes | None, nursery: trio.Nursery
) -> None:
    async with opened(nursery, lambda _line, _headers: said) as (_, binance):
        replaced = await binance.trading(*KEYS).replace(OLD, STOP)
    assert isinstance(replaced.cancelled, VenueUnknown)
    assert isinstance(replaced.placed, VenueUnknown)


async def test_too_many_orders_hold_replacements_back_and_cancels_not(
    nursery: trio.Nursery,
) -> None:
    refusal = json.dumps({"code": -1015, "msg": "Too many new orders."})
    said = iter([http(429, refusal, "Retry-After: 8\r\n"), http(200, json.dumps(CANCELED))])
    async with opened(nursery, lambda _line, _headers: next(said)) as (desk, binance):
        trading = binance.trading(*KEYS)
        first, second = await trading.replace(OLD, STOP), await trading.replace(OLD, STOP)
        cancelled = await trading.cancel("BTC/USDT", OLD)
        posts = [line for line in desk.requests if line.startswith("POST")]
    assert isinstance(first.placed, VenueReject)
    assert isinstance(second.placed, VenueReject)
    assert (first.placed.code, second.placed.code) == ("-1015", NOT_SENT)
    assert len(posts) == 1
    assert cancelled == OLD_ACK


async def test_a_refused_timestamp_mends_the_clock(nursery: trio.Nursery) -> None:
    late = json.dumps({"code": -1021, "msg": "Timestamp outside of the recvWindow."})

    def answer(line: str, _headers: str) -> bytes:
        if "/time" in line:
            return http(200, json.dumps({"serverTime": NOW_MS + 60_000}))
        return http(400, late)

    async with opened(nursery, answer) as (_, binance):
        trading = binance.trading(*KEYS)
        replaced = await trading.replace(OLD, STOP)
        assert isinstance(replaced.placed, VenueReject)
        assert replaced.placed.code == "-1021"
        assert trading.now_ms() - NOW_MS > 59_000
