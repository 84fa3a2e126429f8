"""Hand each market datum to the readers that want it. Synchronous: the feed's hot path.

stream --StreamMessage--> [fan-out] --Ticker, BookTop, Trades, Candles, BookSnapshot-->
readers' mailboxes (latest: replaced; trades and closed candles: merged, never dropped)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import trio

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    Candles,
    Channel,
    FeedState,
    PricesReplaced,
    StreamTerms,
    Subscription,
    Ticker,
    Traded,
    Trades,
    Wanted,
)
from actors.pure.book import Book, BookStep
from actors.pure.candle_window import CandleStep, CandleWindow
from actors.routes import KINDS, Reader, Route, merge_candles, merge_trades

CANDLES_MIN = 120  # closed candles kept at least
BOOK_DEPTH = 20  # levels of each side that readers are shown
TELL_REPLACED_S = 1.0  # between two words about replaced prices
NO_TERMS = StreamTerms(subscriptions_max=sys.maxsize)


@attrs.define(eq=False)
class FanOut:
    """Routes, windows and books of one exchange, for one life of its feed."""

    exchange: str
    outlets: Mapping[str, Reader]
    watcher: Reader | None = None  # the fallback, which is shown every ticker
    terms: StreamTerms = NO_TERMS
    routes: dict[Subscription, Route] = attrs.Factory(dict[Subscription, Route])
    windows: dict[Subscription, CandleWindow] = attrs.Factory(
        dict[Subscription, CandleWindow]
    )
    books: dict[str, Book] = attrs.Factory(dict[str, Book])
    to_load: set[Subscription] = attrs.Factory(set[Subscription])  # over REST
    load_asked: trio.Event = attrs.Factory(trio.Event)
    state: FeedState | None = None
    frames: int = 0
    bad_frames: int = 0  # that could not be read
    prices_replaced: int = 0  # before they were decoded
    _replaced_told_s: float = 0.0
    proofs: int = 0  # first data of subscriptions, over all connections
    _wanted: dict[str, Wanted] = attrs.Factory(dict[str, Wanted])
    _by_symbol: dict[tuple[type, str], Route] = attrs.Factory(dict[tuple[type, str], Route])
    _doors: dict[type, Callable[[Any, float], None]] = attrs.Factory(
        dict[type, Callable[[Any, float], None]]
    )

    def __attrs_post_init__(self) -> None:
        self._doors = {
            Ticker: self._newest,
            BookTop: self._newest,
            BookSnapshot: self._snapshot,
            Traded: self._traded,
            Candle: self._candle,
            BookDelta: self._delta,
            PricesReplaced: self._replaced,
        }

    def want(self, wanted: Wanted) -> None:
        """Serve this reader these subscriptions and no others; show it what is known."""
        before = self._wanted.pop(wanted.reader, None)
        if before is not None:
            for subscription in before.subscriptions - wanted.subscriptions:
                self._leave(subscription, wanted.reader)
        if not wanted.subscriptions or wanted.reader not in self.outlets:
            return
        self._wanted[wanted.reader] = wanted
        reader = self.outlets[wanted.reader]
        if self.state is not None:
            reader.latest(f"feed:{self.exchange}", self.state)
        for subscription in sorted(wanted.subscriptions, key=str):  # a run can be replayed
            self._join(subscription, wanted, reader)

    def deliver(self, message: object, now_s: float) -> None:
        """Hand one message of the stream to its readers."""
        self.frames += 1
        door = self._doors.get(type(message))
        if door is not None:
            door(message, now_s)

    def announce(self, state: FeedState) -> None:
        """Tell every reader the state of the feed."""
        self.state = attrs.evolve(
            state, bad_frames=self.bad_frames, prices_replaced=self.prices_replaced
        )
        for name in self._wanted:
            self.outlets[name].latest(f"feed:{self.exchange}", self.state)

    def readers(self) -> int:
        """Return how many readers want something."""
        return len(self._wanted)

    def load_candles(self, subscription: Subscription, history: Sequence[Candle]) -> None:
        """Fill a window from REST; readers get the final candles they have missed."""
        window = self.windows.get(subscription)
        if window is not None:
            self._show(subscription, window, window.load(history))

    def load_book(self, snapshot: BookSnapshot, now_s: float) -> BookStep | None:
        """Bridge a snapshot; GAP means that it is too old and another is needed."""
        book = self.books.get(snapshot.symbol)
        if book is None:
            return None
        step = book.load(snapshot)
        if step is BookStep.APPLIED:
            self._newest(book.best(BOOK_DEPTH, now_s), now_s)
        return step

    def lost(self) -> None:
        """Begin anew after a disconnect: nothing is proven, books have holes."""
        for route in self.routes.values():
            route.data_s = None
        for book in self.books.values():
            book.reset()
        for window in self.windows.values():
            window.is_loaded = False
        for subscription in self.routes:
            if subscription.channel in self._over_rest:
                self.ask(subscription)

    @property
    def _over_rest(self) -> frozenset[Channel]:
        """The channels that are begun by a REST answer."""
        return _STREAMED_BOOKS if self.terms.is_book_streamed else _OVER_REST

    def ask(self, subscription: Subscription) -> None:
        """Ask the session to load history or a snapshot over REST."""
        self.to_load.add(subscription)
        self.load_asked.set()

    def _join(self, subscription: Subscription, wanted: Wanted, reader: Reader) -> None:
        route = self.routes.get(subscription)
        if route is None:
            route = self._open(subscription)
        if wanted.reader not in route.readers:
            route.readers[wanted.reader] = reader
            route.mailboxes.append(reader)
        if subscription.channel is Channel.CANDLES:
            window = self.windows[subscription]
            if wanted.candles_min > window.depth:
                window.depth, window.is_loaded = wanted.candles_min, False
                self.ask(subscription)
            if window.candles:
                shown = Candles(
                    self.exchange,
                    subscription.symbol,
                    subscription.timeframe,
                    (),
                    window.candles,
                    window.running,
                )
                reader.latest(route.key, shown, merge_candles)
        elif route.newest is not None:
            reader.latest(route.key, route.newest)

    def _open(self, subscription: Subscription) -> Route:
        channel, symbol = subscription.channel.value, subscription.symbol
        key = ":".join(
            filter(None, (channel, self.exchange, symbol, subscription.timeframe))
        )
        route = self.routes[subscription] = Route(subscription, key)
        kind = KINDS.get(subscription.channel)
        if kind is not None:
            self._by_symbol[kind, subscription.symbol] = route
        elif subscription.channel is Channel.CANDLES:
            self.windows[subscription] = CandleWindow(CANDLES_MIN)
            self.ask(subscription)
        if subscription.channel is Channel.BOOK:
            self.books[subscription.symbol] = Book(self.exchange, subscription.symbol)
            if not self.terms.is_book_streamed:
                self.ask(subscription)
        return route

    def _leave(self, subscription: Subscription, reader: str) -> None:
        route = self.routes.get(subscription)
        if route is None:
            return
        mailbox = route.readers.pop(reader, None)
        if mailbox is not None:
            route.mailboxes.remove(mailbox)
        if route.readers:
            return
        del self.routes[subscription]
        self.to_load.discard(subscription)
        self.windows.pop(subscription, None)
        kind = KINDS.get(subscription.channel)
        if kind is not None:
            self._by_symbol.pop((kind, subscription.symbol), None)
        if subscription.channel is Channel.BOOK:
            self.books.pop(subscription.symbol, None)

    def _heard(self, route: Route, now_s: float) -> None:
        if route.data_s is None:
            self.proofs += 1
        route.data_s = now_s
        route.received += 1

    def _replaced(self, message: PricesReplaced, now_s: float) -> None:
        self.prices_replaced += message.count
        if self.state is not None and now_s - self._replaced_told_s >= TELL_REPLACED_S:
            self._replaced_told_s = now_s
            self.announce(self.state)  # with the new count

    def _newest(self, message: Ticker | BookTop | BookSnapshot, now_s: float) -> None:
        route = self._by_symbol.get((type(message), message.symbol))
        if route is None:
            return
        self._heard(route, now_s)
        route.newest = message
        key = route.key
        for mailbox in route.mailboxes:
            mailbox.latest(key, message)
        if self.watcher is not None and type(message) is Ticker:
            self.watcher.latest(key, message)

    def _traded(self, trade: Traded, now_s: float) -> None:
        route = self._by_symbol.get((Traded, trade.symbol))
        if route is None:
            return
        self._heard(route, now_s)
        for mailbox in route.mailboxes:
            mailbox.latest(
                route.key, Trades(self.exchange, trade.symbol, [trade]), merge_trades
            )

    def _candle(self, candle: Candle, now_s: float) -> None:
        subscription = Subscription(candle.symbol, Channel.CANDLES, candle.timeframe)
        route = self.routes.get(subscription)
        if route is None:
            return
        self._heard(route, now_s)
        window = self.windows[subscription]
        step = window.take(candle)
        if step is CandleStep.HOLE:
            self.ask(subscription)
        elif step is not CandleStep.OLD:
            closed = (candle,) if step is CandleStep.CLOSED else ()
            self._show(subscription, window, closed)

    def _show(
        self, subscription: Subscription, window: CandleWindow, closed: tuple[Candle, ...]
    ) -> None:
        route = self.routes[subscription]
        shown = Candles(
            self.exchange,
            subscription.symbol,
            subscription.timeframe,
            closed,
            window.candles,
            window.running,
        )
        for mailbox in route.mailboxes:
            mailbox.latest(route.key, shown, merge_candles)

    def _snapshot(self, snapshot: BookSnapshot, now_s: float) -> None:
        """Take a book of the stream, which may begin anew at any time."""
        book = self.books.get(snapshot.symbol)
        if book is not None:
            book.reset()  # changes that came before it are none of its own
            self.load_book(snapshot, now_s)

    def _delta(self, delta: BookDelta, now_s: float) -> None:
        book = self.books.get(delta.symbol)
        if book is None:
            return
        subscription = Subscription(delta.symbol, Channel.BOOK)
        step = book.apply(delta)
        if step is BookStep.GAP:
            self.ask(subscription)
        elif step is BookStep.APPLIED:
            self._newest(book.best(BOOK_DEPTH, now_s), now_s)
            return
        self._heard(self.routes[subscription], now_s)


_OVER_REST = frozenset({Channel.CANDLES, Channel.BOOK})
_STREAMED_BOOKS = frozenset({Channel.CANDLES})
