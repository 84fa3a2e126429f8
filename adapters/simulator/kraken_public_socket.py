"""Kraken's public WebSocket: subscriptions, one answer for each symbol.

A refusal leaves the socket open and its heart beating.

Source: the pages of "Spot WebSocket v2", "Market Data", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import trio

from adapters.simulator.flood import VARIANTS, flood
from adapters.simulator.kraken_conversation import Asked, Conversation
from adapters.simulator.kraken_dialect import KrakenDialect
from adapters.simulator.kraken_frames import Body, encode, ticker
from adapters.simulator.kraken_public import TIMEFRAMES
from adapters.simulator.kraken_publisher import Reader, Topic
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket, frame

DEPTHS: Final = frozenset({10, 25, 100, 500, 1000})
TRIGGERS: Final = frozenset({"trades", "bbo"})
CHANNELS: Final = frozenset({"ticker", "trade", "book", "ohlc", "instrument"})
PRIVATE: Final = "Private data and trading are unavailable on this endpoint"
ONE_INTERVAL: Final = "Already subscribed to one ohlc interval on this symbol"


class BadSubscription(Exception):
    """The channel is not offered in this way; the text says why."""


class PublicSocket:
    """One client of the market channels."""

    def __init__(
        self, dialect: KrakenDialect, outbox: Outbox, nursery: trio.Nursery
    ) -> None:
        self._dialect = dialect
        self._nursery = nursery
        self._talk = Conversation(dialect.exchange, dialect.desk.limits, outbox, nursery)
        self._reader = Reader(outbox)

    async def serve(self, socket: ServerSocket) -> None:
        rate = self._dialect.exchange.config.flood_frames_per_s
        if rate is not None:
            self._nursery.start_soon(flood, rate, self._tickers, self._flooded, socket)
        try:
            await self._talk.serve(socket, self._obey, lambda: bool(self._reader.topics))
        finally:
            self._dialect.publisher.leave(self._reader)

    def shutdown_notice(self, now_ms: int) -> bytes:
        return self._talk.shutdown_notice(now_ms)

    def _tickers(self) -> list[Topic]:
        return [it for it in self._reader.topics if it.channel == "ticker"]

    def _flooded(self, topics: Sequence[Topic]) -> list[bytes]:
        """Return ticker frames of the symbols in turn, each with another price."""
        exchange, made = self._dialect.exchange, list[bytes]()
        for variant in range(VARIANTS):
            for topic in topics:
                ware = exchange.wares[topic.symbol]
                last = ware.day.last + ware.listing.tick * variant
                body = ticker(ware, "update", exchange.now_ms(), last)
                made.append(frame(encode(body)))
        return made

    def _obey(self, asked: Asked) -> None:
        if asked.method not in {"subscribe", "unsubscribe"}:
            self._talk.refuse(asked, PRIVATE)
            return
        channel = asked.params.get("channel")
        if channel in {"executions", "balances"}:
            self._talk.refuse(asked, PRIVATE)
            return
        if not isinstance(channel, str) or channel not in CHANNELS:
            self._talk.refuse(asked, "Unsupported event")
            return
        try:
            variant, shown = _variant(channel, asked)
            symbols = _symbols(channel, asked)
        except BadSubscription as error:
            self._talk.refuse(asked, str(error))
            return
        for symbol in symbols:
            self._change(asked, channel, symbol, variant, shown)

    def _change(
        self, asked: Asked, channel: str, symbol: str, variant: int | str, shown: Body
    ) -> None:
        """Begin or end one subscription and answer for it."""
        result: Body = {"channel": channel, **shown}
        key = ""
        if channel != "instrument":
            ware = self._dialect.desk.names.by_symbol(symbol)
            if ware is None:
                error = f"Currency pair not supported {symbol}"
                self._talk.refuse(asked, error, symbol=symbol)
                return
            result["symbol"] = symbol
            key = ware.listing.venue_symbol
        topic = Topic(channel, key, variant)
        if asked.method == "unsubscribe":
            self._end(asked, topic, result)
        else:
            self._begin(asked, topic, result)

    def _begin(self, asked: Asked, topic: Topic, result: Body) -> None:
        topics = self._reader.topics
        others = [
            it for it in topics if (it.channel, it.symbol) == (topic.channel, topic.symbol)
        ]
        if others:
            is_other = topic.channel == "ohlc" and topic not in topics
            error = ONE_INTERVAL if is_other else "Already subscribed"
            self._talk.refuse(asked, error, symbol=result.get("symbol"))
            return
        publisher = self._dialect.publisher
        publisher.subscribe(self._reader, topic)
        wants = asked.params.get("snapshot", topic.channel != "trade")
        result["snapshot"] = wants is not False
        self._talk.answer(self._talk.acknowledge(asked, result))
        if wants is not False:
            wire = frame(encode(publisher.snapshot(topic)))
            self._talk.outbox.post(wire, str(result.get("symbol", "")))

    def _end(self, asked: Asked, topic: Topic, result: Body) -> None:
        found = [
            it
            for it in self._reader.topics
            if (it.channel, it.symbol) == (topic.channel, topic.symbol)
            and (topic.channel == "ticker" or it.variant == topic.variant)
        ]
        if not found:
            self._talk.refuse(asked, "Subscription Not Found", symbol=result.get("symbol"))
            return
        for it in found:
            self._dialect.publisher.unsubscribe(self._reader, it)
        self._talk.answer(self._talk.acknowledge(asked, result))


def _variant(channel: str, asked: Asked) -> tuple[int | str, Body]:
    """Return what tells one subscription of a channel from another."""
    params = asked.params
    match channel:
        case "book":
            depth: Any = params.get("depth", 10)
            if isinstance(depth, bool) or depth not in DEPTHS:
                raise BadSubscription("Subscription depth not supported")
            return int(depth), {"depth": depth}
        case "ohlc":
            interval: Any = params.get("interval", 1)
            if isinstance(interval, bool) or interval not in TIMEFRAMES:
                raise BadSubscription("Subscription ohlc interval not supported")
            return int(interval), {"interval": interval}
        case "ticker":
            trigger: Any = params.get("event_trigger", "trades")
            if trigger not in TRIGGERS:
                raise BadSubscription("Event trigger not supported")
            return str(trigger), {"event_trigger": trigger}
        case _:
            return "", {}


def _symbols(channel: str, asked: Asked) -> Sequence[str]:
    if channel == "instrument":
        return [""]
    symbols: Any = asked.params.get("symbol")
    if not isinstance(symbols, list) or not symbols:
        raise BadSubscription("Symbol field must be an array")
    return [str(symbol) for symbol in symbols]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] -- JSON
