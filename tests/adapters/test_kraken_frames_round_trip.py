"""What the simulated Kraken writes our codec reads digit by digit, at any precision."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Candle, Side, Ticker, Traded
from actors.pure.matching_orders import Trade
from adapters.kraken.codec.book import BookBroken, KeptBook
from adapters.kraken.codec.market import BookHeard, decode_market
from adapters.simulator import kraken_frames as frames
from adapters.simulator.bar import Bar
from adapters.simulator.clock import SimulatorClock
from adapters.simulator.config import BTC, SimulatorConfig
from adapters.simulator.exchange import Exchange, Ware
from adapters.simulator.kraken_frames import Level
from adapters.simulator.kraken_names import base_decimals, price_decimals

UNIX_MS = 1_700_000_000_000
places = st.integers(0, 8)
counts = st.integers(1, 10**9)


@pytest.fixture
async def ware() -> Ware:
    exchange = Exchange(SimulatorConfig(dialect="kraken"), 1, SimulatorClock(UNIX_MS), {})
    return exchange.wares["BTCUSDT"]


def stepped(ware: Ware, price_places: int, base_places: int) -> Ware:
    """Return a ware whose prices and quantities have so many decimals."""
    tick, lot = (Decimal(1).scaleb(-it) for it in (price_places, base_places))
    return attrs.evolve(ware, listing=attrs.evolve(BTC, tick=tick, lot=lot))


def steps(ware: Ware, price: int, base: int) -> Level:
    return price * ware.listing.tick, base * ware.listing.lot


@st.composite
def books(draw: st.DrawFn) -> tuple[dict[int, int], dict[int, int]]:
    """Return bids and asks in steps, as many as a book of ten levels needs and more."""
    middle = draw(st.integers(100, 10**8))
    below = draw(st.sets(st.integers(1, 99), min_size=10, max_size=15))
    above = draw(st.sets(st.integers(0, 10**6), min_size=10, max_size=15))
    bids = {middle - it: draw(counts) for it in below}
    return bids, {middle + it: draw(counts) for it in above}


async def test_books_keep_their_digits_and_prove_themselves(ware: Ware) -> None:
    @given(places, places, books())
    def check(
        price_places: int, base_places: int, book: tuple[dict[int, int], dict[int, int]]
    ) -> None:
        scaled = stepped(ware, price_places, base_places)
        bids = [steps(scaled, *it) for it in sorted(book[0].items(), reverse=True)][:10]
        asks = [steps(scaled, *it) for it in sorted(book[1].items())][:10]
        checksum = frames.checksum_of(scaled, bids, asks)
        wire = frames.encode(frames.book(scaled, bids, asks, checksum, None))
        (heard,) = decode_market(wire, 0.0)
        assert isinstance(heard, BookHeard)
        told = KeptBook("BTC/USDT", 10).take_snapshot(heard.row, 0.0)
        assert (told.bids, told.asks) == (tuple(bids), tuple(asks))

    check()


async def test_a_book_that_lost_a_level_does_not_prove_itself(ware: Ware) -> None:
    bids = [(Decimal(60000 - it), Decimal("0.5")) for it in range(10)]
    asks = [(Decimal(60001 + it), Decimal("0.5")) for it in range(10)]
    checksum = frames.checksum_of(ware, bids, asks)
    (heard,) = decode_market(
        frames.encode(frames.book(ware, bids[1:], asks, checksum, None)), 0.0
    )
    assert isinstance(heard, BookHeard)

    with pytest.raises(BookBroken):
        KeptBook("BTC/USDT", 10).take_snapshot(heard.row, 0.0)


async def test_trades_and_candles_keep_their_digits(ware: Ware) -> None:
    @given(places, places, counts, counts, st.sampled_from(Side), st.integers(0, 10**11))
    def check(
        price_places: int, base_places: int, price: int, base: int, side: Side, past: int
    ) -> None:
        scaled, at_ms = stepped(ware, price_places, base_places), UNIX_MS - past
        at, size = steps(scaled, price, base)
        trade = Trade(7, "BTCUSDT", at, size, side, at_ms)
        (traded,) = decode_market(
            frames.encode(frames.trades(scaled, [trade], "update")), 0.0
        )
        assert isinstance(traded, Traded)
        told = (traded.price, traded.base, traded.side, traded.trade_ms)
        assert told == (at, size, side, at_ms)
        bar = Bar(at_ms - at_ms % 60_000, at, at, at, at, size, at * size, 1, 7, 7)
        (candle,) = decode_market(
            frames.encode(frames.candles(scaled, [bar], 1, "update", at_ms)), 0.0
        )
        assert isinstance(candle, Candle)
        assert (candle.close, candle.volume_base, candle.is_closed) == (at, size, False)
        assert (candle.open_ms, candle.close_ms) == (bar.open_ms, bar.open_ms + 59_999)

    check()


async def test_tickers_keep_their_digits(ware: Ware) -> None:
    (ticker, _) = decode_market(
        frames.encode(frames.ticker(ware, "update", UNIX_MS, Decimal("60000.1"))), 0.0
    )

    assert isinstance(ticker, Ticker)
    assert (ticker.last, ticker.bid, ticker.exchange_ms) == (
        Decimal("60000.1"), ware.book.bids.top()[0], UNIX_MS,
    )  # fmt: skip
    assert (price_decimals(ware), base_decimals(ware)) == (2, 5)
