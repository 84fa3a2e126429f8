"""Recorded Kraken messages are heard whole: exact counts, and every checksum holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from actors.messages import BookDelta, BookSnapshot, PassedOver
from adapters.errors import RemoteProtocolError
from adapters.kraken.codec import rest
from adapters.kraken.codec.book import BookBroken, KeptBook
from adapters.kraken.codec.instruments import decode_listing
from adapters.kraken.codec.market import Acknowledged, BookHeard, SystemHeard, decode_market
from tests.adapters.recordings import CAPTURES, lines, needs_recordings, tell

pytestmark = needs_recordings


def heard_as(text: str) -> Iterable[str]:
    """Return what the messages of a frame were heard as; refusals are counted too."""
    try:
        return [type(each).__name__ for each in decode_market(text, 0.0)]
    except RemoteProtocolError:
        return ["refused"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "crossbook/kraken_btcusd_d25_202608.jsonl",
            {"BookHeard": 2052, "PassedOver": 50, "SystemHeard": 1, "Acknowledged": 1},
        ),
        (
            "crossbook/kraken_xrpusd_d25_202608.jsonl",
            {"BookHeard": 1147, "PassedOver": 43, "SystemHeard": 1, "Acknowledged": 1},
        ),
        (
            "live_snippets/kraken_v2_20261003.jsonl",
            {"SystemHeard": 1, "Acknowledged": 2, "Ticker": 1, "BookTop": 1},
        ),
        (
            "live_snippets/kraken_v2_instrument_docs.jsonl",
            {"PassedOver": 1, "Acknowledged": 1},
        ),
    ],
)
def test_a_recorded_session_is_heard_whole(name: str, expected: dict[str, int]) -> None:
    heard = Counter(kind for line in lines(name) for kind in heard_as(line["raw"]))
    tell(name, dict(heard))
    assert heard == expected


@pytest.mark.parametrize(
    ("name", "symbol", "messages"),
    [
        ("crossbook/kraken_btcusd_d25_202608.jsonl", "BTC/USD", 2052),
        ("crossbook/kraken_xrpusd_d25_202608.jsonl", "XRP/USD", 1147),
    ],
)
def test_every_checksum_of_a_recorded_book_matches(
    name: str, symbol: str, messages: int
) -> None:
    book = KeptBook(symbol, depth=25)
    proven = 0
    copy: dict[str, dict[Any, Any]] = {"bids": {}, "asks": {}}
    for line in lines(name):
        for heard in decode_market(line["raw"], 0.0):
            if not isinstance(heard, BookHeard):
                continue
            told = take(book, heard)
            proven += 1
            assert told.last_id == proven
            for side in ("bids", "asks"):
                if isinstance(told, BookSnapshot):
                    copy[side].clear()
                for price, base in getattr(told, side):
                    copy[side][price] = base
                    if not base:
                        del copy[side][price]
                assert len(copy[side]) <= 25  # what is told keeps a copy as deep as ours
    tell(name, proven)
    assert proven == messages


def take(book: KeptBook, heard: BookHeard) -> BookSnapshot | BookDelta:
    if heard.is_snapshot:
        return book.take_snapshot(heard.row, 0.0)
    return book.take_update(heard.row)


def test_a_lost_update_is_found_by_the_checksum() -> None:
    book = KeptBook("BTC/USD", depth=25)
    books = [
        heard
        for line in lines("crossbook/kraken_btcusd_d25_202608.jsonl")
        for heard in decode_market(line["raw"], 0.0)
        if isinstance(heard, BookHeard)
    ]
    taken = 0
    for heard in books[:4] + books[5:]:
        try:
            take(book, heard)
        except BookBroken:
            break
        taken += 1
    assert not book.is_proven
    assert taken == 4


def test_the_frames_of_the_rust_client_are_heard() -> None:
    heard: Counter[str] = Counter()
    for line in lines("kraken-async-rs/kraken_messages.jsonl"):
        if line["kind"] == "rest-error":
            continue
        heard.update(heard_as(line["raw"]))
    tell(dict(heard))
    assert heard == {
        "PassedOver": 13,
        "SystemHeard": 2,
        "Acknowledged": 9,
        "Ticker": 1,
        "BookTop": 1,
        "BookHeard": 1,
        "Candle": 1,
        "Traded": 2,
        "refused": 3,  # pieces of frames: an execution, an asset, a level
    }


def test_the_channels_passed_over_are_not_market_data() -> None:
    reasons = Counter(
        each.reason
        for line in lines("kraken-async-rs/kraken_messages.jsonl")
        if line["kind"] not in {"rest-error", "other"}
        for each in decode_market(line["raw"], 0.0)
        if isinstance(each, PassedOver)
    )
    tell(dict(reasons))
    assert set(reasons) == {
        "heartbeat",
        "channel 'executions'",
        "channel 'balances'",
        "channel 'level3'",
        "an answer to 'add_order'",
        "an answer to 'amend_order'",
        "an answer to 'edit_order'",
        "an answer to 'cancel_order'",
        "an answer to 'cancel_all_orders_after'",
        "an answer to 'batch_cancel'",
    }


def test_the_documented_examples_are_heard() -> None:
    heard: Counter[str] = Counter()
    for line in lines("jkorf/kraken_examples.jsonl"):
        for event in line.get("events", ()):
            heard.update(heard_as(json.dumps(event)))
    for name in ("ws_book_snapshot", "ws_ohlc_update", "ws_subscribe_response"):
        text = (CAPTURES / f"nautilus_trader/kraken/{name}.json").read_text()
        heard.update(heard_as(text))
    tell(dict(heard))
    assert heard == {
        "BookHeard": 2,
        "PassedOver": 1,  # level3
        "Ticker": 1,
        "BookTop": 1,
        "Candle": 1,
        "Acknowledged": 1,
    }


def test_a_re_saved_book_matches_once_its_digits_are_padded() -> None:
    """The example lost trailing zeros when it was saved; the precision tells them."""
    (line,) = [
        line
        for line in lines("jkorf/kraken_examples.jsonl")
        if line["file"].endswith("AggBook.txt")
    ]
    (heard,) = decode_market(json.dumps(line["events"][0]), 0.0)
    assert isinstance(heard, BookHeard)
    book = KeptBook("ETH/USDT", 10, price_decimals=4, base_decimals=8)
    assert isinstance(heard.row.checksum, int)
    told = take(book, heard)
    assert len(told.bids) == len(told.asks) == 10


def test_maintenance_is_told_in_lines() -> None:
    (first, *_) = lines("live_snippets/kraken_v2_20261003.jsonl")
    assert decode_market(first["raw"], 0.0) == [
        SystemHeard(
            "online",
            (
                "Order Entry System Maintenance · announced · 2026-10-05T09:00:00.000000Z"
                " · 2026-10-05T10:00:00.000000Z · spot_trading, spot_fix, spot_ws",
            ),
        )
    ]


def test_a_refusal_names_its_symbol_where_the_venue_does() -> None:
    refused = [
        each
        for line in lines("kraken-async-rs/kraken_messages.jsonl")
        if line["kind"] == "subscribe/err"
        for each in decode_market(line["raw"], 0.0)
    ]
    assert refused == [
        Acknowledged("subscribe", "", "", 0, "Unsupported event"),
        Acknowledged("subscribe", "", "WWW/USD", 0, "Currency pair not supported WWW/USD"),
    ]


def test_the_public_rest_bodies_are_read() -> None:
    read: Counter[str] = Counter()
    for line in lines("jkorf/kraken_examples.jsonl"):
        if line["kind"] != "rest" or "/public/" not in line["path"]:
            continue
        errors, result = rest.decode_envelope(json.dumps(line["response"]).encode())
        assert not errors
        match line["path"].rpartition("/")[2]:
            case "OHLC":
                candles = rest.decode_candles(result, "BTC/USD", "1m", limit=720)
                assert [each.is_closed for each in candles] == [True, True, True, False]
                read["candles"] += len(candles)
            case "SystemStatus":
                read[rest.decode_status(result).system] += 1
            case path:
                read[path] += 1
    fixtures = CAPTURES / "nautilus_trader/kraken"
    _, result = rest.decode_envelope((fixtures / "http_ohlc.json").read_bytes())
    read["nautilus"] += len(rest.decode_candles(result, "BTC/USDT", "1m", limit=1000))
    _, result = rest.decode_envelope((fixtures / "http_server_time.json").read_bytes())
    read["seconds"] = rest.decode_time(result)
    tell(dict(read))
    assert read == {
        "candles": 4,
        "online": 1,
        "Spread": 1,
        "Trades": 1,
        "nautilus": 721,
        "seconds": 1762820224,
    }


def test_recorded_pairs_are_listed_by_the_venue_s_own_names() -> None:
    """The recordings have the old names only; then those are what the symbols are of."""
    (line,) = [
        line
        for line in lines("cryptofeed/kraken_v1_20210417_a.jsonl")
        if line["dir"] == "http"
    ]
    _, result = rest.decode_envelope(line["raw"].encode())
    listing = decode_listing(result, result)
    assert len(listing.instruments) == 9
    assert listing.refused == ()
    found = listing.instruments["XXBT/ZUSD"]
    assert (found.venue_symbol, str(found.tick), str(found.lot)) == (
        "XBTUSD",
        "0.1",
        "1E-8",
    )
    assert {name for name, ours in listing.symbols.items() if ours == "XXBT/ZUSD"} == {
        "XXBT/ZUSD",
        "XXBTZUSD",
        "XBTUSD",
        "XBT/USD",
    }


def test_old_and_new_names_are_joined_by_the_one_both_lists_have() -> None:
    old = b'{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","pair_decimals":1,"lot_decimals":8}}'  # noqa: E501 -- a body
    new = b'{"BTC/USD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"BTC","quote":"USD","pair_decimals":1,"lot_decimals":8,"ordermin":"0.00005","costmin":"0.5","tick_size":"0.1","status":"online"}}'  # noqa: E501 -- a body
    listing = decode_listing(msgspec.Raw(new), msgspec.Raw(old))
    assert set(listing.symbols) == {"BTC/USD", "XBTUSD", "XBT/USD", "XXBTZUSD"}
    assert listing.assets == {"XXBT": "BTC", "ZUSD": "USD", "BTC": "BTC", "USD": "USD"}
    assert listing.instruments["BTC/USD"].is_trading


def test_the_first_protocol_s_session_is_refused_as_another_language() -> None:
    """Shoal speaks version 2; a frame of version 1 is no frame of it."""
    heard = Counter(
        kind
        for line in lines("cryptofeed/kraken_v1_20210417_a.jsonl")
        if line["dir"] == "rx"
        for kind in heard_as(line["raw"])
    )
    tell(dict(heard))
    assert heard == {"refused": 2360}
