"""Market frames that no market can mean are refused; what is not for us is passed over."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import PassedOver, SubscriptionAccepted, VenueClosing
from adapters.binance.codec import instruments, orders, private, rest
from adapters.binance.codec.envelope import decode_answer
from adapters.binance.codec.market import decode_stream
from adapters.errors import RemoteProtocolError

SYMBOLS = {"BTCUSDT": "BTC/USDT"}
NOW_MS = 1_700_000_000_000

TICKER = {
    "e": "24hrTicker", "E": NOW_MS, "s": "BTCUSDT", "p": "0.0", "P": "0.0", "w": "1.0",
    "x": "1.0", "c": "100.5", "Q": "1.0", "b": "100.4", "B": "1.0", "a": "100.6",
    "A": "1.0", "o": "1.0", "h": "1.0", "l": "1.0", "v": "12.5", "q": "9.0", "O": 0,
    "C": NOW_MS, "F": 0, "L": 1, "n": 2,
}  # fmt: skip
TRADE = {
    "e": "trade", "E": NOW_MS, "s": "BTCUSDT", "t": 1, "p": "100.5", "q": "0.1",
    "T": NOW_MS, "m": True, "M": True,
}  # fmt: skip
KLINE = {
    "t": NOW_MS, "T": NOW_MS + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2,
    "o": "2", "c": "3", "h": "4", "l": "1", "v": "1", "n": 2, "x": True, "q": "2",
    "V": "1", "Q": "1", "B": "0",
}  # fmt: skip
DEPTH = {
    "e": "depthUpdate", "E": NOW_MS, "s": "BTCUSDT", "U": 1, "u": 2,
    "b": [["100.1", "1"]], "a": [["100.2", "0.00000000"]],
}  # fmt: skip
TOP = {"u": 1, "s": "BTCUSDT", "b": "1.0", "B": "2.0", "a": "1.1", "A": "3.0"}

ABSURD = [
    "NaN", "nan", "-NaN", "sNaN", "Infinity", "-Infinity", "inf", "1e400", "1E400", "1e5",
    "1e-5", "-1", "-0.1", "+1", "", " ", " 1", "1 ", "1_000", "0x10", "1,5", "1.2.3", ".",
    "\uff11\uff12", "\u0663", "1000000000000001", "9" * 41, "0." + "0" * 50 + "1",
    "null", "true",
]  # fmt: skip
NO_STRINGS: list[Any] = [1, 1.5, None, True, [], {}, ["1"], {"1": "1"}]


def framed(stream: str, event: dict[str, Any]) -> str:
    return json.dumps({"stream": stream, "data": event}, separators=(",", ":"))


@pytest.mark.parametrize("figure", ABSURD + NO_STRINGS)
@pytest.mark.parametrize(
    ("stream", "event", "field"),
    [
        ("btcusdt@ticker", TICKER, "c"),
        ("btcusdt@ticker", TICKER, "b"),
        ("btcusdt@ticker", TICKER, "v"),
        ("btcusdt@trade", TRADE, "p"),
        ("btcusdt@trade", TRADE, "q"),
        ("btcusdt@bookTicker", TOP, "a"),
        ("btcusdt@bookTicker", TOP, "B"),
    ],
)
def test_absurd_figures_are_refused(
    stream: str, event: dict[str, Any], field: str, figure: object
) -> None:
    changed = {**event, field: figure}
    for text in (framed(stream, changed), json.dumps(changed)):
        with pytest.raises(RemoteProtocolError, match="bad market frame"):
            decode_stream(text, SYMBOLS, 0.0)


@pytest.mark.parametrize("figure", ABSURD + NO_STRINGS)
@pytest.mark.parametrize("place", [0, 1])
def test_absurd_levels_are_refused(figure: object, place: int) -> None:
    level: list[object] = ["1", "1"]
    level[place] = figure
    with pytest.raises(RemoteProtocolError):
        decode_stream(json.dumps({**DEPTH, "a": [level]}), SYMBOLS, 0.0)


@pytest.mark.parametrize(
    "event",
    [
        {**TICKER, "c": "0.00000000"},
        {**TRADE, "p": "0"},
        {**TRADE, "q": "0"},
        {**TRADE, "t": -1},
        {**TRADE, "t": 2**63},
        {**TRADE, "t": "1"},
        {**TRADE, "T": 1_700_000_000},  # seconds
        {**TRADE, "T": NOW_MS * 1000},  # microseconds
        {**TRADE, "T": -NOW_MS},
        {**TRADE, "m": "true"},
        {**TRADE, "s": 7},
        {**TRADE, "s": "B" * 65},
        {**DEPTH, "U": 3},
        {**DEPTH, "b": [["1"]]},
        {**DEPTH, "b": [["1", "1", "1"]]},
        {**DEPTH, "b": {"1": "1"}},
        {**DEPTH, "b": [["0", "1"]]},
        {"e": "kline", "E": NOW_MS, "s": "BTCUSDT", "k": {**KLINE, "h": "2.5"}},
        {"e": "kline", "E": NOW_MS, "s": "BTCUSDT", "k": {**KLINE, "l": "2.5"}},
        {"e": "kline", "E": NOW_MS, "s": "BTCUSDT", "k": {**KLINE, "o": "0"}},
        {"e": "kline", "E": NOW_MS, "s": "BTCUSDT", "k": {**KLINE, "T": NOW_MS - 1}},
        {"e": "kline", "E": NOW_MS, "s": "BTCUSDT", "k": {**KLINE, "n": -1}},
        {"e": "kline", "E": NOW_MS, "s": "BTCUSDT"},
        {"e": "trade"},
        {},
    ],
)
def test_frames_that_no_market_can_mean_are_refused(event: dict[str, Any]) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_stream(json.dumps(event), SYMBOLS, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "null", "1", '"x"', "{", "[", "[1", "nonsense", "\x00", "\ud800",
        '{"stream":"btcusdt@trade"}', '{"stream":"btcusdt@trade","data":null}',
        '{"stream":"btcusdt@trade","data":[]}', '{"stream":7,"data":{}}', '{"e":7}',
        "[" * 100_000, '{"stream":"x@ticker","data":' + '{"a":' * 5_000, "{" * 100_000,
        b"\xff\xfe", b"", '{"id":1}', '{"result":null', '{"code":"x","msg":"y"}',
    ],
)  # fmt: skip
def test_garbage_is_refused_and_shown_short(text: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_stream(text, SYMBOLS, 0.0)
    assert len(str(caught.value)) < 1500
    assert str(caught.value).isascii()
    assert "\n" not in str(caught.value)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_no_text_at_all_gets_past_the_border_unclassified(text: str | bytes) -> None:
    with suppress(RemoteProtocolError):
        assert isinstance(decode_stream(text, SYMBOLS, 0.0), PassedOver)  # "[]"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
)


@given(
    st.sampled_from(
        [TICKER, TRADE, DEPTH, TOP, {"e": "kline", "s": "BTCUSDT", "k": KLINE}]
    ),
    st.data(),
)
def test_any_field_may_be_anything_and_the_answer_is_a_message_or_a_refusal(
    event: dict[str, Any], data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(event)))
    text = json.dumps({**event, field: data.draw(json_values)})
    with suppress(RemoteProtocolError):
        assert decode_stream(text, SYMBOLS, 0.0) is not None


@pytest.mark.parametrize(
    "event",
    [
        {"e": "aggTrade", "s": "BTCUSDT", "p": "x"},
        {"e": "24hrMiniTicker", "s": "BTCUSDT"},
        {"e": "1hTicker", "s": "BTCUSDT"},
        {"e": "blockTrade", "s": "BTCUSDT"},
        {"e": "somethingNew"},
        {**TRADE, "s": "ETHUSDT"},
        {"e": "kline", "E": NOW_MS, "s": "BTCUSDT", "k": {**KLINE, "i": "7m"}},
        {"lastUpdateId": 160, "bids": [], "asks": []},
        {"result": ["btcusdt@trade"], "id": 3},
        {"result": True, "id": 3},
        {"result": None, "id": "not ours"},
        [{"e": "24hrMiniTicker"}],
    ],
)
def test_what_is_not_for_us_is_passed_over_with_a_reason(event: object) -> None:
    heard = decode_stream(json.dumps(event), SYMBOLS, 0.0)
    assert isinstance(heard, PassedOver)
    assert heard.reason


def test_an_unknown_stream_is_passed_over() -> None:
    heard = decode_stream(framed("btcusdt@avgPrice", {"e": "avgPrice"}), SYMBOLS, 0.0)
    assert heard == PassedOver("stream 'btcusdt@avgPrice'")


def test_the_order_of_keys_and_white_space_do_not_matter() -> None:
    text = json.dumps({"data": TRADE, "stream": "btcusdt@trade"}, indent=2)
    assert decode_stream(text, SYMBOLS, 0.0) == decode_stream(
        framed("btcusdt@trade", TRADE), SYMBOLS, 0.0
    )
    assert decode_stream('{"id":4, "result" : null }', SYMBOLS, 0.0) == (
        SubscriptionAccepted(4)
    )
    assert decode_stream('{"E":1,"e":"serverShutdown"}', SYMBOLS, 0.0) == VenueClosing()


def test_of_duplicate_keys_the_last_counts_and_is_checked() -> None:
    text = json.dumps(TRADE)[:-1] + ',"p":"-1"}'
    with pytest.raises(RemoteProtocolError):
        decode_stream(text, SYMBOLS, 0.0)


def test_a_frame_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        decode_stream(framed("btcusdt@trade", TICKER), SYMBOLS, 0.0)


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b"[]", b"{}", b"\xff", b"[[1]]"]
)
def test_bodies_that_are_not_what_was_asked_for_are_refused(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        rest.decode_time(body)
    with pytest.raises(RemoteProtocolError):
        rest.decode_depth(body, "BTC/USDT", 0.0)
    with pytest.raises(RemoteProtocolError):
        rest.decode_day_ticker(body, "BTC/USDT", 0.0)
    with pytest.raises(RemoteProtocolError):
        instruments.decode_exchange_info(body)
    with pytest.raises(RemoteProtocolError):
        orders.decode_order(body, SYMBOLS)
    with pytest.raises(RemoteProtocolError):
        orders.decode_placed(body, SYMBOLS)
    with pytest.raises(RemoteProtocolError):
        orders.decode_account(body)
    with pytest.raises(RemoteProtocolError):
        private.decode_user_event(body, SYMBOLS)
    with pytest.raises(RemoteProtocolError):
        decode_answer(body)


def test_one_unreadable_symbol_does_not_hide_the_others() -> None:
    good: dict[str, Any] = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC"}
    good |= {"quoteAsset": "USDT", "orderTypes": ["LIMIT"]}
    filters = [{"filterType": "PRICE_FILTER", "tickSize": "-1"}]
    wide = {**good, "symbol": "币安USDT", "baseAsset": "币安"}
    rows = [{**good, "symbol": "AUSDT", "filters": filters}, wide, good]
    body: dict[str, Any] = {"serverTime": NOW_MS, "rateLimits": [], "symbols": rows}
    info = instruments.decode_exchange_info(json.dumps(body).encode())
    assert [found.symbol for found in info.instruments] == ["BTC/USDT"]
    assert len(info.refused) == 2
