"""Binance's market streams: /ws/<name>, /ws and /stream, with SUBSCRIBE and its kin.

Source: web-socket-streams.md, 2026-07-21.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

import msgspec
import trio

from adapters.binance.codec import market_writer
from adapters.simulator.binance_dialect import BinanceDialect
from adapters.simulator.binance_flood import frames, ticker_streams
from adapters.simulator.binance_publisher import Reader
from adapters.simulator.flood import flood
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket, frame

POLICY_VIOLATION: Final = 1008
Id = int | str | None


class Command(msgspec.Struct):
    method: str
    params: msgspec.Raw = msgspec.Raw(b"[]")
    id: Id = None


class TooManyMessages(Exception):
    """The client says more than the venue listens to."""


class StreamConnection:
    """One market connection."""

    def __init__(
        self, dialect: BinanceDialect, outbox: Outbox, path: str, nursery: trio.Nursery
    ) -> None:
        self._dialect = dialect
        self._outbox = outbox
        self._nursery = nursery
        self.reader = Reader(outbox, is_combined=path.startswith("/stream"))
        self._heard_s: list[float] = []  # of the last second
        for stream in streams_of(path):
            dialect.publisher.subscribe(self.reader, stream)

    async def serve(self, socket: ServerSocket) -> None:
        """Take commands until the connection ends, or the client is too talkative."""
        rate = self._dialect.exchange.config.flood_frames_per_s
        if rate is not None:
            self._nursery.start_soon(flood, rate, self._tickers, self._flooded, socket)
        try:
            while True:
                text = await socket.receive()
                self._count_message()
                self._outbox.answer(frame(self._obey(text).encode()))
        except TooManyMessages as error:
            await socket.aclose(POLICY_VIOLATION, str(error))
        finally:
            self._dialect.publisher.leave(self.reader)

    def _tickers(self) -> list[str]:
        return ticker_streams(self._dialect.exchange, self.reader)

    def _flooded(self, streams: Sequence[str]) -> list[bytes]:
        is_combined = self.reader.is_combined
        return frames(self._dialect.exchange, streams, is_combined=is_combined)

    def shutdown_notice(self, now_ms: int) -> bytes:
        event = market_writer.encode_shutdown(now_ms)
        if self.reader.is_combined:
            event = market_writer.combined(market_writer.SHUTDOWN_STREAM, event)
        return frame(event.encode())

    def _count_message(self) -> None:
        now_s = trio.current_time()
        self._heard_s = [at_s for at_s in self._heard_s if now_s - at_s < 1.0]
        self._heard_s.append(now_s)
        if len(self._heard_s) > self._dialect.exchange.config.limits.stream_messages_1s:
            raise TooManyMessages("Too many requests")

    def _obey(self, text: str | bytes) -> str:
        """Do what the client says and return the answer."""
        try:
            command = msgspec.json.decode(text, type=Command)
        except msgspec.ValidationError as error:
            return market_writer.encode_error(2, f"Invalid request: {error}", None)
        except msgspec.DecodeError as error:
            return market_writer.encode_error(3, f"Invalid JSON: {error}", None)
        match command.method:
            case "SUBSCRIBE" | "UNSUBSCRIBE":
                return self._change(command)
            case "LIST_SUBSCRIPTIONS":
                return market_writer.encode_listing(list(self.reader.streams), command.id)
            case "SET_PROPERTY" | "GET_PROPERTY":
                return self._property(command)
            case _:
                fault = f"Invalid request: unknown variant `{command.method[:40]}`"
                return market_writer.encode_error(2, fault, command.id)

    def _change(self, command: Command) -> str:
        try:
            streams = msgspec.json.decode(command.params, type=list[str])
        except msgspec.MsgspecError:
            fault = "Invalid request: streams must be an array"
            return market_writer.encode_error(2, fault, command.id, nested=True)
        publisher = self._dialect.publisher
        known = self.reader.streams.keys() | set(streams)
        if len(known) > self._dialect.exchange.config.limits.streams_max:
            fault = "Invalid request: too many streams"
            return market_writer.encode_error(2, fault, command.id)
        for stream in streams:
            if command.method == "SUBSCRIBE":
                publisher.subscribe(self.reader, stream)
            else:
                publisher.unsubscribe(self.reader, stream)
        return market_writer.encode_ack(command.id)

    def _property(self, command: Command) -> str:
        try:
            params = msgspec.json.decode(command.params, type=list[str | bool])
        except msgspec.MsgspecError:
            return market_writer.encode_error(1, "Invalid value type", command.id)
        if not params or params[0] != "combined":
            return market_writer.encode_error(0, "Unknown property", command.id)
        if command.method == "GET_PROPERTY":
            answer = {"result": self.reader.is_combined, "id": command.id}
            return msgspec.json.encode(answer).decode()
        if len(params) != 2 or not isinstance(params[1], bool):
            fault = "Invalid value type: expected Boolean"
            return market_writer.encode_error(1, fault, command.id)
        self.reader.is_combined = params[1]
        return market_writer.encode_ack(command.id)


def streams_of(target: str) -> list[str]:
    """Return the streams that the URL names."""
    path, _, query = target.partition("?")
    if path.startswith("/stream"):
        named = parse_qs(query).get("streams", [""])[0]
    else:
        named = path.removeprefix("/ws").strip("/")
    return [name for name in named.split("/") if name]
