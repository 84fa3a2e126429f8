"""One client of Exchange's feed: subscribes within five seconds, or is sent away.

Source: WIRE 3.2 and 3.4; frames of 2021-04-17, 2026-08-25 and 2026-10-03.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import trio

from adapters.coinbase.codec import market_writer
from adapters.simulator.coinbase_auth import Signed, exchange_key
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_faults import Refused
from adapters.simulator.coinbase_feed import EVERYTHING, OWN, Reader
from adapters.simulator.coinbase_frames import ticker
from adapters.simulator.flood import VARIANTS, flood
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket, frame

POLICY_VIOLATION: Final = 1008
SAME_MAX: Final = 10  # subscriptions of one address to a channel of a product
VERIFY: Final = "GET/users/self/verify"  # what a signed subscription signs
OPEN: Final = frozenset(
    {"ticker", "ticker_batch", "matches", "level2_batch", "heartbeat", "status"}
)
SIGNED: Final = frozenset({"level2", *OWN})
OLD_NAMES: Final = {
    "ticker_batch": "ticker_1000",
    "level2_batch": "level2_50",
}
NEEDS_SIGNATURE: Final = (
    "level2, level3, and full channels now require authentication. "
    "https://docs.cloud.coinbase.com/exchange/docs/websocket-auth"
)


class Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class Command(msgspec.Struct):
    type: str
    channels: list[str | Channel] = []
    product_ids: list[str] = []
    signature: str = ""
    key: str = ""
    passphrase: str = ""
    timestamp: str | int | float = ""


class NotSubscribed(Exception):
    """An error frame: what failed, and why."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(f"{message}: {reason}")
        self.message = message
        self.reason = reason


class FeedSession:
    """One connection to the feed."""

    def __init__(
        self,
        venue: CoinbaseDialect,
        outbox: Outbox,
        address: str,
        nursery: trio.Nursery,
    ) -> None:
        self._venue = venue
        self._outbox = outbox
        self._reader = Reader(outbox, address)
        limits = venue.exchange.config.limits
        self._until_s = trio.current_time() + limits.subscribe_s
        self._nursery = nursery

    async def serve(self, socket: ServerSocket) -> None:
        """Take commands until the connection ends, or the client does not behave."""
        rate = self._venue.exchange.config.flood_frames_per_s
        if rate is not None:
            self._nursery.start_soon(flood, rate, self._flooded, self._make, socket)
        try:
            reason = ""
            while not reason:
                reason = await self._take(socket)
            await socket.aclose(POLICY_VIOLATION, reason)
        finally:
            self._venue.feed.leave(self._reader)

    def shutdown_notice(self, now_ms: int) -> bytes:
        """Return nothing: the venue goes away without a word."""
        del now_ms
        return b""

    async def _take(self, socket: ServerSocket) -> str:
        """Take one command; return why the connection has to end, or nothing."""
        text: str | bytes | None = None
        with trio.move_on_at(self._until_s):
            text = await socket.receive()
        if text is None:
            return "nothing was subscribed in time"
        now_ms = self._venue.exchange.now_ms()
        if not self._venue.buckets.take("messages", self._reader.address, now_ms):
            return "too many messages"
        try:
            self._obey(text)
        except NotSubscribed as error:
            self._answer(market_writer.encode_error(error.message, error.reason))
        return ""

    def _flooded(self) -> list[str]:
        return [product for channel, product in self._reader.topics if channel == "ticker"]

    def _make(self, products: Sequence[str]) -> list[bytes]:
        """Return ticker frames of the products in turn, each with another price."""
        venue, made = self._venue, list[bytes]()
        for variant in range(VARIANTS):
            for product in products:
                ware = venue.products[product]
                sequence = venue.feed.sequence_of(ware.listing.venue_symbol)
                price = ware.day.last + ware.listing.tick * variant
                now_ms = venue.exchange.now_ms()
                text = ticker(ware, None, sequence, now_ms, price)
                made.append(frame(text.encode()))
        return made

    def _obey(self, text: str | bytes) -> None:
        try:
            command = msgspec.json.decode(text, type=Command)
        except msgspec.ValidationError as error:
            raise NotSubscribed("Failed to subscribe", str(error)) from error
        except msgspec.DecodeError as error:
            raise NotSubscribed("Malformed JSON", str(error)) from error
        if command.type not in {"subscribe", "unsubscribe"}:
            reason = "Type has to be either subscribe or unsubscribe"
            raise NotSubscribed("Failed to subscribe", reason)
        if command.type == "unsubscribe":
            self._unsubscribe(command)
        else:
            self._subscribe(command)

    def _subscribe(self, command: Command) -> None:
        """Subscribe to everything that is named, or to nothing."""
        failed = "Failed to subscribe"
        topics = list(self._topics(command, failed))
        if command.signature:
            self._reader.account = self._account(command)
        for channel, product in topics:
            if channel in SIGNED and not self._reader.account:
                raise NotSubscribed(failed, NEEDS_SIGNATURE)
            count = self._venue.feed.count((channel, product), self._reader.address)
            if count >= SAME_MAX and (channel, product) not in self._reader.topics:
                raise NotSubscribed(failed, f"too many subscriptions to {channel}")
        fresh = [topic for topic in topics if topic not in self._reader.topics]
        for topic in topics:
            self._venue.feed.subscribe(self._reader, topic)
        self._until_s = float("inf")
        self._acknowledge()
        for channel, product in fresh:
            self._greet(channel, product)
        self._venue.hurry()

    def _greet(self, channel: str, product: str) -> None:
        ware = self._venue.products.get(product)
        if ware is not None:
            self._venue.feed.greet(self._reader, ware, channel)
        elif channel == "status":
            self._venue.feed.greet_status(self._reader)

    def _unsubscribe(self, command: Command) -> None:
        for channel, product in self._topics(command, "Failed to unsubscribe"):
            for topic in list(self._reader.topics):
                if topic[0] == channel and product in {EVERYTHING, topic[1]}:
                    self._venue.feed.unsubscribe(self._reader, topic)
        self._acknowledge()

    def _topics(self, command: Command, failed: str) -> Iterator[tuple[str, str]]:
        """Return the channels and products that a command names."""
        if not command.channels:
            raise NotSubscribed(failed, "No channels provided")
        for it in command.channels:
            channel = it.name if isinstance(it, Channel) else it
            own = it.product_ids if isinstance(it, Channel) else []
            if channel not in OPEN | SIGNED:
                raise NotSubscribed(failed, f"{channel[:40]} is not a valid channel")
            named = [] if channel == "status" else own or command.product_ids
            for product in named:
                if product not in self._venue.products:
                    raise NotSubscribed(failed, f"{product[:40]} is not a valid product")
                yield channel, product
            if not named:
                if channel != "status" and command.type == "subscribe":
                    reason = "You need to specify at least one product ID for channel"
                    raise NotSubscribed(failed, f"{reason} {channel}")
                yield channel, EVERYTHING

    def _account(self, command: Command) -> str:
        signed = Signed(
            command.key,
            command.passphrase,
            str(command.timestamp),
            command.signature,
            VERIFY,
        )
        exchange = self._venue.exchange
        try:
            return exchange_key(exchange.keys, signed, exchange.told_ms()).name
        except Refused as refused:
            reason = msgspec.json.encode({"message": refused.message}).decode()
            raise NotSubscribed("Authentication Failed", reason) from refused

    def _acknowledge(self) -> None:
        channels = {
            OLD_NAMES.get(name, name): products
            for name, products in self._reader.channels().items()
        }
        self._answer(market_writer.encode_subscriptions(channels))

    def _answer(self, text: str) -> None:
        self._outbox.answer(frame(text.encode()))
