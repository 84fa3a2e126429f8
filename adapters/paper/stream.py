"""The private stream of a paper account: it lives as long as the market can be seen.

market --Ticker, trades, book--> [watch] --facts--> desk --VenueOrder, VenueFill--> stream

When the real market's connection ends, so does this stream: nothing is matched on prices
that nobody sees, and the account gives no entries leave to go (I-11).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Channel,
    PrivateMessage,
    StreamMessage,
    Subscription,
    SubscriptionRefused,
    Ticker,
    Traded,
    VenueClosing,
)
from actors.ports import Market, MarketStream
from actors.pure.paper_matching import PaperFees, follow
from actors.pure.paper_sight import Sight
from adapters.errors import ConnectionLost, NotListed, RemoteProtocolError, VenueError
from adapters.paper.desk import PaperDesk

CHANNELS: Final = (Channel.TICKER, Channel.TRADES, Channel.BOOK)
UNREAD_MAX: Final = 10_000  # messages that the account has not taken
SILENT_S: Final = 60.0  # without a word of any symbol, the connection is dead
LOAD_S: Final = 10.0  # for one snapshot
AGAIN_S: Final = 5.0  # between two tries


@attrs.define(eq=False)
class PaperStream:
    """Implements `PrivateStream`."""

    _unread: list[PrivateMessage] = attrs.Factory(list[PrivateMessage])
    _error: VenueError | None = None
    _news: trio.Event = attrs.Factory(trio.Event)

    async def receive(self) -> Sequence[PrivateMessage]:
        """Return what happened to the account, at least one message.

        Raises:
          ConnectionLost: the market is not seen any more.
        """
        await trio.lowlevel.checkpoint()
        while not self._unread:
            if self._error is not None:
                raise self._error
            await self._news.wait()
        unread, self._unread = self._unread, []
        self._news = trio.Event()
        return unread

    def tell(self, messages: Sequence[PrivateMessage]) -> None:
        """Say something; who takes nothing for long is cut off and reconciles."""
        if len(self._unread) + len(messages) > UNREAD_MAX:
            self._unread = []
            self.end(ConnectionLost("the paper account's news were not taken"))
            return
        self._unread += messages
        self._news.set()

    def end(self, error: VenueError) -> None:
        """End the stream for this reason; the first one counts."""
        self._error = self._error or error
        self._news.set()


@attrs.define(eq=False)
class _Watch:
    """Sees the market of one connection, and lets orders meet it."""

    market: Market
    source: MarketStream
    desk: PaperDesk
    fees: PaperFees
    sights: Mapping[str, Sight]
    stream: PaperStream
    nursery: trio.Nursery
    loading: set[str] = attrs.Factory(set[str])

    async def run(self) -> None:
        """Follow the market until its connection ends."""
        try:
            while True:
                with trio.move_on_after(SILENT_S) as patience:
                    await self._hear()
                if patience.cancelled_caught:
                    raise ConnectionLost(f"no word of the market for {SILENT_S:g} s")
        except VenueError as error:
            self.stream.end(error)
        await trio.lowlevel.checkpoint()

    async def _hear(self) -> None:
        try:
            messages = await self.source.receive()
        except RemoteProtocolError:
            await trio.lowlevel.checkpoint()  # the feed counts and tells bad frames
            return
        for message in messages:
            await self._take(message)

    async def _take(self, message: StreamMessage) -> None:
        await trio.lowlevel.checkpoint()
        match message:
            case SubscriptionRefused(symbol=symbol) if symbol:
                return  # of it there is no price, as of one that nobody trades
            case VenueClosing() | SubscriptionRefused():
                raise ConnectionLost(f"the exchange said {message}"[:200])
            case Ticker() | BookTop() | Traded() | BookSnapshot() | BookDelta():
                sight = self.sights.get(message.symbol)
                if sight is None:
                    return
                sight.hear(message)
                self._load(sight)
                if self.desk.has_live_orders:
                    traded = message if isinstance(message, Traded) else None
                    await self._match(sight, traded)
            case _:
                pass

    async def _match(self, sight: Sight, traded: Traded | None) -> None:
        async with self.desk.turn:
            account = await self.desk.account()
            now_ms = self.desk.clock.now_ms()
            await self.desk.commit(follow(account, sight, self.fees, now_ms, traded))

    def _load(self, sight: Sight) -> None:
        if self.market.terms.is_book_streamed:
            return  # a broken book comes again by the stream
        if sight.needs_book and sight.symbol not in self.loading:
            self.loading.add(sight.symbol)
            self.nursery.start_soon(self._load_book, sight)

    async def _load_book(self, sight: Sight) -> None:
        """Ask for a snapshot until the book stands; the ticker serves meanwhile."""
        await trio.lowlevel.checkpoint()
        while sight.needs_book:
            with trio.move_on_after(LOAD_S):
                try:
                    sight.hear(await self.market.book(sight.symbol))
                except VenueError:
                    await trio.lowlevel.checkpoint()
            if sight.needs_book:
                await trio.sleep(AGAIN_S)
        self.loading.discard(sight.symbol)


def _wanted(symbols: Collection[str], most: int) -> list[Subscription]:
    """Return what one connection can carry: of many symbols no books, then no trades."""
    fitting = [
        count for count in range(len(CHANNELS), 0, -1) if count * len(symbols) <= most
    ]
    channels = CHANNELS[: max(fitting, default=1)]
    return [Subscription(symbol, each) for symbol in symbols for each in channels]


async def _subscribe(source: MarketStream, symbols: Collection[str], most: int) -> None:
    """Subscribe to what one connection can carry of the symbols that the venue has.

    Raises:
      NotListed: it has none of them.
      VenueError: the connection has ended.
    """
    left = list(symbols)
    while True:
        try:
            return await source.subscribe(_wanted(left, most))
        except NotListed as gone:
            if gone.symbol not in left or len(left) == 1:
                raise
            left.remove(gone.symbol)
        await trio.lowlevel.checkpoint()


@asynccontextmanager
async def open_paper_stream(
    market: Market, desk: PaperDesk, fees: PaperFees, sights: dict[str, Sight]
) -> AsyncGenerator[PaperStream]:
    """Watch the market of the symbols in `sights` for the length of the block.

    Raises:
      VenueError: the market cannot be seen; out of the group of a nursery.
    """
    async with market.open_stream() as source, trio.open_nursery() as nursery:
        for symbol in sights:
            sights[symbol] = Sight.of(desk.exchange, symbol)
        await _subscribe(source, sights, market.terms.subscriptions_max)
        stream = PaperStream()
        watch = _Watch(market, source, desk, fees, sights, stream, nursery)
        nursery.start_soon(watch.run)
        desk.ears.append(stream.tell)
        try:
            yield stream
        finally:
            desk.ears.remove(stream.tell)
            for symbol in sights:  # what was seen is old from here on
                sights[symbol] = Sight.of(desk.exchange, symbol)
            nursery.cancel_scope.cancel()
