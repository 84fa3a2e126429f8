"""Orders, fills and balances of both trading APIs: what is asked, and what is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import attrs
import pytest

from actors.messages import (
    OrderRequest,
    OrderStatus,
    OrderType,
    PassedOver,
    Side,
    VenueBalance,
    VenueOrder,
)
from adapters.coinbase.codec import (
    advanced_answers,
    advanced_orders,
    advanced_user,
    exchange_orders,
    exchange_user,
)
from adapters.errors import LocalProtocolError, RemoteProtocolError

SYMBOLS = {"BTC-USD": "BTC/USD"}
OUR_ID = "0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90"
THEIR_ID = "d50ec984-77a8-460a-b958-66f114b0de9b"
BUY = OrderRequest(
    OUR_ID, "BTC/USD", Side.BUY, OrderType.LIMIT, Decimal("0.5"), Decimal("100.25")
)
STOP = attrs.evolve(
    BUY, side=Side.SELL, order_type=OrderType.STOP_LOSS_LIMIT, stop_price=Decimal("1E+2")
)


def advanced(request: OrderRequest) -> dict[str, Any]:
    body = json.loads(advanced_orders.encode_order(request, "BTC-USD"))
    return body["order_configuration"]


def exchange(request: OrderRequest) -> dict[str, Any]:
    return json.loads(exchange_orders.encode_order(request, "BTC-USD"))


def test_an_order_of_advanced_trade_names_itself_its_side_and_its_terms() -> None:
    assert json.loads(advanced_orders.encode_order(BUY, "BTC-USD")) == {
        "client_order_id": OUR_ID,
        "product_id": "BTC-USD",
        "side": "BUY",
        "order_configuration": {
            "limit_limit_gtc": {
                "base_size": "0.5",
                "limit_price": "100.25",
                "post_only": False,
            }
        },
    }


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            attrs.evolve(BUY, order_type=OrderType.MARKET, limit_price=None),
            {"market_market_ioc": {"base_size": "0.5"}},
        ),
        (
            attrs.evolve(BUY, order_type=OrderType.LIMIT_MAKER),
            {
                "limit_limit_gtc": {
                    "base_size": "0.5",
                    "limit_price": "100.25",
                    "post_only": True,
                }
            },
        ),
        (
            STOP,
            {
                "stop_limit_stop_limit_gtc": {
                    "base_size": "0.5",
                    "limit_price": "100.25",
                    "stop_price": "100",
                    "stop_direction": "STOP_DIRECTION_STOP_DOWN",
                }
            },
        ),
    ],
)
def test_each_order_type_has_its_configuration(
    request_: OrderRequest, expected: dict[str, Any]
) -> None:
    assert advanced(request_) == expected


@pytest.mark.parametrize(
    ("side", "kind", "direction", "stop"),
    [
        (Side.SELL, OrderType.STOP_LOSS_LIMIT, "STOP_DIRECTION_STOP_DOWN", "loss"),
        (Side.BUY, OrderType.STOP_LOSS_LIMIT, "STOP_DIRECTION_STOP_UP", "entry"),
        (Side.SELL, OrderType.TAKE_PROFIT_LIMIT, "STOP_DIRECTION_STOP_UP", "entry"),
        (Side.BUY, OrderType.TAKE_PROFIT_LIMIT, "STOP_DIRECTION_STOP_DOWN", "loss"),
    ],
)
def test_a_stop_waits_on_the_side_where_its_price_is(
    side: Side, kind: OrderType, direction: str, stop: str
) -> None:
    request = attrs.evolve(STOP, side=side, order_type=kind)
    terms = advanced(request)["stop_limit_stop_limit_gtc"]
    assert terms["stop_direction"] == direction
    assert exchange(request)["stop"] == stop


def test_orders_of_the_exchange_say_the_same() -> None:
    assert exchange(STOP) == {
        "type": "limit",
        "side": "sell",
        "product_id": "BTC-USD",
        "size": "0.5",
        "client_oid": OUR_ID,
        "price": "100.25",
        "time_in_force": "GTC",
        "stop": "loss",
        "stop_price": "100",
    }
    maker = exchange(attrs.evolve(BUY, order_type=OrderType.LIMIT_MAKER))
    assert maker["post_only"] is True
    market = exchange(attrs.evolve(BUY, order_type=OrderType.MARKET, limit_price=None))
    assert (market["type"], "price" in market) == ("market", False)


@pytest.mark.parametrize("encode", [advanced, exchange])
def test_a_price_that_the_order_type_needs_is_never_left_out(encode: Any) -> None:
    with pytest.raises(LocalProtocolError, match="stop price"):
        encode(attrs.evolve(STOP, stop_price=None))
    with pytest.raises(LocalProtocolError, match="limit price"):
        encode(attrs.evolve(BUY, limit_price=None))


ORDER: dict[str, Any] = {
    "order_id": THEIR_ID,
    "product_id": "BTC-USD",
    "order_configuration": {
        "limit_limit_gtc": {"base_size": "0.2", "limit_price": "0.006", "post_only": False}
    },
    "side": "SELL",
    "client_order_id": OUR_ID,
    "status": "OPEN",
    "created_time": "2023-01-16T23:37:23.947030Z",
    "filled_size": "0",
    "reject_reason": "REJECT_REASON_UNSPECIFIED",
}
READ = VenueOrder(
    "coinbase",
    "BTC/USD",
    OUR_ID,
    THEIR_ID,
    Side.SELL,
    "",
    OrderStatus.OPEN,
    Decimal("0.2"),
    Decimal(0),
    Decimal("0.006"),
    None,
    1_673_912_243_947,
)


def read_order(**changes: object) -> VenueOrder:
    body = json.dumps({"order": {**ORDER, **changes}}).encode()
    return advanced_orders.decode_order(body, SYMBOLS)


def test_an_order_is_read() -> None:
    assert read_order() == READ


@pytest.mark.parametrize(
    ("status", "filled", "expected"),
    [
        ("PENDING", "0", OrderStatus.OPEN),
        ("UNKNOWN_ORDER_STATUS", "0", OrderStatus.OPEN),
        ("OPEN", "0.1", OrderStatus.PARTIALLY_FILLED),
        ("CANCEL_QUEUED", "0.1", OrderStatus.PARTIALLY_FILLED),
        ("FILLED", "0.2", OrderStatus.FILLED),
        ("CANCELLED", "0.1", OrderStatus.CANCELED),
        ("EXPIRED", "0", OrderStatus.EXPIRED),
        ("FAILED", "0", OrderStatus.REJECTED),
        ("FAILED", "0.1", OrderStatus.CANCELED),  # what was executed was not refused
    ],
)
def test_the_venues_words_become_ours(
    status: str, filled: str, expected: OrderStatus
) -> None:
    assert read_order(status=status, filled_size=filled).status is expected


def test_a_status_that_is_not_documented_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="VOIDED"):
        read_order(status="VOIDED")


def test_pages_of_orders_end_where_there_is_no_next() -> None:
    body = {"orders": [ORDER], "has_next": True, "cursor": "789"}
    first = advanced_orders.decode_orders(json.dumps(body).encode(), SYMBOLS)
    assert (first.orders, first.cursor) == ((READ,), "789")
    last = advanced_orders.decode_orders(
        json.dumps({**body, "has_next": False}).encode(), SYMBOLS
    )
    assert last.cursor == ""


FILL: dict[str, Any] = {
    "entry_id": "22222",
    "trade_id": "1111-11111-111111",
    "order_id": THEIR_ID,
    "trade_time": "2021-05-31T09:59:59Z",
    "trade_type": "FILL",
    "price": "10000.00",
    "size": "0.001",
    "commission": "1.25",
    "product_id": "BTC-USD",
    "liquidity_indicator": "MAKER",
    "size_in_quote": False,
    "side": "BUY",
}


def test_fills_are_executions_and_nothing_else() -> None:
    rows = [FILL, {**FILL, "trade_id": "2", "trade_type": "REVERSAL"}]
    body = json.dumps({"fills": rows, "cursor": "x"}).encode()
    page = advanced_orders.decode_fills(body, SYMBOLS)
    (fill,) = page.fills
    assert (fill.trade_id, fill.base, fill.fee, fill.fee_asset, fill.is_maker) == (
        "1111-11111-111111",
        Decimal("0.001"),
        Decimal("1.25"),
        "USD",
        True,
    )
    assert (page.passed_over, page.cursor) == (1, "x")


def test_a_maker_s_rebate_is_a_fee_below_zero() -> None:
    body = json.dumps({"fills": [{**FILL, "commission": "-0.05"}]}).encode()
    (fill,) = advanced_orders.decode_fills(body, SYMBOLS).fills
    assert fill.fee == Decimal("-0.05")


def test_a_fill_whose_size_is_quote_is_told_in_base() -> None:
    row = {**FILL, "size": "50", "size_in_quote": True}
    page = advanced_orders.decode_fills(json.dumps({"fills": [row]}).encode(), SYMBOLS)
    assert page.fills[0].base == Decimal("0.005")


@pytest.mark.parametrize(
    "decode",
    [
        partial(advanced_orders.decode_orders, symbols=SYMBOLS),
        partial(advanced_orders.decode_fills, symbols=SYMBOLS),
        advanced_orders.decode_accounts,
    ],
)
def test_a_list_that_is_missing_is_unreadable_not_empty(
    decode: Callable[[bytes], object],
) -> None:
    with pytest.raises(RemoteProtocolError):
        decode(b'{"has_next":false,"cursor":""}')


def test_accounts_are_what_is_there_for_trading() -> None:
    def account(asset: str, kind: str) -> dict[str, Any]:
        money = {"value": "1.5", "currency": asset}
        hold = {"value": "0.5", "currency": asset}
        return {"currency": asset, "available_balance": money, "hold": hold, "type": kind}

    rows = [account("BTC", "ACCOUNT_TYPE_CRYPTO"), account("ETH", "ACCOUNT_TYPE_VAULT")]
    body = json.dumps({"accounts": rows, "has_next": False, "cursor": "y"}).encode()
    page = advanced_orders.decode_accounts(body)
    assert page.balances == (VenueBalance("BTC", Decimal("1.5"), Decimal("0.5")),)
    assert page.cursor == ""


def test_a_refusal_inside_of_http_200_names_every_reason_given() -> None:
    body = {
        "success": False,
        "error_response": {
            "error": "INSUFFICIENT_FUND",
            "message": "Insufficient balance in source account",
            "preview_failure_reason": "PREVIEW_INSUFFICIENT_FUND",
        },
    }
    assert advanced_answers.decode_created(
        json.dumps(body).encode()
    ) == advanced_answers.Refusal(
        ("INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"),
        "Insufficient balance in source account",
    )


@pytest.mark.parametrize(
    "body", [b"{}", b'{"success":true}', b"[]", b'{"success":"yes"}', b"<html>"]
)
def test_an_answer_that_says_neither_yes_nor_no_is_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        advanced_answers.decode_created(body)


def test_the_answer_to_one_cancel_is_about_one_order() -> None:
    row = {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": "o"}
    one = advanced_answers.decode_cancelled(json.dumps({"results": [row]}).encode())
    assert (one.success, one.failure_reason) == (False, "UNKNOWN_CANCEL_ORDER")
    with pytest.raises(RemoteProtocolError):
        advanced_answers.decode_cancelled(json.dumps({"results": [row, row]}).encode())


UPDATE: dict[str, Any] = {
    "order_id": THEIR_ID,
    "client_order_id": OUR_ID,
    "cumulative_quantity": "0.1",
    "leaves_quantity": "0.4",
    "avg_price": "100",
    "total_fees": "0.1",
    "status": "OPEN",
    "product_id": "BTC-USD",
    "creation_time": "2022-12-07T19:42:18.719312Z",
    "order_side": "BUY",
    "order_type": "Limit",
    "limit_price": "100.25",
}


def frame(*orders: dict[str, Any], kind: str = "update") -> advanced_user.Frame:
    body: dict[str, Any] = {
        "channel": "user",
        "client_id": "",
        "timestamp": "2026-04-07T14:30:06.000000Z",
        "sequence_num": 4,
        "events": [{"type": kind, "orders": orders, "positions": {}}],
    }
    return advanced_user.decode_frame(json.dumps(body), SYMBOLS)


def test_an_update_tells_the_state_of_an_order() -> None:
    found = frame(UPDATE, {**UPDATE, "product_id": "ETH-USD"})
    (order,) = found.orders
    assert (found.number, found.foreign, found.is_snapshot) == (4, 1, False)
    assert (order.base, order.filled_base) == (Decimal("0.5"), Decimal("0.1"))
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert order.limit_price == Decimal("100.25")
    assert order.update_ms == 1_775_572_206_000


def test_a_snapshot_of_open_orders_is_marked() -> None:
    assert frame(kind="snapshot") == advanced_user.Frame("user", 4, (), is_snapshot=True)


def test_the_venues_error_on_the_user_channel_is_an_error() -> None:
    with pytest.raises(RemoteProtocolError, match="authentication failure"):
        advanced_user.decode_frame(
            '{"type":"error","message":"authentication failure"}', SYMBOLS
        )


EXCHANGE_ORDER: dict[str, Any] = {
    "id": THEIR_ID,
    "price": "100.25",
    "size": "0.5",
    "product_id": "BTC-USD",
    "side": "buy",
    "type": "limit",
    "time_in_force": "GTC",
    "post_only": False,
    "created_at": "2016-12-08T20:02:28.53864Z",
    "fill_fees": "0.00",
    "filled_size": "0.1",
    "executed_value": "0.00",
    "status": "open",
    "settled": False,
    "client_oid": OUR_ID,
}


def exchange_order(**changes: object) -> VenueOrder:
    body = json.dumps({**EXCHANGE_ORDER, **changes}).encode()
    return exchange_orders.decode_order(body, SYMBOLS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, OrderStatus.PARTIALLY_FILLED),
        ({"filled_size": "0"}, OrderStatus.OPEN),
        ({"status": "active", "filled_size": "0"}, OrderStatus.OPEN),
        (
            {"status": "done", "done_reason": "filled", "filled_size": "0.5"},
            OrderStatus.FILLED,
        ),
        ({"status": "done", "done_reason": "canceled"}, OrderStatus.CANCELED),
        (
            {"status": "rejected", "reject_reason": "post only", "filled_size": "0"},
            OrderStatus.REJECTED,
        ),
        ({"status": "rejected"}, OrderStatus.CANCELED),  # the rest of it
    ],
)
def test_an_order_of_the_exchange_is_read(
    changes: dict[str, Any], expected: OrderStatus
) -> None:
    found = exchange_order(**changes)
    assert (found.client_order_id, found.venue_order_id) == (OUR_ID, THEIR_ID)
    assert found.status is expected


def test_an_order_done_as_filled_of_which_a_part_was_executed_was_canceled() -> None:
    found = exchange_order(status="done", done_reason="filled")
    assert (found.status, found.filled_base) == (OrderStatus.CANCELED, Decimal("0.1"))


def test_a_done_order_that_does_not_say_why_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="done"):
        exchange_order(status="done")


def test_a_cancel_is_asked_for_and_not_done() -> None:
    for body in (f'"{THEIR_ID}"', f'["{THEIR_ID}"]'):
        ack = exchange_orders.decode_cancelled(body.encode(), OUR_ID, 5)
        assert (ack.venue_order_id, ack.status) == (THEIR_ID, OrderStatus.PENDING_CANCEL)
    with pytest.raises(RemoteProtocolError):
        exchange_orders.decode_cancelled(b"{}", OUR_ID, 5)


def user(**fields: object) -> exchange_user.UserHeard:
    frame = {"product_id": "BTC-USD", "time": "2026-04-07T14:30:06Z", "side": "sell"}
    return exchange_user.decode_user(json.dumps({**frame, **fields}), SYMBOLS)


def match(**fields: object) -> exchange_user.Matched:
    found = user(
        type="match",
        trade_id=10,
        maker_order_id="maker",
        taker_order_id="taker",
        price="400.23",
        size="5",
        **fields,
    )
    assert isinstance(found, exchange_user.Matched)
    return found


def test_a_match_is_ours_as_taker_or_as_maker() -> None:
    taken = match(taker_user_id="u", taker_fee_rate="0.005")
    assert (taken.venue_order_id, taken.side, taken.is_maker) == ("taker", Side.BUY, False)
    assert taken.fee == Decimal("400.23") * 5 * Decimal("0.005")
    made = match(maker_user_id="u", maker_fee_rate="0.001")
    assert (made.venue_order_id, made.side, made.is_maker) == ("maker", Side.SELL, True)


def test_a_match_without_our_rate_tells_no_fee() -> None:
    assert match(taker_user_id="u").fee is None


def test_the_end_of_an_order_says_what_is_left() -> None:
    done = user(type="done", order_id="o", reason="canceled", remaining_size="0.4")
    assert isinstance(done, exchange_user.Done)
    assert (done.status, done.remaining_base) == (OrderStatus.CANCELED, Decimal("0.4"))
    market = user(type="done", order_id="o", reason="filled")
    assert isinstance(market, exchange_user.Done)
    assert (market.status, market.remaining_base) == (OrderStatus.FILLED, None)


def test_the_clients_id_comes_with_the_receipt_only() -> None:
    found = user(
        type="received", order_id="o", order_type="market", funds="5", client_oid=OUR_ID
    )
    assert isinstance(found, exchange_user.Received)
    assert (found.client_order_id, found.base) == (OUR_ID, None)


def test_other_frames_of_a_signed_connection_are_passed_over() -> None:
    assert isinstance(user(type="heartbeat", sequence=1, last_trade_id=1), PassedOver)
    with pytest.raises(RemoteProtocolError, match="refuses"):
        user(type="error", message="Authentication Failed")
