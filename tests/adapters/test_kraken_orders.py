"""What Kraken says of orders, fills and balances: recorded messages, joined and judged."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from adapters.errors import LocalProtocolError, RemoteProtocolError
from adapters.figures import BadFigure
from adapters.kraken.codec import orders, rest
from adapters.kraken.codec.market import decode_market
from adapters.kraken.codec.numbers import bare, digits, rfc3339
from adapters.kraken.codec.private import (
    Answer,
    BalancesTold,
    ExecutionsHeard,
    decode_private,
    encode_request,
)
from adapters.kraken.own_orders import OwnOrders
from adapters.kraken.verdict import judge_fault
from tests.adapters.recordings import CAPTURES, lines, needs_recordings, tell

NAMES = {
    "XBTUSD": "BTC/USD",
    "XBTUSDT": "BTC/USDT",
    "ETHUSDT": "ETH/USDT",
    "XBTGBP": "BTC/GBP",
    "XBTEUR": "BTC/EUR",
    "XXBTZUSD": "BTC/USD",
    "XXBTZEUR": "BTC/EUR",
}
QUOTES = {name: name.partition("/")[2] for name in NAMES.values()}


def name(of: str) -> str:
    return NAMES.get(of, of)


def result_of(body: object) -> msgspec.Raw:
    errors, result = rest.decode_envelope(json.dumps(body).encode())
    assert not errors
    return result


def rows_of(kind: str, source: str) -> list[Any]:
    return [
        row
        for line in lines(source)
        if line.get("kind") not in {"other", "rest-error"}
        and isinstance(heard := decode_private(line["raw"]), ExecutionsHeard)
        for row in heard.rows
        if kind in {"", row.exec_type}
    ]


@needs_recordings
def test_the_documented_life_of_an_order_is_joined() -> None:
    own = OwnOrders()
    told = [
        each
        for row in rows_of("", "live_snippets/kraken_v2_executions_docs.jsonl")
        for each in own.join(row)
    ]
    fill = VenueFill(
        "kraken", "BTC/USD", "", "OK4GJX-KSTLS-7DZZO5", "TGBB7L-HT5LX-J3BZ4A", Side.SELL,
        Decimal("26599.9"), Decimal("0.005"), Decimal("0.3458"), "USD", False,
        1695378785709,
    )  # fmt: skip
    assert [type(each) for each in told] == [VenueOrder, VenueOrder, VenueFill, VenueOrder]
    assert told[2] == fill
    states = [each for each in told if isinstance(each, VenueOrder)]
    assert [each.status for each in states] == [
        OrderStatus.OPEN,
        OrderStatus.OPEN,
        OrderStatus.PARTIALLY_FILLED,  # the venue's own word; "filled" follows
    ]
    assert {(each.symbol, each.base, each.limit_price) for each in states} == {
        ("BTC/USD", Decimal("0.005"), Decimal("26500.0"))
    }


@needs_recordings
def test_recorded_executions_are_joined_or_sent_to_reconciliation() -> None:
    own, heard = OwnOrders(), Counter[str]()
    for row in rows_of("", "kraken-async-rs/kraken_messages.jsonl"):
        try:
            heard.update(type(each).__name__ for each in own.join(row))
        except BadFigure:
            heard[f"unknown {row.exec_type}"] += 1
    tell(dict(heard))
    assert heard == {"unknown canceled": 1, "VenueOrder": 1, "unknown amended": 1}
    (stop,) = [it for it in (own.by_id("AHOJQ8-1E72C-8M2VQH"),) if it]
    assert (stop.order_type, stop.stop_price) == ("stop-loss-limit", Decimal("0.2"))


@needs_recordings
def test_recorded_private_frames_are_heard() -> None:
    heard: Counter[str] = Counter()
    answers: list[Answer] = []
    totals: dict[str, Decimal] = {}
    for line in lines("kraken-async-rs/kraken_messages.jsonl"):
        if line["kind"] in {"rest-error", "other"}:
            continue
        found = decode_private(line["raw"])
        heard[type(found).__name__] += 1
        if isinstance(found, Answer):
            answers.append(found)
        if isinstance(found, BalancesTold):
            totals |= dict(found.totals)
    tell(dict(heard))
    assert heard == {"NoneType": 8, "Answer": 15, "ExecutionsHeard": 3, "BalancesTold": 2}
    assert totals["KAR"] == Decimal("774.6366982600")
    assert totals["USD"] == Decimal("118.0677")
    placed = next(it for it in answers if it.method == "add_order" and not it.error)
    assert (placed.acked.order_id, placed.acked.cl_ord_id) == (
        "OPS23M-VS41G-DDE5Z2",
        "client-zero",
    )
    assert [it.error for it in answers if it.method == "edit_order" and it.error] == [
        "Token(s) not found"
    ]
    assert max(it.acked.maxratecount for it in answers) == 180


@needs_recordings
def test_the_private_rest_bodies_are_read() -> None:
    read: dict[str, Any] = {}
    for line in lines("jkorf/kraken_examples.jsonl"):
        match line.get("path", "").rpartition("/")[2]:
            case "ClosedOrders":
                result = result_of(line["response"])
                found, count = orders.decode_closed_orders(result, name)
                read["closed"] = [(it.status, it.symbol, it.stop_price) for it in found]
                assert count == 2
            case "QueryOrders":
                known = orders.decode_known_orders(result_of(line["response"]), name)
                read["known"] = [(it.status, it.filled_base) for it in known]
            case "QueryTrades":
                rows = bytes(result_of(line["response"]))
                result = msgspec.Raw(b'{"trades":' + rows + b',"count":2}')
                fills, _ = orders.decode_trades(result, name, QUOTES)
                read["fills"] = [
                    (it.symbol, it.fee_asset, it.is_maker, it.base) for it in fills
                ]
            case _:
                pass
    body = (CAPTURES / "nautilus_trader/kraken/http_open_orders.json").read_bytes()
    found = orders.decode_open_orders(rest.decode_envelope(body)[1], name)
    read["open"] = [(it.symbol, it.limit_price) for it in found]
    body = (CAPTURES / "nautilus_trader/kraken/http_add_order_spot.json").read_bytes()
    read["placed"] = orders.decode_placed(rest.decode_envelope(body)[1])
    assert read == {
        "closed": [
            (OrderStatus.CANCELED, "BTC/EUR", Decimal("27743.0")),
            (OrderStatus.CANCELED, "BTC/GBP", Decimal("23667.0")),
        ],
        "known": [
            (OrderStatus.FILLED, Decimal("0.25000000")),
            (OrderStatus.FILLED, Decimal("1.25000000")),
        ],
        "fills": [
            ("BTC/USD", "USD", True, Decimal("0.02000000")),
            ("BTC/EUR", "EUR", True, Decimal("0.00020000")),
        ],
        "open": [("BTC/USDT", Decimal("29500.0")), ("ETH/USDT", None)],
        "placed": "OUF4EM-FRGI2-MQMWZD",
    }


@needs_recordings
def test_recorded_errors_are_judged() -> None:
    """Definite only where the venue says that it did not take the order (R-01)."""
    judged: dict[str, str] = {}
    for line in lines("kraken-async-rs/kraken_messages.jsonl"):
        if line["kind"] != "rest-error":
            continue
        errors, result = rest.decode_envelope(line["raw"].encode())
        if not errors:
            with pytest.raises(RemoteProtocolError, match="an order of no pair"):
                orders.decode_closed_orders(result, name)  # whoever saved it cut that out
            continue
        outcome = judge_fault("id", errors[0], is_cancel=False)
        judged[errors[0]] = type(outcome).__name__
    assert judged == {
        "EGeneral:Permission denied": "VenueReject",
        "EQuery:Unknown asset pair": "VenueReject",
        "EAPI:Invalid signature": "VenueReject",
        "ESession:Invalid session": "VenueReject",
        "EGeneral:Unknown Method": "VenueReject",
        "EOrder:Rate limit exceeded": "VenueReject",
        "EService:Unavailable": "VenueUnknown",
        "EGeneral:Internal error": "VenueUnknown",
        "EAPI:Feature disabled": "VenueReject",
    }


@pytest.mark.parametrize(
    ("text", "is_cancel", "is_definite"),
    [
        ("EOrder:Insufficient funds", False, True),
        ("EGeneral:Invalid arguments:volume minimum not met", False, True),
        ("EGeneral:Invalid arguments:cl_ord_id not unique", False, False),
        ("Limit_price field must be a number_float", False, True),
        ("EService:Deadline elapsed", False, True),
        ("EService:Busy", False, False),
        ("EService:Timeout", False, False),
        ("EOrder:Unknown order", False, False),
        ("EOrder:Unknown order", True, True),
        ("EOrder:Insufficient funds", True, False),
        ("something that nobody has documented", False, False),
        ("", False, False),
    ],
)
def test_only_documented_refusals_are_definite(
    text: str, is_cancel: bool, is_definite: bool
) -> None:
    outcome = judge_fault("id", text, is_cancel=is_cancel)
    assert isinstance(outcome, VenueReject if is_definite else VenueUnknown)


REQUEST = OrderRequest(
    "0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90", "BTC/USD", Side.SELL,
    OrderType.STOP_LOSS_LIMIT, Decimal("1E-8"), Decimal(5), Decimal("1.50"),
)  # fmt: skip


def test_numbers_leave_as_json_numbers_with_every_digit() -> None:
    fields = orders.place_fields(REQUEST, deadline_ms=1_700_000_000_123)
    assert encode_request(7, "add_order", {**fields, "token": "t"}) == (
        '{"method":"add_order","req_id":7,"params":{"order_type":"stop-loss-limit",'
        '"side":"sell","symbol":"BTC/USD","order_qty":0.00000001,'
        '"cl_ord_id":"0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90","fee_preference":"quote",'
        '"deadline":"2023-11-14T22:13:20.123Z","limit_price":5.0,"time_in_force":"gtc",'
        '"triggers":{"reference":"last","price":1.50,"price_type":"static"},"token":"t"}}'
    )


def test_the_form_for_rest_says_the_same() -> None:
    assert orders.place_form(REQUEST, "XBTUSD", deadline_ms=1_700_000_000_123) == {
        "pair": "XBTUSD",
        "type": "sell",
        "ordertype": "stop-loss-limit",
        "volume": "0.00000001",
        "cl_ord_id": "0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90",
        "oflags": "fciq",
        "deadline": "2023-11-14T22:13:20.123Z",
        "timeinforce": "GTC",
        "price": "1.50",
        "price2": "5",
        "trigger": "last",
    }


def test_a_missing_price_is_our_own_defect() -> None:
    without = OrderRequest("id", "BTC/USD", Side.BUY, OrderType.LIMIT, Decimal(1))
    with pytest.raises(LocalProtocolError, match="needs a limit price"):
        orders.place_fields(without, deadline_ms=1_700_000_000_000)
    with pytest.raises(LocalProtocolError, match="needs a limit price"):
        orders.place_form(without, "XBTUSD", deadline_ms=1_700_000_000_000)


def test_orders_of_any_make_are_read_their_relative_prices_left_out() -> None:
    body = {
        "open": {
            "OABCDE-FGHIJ-KLMNOP": {
                "status": "open",
                "opentm": 1688583840.8648,
                "descr": {
                    "pair": "XBTUSD",
                    "type": "buy",
                    "ordertype": "trailing-stop-limit",
                    "price": "+5%",
                    "price2": "#2.5",
                },
                "vol": "1.5",
                "vol_exec": "0.5",
                "a key nobody knows": [1],
            }
        }
    }
    (found,) = orders.decode_open_orders(msgspec.Raw(json.dumps(body).encode()), name)
    assert (found.status, found.limit_price, found.stop_price) == (
        OrderStatus.PARTIALLY_FILLED,
        None,
        None,
    )
    assert found.update_ms == 1688583840864


@pytest.mark.parametrize("cut", ["open", "closed", "trades", "count"])
def test_an_answer_without_what_was_asked_for_is_unreadable_not_empty(cut: str) -> None:
    """The venue sends each key, empty or not: docs.kraken.com, as the codec names it."""
    whole: dict[str, object] = {"open": {}, "closed": {}, "trades": {}, "count": 0}
    answer = {key: value for key, value in whole.items() if key != cut}
    result, refused = msgspec.Raw(json.dumps(answer).encode()), set[str]()
    for reads, decode in {
        "open": lambda: orders.decode_open_orders(result, name),
        "closed, count": lambda: orders.decode_closed_orders(result, name),
        "trades, count": lambda: orders.decode_trades(result, name, QUOTES),
    }.items():
        try:
            decode()
        except RemoteProtocolError:
            refused.add(reads)
    assert refused == {
        reads for reads in ("open", "closed, count", "trades, count") if cut in reads
    }


def execution(kind: str, **more: object) -> str:
    row = {"order_id": "O1", "exec_type": kind, "timestamp": "2026-01-01T00:00:00Z", **more}
    frame = {"channel": "executions", "type": "update", "data": [row], "sequence": 1}
    return json.dumps(frame)


def join(own: OwnOrders, kind: str, **more: object) -> list[Any]:
    heard = decode_private(execution(kind, **more))
    assert isinstance(heard, ExecutionsHeard)
    return [each for row in heard.rows for each in own.join(row)]


BEGUN = {
    "symbol": "BTC/USD",
    "side": "buy",
    "order_type": "limit",
    "order_qty": 2.0,
    "limit_price": 100.0,
    "cl_ord_id": "ours",
    "order_status": "pending_new",
}


def test_what_was_ordered_is_remembered_from_the_first_update_or_from_our_request() -> None:
    own = OwnOrders()
    join(own, "pending_new", **BEGUN)
    (ended,) = join(own, "canceled", order_status="canceled", reason="User requested")
    assert (ended.client_order_id, ended.symbol, ended.base, ended.status) == (
        "ours",
        "BTC/USD",
        Decimal("2.0"),
        OrderStatus.CANCELED,
    )
    second = OwnOrders()
    request = OrderRequest(
        "mine", "BTC/USD", Side.BUY, OrderType.LIMIT, Decimal(2), Decimal(100)
    )
    second.placed(request, "O1", 1_700_000_000_000)
    (ended,) = join(second, "expired", order_status="expired")
    assert (ended.client_order_id, ended.status) == ("mine", OrderStatus.EXPIRED)


@given(st.permutations(["new", "trade", "trade2", "filled"]))
def test_an_order_that_has_ended_stays_so_whatever_comes_late(order: list[str]) -> None:
    own = OwnOrders()
    join(own, "pending_new", **BEGUN)
    trade: dict[str, object] = {"exec_id": "T1", "last_qty": 1.0, "last_price": 99.0}
    more: dict[str, dict[str, object]] = {
        "new": {"order_status": "new"},
        "trade": {"order_status": "partially_filled", "cum_qty": 1.0, **trade},
        "trade2": {
            "order_status": "partially_filled",
            "cum_qty": 2.0,
            **trade,
            "exec_id": "T2",
        },
        "filled": {"order_status": "filled", "cum_qty": 2.0},
    }
    told = [each for kind in order for each in join(own, kind.strip("2"), **more[kind])]
    states = [each for each in told if isinstance(each, VenueOrder)]
    assert states[-1].status is OrderStatus.FILLED
    assert states[-1].filled_base == Decimal("2.0")
    assert sorted(it.trade_id for it in told if isinstance(it, VenueFill)) == ["T1", "T2"]
    filled = [each.filled_base for each in states]
    assert filled == sorted(filled)


def test_what_is_filled_is_filled_whole_though_no_update_says_how_much() -> None:
    """R-12: an update with the first half was lost; who books fills must miss it."""
    own = OwnOrders()
    join(own, "pending_new", **BEGUN)
    trade = {"exec_id": "T2", "last_qty": 1.0, "last_price": 99.0}
    _, filled = join(own, "trade", order_status="filled", **trade)
    assert (filled.status, filled.filled_base) == (OrderStatus.FILLED, Decimal("2.0"))


def test_after_a_loss_an_end_is_told_only_with_what_was_executed() -> None:
    """R-12: else a fill that was lost is nobody's for ever."""
    own = OwnOrders()
    join(own, "pending_new", **BEGUN)
    own.missed()
    with pytest.raises(BadFigure, match="executed"):
        join(own, "canceled", order_status="canceled")
    assert own.ended("ours") is None
    (told,) = join(own, "canceled", order_status="canceled", cum_qty=0.5)
    assert (told.status, told.filled_base) == (OrderStatus.CANCELED, Decimal("0.5"))
    assert own.ended("ours") == told


def test_an_update_with_what_was_executed_makes_good_what_was_missed() -> None:
    own = OwnOrders()
    join(own, "pending_new", **BEGUN)
    own.missed()
    join(own, "amended", order_status="partially_filled", cum_qty=0.5)
    (told,) = join(own, "canceled", order_status="canceled")
    assert (told.status, told.filled_base) == (OrderStatus.CANCELED, Decimal("0.5"))


def test_a_maker_s_rebate_is_a_fee_below_zero() -> None:
    own = OwnOrders()
    join(own, "pending_new", **BEGUN)
    fees = [{"asset": "USD", "qty": -0.02}]
    trade = {"exec_id": "T2", "last_qty": 1.0, "last_price": 99.0, "fees": fees}
    fill, _ = join(own, "trade", order_status="partially_filled", cum_qty=1.0, **trade)
    assert (fill.fee, fill.fee_asset) == (Decimal("-0.02"), "USD")


@pytest.mark.parametrize("figure", ['"NaN"', '"sNaN"', '"Infinity"', "1e400"])
def test_a_balance_that_is_no_figure_is_the_venue_s_fault(figure: str) -> None:
    """S-14: it ends the question, not the account."""
    body = f'{{"XXBT":{{"balance":{figure},"hold_trade":"0"}}}}'
    with pytest.raises(RemoteProtocolError):
        orders.decode_balances(msgspec.Raw(body.encode()), str)
    with pytest.raises(RemoteProtocolError):
        decode_private(
            '{"channel":"balances","type":"update","sequence":1,'
            f'"data":[{{"asset":"BTC","balance":{figure}}}]}}'
        )


def test_open_orders_hold_what_they_may_still_need() -> None:
    own = OwnOrders()
    join(own, "pending_new", **BEGUN)
    assets = {"BTC/USD": ("BTC", "USD")}
    assert own.held("USD", assets) == 200
    assert own.held("BTC", assets) == 0
    join(own, "canceled", order_status="canceled")
    assert own.held("USD", assets) == 0


@pytest.mark.parametrize(
    "data",
    [
        '[{"symbol":"BTC/USD","bid":-1.0,"ask":2.0,"last":1.0}]',
        '[{"symbol":"BTC/USD","bid":1e400,"ask":2.0,"last":1.0}]',
        '[{"symbol":"BTC/USD","bid":1e-400,"ask":2.0,"last":1.0}]',
        '[{"symbol":"BTC/USD","bid":"NaN","ask":2.0,"last":1.0}]',
        '[{"symbol":"BTC/USD","bid":NaN,"ask":2.0,"last":1.0}]',
        '[{"symbol":7}]',
        '{"symbol":"BTC/USD"}',
        "[" * 100_000,
    ],
)
def test_figures_that_no_market_can_mean_are_refused(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_market(f'{{"channel":"ticker","type":"update","data":{data}}}', 0.0)


@given(st.decimals(min_value=0, max_value=10**9, places=8))
def test_numbers_go_out_and_come_back_digit_for_digit(number: Decimal) -> None:
    written = bytes(bare(number))
    assert b"." in written
    assert b"e" not in written.lower()
    assert msgspec.json.decode(written, type=Decimal) == number
    assert digits(number, 8) == f"{number:.8f}".replace(".", "").lstrip("0")


def test_times_are_written_as_the_venue_reads_them() -> None:
    assert rfc3339(1_700_000_000_007) == "2023-11-14T22:13:20.007Z"
