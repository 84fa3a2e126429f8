"""What the simulated Coinbase says, our codec hears: the two are each other's mirror."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    BookDelta,
    BookSnapshot,
    Side,
    SubscriptionRefused,
    Ticker,
    Traded,
)
from adapters.coinbase.codec import market_writer
from adapters.coinbase.codec.feed import (
    BookChanges,
    Heartbeat,
    LastMatch,
    Subscribed,
    WholeBook,
    decode_feed,
)
from adapters.simulator.coinbase_texts import order_number, order_uuid, read_time
from tests.adapters.coinbase_desk import OID

SYMBOLS = {"BTC-USD": "BTC/USD"}
prices = st.decimals("0.00000001", "1e9", places=8)
amounts = st.decimals("0", "1e9", places=8)
ids = st.integers(0, 2**62)
times = st.integers(1_300_000_000_000, 4_000_000_000_000)
levels = st.lists(st.tuples(prices, amounts), max_size=5).map(tuple)
sides = st.sampled_from(Side)
BTC = (st.just("coinbase"), st.just("BTC/USD"))
tickers = st.builds(Ticker, *BTC, prices, amounts, amounts, amounts, times, st.just(1.5))
trades = st.builds(Traded, *BTC, ids, prices, prices, sides, times, st.just(1.5))
deltas = st.builds(BookDelta, *BTC, ids, ids, levels, levels, times)
books = st.builds(BookSnapshot, *BTC, ids, levels, levels, st.just(1.5))
rests = st.builds(
    market_writer.TickerRest,
    ids, prices, prices, prices, amounts, amounts, amounts, sides, ids, amounts,
)  # fmt: skip


def heard(text: str) -> object:
    return decode_feed(text, SYMBOLS, 1.5)


@given(tickers, rests)
def test_a_ticker_is_heard_as_it_was_said(
    ticker: Ticker, rest: market_writer.TickerRest
) -> None:
    assert heard(market_writer.encode_ticker(ticker, "BTC-USD", rest)) == ticker


@given(trades, ids)
def test_a_match_is_heard_with_the_takers_side(trade: Traded, sequence: int) -> None:
    text = market_writer.encode_match(
        trade, "BTC-USD", sequence=sequence, maker_order_id=OID, taker_order_id=OID
    )
    assert heard(text) == trade


@given(trades)
def test_the_last_match_is_heard_as_old_news(trade: Traded) -> None:
    text = market_writer.encode_match(
        trade, "BTC-USD", sequence=1, maker_order_id=OID, taker_order_id=OID, is_last=True
    )
    assert heard(text) == LastMatch("BTC/USD", trade.trade_id)


@given(books)
def test_a_whole_book_is_heard_as_it_was_said(book: BookSnapshot) -> None:
    told = market_writer.encode_snapshot(book, "BTC-USD")
    assert heard(told) == WholeBook("BTC/USD", book.bids, book.asks)


@given(deltas)
def test_changes_of_a_book_are_heard_as_they_were_said(delta: BookDelta) -> None:
    changes = BookChanges("BTC/USD", delta.bids, delta.asks, delta.exchange_ms)
    assert heard(market_writer.encode_update(delta, "BTC-USD")) == changes


@given(ids, ids, times)
def test_a_heartbeat_is_heard_as_it_was_said(sequence: int, last: int, at_ms: int) -> None:
    text = market_writer.encode_heartbeat(
        "BTC-USD", sequence=sequence, last_trade_id=last, at_ms=at_ms
    )
    assert heard(text) == Heartbeat("BTC/USD", sequence, last)


def test_an_acknowledgement_is_heard_by_its_present_names() -> None:
    text = market_writer.encode_subscriptions(
        {"level2_50": ["BTC-USD"], "ticker_1000": ["BTC-USD"], "status": []}
    )

    assert heard(text) == Subscribed(
        {
            "level2_batch": frozenset({"BTC-USD"}),
            "ticker_batch": frozenset({"BTC-USD"}),
            "status": frozenset(),
        }
    )


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_error_is_heard_as_a_refusal(message: str, reason: str) -> None:
    assert isinstance(
        heard(market_writer.encode_error(message, reason)), SubscriptionRefused
    )


@given(ids.filter(lambda it: it < 2**48))
def test_an_order_id_leads_back_to_the_engines_number(number: int) -> None:
    assert order_number(order_uuid(number)) == number


@given(times)
def test_a_time_is_read_as_it_was_written(at_ms: int) -> None:
    assert read_time(market_writer.micro(at_ms)) == at_ms
    assert read_time(f"{Decimal(at_ms) / 1000:f}") == at_ms
