"""Every single message, recorded or documented, is read or refused with a reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from actors.messages import PassedOver
from adapters.binance.codec import instruments, orders, private, rest, streams
from adapters.binance.codec.envelope import decode_answer, decode_request
from adapters.binance.codec.market import decode_stream
from adapters.errors import RemoteProtocolError
from tests.adapters.recordings import CAPTURES, SYMBOLS, lines, needs_recordings, tell, told

pytestmark = needs_recordings


Decode = Callable[[bytes], object]
BY_PATH: Mapping[str, Decode] = {
    "/api/v3/allOrders": lambda body: orders.decode_orders(body, SYMBOLS),
    "/api/v3/openOrders": lambda body: orders.decode_orders(body, SYMBOLS),
    "/api/v3/myTrades": lambda body: orders.decode_trades(body, SYMBOLS),
    "/api/v3/order": lambda body: orders.decode_placed(body, SYMBOLS),
    "/api/v3/uiKlines": lambda body: rest.decode_klines(body, "A/B", "1m"),
}
BY_FIXTURE: Mapping[str, Decode] = {
    "account_position": lambda b: private.decode_user_event(wrapped(b), SYMBOLS),
    "account_response": orders.decode_account,
    "wallet_account": orders.decode_account,
    "all_orders": lambda b: orders.decode_orders(b, SYMBOLS),
    "open_orders": lambda b: orders.decode_orders(b, SYMBOLS),
    "depth_response": lambda b: rest.decode_depth(b, "A/B", 0.0),
    "exchange_info": instruments.decode_exchange_info,
    "execution_report": lambda b: private.decode_user_event(wrapped(b), SYMBOLS),
    "new_order_full": lambda b: orders.decode_placed(b, SYMBOLS),
    "server_time": rest.decode_time,
    "market_time": rest.decode_time,
    "ticker_24hr": lambda b: decode_stream(b, SYMBOLS, 0.0),
    "spot_trade": lambda b: decode_stream(b, SYMBOLS, 0.0),
}
# Endpoints that Shoal does not call, so nothing reads their bodies.
NOT_ASKED = (
    "avg_price",
    "ticker_price",
    "book_ticker",
    "_ping",
    "ping_",
    "_trades",
    "trades_",
)


def wrapped(body: bytes) -> bytes:
    """Return a user event as the WS-API wraps it, whatever carried it when recorded."""
    value = json.loads(body)
    event = value.get("event") or value.get("data") or value
    return json.dumps({"subscriptionId": 0, "event": event}).encode()


@pytest.mark.parametrize("folder", ["binance_spot", "binance_spot_py"])
def test_every_single_fixture_is_read_or_refused_with_a_reason(folder: str) -> None:
    outcome: Counter[str] = Counter()
    refused: dict[str, str] = {}
    for path in sorted((CAPTURES / "nautilus_trader" / folder).glob("*.json")):
        decode = next((d for part, d in BY_FIXTURE.items() if part in path.name), None)
        if decode is None:
            assert any(part in path.name for part in NOT_ASKED), path.name
            outcome["not asked"] += 1
            continue
        try:
            outcome[
                "passed over" if _is_passed_over(decode(path.read_bytes())) else "read"
            ] += 1
        except RemoteProtocolError as error:
            outcome["refused"] += 1
            refused[path.name] = str(error)
    tell(folder, dict(outcome), refused)
    if folder == "binance_spot":
        assert outcome == {"read": 13, "not asked": 5}
    else:
        # The ticker's event time is 1970: its author made it up.
        assert outcome == {"read": 13, "refused": 1, "not asked": 6}
        assert list(refused) == ["ws_spot_ticker_24hr.json"]


def _is_passed_over(heard: object) -> bool:
    return isinstance(heard, PassedOver)


def test_every_documented_stream_message_is_heard() -> None:
    heard: Counter[str] = Counter()
    for line in lines("binance-spot-api-docs/web-socket-streams.jsonl"):
        payload = json.dumps(line["payload"])
        if isinstance(line["payload"], dict) and "method" in line["payload"]:
            streams.decode_command(payload)
            heard["command"] += 1
        else:
            heard[_hear_one(payload)] += 1
    tell(dict(heard))
    # The two refused are candles whose low is above their open: made-up numbers.
    assert heard == {
        "command": 5,
        "VenueClosing": 2,
        "SubscriptionAccepted": 3,
        "PassedOver": 11,
        "Traded": 1,
        "refused": 2,
        "Ticker": 1,
        "BookTop": 1,
        "BookDelta": 1,
    }


def test_every_documented_ws_api_message_is_an_envelope_of_ours() -> None:
    heard: Counter[str] = Counter()
    for line in lines("binance-spot-api-docs/web-socket-api_a.jsonl"):
        payload = line["payload"]
        text = json.dumps(payload)
        if isinstance(payload, dict) and "method" in payload:
            decode_request(text)
            heard["request"] += 1
        elif isinstance(payload, dict) and ("status" in payload or "event" in payload):
            answer = decode_answer(text)
            heard["event" if answer.is_event else "answer"] += 1
        else:  # an excerpt of a message
            with pytest.raises(RemoteProtocolError):
                decode_answer(text)
            heard["refused"] += 1
    tell(dict(heard))
    assert heard == {"request": 51, "answer": 28, "event": 1, "refused": 2}


def test_every_documented_rest_body_we_ask_for_is_read() -> None:
    by_section: Mapping[str, Decode] = {
        "Error Codes": lambda b: rest.decode_fault(b) or _fail(),
        "Check server time": rest.decode_time,
        "Kline/Candlestick data": BY_PATH["/api/v3/uiKlines"],
        "New order (TRADE)": BY_PATH["/api/v3/order"],
        "Cancel order (TRADE)": lambda b: (
            rest.decode_fault(b) or BY_PATH["/api/v3/order"](b)
        ),
        "Account information (USER_DATA)": orders.decode_account,
        "Current open orders (USER_DATA)": BY_PATH["/api/v3/openOrders"],
        "Query order (USER_DATA)": lambda b: orders.decode_order(b, SYMBOLS),
        "All orders (USER_DATA)": BY_PATH["/api/v3/allOrders"],
        "Account trade list (USER_DATA)": BY_PATH["/api/v3/myTrades"],
    }
    read: Counter[str] = Counter()
    for line in lines("binance-spot-api-docs/rest-api_a.jsonl"):
        decode = by_section.get(line["section"])
        if decode is not None:
            decode(json.dumps(line["payload"]).encode())
        read["read" if decode else "not asked"] += 1
    tell(dict(read))
    assert read == {"read": 8, "not asked": 30}


def _fail() -> object:
    raise AssertionError("the documented error is not read as one")


def test_every_example_of_another_library_is_read_or_refused_with_a_reason() -> None:
    outcome: Counter[str] = Counter()
    for line in lines("jkorf/binance_examples.jsonl"):
        if line["kind"] == "rest":
            outcome.update(_read_rest(line))
        else:
            outcome.update(_hear_socket(line))
    tell(dict(outcome))
    # The one refused is a candle of 1973.
    assert outcome == {
        "not asked": 13,
        "read": 6,
        "answer": 15,
        "BalancesHeard": 1,
        "SubscriptionAccepted": 5,
        "PassedOver": 1,
        "VenueOrder": 1,
        "BookTop": 1,
        "refused": 1,
        "BookSnapshot": 1,
        "Ticker": 1,
    }


def _read_rest(line: dict[str, Any]) -> Iterable[str]:
    decode = BY_PATH.get(line["path"])
    is_all = (line["method"], line["path"]) == ("DELETE", "/api/v3/openOrders")
    if decode is None or is_all or not line["response"]:
        return ["not asked"]
    decode(json.dumps(line["response"]).encode())
    return ["read"]


def _hear_socket(line: dict[str, Any]) -> Iterable[str]:
    texts = [text.replace("|1|", "1") for text in line["acks"]]
    texts += [json.dumps(event) for event in line["events"]]
    return [_hear_one(text) for text in texts]


def _hear_one(text: str) -> str:
    try:
        if '"status"' in text:
            decode_answer(text)
            return "answer"
        if '"subscriptionId"' in text:
            return type(private.decode_user_event(text, SYMBOLS)[0]).__name__
        return told(text)
    except RemoteProtocolError as error:
        tell("refused:", error)
        return "refused"
