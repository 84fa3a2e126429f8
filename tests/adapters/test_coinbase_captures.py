"""Recorded and documented Coinbase messages: each is heard, passed over, or not ours."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import pytest

from actors.messages import BookSnapshot, PassedOver, Traded
from adapters.coinbase.codec import (
    advanced_answers,
    advanced_orders,
    advanced_user,
    candles,
    exchange_orders,
    exchange_user,
    products,
    rest,
)
from adapters.coinbase.codec.feed import BookChanges, LastMatch, WholeBook, decode_feed
from adapters.coinbase.feed_book import FeedBook
from tests.adapters.recordings import CAPTURES, lines, needs_recordings, tell

pytestmark = needs_recordings

SESSION: Final = "cryptofeed/coinbase_exchange_20210417_a.jsonl"
LIVE: Final = "live_snippets/coinbase_exchange_20261003.jsonl"
SYMBOLS: Final = {
    name: name.replace("-", "/")
    for name in (
        "NMR-EUR", "SKL-BTC", "SKL-GBP", "SKL-USD", "YFI-BTC", "BTC-USD", "ETH-USD",
        "BTC-EUR", "ETH-USDT",
    )
}  # fmt: skip
Decode = Callable[[bytes], object]


def told(text: str | bytes) -> str:
    return type(decode_feed(text, SYMBOLS, 0.0)).__name__


def heard_in_session() -> list[object]:
    return [
        decode_feed(line["raw"], SYMBOLS, 0.0)
        for line in lines(SESSION)
        if line["dir"] == "rx"
    ]


def test_the_recorded_session_is_heard_whole() -> None:
    heard = Counter(type(each).__name__ for each in heard_in_session())
    tell(SESSION, dict(heard))
    assert heard == {
        "BookChanges": 5572,
        "Ticker": 74,
        "Traded": 69,
        "WholeBook": 5,
        "LastMatch": 5,
        "Subscribed": 3,
    }


def test_trades_of_the_session_follow_each_other_by_number() -> None:
    """The venue's numbers have no gap for one product; the stream relies on that."""
    last: dict[str, int] = {}
    for each in heard_in_session():
        if isinstance(each, LastMatch):
            last[each.symbol] = each.trade_id
        elif isinstance(each, Traded):
            assert each.trade_id == last[each.symbol] + 1
            last[each.symbol] = each.trade_id
    assert len(last) == 5


def test_books_of_the_session_equal_a_plain_rebuild() -> None:
    """Against dictionaries filled from the raw frames, after every single one of them."""
    books: dict[str, FeedBook] = {}
    plain: dict[str, dict[str, dict[Decimal, Decimal]]] = {}
    compared = 0
    for line in lines(SESSION):
        if line["dir"] != "rx":
            continue
        rebuild(plain, json.loads(line["raw"]))
        each = decode_feed(line["raw"], SYMBOLS, 0.0)
        if isinstance(each, WholeBook):
            books[each.symbol] = FeedBook(each.symbol, 0.0, wants_book=True)
            books[each.symbol].load(each, 0.0)
        elif isinstance(each, BookChanges):
            books[each.symbol].change(each, 0.0)
        else:
            continue
        compared += 1
        book, sides = books[each.symbol].book, plain[each.symbol]
        assert (book.bids.base, book.asks.base) == (sides["buy"], sides["sell"])
        assert max(sides["buy"]) == book.bids.prices[-1]
        assert min(sides["sell"]) == book.asks.prices[0]
    tell("books compared", compared, {name: it.book.last_id for name, it in books.items()})
    assert compared == 5577


def rebuild(
    plain: dict[str, dict[str, dict[Decimal, Decimal]]], frame: Mapping[str, Any]
) -> None:
    symbol = frame.get("product_id", "").replace("-", "/")
    if frame["type"] == "snapshot":
        plain[symbol] = {
            side: {Decimal(price): Decimal(size) for price, size in frame[key]}
            for side, key in (("buy", "bids"), ("sell", "asks"))
        }
    elif frame["type"] == "l2update":
        for side, price, size in frame["changes"]:
            plain[symbol][side].pop(Decimal(price), None)
            if Decimal(size):
                plain[symbol][side][Decimal(price)] = Decimal(size)


def test_the_products_of_the_session_are_read() -> None:
    (body,) = [line["raw"].encode() for line in lines(SESSION) if line["dir"] == "http"]
    found = products.decode_products(body)
    names = {it.venue_symbol: it.symbol for it in found.instruments}
    tell("products", len(names))
    assert not found.refused
    assert all(it.tick and it.lot and it.is_trading for it in found.instruments)
    assert names["SKL-GBP"] == "SKL/GBP"


def test_frames_of_2026_are_heard() -> None:
    texts = [line["raw"] for line in lines(LIVE)]
    assert [told(texts[0]), told(texts[1])] == ["Subscribed", "Ticker"]
    ticker = rest.decode_ticker(texts[2].encode(), "BTC/USD", 0.0)
    assert (ticker.last, ticker.exchange_ms) == (Decimal("79540.05"), 1_788_765_973_721)


def of_feed(text: bytes) -> object:
    return decode_feed(text, SYMBOLS, 0.0)


def of_user(text: bytes) -> object:
    return exchange_user.decode_user(text, SYMBOLS)


BY_FIXTURE: Final[Mapping[str, Decode]] = {
    "rest/accounts/GET": exchange_orders.decode_accounts,
    "rest/accounts/322dfa88-e10d-4678-856d-2930eac3e62d/GET": (
        lambda body: exchange_orders.decode_accounts(b"[" + body + b"]")
    ),
    "/book/": lambda body: rest.decode_book(body, "BTC/USD", 0.0),
    "/candles/GET": lambda body: candles.decode_candles(body, "BTC/USD", "1h"),
    "/candles/2020": lambda body: candles.decode_candles(body, "BTC/USD", "1m"),
    "ws/full/": of_user,
    "ws/level2/": of_feed,
    "ws/ticker/": of_feed,
    "ws/empty": of_feed,
}
# Descriptions, candles packed anew by somebody else, and endpoints Shoal does not call.
NOT_ASKED: Final = ("openapi", "candles_BTC", "holds", "ledger", "trailing", "verify")


def test_the_fixtures_of_another_client_are_read() -> None:
    counts: Counter[str] = Counter()
    folder = CAPTURES / "coinbase-pro-node"
    for path in sorted(folder.rglob("*.json")):
        name = str(path.relative_to(folder))
        decode = next((it for key, it in BY_FIXTURE.items() if key in name), None)
        if any(word in name for word in NOT_ASKED):
            counts["not asked"] += 1
            continue
        assert decode is not None, name
        counts[type(decode(path.read_bytes())).__name__] += 1
    tell("coinbase-pro-node", dict(counts))
    assert counts == {
        "tuple": 4,
        "BookSnapshot": 3,
        "BookChanges": 1,
        "WholeBook": 1,
        "Ticker": 1,
        "Subscribed": 2,
        "Received": 1,
        "Rests": 1,
        "not asked": 6,
    }


def test_a_recorded_book_over_rest_is_whole() -> None:
    path = CAPTURES / "coinbase-pro-node/rest/products/BTC-EUR/book/level-2.json"
    book = rest.decode_book(path.read_bytes(), "BTC/EUR", 0.0)
    assert isinstance(book, BookSnapshot)
    assert (len(book.bids), len(book.asks)) == (36, 1)
    assert book.bids[0] == (Decimal("8966.04"), Decimal("0.01"))


def test_recorded_minutes_over_rest_are_closed_but_the_last() -> None:
    path = (
        CAPTURES / "coinbase-pro-node/rest/products/BTC-USD/candles/2020-03-20-00-00.json"
    )
    told = candles.decode_candles(path.read_bytes(), "BTC/USD", "1m")
    assert len(told) == 300
    assert [it.is_closed for it in told[-2:]] == [True, False]


ADVANCED: Final[Mapping[str, Decode]] = {
    "http_order": lambda body: advanced_orders.decode_order(body, SYMBOLS),
    "ws_": lambda body: advanced_user.decode_frame(body, SYMBOLS),
}


def test_advanced_trade_fixtures_are_read_or_not_asked() -> None:
    counts: Counter[str] = Counter()
    for path in sorted((CAPTURES / "nautilus_trader/coinbase_advanced").glob("*.json")):
        decode = next(
            (it for key, it in ADVANCED.items() if path.name.startswith(key)), None
        )
        if decode is None:  # products and candles: Shoal reads the Exchange's
            counts["not asked"] += 1
            continue
        found = decode(path.read_bytes())
        is_other = (
            isinstance(found, advanced_user.Frame) and found.channel != "subscriptions"
        )
        counts["passed over" if is_other else type(found).__name__] += 1
    tell("nautilus_trader/coinbase_advanced", dict(counts))
    assert counts == {"VenueOrder": 1, "Frame": 1, "passed over": 3, "not asked": 3}


EXAMPLES: Final[Mapping[str, Decode]] = {
    "GetAggregatedOrderBook": lambda body: rest.decode_book(body, "ETH/USDT", 0.0),
    "ClosePosition": advanced_answers.decode_created,
    "GetOrder.txt": lambda body: advanced_orders.decode_order(body, SYMBOLS),
    "GetUserTrades": lambda body: advanced_orders.decode_fills(body, SYMBOLS),
}


def test_documented_examples_are_read_or_not_asked() -> None:
    counts: Counter[str] = Counter()
    text = (CAPTURES / "jkorf/coinbase_advanced_examples.jsonl").read_text()
    for line in text.splitlines():
        example = json.loads(line)
        if example["kind"] == "ws":
            for ack in example["acks"]:
                frame = advanced_user.decode_frame(ack, SYMBOLS)
                assert frame.subscribed
                counts["acks"] += 1
            continue
        name = example["file"].rpartition("/")[2]
        decode = EXAMPLES.get(name) or EXAMPLES.get(name.removesuffix(".txt"))
        if decode is None:
            counts["not asked"] += 1
            continue
        found = decode(json.dumps(example["response"]).encode())
        counts[type(found).__name__] += 1
    tell("jkorf", dict(counts))
    assert counts == {
        "acks": 4,
        "BookSnapshot": 1,
        "Created": 1,
        "VenueOrder": 1,
        "FillsPage": 1,
        "not asked": 4,
    }


def test_nothing_of_the_session_is_refused_or_passed_over() -> None:
    assert not [it for it in heard_in_session() if isinstance(it, PassedOver)]


@pytest.mark.parametrize("where", [SESSION, LIVE])
def test_keys_we_do_not_know_change_nothing(where: str) -> None:
    """With a key nobody knows, in front of every frame, each is heard as before."""
    for line in lines(where):
        if line.get("dir") != "rx" or '"type"' not in line["raw"]:
            continue
        strange = '{"of_2027":[{"x":null}],' + line["raw"].lstrip()[1:]
        assert decode_feed(strange, SYMBOLS, 0.0) == decode_feed(line["raw"], SYMBOLS, 0.0)
