"""The codec's two directions agree: what the simulator says is what we hear."""

from __future__ import annotations

from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    BalancesHeard,
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    Channel,
    Instrument,
    OrderStatus,
    Side,
    Source,
    Subscription,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
    Traded,
    VenueAck,
    VenueBalance,
    VenueClosing,
    VenueFill,
    VenueOrder,
)
from adapters.binance.codec import (
    envelope,
    instruments,
    market_writer,
    orders,
    orders_writer,
    private,
    rest,
    streams,
)
from adapters.binance.codec.market import decode_stream
from adapters.binance.codec.words import STATUS_WORD

SYMBOLS = {"BTCUSDT": "BTC/USDT"}

prices = st.decimals("0.00000001", "1e9", places=8)
bases = st.decimals("0.00000001", "1e9", places=8)
amounts = st.decimals("0", "1e9", places=8)
ids = st.integers(0, 2**62)
times = st.integers(1_300_000_000_000, 4_000_000_000_000)
levels = st.lists(st.tuples(prices, amounts), max_size=5).map(tuple)
sides = st.sampled_from(Side)
names = st.text("abcdef0123456789-", min_size=1, max_size=36)
assets = st.sampled_from(["BTC", "USDT", "BNB"])

tickers = st.builds(
    Ticker,
    st.just("binance"),
    st.just("BTC/USDT"),
    prices,
    amounts,
    amounts,
    amounts,
    times,
    st.just(1.5),
)
days = st.builds(
    market_writer.Day,
    prices,
    prices,
    prices,
    prices,
    amounts,
    amounts,
    amounts,
    amounts,
    times,
    ids,
    ids,
    ids,
)
tops = st.builds(
    BookTop,
    st.just("binance"),
    st.just("BTC/USDT"),
    amounts,
    amounts,
    amounts,
    amounts,
    ids,
    st.just(1.5),
)
trades = st.builds(
    Traded,
    st.just("binance"),
    st.just("BTC/USDT"),
    ids,
    prices,
    bases,
    sides,
    times,
    st.just(1.5),
)


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    low, middle, other, high = sorted(draw(st.tuples(*[prices] * 4)))
    first, last = draw(st.permutations([middle, other]))
    open_ms = draw(times)
    return Candle(
        "binance",
        "BTC/USDT",
        draw(st.sampled_from(streams.TIMEFRAMES)),
        open_ms,
        open_ms + 59_999,
        first,
        high,
        low,
        last,
        draw(amounts),
        draw(amounts),
        draw(ids),
        draw(st.booleans()),
    )


@st.composite
def deltas(draw: st.DrawFn) -> BookDelta:
    first, last = sorted(draw(st.tuples(ids, ids)))
    return BookDelta(
        "binance", "BTC/USDT", first, last, draw(levels), draw(levels), draw(times)
    )


books = st.builds(
    BookSnapshot,
    st.just("binance"),
    st.just("BTC/USDT"),
    ids,
    levels,
    levels,
    st.just(1.5),
)


@st.composite
def venue_orders(draw: st.DrawFn) -> VenueOrder:
    filled = draw(amounts)
    status = draw(st.sampled_from(list(STATUS_WORD)))
    if status is OrderStatus.OPEN:
        filled = Decimal(0)
    return VenueOrder(
        "binance",
        "BTC/USDT",
        draw(names),
        str(draw(ids)),
        draw(sides),
        draw(st.sampled_from(["LIMIT", "MARKET", "STOP_LOSS_LIMIT", "LIMIT_MAKER"])),
        status,
        draw(bases),
        filled,
        draw(st.none() | prices),
        draw(st.none() | prices),
        draw(times),
    )


@st.composite
def fills_of(draw: st.DrawFn, order: VenueOrder) -> VenueFill:
    return VenueFill(
        "binance",
        "BTC/USDT",
        order.client_order_id,
        order.venue_order_id,
        str(draw(ids)),
        order.side,
        draw(prices),
        draw(bases),
        draw(amounts),
        draw(assets),
        draw(st.booleans()),
        order.update_ms,
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
    server_ms = candle.close_ms + (1 if candle.is_closed else 0)
    heard = rest.decode_klines(
        rest.encode_klines([candle]), "BTC/USDT", candle.timeframe, server_ms=server_ms
    )
    assert heard == (candle,)


@given(times)
def test_the_time_is_read_as_it_was_written(now_ms: int) -> None:
    assert rest.decode_time(rest.encode_time(now_ms)) == now_ms


@given(st.integers(-9999, 0), st.text(max_size=80))
def test_an_error_is_read_as_it_was_written(code: int, text: str) -> None:
    fault = rest.decode_fault(rest.encode_fault(code, text))
    assert fault is not None
    assert (fault.code, fault.msg) == (code, text)


described = st.builds(
    Instrument,
    st.just("binance"),
    st.just("BTC/USDT"),
    st.just("BTCUSDT"),
    st.just("BTC"),
    st.just("USDT"),
    st.booleans(),
    *[amounts] * 7,
    st.booleans(),
    *[amounts] * 2,
    st.frozensets(st.sampled_from(["market", "limit", "stop_loss_limit"])),
)
limits = st.builds(
    instruments.RateLimit,
    st.sampled_from(["REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS"]),
    st.sampled_from([1, 10, 60, 300, 86400]),
    st.integers(1, 300_000),
)


@given(described, st.lists(limits, max_size=3), times)
def test_exchange_info_is_read_as_it_was_written(
    instrument: Instrument, rate_limits: list[instruments.RateLimit], now_ms: int
) -> None:
    body = instruments.encode_exchange_info([instrument], rate_limits, now_ms)
    assert instruments.decode_exchange_info(body) == instruments.ExchangeInfo(
        now_ms, tuple(rate_limits), (instrument,), ()
    )


@given(venue_orders(), amounts, times)
def test_an_order_is_read_as_it_was_written(
    order: VenueOrder, quote: Decimal, created_ms: int
) -> None:
    fields = orders_writer.order_fields(
        order, "BTCUSDT", quote_filled=quote, created_ms=created_ms
    )
    assert orders.decode_order(orders_writer.encode(fields), SYMBOLS) == order
    assert orders.decode_orders(orders_writer.encode([fields]), SYMBOLS) == (order,)


@given(st.data(), venue_orders(), amounts)
def test_a_full_answer_is_read_as_it_was_written(
    data: st.DataObject, order: VenueOrder, quote: Decimal
) -> None:
    fills = [
        attrs.evolve(fill, is_maker=False)
        for fill in data.draw(st.lists(fills_of(order), max_size=3))
    ]
    body = orders_writer.encode(
        orders_writer.placed_fields(order, "BTCUSDT", quote_filled=quote, fills=fills)
    )
    assert orders.decode_placed(body, SYMBOLS) == VenueAck(
        order.client_order_id,
        order.venue_order_id,
        order.status,
        order.filled_base,
        order.update_ms,
        tuple(fills),
    )


@given(venue_orders(), names)
def test_a_cancel_answer_names_the_order_and_not_the_cancel(
    order: VenueOrder, cancel_id: str
) -> None:
    fields = orders_writer.canceled_fields(
        order, "BTCUSDT", cancel_id=cancel_id, quote_filled=Decimal(0)
    )
    ack = orders.decode_placed(orders_writer.encode(fields), SYMBOLS)
    assert ack.client_order_id == order.client_order_id


@given(st.data(), venue_orders())
def test_account_trades_are_read_as_they_were_written(
    data: st.DataObject, order: VenueOrder
) -> None:
    fill = data.draw(fills_of(order))
    body = orders_writer.encode([orders_writer.trade_fields(fill, "BTCUSDT")])
    nameless = attrs.evolve(fill, client_order_id="")
    assert orders.decode_trades(body, SYMBOLS) == (nameless,)


balances = st.lists(st.builds(VenueBalance, assets, amounts, amounts), max_size=3).map(
    tuple
)


@given(balances, times)
def test_balances_are_read_as_they_were_written(
    held: tuple[VenueBalance, ...], now_ms: int
) -> None:
    fields = orders_writer.account_fields(
        held, maker=Decimal("0.001"), taker=Decimal("0.001"), update_ms=now_ms
    )
    assert orders.decode_account(orders_writer.encode(fields)) == held
    event = private.wrap_event(private.encode_position(held, now_ms))
    assert private.decode_user_event(event, SYMBOLS) == (BalancesHeard(held, now_ms),)


@given(venue_orders(), st.sampled_from(["", "cancel-request-1"]))
def test_a_report_is_heard_as_it_was_said(order: VenueOrder, cancel_id: str) -> None:
    event = private.encode_report(order, "BTCUSDT", execution="NEW", cancel_id=cancel_id)
    assert private.decode_user_event(private.wrap_event(event), SYMBOLS) == (order,)


@given(st.data(), venue_orders())
def test_a_trade_report_is_a_fill_and_the_new_state(
    data: st.DataObject, order: VenueOrder
) -> None:
    fill = data.draw(fills_of(order))
    event = private.encode_report(order, "BTCUSDT", execution="TRADE", fill=fill)
    assert private.decode_user_event(private.wrap_event(event), SYMBOLS) == (fill, order)


@given(ids | names, st.dictionaries(names, st.text(max_size=9) | ids, max_size=4))
def test_a_request_is_read_as_it_was_written(
    request_id: int | str, params: dict[str, str | int]
) -> None:
    text = envelope.encode_request(request_id, "order.place", params)
    heard = envelope.decode_request(text)
    assert (heard.id, heard.method, heard.params) == (request_id, "order.place", params)


@given(ids, st.sampled_from([400, 418, 429]), st.integers(-9999, -1), times)
def test_a_refused_request_says_until_when(
    request_id: int, status: int, code: int, until_ms: int
) -> None:
    text = envelope.encode_refusal(
        request_id, status, code, "no", retry_after_ms=until_ms, server_ms=until_ms
    )
    heard = envelope.decode_answer(text)
    assert heard.error is not None
    assert (heard.id, heard.status, heard.error.code) == (request_id, status, code)
    assert heard.retry_after_ms() == until_ms


def test_an_event_is_told_from_an_answer() -> None:
    event = private.wrap_event(private.encode_stream_end(1_700_000_000_000))
    assert envelope.decode_answer(event).is_event
    assert not envelope.decode_answer(envelope.encode_answer(1, {})).is_event


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


def _heard(event: str, stream: str, *, is_raw: bool) -> object:
    text = event if is_raw else market_writer.combined(stream, event)
    return decode_stream(text, SYMBOLS, 1.5)
