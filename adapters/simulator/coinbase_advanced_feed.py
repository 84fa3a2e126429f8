"""Advanced Trade's WebSocket: who reads which channel, and the numbered messages they get.

A connection's messages are counted, its acknowledgements too: what is lost can be seen.
"""

from __future__ import annotations

from typing import Final

import attrs

from actors.pure.matching_book import Changes
from actors.pure.matching_orders import Order, Report, Trade
from adapters.simulator import coinbase_advanced_frames as frames
from adapters.simulator.coinbase_advanced_bodies import as_of
from adapters.simulator.coinbase_texts import micro, product_id
from adapters.simulator.exchange import Exchange, News, Ware
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import frame

ALL: Final = ""  # the product of a channel without products, and of every product
BEATS_5S: Final = 50
CANDLE: Final = "5m"  # the only one that the channel knows
CANDLES: Final = 100
TRADES: Final = 100
USER_BATCH: Final = 50  # open orders in one message of the snapshot
EPOCH: Final = "1970-01-01T00:00:00Z"


@attrs.define(eq=False)
class Listener:
    """One connection."""

    outbox: Outbox
    account: str = ""  # of the user channel
    topics: dict[tuple[str, str], None] = attrs.Factory(dict[tuple[str, str], None])
    sent: int = 0
    heartbeats: int = 0
    heard_ms: int = 0  # when something was last sent to it

    def channels(self) -> dict[str, list[str]]:
        """Return the products of every channel that is subscribed."""
        found: dict[str, list[str]] = {}
        for channel, product in self.topics:
            found.setdefault(channel, []).append(product or channel)
        return found


class AdvancedFeed:
    """Sends each event to every listener, numbered for each."""

    def __init__(self, exchange: Exchange, ends: dict[int, int]) -> None:
        self._exchange = exchange
        self._ends = ends
        self._listeners: dict[tuple[str, str], dict[Listener, None]] = {}
        self._ticked: set[str] = set()

    def subscribe(self, listener: Listener, topic: tuple[str, str]) -> None:
        listener.topics[topic] = None
        self._listeners.setdefault(topic, {})[listener] = None

    def unsubscribe(self, listener: Listener, topic: tuple[str, str]) -> None:
        listener.topics.pop(topic, None)
        listeners = self._listeners.get(topic, {})
        listeners.pop(listener, None)
        if not listeners:
            self._listeners.pop(topic, None)

    def leave(self, listener: Listener) -> None:
        for topic in list(listener.topics):
            self.unsubscribe(listener, topic)

    def post(
        self, listener: Listener, channel: str, events: bytes, symbol: str = ""
    ) -> None:
        """Send the next numbered message."""
        now_ms = self._exchange.now_ms()
        wire = frame(frames.envelope(channel, events, listener.sent, now_ms))
        listener.sent += 1
        listener.heard_ms = now_ms
        if channel == "subscriptions":
            listener.outbox.answer(wire)
        else:
            listener.outbox.post(wire, symbol)

    def greet(self, listener: Listener, channel: str, ware: Ware) -> None:
        """Send the snapshot that a channel of a product begins with."""
        name = ware.listing.symbol
        match channel:
            case "level2":
                rows = [
                    row
                    for side in (ware.book.bids, ware.book.asks)
                    for row in frames.levels(side, side.prices(), EPOCH)
                ]
                events = frames.book(ware, rows, "snapshot")
                self.post(listener, "l2_data", events, name)
            case "ticker" | "ticker_batch":
                is_batch = channel == "ticker_batch"
                events = frames.ticker(ware, "snapshot", is_batch=is_batch)
                self.post(listener, channel, events, name)
            case "market_trades":
                tape = self._exchange.tape[ware.listing.venue_symbol]
                if tape:  # a venue always has some; ccxt takes no empty list
                    events = frames.trades(ware, list(tape)[-TRADES:], "snapshot")
                    self.post(listener, channel, events, name)
            case "candles":
                bars = ware.chart.bars(CANDLE, CANDLES)
                self.post(listener, channel, frames.candles(ware, bars, "snapshot"), name)
            case _:
                pass

    def greet_status(self, listener: Listener) -> None:
        self.post(listener, "status", frames.status(self._exchange, "snapshot"))

    def greet_user(self, listener: Listener) -> None:
        """Send the open orders, so many in one message."""
        found = [
            order
            for order in self._exchange.engine.open_orders(listener.account)
            if self._is_wanted(listener, order)
        ]
        for start in range(0, max(1, len(found)), USER_BATCH):
            batch = found[start : start + USER_BATCH]
            events = frames.user(self._exchange, batch, self._ends, "snapshot")
            self.post(listener, "user", events)

    def tell(self, news: News) -> None:
        """Tell of trades, and of orders to their owners."""
        traded: dict[str, list[Trade]] = {}
        for trade in news.happened.trades:
            traded.setdefault(trade.symbol, []).append(trade)
        for symbol, trades in traded.items():
            ware = self._exchange.wares[symbol]
            self._ticked.add(symbol)
            if self._topic("market_trades", ware) in self._listeners:
                self._publish("market_trades", ware, frames.trades(ware, trades, "update"))
            if self._topic("ticker", ware) in self._listeners:
                events = frames.ticker(ware, "update", is_batch=False)
                self._publish("ticker", ware, events)
        for report in news.happened.reports:
            self._tell_owner(report)

    def book(self, ware: Ware, changes: Changes, now_ms: int) -> None:
        """Tell what changed in a book since the last time."""
        if self._topic("level2", ware) not in self._listeners:
            return
        at = micro(now_ms)
        rows = frames.levels(ware.book.bids, sorted(changes.bids, reverse=True), at)
        rows += frames.levels(ware.book.asks, sorted(changes.asks), at)
        self._publish("level2", ware, frames.book(ware, rows, "update"), "l2_data")

    def beat(self, now_ms: int, number: int) -> None:
        """Send what comes every second: heartbeats and candles; batches every five."""
        for listener in self._listeners.get(("heartbeats", ALL), ()):
            events = frames.heartbeat(listener.heartbeats, now_ms)
            listener.heartbeats += 1
            self.post(listener, "heartbeats", events)
        for symbol, ware in self._exchange.wares.items():
            if self._topic("candles", ware) in self._listeners:
                bars = ware.chart.bars(CANDLE, 1)
                self._publish("candles", ware, frames.candles(ware, bars, "update"))
            if number % BEATS_5S == 0 and symbol in self._ticked:
                self._ticked.discard(symbol)
                events = frames.ticker(ware, "update", is_batch=True)
                self._publish("ticker_batch", ware, events)

    def _tell_owner(self, report: Report) -> None:
        order, readers = report.order, dict[Listener, None]()
        ware = self._exchange.wares[order.symbol]
        for topic in (("user", ALL), self._topic("user", ware)):
            readers.update(self._listeners.get(topic, {}))
        events = b""
        for listener in readers:
            if listener.account == order.account:
                events = events or frames.user(
                    self._exchange, [as_of(report)], self._ends, "update"
                )
                self.post(listener, "user", events, ware.listing.symbol)

    def _is_wanted(self, listener: Listener, order: Order) -> bool:
        topic = self._topic("user", self._exchange.wares[order.symbol])
        return ("user", ALL) in listener.topics or topic in listener.topics

    def _publish(self, channel: str, ware: Ware, events: bytes, told: str = "") -> None:
        for listener in self._listeners.get(self._topic(channel, ware), ()):
            self.post(listener, told or channel, events, ware.listing.symbol)

    def _topic(self, channel: str, ware: Ware) -> tuple[str, str]:
        return channel, product_id(ware.listing)
