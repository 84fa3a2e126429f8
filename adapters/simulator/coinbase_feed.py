"""Exchange's feed: who reads which channel of which product, and what they are sent.

exchange.news -> tell --> matches, ticker, full, user     at once
the dialect   -> book --> level2 with every change, level2_batch every 100 ms
beat          -> beat --> heartbeat 1 s, ticker_batch and status 5 s
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from actors.messages import OrderStatus
from actors.pure.matching_book import Changes
from actors.pure.matching_orders import Kind, Order, Report, Step, Trade
from adapters.simulator import coinbase_frames as frames
from adapters.simulator.coinbase_products import status_frame
from adapters.simulator.coinbase_texts import product_id
from adapters.simulator.exchange import Exchange, News, Ware
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import frame

EVERYTHING: Final = ""  # the product of a channel that has none
BEATS_1S: Final = 10
BEATS_5S: Final = 50
PLACED: Final = frozenset({Step.NEW, Step.TRIGGERED})
OWN: Final = ("full", "user")  # what tells of the subscriber's own orders


@attrs.define(eq=False)
class Reader:
    """One connection to the feed."""

    outbox: Outbox
    address: str
    account: str = ""  # of the last signed subscription
    topics: dict[tuple[str, str], None] = attrs.Factory(dict[tuple[str, str], None])

    def channels(self) -> dict[str, list[str]]:
        """Return the products of every channel that is subscribed."""
        found: dict[str, list[str]] = {}
        for channel, product in self.topics:
            found.setdefault(channel, []).extend([product] if product else [])
        return found


class Feed:
    """Sends each event, framed once, to every reader of its channel and product."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._orders = frames.OrderFrames(exchange)
        self._readers: dict[tuple[str, str], dict[Reader, None]] = {}
        self._sequence: dict[str, int] = {}  # of a product's full channel
        self._ticked: set[str] = set()  # symbols that traded since the last batch

    @property
    def is_hurried(self) -> bool:
        """Return whether somebody reads what comes every 100 ms."""
        return any(channel == "level2_batch" for channel, _ in self._readers)

    def count(self, topic: tuple[str, str], address: str) -> int:
        """Return how many connections of one address read a channel of a product."""
        return sum(it.address == address for it in self._readers.get(topic, ()))

    def subscribe(self, reader: Reader, topic: tuple[str, str]) -> None:
        reader.topics[topic] = None
        self._readers.setdefault(topic, {})[reader] = None

    def unsubscribe(self, reader: Reader, topic: tuple[str, str]) -> None:
        reader.topics.pop(topic, None)
        readers = self._readers.get(topic, {})
        readers.pop(reader, None)
        if not readers:
            self._readers.pop(topic, None)

    def leave(self, reader: Reader) -> None:
        for topic in list(reader.topics):
            self.unsubscribe(reader, topic)

    def greet(self, reader: Reader, ware: Ware, channel: str) -> None:
        """Send what a new subscription begins with."""
        symbol, now_ms = ware.listing.venue_symbol, self._exchange.now_ms()
        tape = self._exchange.tape[symbol]
        last = tape[-1] if tape else None
        if channel in {"level2", "level2_batch"}:
            self._post(reader, frames.snapshot(ware), ware)
        elif channel in {"ticker", "ticker_batch"}:
            sequence = self.sequence_of(symbol)
            self._post(reader, frames.ticker(ware, last, sequence, now_ms), ware)
        elif channel == "matches" and last is not None:
            text = frames.match(
                ware,
                last,
                frames.parties(last, ()),
                self.sequence_of(symbol),
                is_last=True,
            )
            self._post(reader, text, ware)

    def greet_status(self, reader: Reader) -> None:
        reader.outbox.post(frame(status_frame(self._exchange)))

    def tell(self, news: News) -> None:
        """Tell of trades, and of orders to their owners."""
        own: dict[tuple[str, int], list[Report]] = {}
        for report in news.happened.reports:
            if report.fill is not None:
                key = (report.order.symbol, report.fill.trade.trade_id)
                own.setdefault(key, []).append(report)
        self._tell_owners(news.happened.reports, own)
        newest: dict[str, Trade] = {}
        for trade in news.happened.trades:
            ware = self._exchange.wares[trade.symbol]
            self._ticked.add(trade.symbol)
            newest[trade.symbol] = trade
            sequence = self._next(trade.symbol)
            if self._topic("matches", ware) in self._readers:
                found = frames.parties(trade, own.get((trade.symbol, trade.trade_id), ()))
                text = frames.match(ware, trade, found, sequence)
                self._publish("matches", ware, text)
        for symbol, trade in newest.items():
            ware = self._exchange.wares[symbol]
            if self._topic("ticker", ware) in self._readers:
                now_ms, sequence = self._exchange.now_ms(), self.sequence_of(symbol)
                text = frames.ticker(ware, trade, sequence, now_ms)
                self._publish("ticker", ware, text)

    def book(self, channel: str, ware: Ware, changes: Changes, now_ms: int) -> None:
        """Tell what changed in a book since the last time."""
        if self._topic(channel, ware) in self._readers:
            self._publish(channel, ware, frames.update(ware, changes, now_ms))

    def beat(self, now_ms: int, number: int) -> None:
        """Send what comes by the clock."""
        for symbol, ware in self._exchange.wares.items():
            if number % BEATS_1S == 0:
                self._heartbeat(ware, now_ms)
            if number % BEATS_5S == 0 and symbol in self._ticked:
                self._ticked.discard(symbol)
                if self._topic("ticker_batch", ware) in self._readers:
                    tape = self._exchange.tape[symbol]
                    sequence = self.sequence_of(symbol)
                    text = frames.ticker(ware, tape[-1], sequence, now_ms)
                    self._publish("ticker_batch", ware, text)
        if number % BEATS_5S == 0:
            for reader in self._readers.get(("status", EVERYTHING), ()):
                self.greet_status(reader)

    def _heartbeat(self, ware: Ware, now_ms: int) -> None:
        if self._topic("heartbeat", ware) in self._readers:
            text = frames.market_writer.encode_heartbeat(
                product_id(ware.listing),
                sequence=self.sequence_of(ware.listing.venue_symbol),
                last_trade_id=frames.last_trade_id(ware),
                at_ms=now_ms,
            )
            wire = frame(text.encode())  # a silent symbol's heartbeats go on
            for reader in self._readers[self._topic("heartbeat", ware)]:
                reader.outbox.post(wire)

    def _tell_owners(
        self, reports: list[Report], own: dict[tuple[str, int], list[Report]]
    ) -> None:
        """Tell each step of each order; it opens after what it took, before it gives."""
        resting: dict[int, Report] = {}  # placed just now, not yet told to be open
        for report in reports:
            order = report.order
            is_maker = report.fill is not None and report.fill.is_maker
            if report.step is Step.CANCELED or is_maker:
                self._tell_open(resting.pop(order.order_id, None))
            self._tell_step(report, own)
            if report.step in PLACED and not frames.is_parked(report):
                resting[order.order_id] = report
            elif report.step is Step.EXPIRED:
                resting.pop(order.order_id, None)
            elif order.order_id in resting:
                resting[order.order_id] = report
        for report in resting.values():
            self._tell_open(report)

    def _tell_open(self, report: Report | None) -> None:
        """Tell that the rest of an order is on the book now, if there is a rest."""
        if report is None or report.order.kind is Kind.MARKET:
            return
        order = report.order
        if report.filled_base < order.base:
            sequence = self._next(order.symbol)
            text = self._orders.open(order, report.filled_base, sequence, report.at_ms)
            self._tell_owner(order, text)

    def _tell_step(self, report: Report, own: dict[tuple[str, int], list[Report]]) -> None:
        order, sequence = report.order, self._next(report.order.symbol)
        if frames.is_parked(report):
            self._tell_owner(order, self._orders.activate(order, sequence, report.at_ms))
        elif report.step is Step.AMENDED:
            self._tell_owner(order, self._orders.change(order, sequence, report.at_ms))
        elif report.step in PLACED:
            self._tell_owner(order, self._orders.received(order, sequence, report.at_ms))
        elif report.fill is not None:
            trade = report.fill.trade
            found = frames.parties(trade, own[trade.symbol, trade.trade_id])
            self._tell_owner(order, self._orders.match(report, found, sequence))
            if report.status is OrderStatus.FILLED:
                done = self._orders.done(report, self._next(order.symbol))
                self._tell_owner(order, done)
        else:
            self._tell_owner(order, self._orders.done(report, sequence))

    def _tell_owner(self, order: Order, text: bytes) -> None:
        ware = self._exchange.wares[order.symbol]
        wire = b""
        told: dict[Reader, None] = {}
        for channel in OWN:
            told.update(self._readers.get(self._topic(channel, ware), {}))
        for reader in told:
            if reader.account == order.account:
                wire = wire or frame(text)
                reader.outbox.post(wire, ware.listing.symbol)

    def _publish(self, channel: str, ware: Ware, text: str) -> None:
        wire = frame(text.encode())
        for reader in self._readers.get(self._topic(channel, ware), ()):
            reader.outbox.post(wire, ware.listing.symbol)

    def _post(self, reader: Reader, text: str, ware: Ware) -> None:
        reader.outbox.post(frame(text.encode()), ware.listing.symbol)

    def _topic(self, channel: str, ware: Ware) -> tuple[str, str]:
        return channel, product_id(ware.listing)

    def sequence_of(self, symbol: str) -> int:
        """Return the number of the last event: it only grows, and skips what is untold."""
        seen = self._exchange.wares[symbol].book.update_id
        self._sequence[symbol] = max(self._sequence.get(symbol, 0), seen)
        return self._sequence[symbol]

    def _next(self, symbol: str) -> int:
        self._sequence[symbol] = self.sequence_of(symbol) + 1
        return self._sequence[symbol]


def topics_of(channel: str, product_ids: list[str]) -> Iterator[tuple[str, str]]:
    """Return the topics of one channel: one for each product, or one in all."""
    yield from ((channel, it) for it in product_ids or [EVERYTHING])
