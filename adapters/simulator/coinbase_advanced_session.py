"""One client of Advanced Trade's WebSocket: a channel at a time, some with a token.

Source: WIRE 3.12; frames of 2024-10-04.
"""

from __future__ import annotations

from typing import Final

import msgspec
import trio

from adapters.simulator.coinbase_advanced_feed import ALL, AdvancedFeed, Listener
from adapters.simulator.coinbase_advanced_frames import subscriptions
from adapters.simulator.coinbase_auth import BadToken, token_key
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket, frame

QUIET_S: Final = 90.0  # without a message to it, a connection is closed
POLICY_VIOLATION: Final = 1008
WITHOUT_PRODUCTS: Final = frozenset({"heartbeats", "status"})
OPEN: Final = WITHOUT_PRODUCTS | {
    "level2",
    "market_trades",
    "ticker",
    "ticker_batch",
    "candles",
}


class Command(msgspec.Struct):
    type: str
    channel: str = ""
    product_ids: list[str] = []
    jwt: str = ""


class NotTaken(Exception):
    """An error frame's message."""


class AdvancedSession:
    """One connection; on the user's own host only what concerns the user is served."""

    def __init__(
        self, venue: CoinbaseDialect, outbox: Outbox, address: str, *, is_user: bool
    ) -> None:
        self._venue = venue
        self._feed: AdvancedFeed = venue.advanced
        self._listener = Listener(outbox, heard_ms=venue.exchange.now_ms())
        self._address = address
        self._is_user = is_user
        limits = venue.exchange.config.limits
        self._until_s = trio.current_time() + limits.subscribe_s

    async def serve(self, socket: ServerSocket) -> None:
        """Take commands until the connection ends, or the client does not behave."""
        try:
            reason = ""
            while not reason:
                reason = await self._take(socket)
            await socket.aclose(POLICY_VIOLATION, reason)
        finally:
            self._feed.leave(self._listener)

    def shutdown_notice(self, now_ms: int) -> bytes:
        """Return nothing: the venue goes away without a word."""
        del now_ms
        return b""

    async def _take(self, socket: ServerSocket) -> str:
        """Take one command; return why the connection has to end, or nothing."""
        text: str | bytes | None = None
        with trio.move_on_at(self._until_s):
            text = await socket.receive()
        now_ms = self._venue.exchange.now_ms()
        if text is None:
            return self._overdue(now_ms)
        kind = "messages" if self._listener.account else "anonymous_messages"
        if not self._venue.buckets.take(kind, self._address, now_ms):
            return "too many messages"
        try:
            self._obey(text)
        except NotTaken as error:
            body = msgspec.json.encode({"type": "error", "message": str(error)})
            self._listener.outbox.answer(frame(body))
        return ""

    def _overdue(self, now_ms: int) -> str:
        """Return why a client that said nothing has to go, or nothing."""
        if not self._listener.topics:
            return "nothing was subscribed in time"
        quiet_s = (now_ms - self._listener.heard_ms) / 1000
        if quiet_s >= QUIET_S:
            return "no updates"
        self._until_s = trio.current_time() + QUIET_S - quiet_s
        return ""

    def _obey(self, text: str | bytes) -> None:
        try:
            command = msgspec.json.decode(text, type=Command)
        except msgspec.MsgspecError as error:
            raise NotTaken("failed to parse message") from error
        if command.type not in {"subscribe", "unsubscribe"}:
            raise NotTaken("invalid message type")
        topics = self._topics(command)
        if command.type == "unsubscribe":
            for topic in topics:
                self._feed.unsubscribe(self._listener, topic)
        else:
            fresh = [topic for topic in topics if topic not in self._listener.topics]
            for topic in topics:
                self._feed.subscribe(self._listener, topic)
            self._until_s = trio.current_time() + QUIET_S
            self._greet(command.channel, fresh)
        channels = subscriptions(self._listener.channels())
        self._feed.post(self._listener, "subscriptions", channels)

    def _topics(self, command: Command) -> list[tuple[str, str]]:
        """Return what a command is about; a token is checked where one is sent."""
        channel = command.channel
        if channel not in OPEN | {"user"} or (self._is_user and channel in _MARKET):
            raise NotTaken("channel name is invalid")
        if command.jwt or channel == "user":
            self._authenticate(command.jwt)
        if channel in WITHOUT_PRODUCTS:
            return [(channel, ALL)]
        for product in command.product_ids:
            if product not in self._venue.products:
                raise NotTaken(f"product {product[:40]} is invalid")
        if not command.product_ids and channel != "user":
            raise NotTaken("product_ids are required")
        return [(channel, product) for product in command.product_ids or [ALL]]

    def _authenticate(self, token: str) -> None:
        exchange = self._venue.exchange
        try:
            found = token_key(exchange.keys, token, exchange.told_ms() / 1000)
        except BadToken as error:
            raise NotTaken("authentication failure") from error
        self._listener.account = found.name

    def _greet(self, channel: str, fresh: list[tuple[str, str]]) -> None:
        """Send what new subscriptions begin with, before they are acknowledged."""
        if channel == "user" and fresh:
            self._feed.greet_user(self._listener)
        elif channel == "status" and fresh:
            self._feed.greet_status(self._listener)
        for _, product in fresh:
            ware = self._venue.products.get(product)
            if ware is not None:
                self._feed.greet(self._listener, channel, ware)


_MARKET: Final = OPEN - {"heartbeats"}
