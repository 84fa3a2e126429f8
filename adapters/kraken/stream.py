"""Kraken's market streams: WebSocket v2, one connection, a command for each channel.

Each symbol of a command is acknowledged, or refused, by itself; a refusal leaves the socket
and everything else as it was. Books are kept here, because only who has the whole book can
check the venue's sums: one that breaks is subscribed anew, and the others go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import (
    BookTop,
    Candle,
    Channel,
    PassedOver,
    PricesReplaced,
    StreamMessage,
    Subscription,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
)
from adapters.errors import ConnectionLost, LocalProtocolError, RemoteProtocolError
from adapters.figures import BadFigure
from adapters.kraken.codec.book import BookBroken, KeptBook
from adapters.kraken.codec.commands import DEPTH, Stream, encode_command, stream_of
from adapters.kraken.codec.market import (
    Acknowledged,
    BookHeard,
    Heard,
    SystemHeard,
    decode_market,
    newest_of,
)
from adapters.kraken.venue import Venue
from adapters.sockets import Socket

SUBSCRIPTIONS_MAX: Final = 400  # the venue documents none
BATCH: Final = 50  # symbols in one command
WRITE_GAP_S: Final = 0.1
RESYNCS_MAX: Final = 5  # of one book in RESYNCS_S; then the connection is to blame
RESYNCS_S: Final = 60.0
REFUSED: Final = 0  # the venue has words, no numbers


@attrs.define(eq=False)
class Asked:
    """A command whose symbols are answered one by one; some refusals name none."""

    symbols: set[str]
    nameless: int = 0  # refusals
    error: str = ""  # of the last one

    def settle(self, symbol: str, error: str) -> set[str]:
        """Take one answer, and return the symbols that are known to be refused now."""
        if symbol:
            self.symbols.discard(symbol)
        else:
            self.nameless += 1
        self.error = error or self.error
        refused = {symbol} if symbol and error else set[str]()
        if self.nameless and self.nameless >= len(self.symbols):
            refused |= self.symbols
            self.symbols = set()
        return refused


@attrs.define(eq=False)
class KrakenStream:
    """One open market-data connection. One task receives; any may subscribe."""

    _socket: Socket
    _venue: Venue
    _wanted: set[Subscription] = attrs.Factory(set[Subscription])
    _books: dict[str, KeptBook] = attrs.Factory(dict[str, KeptBook])
    _last_ids: dict[str, int] = attrs.Factory(dict[str, int])  # of books left
    _candles: dict[Subscription, Candle] = attrs.Factory(dict[Subscription, Candle])
    _broken_s: dict[str, deque[float]] = attrs.Factory(dict[str, deque[float]])
    _broken: list[str] = attrs.Factory(list[str])  # books to begin anew
    _asked: dict[int, Asked] = attrs.Factory(dict[int, Asked])
    _commands: int = 0
    _replaced: int = 0  # prices, as far as it was told
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for streams; what each symbol is answered comes with `receive`.

        Raises:
          ConnectionLost: the connection has ended.
          NotListed: an unknown symbol.
          LocalProtocolError: too many for one connection, or no such candles.
        """
        for wanted in subscriptions:
            self._venue.instrument(wanted.symbol)
        if len(self._wanted.union(subscriptions)) > SUBSCRIPTIONS_MAX:
            raise LocalProtocolError(f"more than {SUBSCRIPTIONS_MAX} on one connection")
        had = self._streams(self._wanted)
        new = [each for each in self._streams(subscriptions) if each not in had]
        self._wanted.update(subscriptions)
        for stream, symbol in new:
            if stream.channel == "book":
                self._keep_book(symbol)
        await self._command("subscribe", new)

    async def unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for no more of these streams.

        Raises:
          ConnectionLost: the connection has ended.
        """
        gone = self._wanted.intersection(subscriptions)
        self._wanted.difference_update(subscriptions)
        left = self._streams(self._wanted)
        for subscription in gone:
            self._candles.pop(subscription, None)
            if subscription.channel is Channel.BOOK:
                book = self._books.pop(subscription.symbol)
                self._last_ids[subscription.symbol] = book.last_id
        ended = self._streams([each for each in subscriptions if each in gone])
        await self._command("unsubscribe", [each for each in ended if each not in left])

    async def receive(self) -> Sequence[StreamMessage]:
        """Return what the frames say that came together.

        Raises:
          ConnectionLost: the connection ended, or its pings were not answered.
          RemoteProtocolError: a frame could not be read; the next one may.
        """
        if self._unread:
            await trio.lowlevel.checkpoint()
        else:
            self._unread = list(await self._socket.receive_all())[::-1]
        told: list[StreamMessage] = []
        if self._socket.replaced > self._replaced:
            told.append(PricesReplaced(self._socket.replaced - self._replaced))
            self._replaced = self._socket.replaced
        now_s, venue_ms = trio.current_time(), self._venue.now_ms()
        while self._unread:
            try:
                heard = decode_market(self._unread[-1], now_s, venue_ms=venue_ms)
            except RemoteProtocolError:
                if told:
                    return told  # the bad one is told by the next call
                self._unread.pop()
                raise
            self._unread.pop()
            for message in heard:
                told += self._tell(message, now_s)
        broken, self._broken = self._broken, []
        for symbol in broken:
            self._count_broken(symbol, now_s)
            stream = [(Stream("book"), symbol)]
            await self._command("unsubscribe", stream)
            await self._command("subscribe", stream)
        return told

    def _tell(self, heard: Heard, now_s: float) -> Iterable[StreamMessage]:
        """Return what a message is for those who subscribed."""
        match heard:
            case Ticker() | BookTop():
                is_ticker = isinstance(heard, Ticker)
                channel = Channel.TICKER if is_ticker else Channel.BOOK_TOP
                is_wanted = Subscription(heard.symbol, channel) in self._wanted
                return (heard,) if is_wanted else ()
            case Candle():
                return self._tell_candle(heard)
            case BookHeard():
                return (self._tell_book(heard, now_s),)
            case Acknowledged():
                return self._tell_answer(heard)
            case SystemHeard():
                self._venue.system = heard
                return (PassedOver(f"the venue is {heard.system}"),)
            case _:
                return (heard,)

    def _tell_candle(self, candle: Candle) -> Iterable[StreamMessage]:
        """Return the candle, and before it the one that it shows to be over (R-26)."""
        key = Subscription(candle.symbol, Channel.CANDLES, candle.timeframe)
        before = self._candles.get(key)
        if key not in self._wanted or (before and candle.open_ms < before.open_ms):
            return (PassedOver("a candle that is over"),)
        self._candles[key] = candle
        if before is None or before.open_ms == candle.open_ms:
            return (candle,)
        return (attrs.evolve(before, is_closed=True), candle)

    def _tell_book(self, heard: BookHeard, now_s: float) -> StreamMessage:
        """Return the book or its change once it is proven; a broken one begins anew."""
        symbol = heard.row.symbol
        book = self._books.get(symbol)
        if book is None or not (book.is_proven or heard.is_snapshot):
            return PassedOver(f"a book of {symbol[:20]!a} that nobody keeps now")
        try:
            if heard.is_snapshot:
                return book.take_snapshot(heard.row, now_s)
            return book.take_update(heard.row)
        except (BookBroken, BadFigure) as error:
            self._broken.append(symbol)
            return PassedOver(f"{error}: it begins anew")

    def _count_broken(self, symbol: str, now_s: float) -> None:
        recent = self._broken_s.setdefault(symbol, deque(maxlen=RESYNCS_MAX))
        if len(recent) == RESYNCS_MAX and now_s - recent[0] < RESYNCS_S:
            times = f"{RESYNCS_MAX + 1} times in {RESYNCS_S:g} s"
            raise ConnectionLost(f"the book of {symbol} broke {times}")
        recent.append(now_s)

    def _tell_answer(self, answer: Acknowledged) -> Iterable[StreamMessage]:
        """Return whether one symbol was accepted; what ends is not worth a word."""
        if answer.method == "unsubscribe":
            return (PassedOver(f"unsubscribed: {answer.error or 'done'}"),)
        if answer.error == "Already subscribed":
            return (PassedOver(answer.error),)
        request_id, asked = answer.request_id, self._asked.get(answer.request_id)
        if asked is None:
            if answer.error and not answer.symbol:  # about the connection, not a symbol
                return (SubscriptionRefused(request_id, REFUSED, answer.error),)
            asked = Asked({answer.symbol})
        refused = asked.settle(answer.symbol, answer.error)
        if not asked.symbols:
            self._asked.pop(request_id, None)
        accepted = [] if answer.error else [SubscriptionAccepted(request_id)]
        return accepted + [
            SubscriptionRefused(request_id, REFUSED, asked.error, symbol)
            for symbol in sorted(refused)
        ]

    def _keep_book(self, symbol: str) -> None:
        places = self._venue.listing.decimals.get(symbol, (0, 0))
        last_id = self._last_ids.pop(symbol, 0)  # numbers go on where they were
        self._books[symbol] = KeptBook(symbol, DEPTH, *places, last_id)

    def _streams(self, subscriptions: Iterable[Subscription]) -> list[tuple[Stream, str]]:
        """Return the venue's streams of these, each once, in their order."""
        pairs = [(stream_of(wanted), wanted.symbol) for wanted in subscriptions]
        return list(dict.fromkeys(pairs))

    async def _command(self, method: str, streams: Sequence[tuple[Stream, str]]) -> None:
        await trio.lowlevel.checkpoint()
        by_stream: dict[Stream, list[str]] = {}
        for stream, symbol in streams:
            by_stream.setdefault(stream, []).append(symbol)
        for stream, symbols in by_stream.items():
            for first in range(0, len(symbols), BATCH):
                self._commands += 1
                batch = symbols[first : first + BATCH]
                if method == "subscribe":
                    self._asked[self._commands] = Asked(set(batch))
                await self._socket.send(
                    encode_command(method, stream, batch, self._commands)
                )


@asynccontextmanager
async def open_market_stream(venue: Venue) -> AsyncGenerator[KrakenStream, None]:
    """Connect for the length of the block.

    Raises:
      VenueError: could not connect, or could not learn the venue's symbols.
    """
    await venue.know_symbols()
    async with venue.socket(
        venue.endpoints.url,
        write_gap_s=WRITE_GAP_S,
        opened=venue.open_socket,
        newest_of=newest_of,
    ) as socket:
        yield KrakenStream(socket, venue)
