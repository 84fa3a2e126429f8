"""Binance's market streams: who reads which, and the frames they get."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import attrs
import msgspec
import trio

from actors.messages import BookDelta, BookSnapshot, BookTop, Candle, Ticker, Traded
from actors.pure.matching_book import Changes
from actors.pure.matching_orders import Trade
from adapters.binance.codec import market_writer
from adapters.binance.codec.market_writer import Day
from adapters.simulator.bar import Bar
from adapters.simulator.exchange import Exchange, News, Ware
from adapters.simulator.outbox import Outbox
from adapters.simulator.timeframes import LENGTH_MS, next_of
from adapters.websocket_server import frame

NAME: Final = "binance"
Top = tuple[Decimal, Decimal, Decimal, Decimal]


@attrs.define(eq=False)
class Reader:
    """One market connection."""

    outbox: Outbox
    is_combined: bool
    streams: dict[str, None] = attrs.Factory(dict[str, None])


class Publisher:
    """Sends each event once framed to every reader of its stream."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._readers: dict[str, dict[Reader, None]] = {}
        self._tops: dict[str, Top] = {}
        self._klines_at: dict[str, int] = {}
        self.has_readers = trio.Event()  # set for good by the first subscription
        self.hurried = trio.Event()  # the next who wants a stream of every 100 ms sets it
        self._hurried: set[str] = set()
        self._klines: dict[str, set[str]] = {}  # symbol -> timeframes somebody reads

    @property
    def is_hurried(self) -> bool:
        """Return whether somebody reads a stream that comes every 100 ms."""
        return bool(self._hurried)

    def subscribe(self, reader: Reader, stream: str) -> None:
        """Send `stream` to `reader` from now on; an unknown one stays silent."""
        reader.streams[stream] = None
        self.has_readers.set()
        if stream.endswith("@100ms"):
            self._hurried.add(stream)
            self.hurried.set()
            self.hurried = trio.Event()
        self._readers.setdefault(stream, {})[reader] = None
        symbol, _, channel = stream.partition("@")
        timeframe = channel.removeprefix("kline_")
        ware = self._exchange.wares.get(symbol.upper())
        if ware is not None and channel != timeframe and timeframe in LENGTH_MS:
            ware.chart.follow(timeframe)
            self._klines.setdefault(symbol.upper(), set()).add(timeframe)

    def unsubscribe(self, reader: Reader, stream: str) -> None:
        reader.streams.pop(stream, None)
        readers = self._readers.get(stream, {})
        readers.pop(reader, None)
        if not readers:
            self._readers.pop(stream, None)
            self._hurried.discard(stream)

    def leave(self, reader: Reader) -> None:
        for stream in list(reader.streams):
            self.unsubscribe(reader, stream)

    def readers_of(self, symbol: str) -> list[Reader]:
        """Return everybody who reads a stream of `symbol`, once."""
        found: dict[Reader, None] = {}
        for stream, readers in self._readers.items():
            if stream.startswith(f"{symbol.lower()}@"):
                found.update(readers)
        return list(found)

    def publish(self, stream: str, event: str, symbol: str) -> None:
        """Send one event; `symbol` is canonical, for the faults."""
        raw = wrapped = b""
        for reader in self._readers.get(stream, ()):
            if reader.is_combined:
                wrapped = wrapped or frame(market_writer.combined(stream, event).encode())
                reader.outbox.post(wrapped, symbol)
            else:
                raw = raw or frame(event.encode())
                reader.outbox.post(raw, symbol)

    def tell(self, news: News) -> None:
        """Publish trades and the candles they closed."""
        for symbol, timeframe, bar in news.closed:
            self.kline(symbol, timeframe, bar)
        for trade in news.happened.trades:
            self._trade(trade)

    def top(self, symbol: str) -> None:
        """Publish the best bid and ask if they changed."""
        stream = f"{symbol.lower()}@bookTicker"
        if stream not in self._readers:
            return
        ware = self._exchange.wares[symbol]
        top: Top = (*ware.book.bids.top(), *ware.book.asks.top())
        if self._tops.get(symbol) == top:
            return
        self._tops[symbol] = top
        update_id, name = ware.book.update_id, ware.listing.symbol
        text = market_writer.encode_book_top(
            BookTop(NAME, name, *top, update_id, 0.0), symbol
        )
        self.publish(stream, text, name)

    def ticker(self, symbol: str, now_ms: int) -> None:
        """Publish the statistics of 24 hours."""
        stream = f"{symbol.lower()}@ticker"
        if stream in self._readers:
            ware = self._exchange.wares[symbol]
            text = market_writer.encode_ticker(*day_of(ware, now_ms))
            self.publish(stream, text, ware.listing.symbol)
        stream = f"{symbol.lower()}@miniTicker"
        if stream in self._readers:
            ware = self._exchange.wares[symbol]
            self.publish(stream, mini_ticker(ware, now_ms), ware.listing.symbol)

    def depth(self, symbol: str, now_ms: int, *, is_fast: bool) -> None:
        """Publish what changed in the book since the last time, and the best levels."""
        ware = self._exchange.wares[symbol]
        changes = ware.fast if is_fast else ware.slow
        suffix = "@100ms" if is_fast else ""
        if changes.first_id <= ware.book.update_id:
            stream = f"{symbol.lower()}@depth{suffix}"
            if stream in self._readers:
                delta = _delta(ware, changes, now_ms)
                text = market_writer.encode_depth(delta, symbol)
                self.publish(stream, text, ware.listing.symbol)
            changes.first_id = ware.book.update_id + 1
            changes.bids.clear()
            changes.asks.clear()
        for limit in (5, 10, 20):
            stream = f"{symbol.lower()}@depth{limit}{suffix}"
            if stream in self._readers:
                text = market_writer.encode_partial_depth(snapshot(ware, limit))
                self.publish(stream, text, ware.listing.symbol)

    def klines(self, symbol: str, now_ms: int) -> None:
        """Publish the open candles: every second those of 1s, every other the rest."""
        chart = self._exchange.wares[symbol].chart
        for timeframe in sorted(self._klines.get(symbol, ())):
            period_ms = 1000 if timeframe == "1s" else 2000
            stream = f"{symbol}@{timeframe}"
            if self._klines_at.get(stream) == now_ms // period_ms:
                continue
            self._klines_at[stream] = now_ms // period_ms
            self.kline(symbol, timeframe, chart.follow(timeframe), now_ms)

    def kline(
        self, symbol: str, timeframe: str, bar: Bar, now_ms: int | None = None
    ) -> None:
        """Publish a candle; without `now_ms` it is closed."""
        stream = f"{symbol.lower()}@kline_{timeframe}"
        if stream not in self._readers:
            return
        name = self._exchange.wares[symbol].listing.symbol
        candle = candle_of(bar, name, timeframe, is_closed=now_ms is None)
        text = market_writer.encode_kline(
            candle,
            symbol,
            event_ms=now_ms or candle.close_ms + 1,
            first_id=bar.first_id,
            last_id=bar.last_id,
        )
        self.publish(stream, text, name)

    def _trade(self, trade: Trade) -> None:
        stream = f"{trade.symbol.lower()}@trade"
        if stream not in self._readers:
            return
        name = self._exchange.wares[trade.symbol].listing.symbol
        traded = Traded(
            NAME,
            name,
            trade.trade_id,
            trade.price,
            trade.base,
            trade.taker_side,
            trade.trade_ms,
            0.0,
        )
        self.publish(stream, market_writer.encode_trade(traded, trade.symbol), name)


def day_of(ware: Ware, now_ms: int) -> tuple[Ticker, str, Day]:
    """Return what the encoders of 24-hour statistics want."""
    day, listing = ware.day, ware.listing
    bid, bid_base = ware.book.bids.top()
    ask, ask_base = ware.book.asks.top()
    ticker = Ticker(NAME, listing.symbol, day.last, bid, ask, day.base, now_ms, 0.0)
    rest = Day(
        open=day.open,
        high=day.high,
        low=day.low,
        previous_close=day.open,
        last_base=day.last_base,
        bid_base=bid_base,
        ask_base=ask_base,
        volume_quote=day.quote,
        open_ms=day.open_ms,
        first_id=max(0, day.last_id - day.trades + 1),
        last_id=max(0, day.last_id),
        trades=day.trades,
    )
    return ticker, listing.venue_symbol, rest


def mini_ticker(ware: Ware, now_ms: int) -> str:
    """Return the small event of 24-hour statistics."""
    day = ware.day
    numbers = {
        "c": day.last, "o": day.open, "h": day.high, "l": day.low, "v": day.base,
        "q": day.quote,
    }  # fmt: skip
    head = {"e": "24hrMiniTicker", "E": now_ms, "s": ware.listing.venue_symbol}
    texts = {name: f"{number:.8f}" for name, number in numbers.items()}
    return msgspec.json.encode(head | texts).decode()


def candle_of(bar: Bar, name: str, timeframe: str, *, is_closed: bool) -> Candle:
    return Candle(
        exchange=NAME,
        symbol=name,
        timeframe=timeframe,
        open_ms=bar.open_ms,
        close_ms=next_of(timeframe, bar.open_ms) - 1,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume_base=bar.base,
        volume_quote=bar.quote,
        trades=bar.trades,
        is_closed=is_closed,
    )


def snapshot(ware: Ware, limit: int) -> BookSnapshot:
    return BookSnapshot(
        NAME,
        ware.listing.symbol,
        ware.book.update_id,
        tuple(ware.book.bids.depth(limit)),
        tuple(ware.book.asks.depth(limit)),
        0.0,
    )


def _delta(ware: Ware, changes: Changes, now_ms: int) -> BookDelta:
    bids, asks = ware.book.bids.levels, ware.book.asks.levels
    zero = Decimal(0)
    return BookDelta(
        exchange=NAME,
        symbol=ware.listing.symbol,
        first_id=changes.first_id,
        last_id=ware.book.update_id,
        bids=tuple(
            (price, bids[price].total if price in bids else zero)
            for price in sorted(changes.bids, reverse=True)
        ),
        asks=tuple(
            (price, asks[price].total if price in asks else zero)
            for price in sorted(changes.asks)
        ),
        exchange_ms=now_ms,
    )
