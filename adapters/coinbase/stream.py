"""Coinbase's public feed: one connection, subscribed by channel and product.

Every product has a heartbeat beside whatever was asked for. It tells the last trade, so
that trades the feed has dropped are fetched over REST, and a book that stands still while
somebody trades is subscribed to anew. Subscriptions must follow within five seconds of
connecting, which the feed's first demand does. A command that names one product too many is
refused as a whole, so that the others are asked for again.

Source: Exchange WebSocket overview and channels; WIRE 3.2 to 3.4.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, assert_never

import attrs
import trio

from actors.messages import (
    Channel,
    PassedOver,
    PricesReplaced,
    StreamMessage,
    Subscription,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
    Traded,
)
from adapters.coinbase.codec import channels
from adapters.coinbase.codec.feed import (
    BookChanges,
    Heard,
    Heartbeat,
    LastMatch,
    Subscribed,
    WholeBook,
    decode_feed,
    newest_of,
)
from adapters.coinbase.feed_books import FeedBooks
from adapters.coinbase.feed_trades import FeedTrades
from adapters.coinbase.venue import Venue
from adapters.errors import LocalProtocolError, RemoteProtocolError
from adapters.sockets import Socket

SUBSCRIPTIONS_MAX: Final = 300  # of one connection: a book's snapshot may be a megabyte
PRODUCTS_MAX: Final = 100  # in one command
WRITE_GAP_S: Final = 0.05  # the venue takes a hundred messages a second

_Wanted = frozenset[tuple[str, str]]  # channel and product, as the venue calls them


@attrs.define(eq=False)
class CoinbaseStream:
    """One open market-data connection. One task receives; any may subscribe."""

    _socket: Socket
    _venue: Venue
    books: FeedBooks
    _subscribed: set[Subscription] = attrs.Factory(set[Subscription])
    _trades: dict[str, FeedTrades] = attrs.Factory(dict[str, FeedTrades])
    _live: _Wanted = frozenset()  # as last acknowledged
    _gone: set[str] = attrs.Factory(set[str])  # symbols that were refused
    _commands: int = 0
    _answered: int = 0
    _replaced: int = 0  # prices, as far as it was told
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first
    _ready: list[StreamMessage] = attrs.Factory(list[StreamMessage])

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for channels; the acknowledgements come with `receive`.

        Raises:
          ConnectionLost: the connection has ended.
          NotListed: an unknown symbol.
          LocalProtocolError: candles, or too much for one connection.
        """
        added = [each for each in subscriptions if each not in self._subscribed]
        for each in added:
            self._venue.name(each.symbol)
            if each.channel is Channel.CANDLES:
                raise LocalProtocolError("Coinbase's feed tells no candles")
        if len(self._subscribed) + len(added) > SUBSCRIPTIONS_MAX:
            raise LocalProtocolError(f"more than {SUBSCRIPTIONS_MAX} on one connection")
        before = self._wanted()
        self._subscribed.update(added)
        self._gone.difference_update(each.symbol for each in added)
        self._prepare(added)
        await self._command("subscribe", self._wanted() - before)

    async def unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for no more of these.

        Raises:
          ConnectionLost: the connection has ended.
        """
        before = self._wanted()
        self._subscribed.difference_update(subscriptions)
        wanted = self._wanted()
        for symbol in {each.symbol for each in subscriptions}:
            self.books.mark(symbol, frozenset(self._subscribed))
            if Subscription(symbol, Channel.TRADES) not in self._subscribed:
                self._trades.pop(symbol, None)
        await self._command("unsubscribe", before - wanted)

    async def receive(self) -> Sequence[StreamMessage]:
        """Return what the frames say that came together.

        Raises:
          ConnectionLost: the connection ended, or the snapshot of a book does not come.
          RemoteProtocolError: a frame could not be read; the next one may.
        """
        told, self._ready = self._ready, []
        while not told:
            if self._unread:
                await trio.lowlevel.checkpoint()
            else:
                self._unread = list(await self._socket.receive_all())[::-1]
                if self._socket.replaced > self._replaced:
                    new = self._socket.replaced - self._replaced
                    self._replaced += new
                    self._ready.append(PricesReplaced(new))
            told = await self._heard_in(trio.current_time())
        await trio.lowlevel.checkpoint()
        return told

    async def _heard_in(self, now_s: float) -> list[StreamMessage]:
        """Return what was received; a bad frame is left to the next call, if it can be."""
        told, self._ready = self._ready, []
        await trio.lowlevel.checkpoint()
        while self._unread:
            try:
                heard = decode_feed(self._unread[-1], self._venue.symbols, now_s)
            except RemoteProtocolError:
                if told:
                    break
                self.books.doubt(self._unread.pop(), self._venue.symbols)
                raise
            self._unread.pop()
            if isinstance(heard, (Traded, Heartbeat)):
                told += await self._missed(heard)
            told += self._weigh(heard, now_s)
        if refused := {it.symbol for it in told if isinstance(it, SubscriptionRefused)}:
            await self._ask_for_others(refused)
        if self.books.broken:
            await self._ask_anew(self.books.due(now_s))
        return told

    def _weigh(self, heard: Heard, now_s: float) -> Sequence[StreamMessage]:
        """Return what our books and counts make of a message."""
        match heard:
            case Ticker() | PassedOver() | SubscriptionRefused():
                return [heard]
            case WholeBook() | BookChanges():
                return self.books.take(heard, now_s)
            case Traded(symbol=symbol):
                trades = self._trades.get(symbol)
                is_news = trades is not None and trades.take(heard)
                return [heard if is_news else PassedOver("a trade that is no news")]
            case Heartbeat():
                self.books.beat(heard, now_s)
                return [PassedOver("heartbeat")]
            case LastMatch(symbol=symbol, trade_id=trade_id):
                if symbol in self._trades:
                    self._trades[symbol].begin(trade_id)
                return [PassedOver("the match before the subscription")]
            case Subscribed(channels=live):
                self._live = frozenset((name, it) for name in live for it in live[name])
                self._answered += 1
                return [SubscriptionAccepted(self._answered)]
            case _:
                assert_never(heard)

    async def _missed(self, heard: Traded | Heartbeat) -> Sequence[StreamMessage]:
        """Return trades that the feed dropped before this message."""
        trades = self._trades.get(heard.symbol)
        if trades is not None:
            before_id = trades.missing_before(heard)
            if before_id:
                return await trades.fetch(before_id)
        await trio.lowlevel.checkpoint()
        return []

    async def _ask_anew(self, symbols: Sequence[str]) -> None:
        """Subscribe to broken books again: a snapshot follows."""
        await trio.lowlevel.checkpoint()
        pairs = frozenset({(channels.LEVEL2, self._venue.name(it)) for it in symbols})
        if pairs:
            await self._command("unsubscribe", pairs)
            await self._command("subscribe", pairs)

    async def _ask_for_others(self, refused: Collection[str]) -> None:
        """Ask again for what was refused together with a product that is gone."""
        self._gone.update(refused)
        if "" in refused:  # it names none, and ends the connection
            return await trio.lowlevel.checkpoint()
        others = {each for each in self._subscribed if each.symbol not in self._gone}
        return await self._command("subscribe", self._wanted(others) - self._live)

    def _prepare(self, added: Sequence[Subscription]) -> None:
        """Have a book and a count for what is now wanted of them."""
        wanted, now_s = frozenset(self._subscribed), trio.current_time()
        for each in added:
            if each.channel is Channel.TRADES:
                trades = FeedTrades(self._venue, each.symbol)
                self._trades.setdefault(each.symbol, trades)
            elif each.channel in {Channel.BOOK, Channel.BOOK_TOP}:
                self._ready += self.books.want(each, wanted, now_s)

    def _wanted(self, of: Collection[Subscription] | None = None) -> _Wanted:
        """Return the channels and products that these, or all subscriptions, need."""
        wanted: set[tuple[str, str]] = set()
        for each in self._subscribed if of is None else of:
            product = self._venue.name(each.symbol)
            wanted.add((channels.CARRIES[each.channel], product))
            wanted.add((channels.HEARTBEAT, product))
        return frozenset(wanted)

    async def _command(self, kind: str, pairs: _Wanted) -> None:
        await trio.lowlevel.checkpoint()
        named: dict[str, list[str]] = {}
        for name, product in sorted(pairs):
            named.setdefault(name, []).append(product)
        for first in range(0, max(map(len, named.values()), default=0), PRODUCTS_MAX):
            batch: Mapping[str, Sequence[str]] = {
                name: products[first : first + PRODUCTS_MAX]
                for name, products in named.items()
                if products[first : first + PRODUCTS_MAX]
            }
            self._commands += 1
            await self._socket.send(channels.encode_command(kind, batch))


@asynccontextmanager
async def open_market_stream(venue: Venue) -> AsyncGenerator[CoinbaseStream, None]:
    """Connect to the feed for the length of the block.

    Raises:
      VenueError: could not connect, or could not learn the venue's products.
    """
    await venue.know_symbols()
    async with venue.socket(
        venue.endpoints.url,
        write_gap_s=WRITE_GAP_S,
        opened=venue.open_socket,
        newest_of=newest_of,
    ) as socket:
        yield CoinbaseStream(socket, venue, FeedBooks(venue.book_ids))
