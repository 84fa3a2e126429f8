"""The codec's two directions agree on markets: what the simulator says is what we hear."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    Channel,
    Instrument,
    Source,
    Subscription,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
    Traded,
    VenueClosing,
)
from adapters.binance.codec import (
    instruments,
    market_writer,
    rest,
    streams,
)
from adapters.binance.codec.market import decode_stream
from tests.adapters.binance_words import (
    SYMBOLS,
    books,
    candles,
    days,
    deltas,
    described,
    ids,
    limits,
    names,
    tickers,
    times,
    tops,
    trades,
)


@given(tickers, days, st.booleans())
def test_a_ticker_is_heard_as_it_was_said(
    ticker: Ticker, day: market_writer.Day, is_raw: bool
) -> None:
    event = market_writer.encode_ticker(ticker, "BTCUSDT", day)
    assert _heard(event, "btcusdt@ticker", is_raw=is_raw) == ticker


@given(tops, st.booleans())
def test_a_book_top_is_heard_as_it_was_said(top: BookTop, is_raw: bool) -> None:
    event = market_writer.encode_book_top(top, "BTCUSDT")
    assert _heard(event, "btcusdt@bookTicker", is_raw=is_raw) == top


@given(trades, st.booleans())
def test_a_trade_is_heard_as_it_was_said(trade: Traded, is_raw: bool) -> None:
    event = market_writer.encode_trade(trade, "BTCUSDT")
    assert _heard(event, "btcusdt@trade", is_raw=is_raw) == trade


@given(candles(), st.booleans())
def test_a_candle_is_heard_as_it_was_said(candle: Candle, is_raw: bool) -> None:
    event = market_writer.encode_kline(
        candle, "BTCUSDT", event_ms=candle.close_ms, first_id=1, last_id=9
    )
    assert _heard(event, f"btcusdt@kline_{candle.timeframe}", is_raw=is_raw) == candle


@given(deltas(), st.booleans())
def test_a_book_delta_is_heard_as_it_was_said(delta: BookDelta, is_raw: bool) -> None:
    event = market_writer.encode_depth(delta, "BTCUSDT")
    assert _heard(event, "btcusdt@depth@100ms", is_raw=is_raw) == delta


@given(books)
def test_a_partial_book_is_heard_as_it_was_said(book: BookSnapshot) -> None:
    event = market_writer.encode_partial_depth(book)
    assert _heard(event, "btcusdt@depth20@100ms", is_raw=False) == book


@given(st.integers(0, 2**63 - 1))
def test_an_acknowledgement_is_heard_as_it_was_said(request_id: int) -> None:
    heard = decode_stream(market_writer.encode_ack(request_id), SYMBOLS, 0.0)
    assert heard == SubscriptionAccepted(request_id)


@given(st.integers(-9999, 9999), st.text(max_size=60), ids, st.booleans())
def test_a_refusal_is_heard_in_both_shapes(
    code: int, text: str, request_id: int, is_nested: bool
) -> None:
    said = market_writer.encode_error(code, text, request_id, nested=is_nested)
    heard = decode_stream(said, SYMBOLS, 0.0)
    assert heard == SubscriptionRefused(request_id, code, text)


@given(times, st.booleans())
def test_a_shutdown_is_heard(event_ms: int, is_raw: bool) -> None:
    event = market_writer.encode_shutdown(event_ms)
    assert _heard(event, market_writer.SHUTDOWN_STREAM, is_raw=is_raw) == VenueClosing()


@given(tickers, days)
def test_a_day_ticker_is_read_as_it_was_written(
    ticker: Ticker, day: market_writer.Day
) -> None:
    body = rest.encode_day_ticker(ticker, "BTCUSDT", day)
    heard = rest.decode_day_ticker(body, "BTC/USDT", 1.5)
    assert heard.source is Source.REST
    assert heard.last == ticker.last
    assert (heard.bid, heard.ask, heard.volume_base, heard.exchange_ms) == (
        ticker.bid,
        ticker.ask,
        ticker.volume_base,
        ticker.exchange_ms,
    )


@given(books)
def test_a_depth_body_is_read_as_it_was_written(book: BookSnapshot) -> None:
    body = market_writer.encode_partial_depth(book).encode()
    assert rest.decode_depth(body, "BTC/USDT", 1.5) == book


@given(candles())
def test_a_kline_row_is_read_as_it_was_written(candle: Candle) -> None:
    body = rest.encode_klines([candle])
    heard = rest.decode_klines(body, "BTC/USDT", candle.timeframe)
    assert heard == (attrs.evolve(candle, is_closed=False),)


@given(times)
def test_the_time_is_read_as_it_was_written(now_ms: int) -> None:
    assert rest.decode_time(rest.encode_time(now_ms)) == now_ms


@given(st.integers(-9999, 0), st.text(max_size=80))
def test_an_error_is_read_as_it_was_written(code: int, text: str) -> None:
    fault = rest.decode_fault(rest.encode_fault(code, text))
    assert fault is not None
    assert (fault.code, fault.msg) == (code, text)


@given(described, st.lists(limits, max_size=3), times)
def test_exchange_info_is_read_as_it_was_written(
    instrument: Instrument, rate_limits: list[instruments.RateLimit], now_ms: int
) -> None:
    body = instruments.encode_exchange_info([instrument], rate_limits, now_ms)
    assert instruments.decode_exchange_info(body) == instruments.ExchangeInfo(
        now_ms, tuple(rate_limits), (instrument,), ()
    )


@given(st.sampled_from(Channel), st.sampled_from(streams.TIMEFRAMES))
def test_a_stream_name_is_taken_apart_as_it_was_made(channel: Channel, frame: str) -> None:
    timeframe = frame if channel is Channel.CANDLES else ""
    name = streams.stream_name(Subscription("BTC/USDT", channel, timeframe), "BTCUSDT")
    assert streams.parse_stream_name(name) == streams.StreamName(
        "BTCUSDT", channel, timeframe
    )


@given(st.lists(names, max_size=4), ids)
def test_a_command_is_read_as_it_was_written(wanted: list[str], request_id: int) -> None:
    text = streams.encode_command("SUBSCRIBE", wanted, request_id)
    assert streams.decode_command(text) == streams.Command(
        "SUBSCRIBE", tuple(wanted), request_id
    )


def test_only_frames_of_prices_give_way_to_newer_ones() -> None:
    suffixes = ("ticker", "bookTicker", "trade", "depth@100ms", "kline_1m")
    frames = {each: market_writer.combined(f"s@{each}", "{}") for each in suffixes}
    named = {each: streams.newest_of(frame) for each, frame in frames.items()}
    assert named == dict.fromkeys(suffixes, "") | {
        "ticker": "s@ticker",
        "bookTicker": "s@bookTicker",
    }
    assert streams.newest_of('{"result":null,"id":1}') == ""
    assert not streams.newest_of(frames["ticker"].encode())


def _heard(event: str, stream: str, *, is_raw: bool) -> object:
    text = event if is_raw else market_writer.combined(stream, event)
    return decode_stream(text, SYMBOLS, 1.5)
