"""Anything Binance may say, for Hypothesis: orders, fills, candles, books, figures."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    Instrument,
    OrderStatus,
    OrderType,
    Side,
    Ticker,
    Traded,
    VenueBalance,
    VenueFill,
    VenueOrder,
)
from adapters.binance.codec import (
    instruments,
    market_writer,
    streams,
)
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
        draw(amounts) * draw(st.sampled_from([1, 1, -1])),  # a rebate is below zero
        draw(assets),
        draw(st.booleans()),
        order.update_ms,
    )


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
    st.frozensets(st.sampled_from([kind.value for kind in OrderType])),
)
limits = st.builds(
    instruments.RateLimit,
    st.sampled_from(["REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS"]),
    st.sampled_from([1, 10, 60, 300, 86400]),
    st.integers(1, 300_000),
)


balances = st.lists(st.builds(VenueBalance, assets, amounts, amounts), max_size=3).map(
    tuple
)
