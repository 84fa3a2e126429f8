"""Kraken's market channels: who reads which, and the frames they get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from actors.pure.matching_book import BookSide
from adapters.simulator import kraken_frames as frames
from adapters.simulator.exchange import Exchange, News, Ware
from adapters.simulator.kraken_frames import Body, Level
from adapters.simulator.kraken_names import Names
from adapters.simulator.kraken_public import TIMEFRAMES
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import frame

SNAPSHOT_TRADES: Final = 50
SNAPSHOT_CANDLES: Final = 10


@attrs.frozen
class Topic:
    """What one subscription is about; `variant` is depth, interval or trigger."""

    channel: str
    symbol: str = ""  # as the exchange keys it
    variant: int | str = ""


@attrs.define(eq=False)
class Reader:
    """One public connection."""

    outbox: Outbox
    topics: dict[Topic, None] = attrs.Factory(dict[Topic, None])


@attrs.define
class View:
    """The book of one depth as it was last published."""

    update_id: int = -1
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()


class Publisher:
    """Sends each event once framed to every reader of its topic."""

    def __init__(self, exchange: Exchange, names: Names) -> None:
        self._exchange = exchange
        self._names = names
        self._readers: dict[Topic, dict[Reader, None]] = {}
        self._views: dict[Topic, View] = {}
        self._tops: dict[str, tuple[Level, Level]] = {}

    def subscribe(self, reader: Reader, topic: Topic) -> None:
        """Send the topic to `reader` from now on; its snapshot is asked for apart."""
        if topic.channel == "book":
            self._book(topic)  # those who read it already go on from the same view
        reader.topics[topic] = None
        self._readers.setdefault(topic, {})[reader] = None
        if topic.channel == "ohlc":
            ware = self._exchange.wares[topic.symbol]
            ware.chart.follow(TIMEFRAMES[int(topic.variant)])

    def unsubscribe(self, reader: Reader, topic: Topic) -> None:
        reader.topics.pop(topic, None)
        readers = self._readers.get(topic, {})
        readers.pop(reader, None)
        if not readers:
            self._readers.pop(topic, None)
            self._views.pop(topic, None)

    def leave(self, reader: Reader) -> None:
        for topic in list(reader.topics):
            self.unsubscribe(reader, topic)

    def snapshot(self, topic: Topic) -> Body:
        """Return what a new reader of a topic is shown first."""
        now_ms = self._exchange.now_ms()
        if topic.channel == "instrument":
            return frames.instruments(self._names, "snapshot")
        ware = self._exchange.wares[topic.symbol]
        match topic.channel:
            case "ticker":
                return frames.ticker(ware, "snapshot", now_ms)
            case "trade":
                tape = list(self._exchange.tape[topic.symbol])[-SNAPSHOT_TRADES:]
                return frames.trades(ware, tape, "snapshot")
            case "ohlc":
                minutes = int(topic.variant)
                bars = ware.chart.bars(TIMEFRAMES[minutes], SNAPSHOT_CANDLES)
                return frames.candles(ware, bars, minutes, "snapshot", now_ms)
            case _:
                self._book(topic)
                view = self._views[topic]
                checksum = frames.checksum_of(ware, view.bids, view.asks)
                return frames.book(ware, view.bids, view.asks, checksum, None)

    def tell(self, news: News) -> None:
        """Publish what happened: trades, what follows from them, and the books."""
        if not self._readers:
            return
        for symbol, ware in self._exchange.wares.items():
            traded = [it for it in news.happened.trades if it.symbol == symbol]
            if traded:
                self._send(Topic("trade", symbol), frames.trades(ware, traded, "update"))
                self._candles(symbol, ware)
            self._ticker(symbol, ware, has_traded=bool(traded))
        for topic in list(self._readers):
            if topic.channel == "book":
                self._book(topic)

    def _candles(self, symbol: str, ware: Ware) -> None:
        for minutes, timeframe in TIMEFRAMES.items():
            topic = Topic("ohlc", symbol, minutes)
            if topic in self._readers:
                bars, now_ms = [ware.chart.follow(timeframe)], self._exchange.now_ms()
                body = frames.candles(ware, bars, minutes, "update", now_ms)
                self._send(topic, body)

    def _ticker(self, symbol: str, ware: Ware, *, has_traded: bool) -> None:
        top = (ware.book.bids.top(), ware.book.asks.top())
        has_moved = self._tops.get(symbol) != top
        self._tops[symbol] = top
        triggers = {"trades": has_traded, "bbo": has_moved}
        body: Body | None = None
        for trigger, is_due in triggers.items():
            topic = Topic("ticker", symbol, trigger)
            if is_due and topic in self._readers:
                body = body or frames.ticker(ware, "update", self._exchange.now_ms())
                self._send(topic, body)

    def _book(self, topic: Topic) -> None:
        """Publish how the levels of one depth differ from those published last."""
        ware, depth = self._exchange.wares[topic.symbol], int(topic.variant)
        view = self._views.setdefault(topic, View())
        if view.update_id == ware.book.update_id:
            return
        bids, asks = (tuple(it.depth(depth)) for it in (ware.book.bids, ware.book.asks))
        changed_bids = _changes(view.bids, bids, ware.book.bids)
        changed_asks = _changes(view.asks, asks, ware.book.asks)
        self._views[topic] = View(ware.book.update_id, bids, asks)
        if topic in self._readers and (changed_bids or changed_asks):
            checksum = frames.checksum_of(ware, bids, asks)
            now_ms = self._exchange.now_ms()
            body = frames.book(ware, changed_bids, changed_asks, checksum, now_ms)
            self._send(topic, body)

    def _send(self, topic: Topic, body: Body) -> None:
        """Send one event; the faults know it by its canonical symbol."""
        readers = self._readers.get(topic)
        if not readers:
            return
        wire = frame(frames.encode(body))
        name = self._exchange.wares[topic.symbol].listing.symbol
        for reader in readers:
            reader.outbox.post(wire, name)


def _changes(
    before: Sequence[Level], after: Sequence[Level], side: BookSide
) -> list[Level]:
    """Return what a reader must apply; a level only pushed out is not told.

    A level that was removed and one that came for it are both told, in this order.
    """
    old = dict(before)
    gone = [(price, price * 0) for price, _ in before if price not in side.levels]
    return gone + [(price, base) for price, base in after if old.get(price) != base]
