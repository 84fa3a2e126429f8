"""What the public feed and the public bodies say, and what no market can mean."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from actors.messages import PassedOver, Side, SubscriptionRefused, Ticker, Traded
from adapters.coinbase.codec import candles, channels, products, rest, times
from adapters.coinbase.codec.feed import (
    BookChanges,
    Heartbeat,
    LastMatch,
    Subscribed,
    WholeBook,
    decode_feed,
)
from adapters.errors import RemoteProtocolError
from adapters.figures import BadFigure

SYMBOLS = {"BTC-USD": "BTC/USD"}
# live, 2026-10-03
TICKER: dict[str, Any] = {
    "type": "ticker",
    "sequence": 137212619516,
    "product_id": "BTC-USD",
    "price": "84737.58",
    "open_24h": "84430.55",
    "volume_24h": "1836.96781750",
    "low_24h": "84400",
    "high_24h": "85021.57",
    "volume_30d": "175984.53012145",
    "best_bid": "84737.58",
    "best_bid_size": "0.19921154",
    "best_ask": "84737.59",
    "best_ask_size": "0.05223077",
    "side": "sell",
    "time": "2026-10-03T20:58:31.127510Z",
    "trade_id": 1102042811,
    "last_size": "0.00000025",
}
MATCH: dict[str, Any] = {
    "type": "match",
    "trade_id": 1081862675,
    "maker_order_id": "a",
    "taker_order_id": "b",
    "side": "sell",
    "size": "0.00000001",
    "price": "80691.53",
    "product_id": "BTC-USD",
    "sequence": 134905860111,
    "time": "2026-08-25T03:35:57.198335Z",
}


def hear(frame: dict[str, Any]) -> object:
    return decode_feed(json.dumps(frame, separators=(",", ":")), SYMBOLS, 7.0)


def test_a_ticker_is_heard() -> None:
    assert hear(TICKER) == Ticker(
        "coinbase",
        "BTC/USD",
        Decimal("84737.58"),
        Decimal("84737.58"),
        Decimal("84737.59"),
        Decimal("1836.96781750"),
        1_791_061_111_127,
        7.0,
    )


def test_a_match_names_the_maker_and_is_told_by_the_taker() -> None:
    assert hear(MATCH) == Traded(
        "coinbase",
        "BTC/USD",
        1081862675,
        Decimal("80691.53"),
        Decimal("0.00000001"),
        Side.BUY,
        1_787_628_957_198,
        7.0,
    )


def test_the_match_before_the_subscription_is_no_new_trade() -> None:
    assert hear({**MATCH, "type": "last_match"}) == LastMatch("BTC/USD", 1081862675)


def test_a_heartbeat_tells_the_last_trade() -> None:
    frame = {
        "type": "heartbeat",
        "sequence": 90,
        "last_trade_id": 20,
        "product_id": "BTC-USD",
        "time": "2014-11-07T08:19:28.464459Z",
    }
    assert hear(frame) == Heartbeat("BTC/USD", 90, 20)


def test_a_snapshot_and_its_changes_are_read_by_side() -> None:
    snapshot = {
        "type": "snapshot",
        "product_id": "BTC-USD",
        "bids": [["10101.10", "0.45054140"]],
        "asks": [["10102.55", "0.57753524"]],
    }
    assert hear(snapshot) == WholeBook(
        "BTC/USD",
        ((Decimal("10101.10"), Decimal("0.45054140")),),
        ((Decimal("10102.55"), Decimal("0.57753524")),),
    )
    changes = {
        "type": "l2update",
        "product_id": "BTC-USD",
        "changes": [["buy", "80688.08", "0.00000000"], ["sell", "80745.16", "0.2"]],
        "time": "0001-01-01T00:00:00.000000Z",
    }
    assert hear(changes) == BookChanges(
        "BTC/USD",
        ((Decimal("80688.08"), Decimal(0)),),
        ((Decimal("80745.16"), Decimal("0.2")),),
        times.NOT_TOLD,
    )


def test_an_acknowledgement_is_read_by_the_names_of_today() -> None:
    ack = {
        "type": "subscriptions",
        "channels": [
            {"name": "level2_50", "product_ids": ["BTC-USD"], "account_ids": None},
            {"name": "ticker_1000", "product_ids": ["BTC-USD"]},
            {"name": "heartbeat", "product_ids": None},
        ],
    }
    assert hear(ack) == Subscribed(
        {
            channels.LEVEL2: frozenset({"BTC-USD"}),
            channels.TICKER_BATCH: frozenset({"BTC-USD"}),
            channels.HEARTBEAT: frozenset(),
        }
    )


def test_the_venues_error_is_a_refusal_of_nobody_in_particular() -> None:
    error = {"type": "error", "message": "Failed to subscribe", "reason": "no auth"}
    assert hear(error) == SubscriptionRefused(None, 0, "Failed to subscribe: no auth")
    named = {**error, "reason": "BTC-USD is delisted"}
    text = "Failed to subscribe: BTC-USD is delisted"
    assert hear(named) == SubscriptionRefused(None, 0, text, "BTC/USD")


@pytest.mark.parametrize(
    "frame",
    [
        {**TICKER, "product_id": "ETH-USD"},
        {"type": "rfq_match", "anything": [1]},
        {"type": "status", "products": [{"id": "BTC-USD"}], "currencies": []},
    ],
)
def test_what_is_not_ours_is_passed_over(frame: dict[str, Any]) -> None:
    assert isinstance(hear(frame), PassedOver)


def test_keys_that_nobody_knows_are_never_refused() -> None:
    assert hear({**TICKER, "new": {"deep": [None]}}) == hear(TICKER)
    assert hear(dict(sorted(MATCH.items()))) == hear(MATCH)


@pytest.mark.parametrize(
    "frame",
    [
        {**TICKER, "price": "0"},
        {**TICKER, "price": "NaN"},
        {**TICKER, "best_bid": "-1"},
        {**TICKER, "volume_24h": 5},
        {**TICKER, "time": "yesterday"},
        {**TICKER, "time": "2026-10-03T20:58:31"},
        {**MATCH, "side": "both"},
        {**MATCH, "size": "0"},
        {**MATCH, "trade_id": -1},
        {**MATCH, "price": "1e5"},
        {"type": "snapshot", "product_id": "BTC-USD", "bids": [["0", "1"]], "asks": []},
        {"type": "l2update", "product_id": "BTC-USD", "changes": [["bid", "1", "1"]]},
        {"type": "l2update", "product_id": "BTC-USD", "changes": [["buy", "1"]]},
        {"type": "subscriptions"},
        {"kind": "ticker"},
    ],
)
def test_what_no_market_can_mean_is_refused(frame: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError, match="bad feed frame"):
        hear(frame)


@pytest.mark.parametrize("text", ["", "[", b"\xff", "[" * 5000, '{"type":"ticker'])
def test_what_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_feed(text, SYMBOLS, 0.0)


def test_commands_name_the_products_of_each_channel() -> None:
    text = channels.encode_command("subscribe", {"ticker": ["BTC-USD"]}, {"key": "k"})
    assert json.loads(text) == {
        "type": "subscribe",
        "channels": [{"name": "ticker", "product_ids": ["BTC-USD"]}],
        "key": "k",
    }


PRODUCT: dict[str, Any] = {
    "id": "BTC-USD",
    "base_currency": "BTC",
    "quote_currency": "USD",
    "quote_increment": "0.01",
    "base_increment": "0.00000001",
    "display_name": "BTC-USD",
    "min_market_funds": "1",
    "margin_enabled": False,
    "post_only": False,
    "limit_only": False,
    "cancel_only": False,
    "status": "online",
    "trading_disabled": False,
    "high_bid_limit_percentage": None,
}


def one(**changes: object) -> products.Products:
    return products.decode_products(json.dumps([{**PRODUCT, **changes}]).encode())


def test_a_product_becomes_an_instrument() -> None:
    (found,) = one().instruments
    assert (found.symbol, found.venue_symbol) == ("BTC/USD", "BTC-USD")
    assert (found.tick, found.lot) == (Decimal("0.01"), Decimal("1E-8"))
    assert (found.quote_min, found.is_quote_min_for_market) == (Decimal(1), True)
    assert (found.base_min, found.base_max, found.quote_max) == (0, 0, 0)
    assert found.is_trading


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "delisted"},
        {"status": "offline"},
        {"cancel_only": True},
        {"trading_disabled": True},
    ],
)
def test_a_product_that_takes_no_orders_does_not_trade(changes: dict[str, Any]) -> None:
    (found,) = one(**changes).instruments
    assert not found.is_trading


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"post_only": True}, {"limit_maker"}),
        (
            {"limit_only": True},
            {"limit", "limit_maker", "stop_loss_limit", "take_profit_limit"},
        ),
    ],
)
def test_a_product_says_which_orders_it_takes(
    changes: dict[str, Any], left: set[str]
) -> None:
    (found,) = one(**changes).instruments
    assert found.order_types == left


def test_one_unreadable_product_does_not_blind_us_to_the_others() -> None:
    body = json.dumps([{**PRODUCT, "quote_increment": "x"}, PRODUCT, {"id": "?"}]).encode()
    found = products.decode_products(body)
    assert ([it.symbol for it in found.instruments], len(found.refused)) == (["BTC/USD"], 2)


def test_time_and_its_text_are_exact() -> None:
    assert rest.decode_time(b'{"iso":"x","epoch":1420674445.201}') == 1_420_674_445_201
    assert times.epoch_ms("2026-09-07T07:26:13.721780188Z") == 1_788_765_973_721
    assert times.rfc3339(1_788_765_973_721) == "2026-09-07T07:26:13.721Z"
    with pytest.raises(RemoteProtocolError):
        rest.decode_time(b'{"epoch":1}')
    with pytest.raises(BadFigure):
        times.epoch_ms("1999-01-01T00:00:00Z")


def test_trades_over_rest_come_oldest_first_and_by_taker() -> None:
    rows = [
        {**MATCH, "trade_id": number, "side": side}
        for number, side in ((8, "buy"), (7, "sell"))
    ]
    found = rest.decode_trades(json.dumps(rows).encode(), "BTC/USD", 1.0)
    assert [(it.trade_id, it.side) for it in found] == [(7, Side.BUY), (8, Side.SELL)]


MINUTE = 1_584_680_340


def rows_of(*rows: tuple[int, str, str, str, str, str]) -> bytes:
    return ("[" + ",".join(f"[{','.join(map(str, row))}]" for row in rows) + "]").encode()


def test_candles_are_exact_and_come_oldest_first() -> None:
    body = rows_of(
        (MINUTE + 60, "1.306e-05", "2", "1.5", "1.50", "0.10"),
        (MINUTE, "1", "2", "1.5", "1.25", "3"),
    )
    first, second = candles.decode_candles(body, "BTC/USD", "1m")
    assert (first.open_ms, first.close_ms) == (MINUTE * 1000, MINUTE * 1000 + 59_999)
    assert (first.open, first.high, first.low, first.close) == (
        Decimal("1.5"),
        Decimal(2),
        Decimal(1),
        Decimal("1.25"),
    )
    assert second.low == Decimal("0.00001306")


def test_a_candle_is_closed_by_a_later_one_only_and_a_quiet_minute_has_none() -> None:
    body = rows_of(
        (MINUTE, "1", "2", "1.5", "1.25", "3"), (MINUTE + 180, "1", "2", "1.5", "1.25", "3")
    )
    found = candles.decode_candles(body, "BTC/USD", "1m")
    assert [it.open_ms // 1000 - MINUTE for it in found] == [0, 180]
    assert [it.is_closed for it in found] == [True, False]


@pytest.mark.parametrize(
    "row",
    [
        (MINUTE, "2", "1", "1.5", "1.5", "1"),
        (MINUTE, "0", "1", "1", "1", "1"),
        (MINUTE, "1", "1", "1", "1", "-1"),
        (MINUTE + 1, "1", "1", "1", "1", "1"),
        (MINUTE, "1", "1", "1", "1", "1e40"),
    ],
)
def test_candles_that_cannot_be_are_refused(
    row: tuple[int, str, str, str, str, str],
) -> None:
    with pytest.raises(RemoteProtocolError, match="bad candles"):
        candles.decode_candles(rows_of(row), "BTC/USD", "1m")
