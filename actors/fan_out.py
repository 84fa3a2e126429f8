"""Hand each market datum to the readers that want it. Synchronous: the feed's hot path.

stream --StreamMessage--> [fan-out] --Ticker, BookTop, Trades, Candles, BookSnapshot-->
readers' mailboxes (latest: replaced; trades and closed candles: merged, never dropped)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import attrs
import trio

from actors.charts import Charts, Window
from actors.link_states import FeedStates
from actors.market_books import MarketBooks
from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
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
from actors.pure.timeframes import LENGTH_MS
from actors.routes import (
    KINDS,
    Reader,
    Route,
    downstream,
    is_begun_over_rest,
    merge_trades,
    open_route,
    upstream,
)

NO_TERMS = StreamTerms(sys.maxsize, timeframes=frozenset(LENGTH_MS))


@attrs.define(eq=False)
class FanOut:
    """Routes, windows and books of one exchange, for one life of its feed."""

    exchange: str
    outlets: Mapping[str, Reader]
    watcher: Reader | None = None  # the fallback, which is shown every ticker
    terms: StreamTerms = NO_TERMS
    routes: dict[Subscription, Route] = attrs.Factory(dict[Subscription, Route])
    to_load: set[Subscription] = attrs.Factory(set[Subscription])  # over REST
    load_asked: trio.Event = attrs.Factory(trio.Event)
    frames: int = 0
    proofs: int = 0  # first data of subscriptions, over all connections
    states: FeedStates = attrs.field(init=False)
    charts: Charts = attrs.field(init=False)
    shelf: MarketBooks = attrs.field(init=False)
    _wanted: dict[str, Wanted] = attrs.Factory(dict[str, Wanted])
    _by_symbol: dict[tuple[type, str], Route] = attrs.Factory(dict[tuple[type, str], Route])
    _doors: dict[type, Callable[[Any, float], None]] = attrs.Factory(
        dict[type, Callable[[Any, float], None]]
    )

    def __attrs_post_init__(self) -> None:
        self.states = FeedStates(self.exchange, self.outlets, self.routes, self._wanted)
        self.charts = Charts(
            self.exchange, self.terms, self.routes, self._open, self._close, self.ask
        )
        self.shelf = MarketBooks(self.exchange)
        self._doors = {
            Ticker: self._newest,
            BookTop: self._newest,
            BookSnapshot: self._snapshot,
            Traded: self._traded,
            Candle: self._candle,
            BookDelta: self._delta,
            PricesReplaced: self.states.count_replaced,
        }

    def want(self, wanted: Wanted) -> None:
        """Serve this reader these subscriptions and no others; show it what is known."""
        before = self._wanted.pop(wanted.reader, None)
        had = before.subscriptions if before is not None else frozenset[Subscription]()
        for subscription in had - wanted.subscriptions:
            self._leave(subscription, wanted.reader)
        is_served = wanted.subscriptions and wanted.reader in self.outlets
        ordered = sorted(wanted.subscriptions if is_served else (), key=str)
        for subscription in ordered:  # a run can be replayed
            self._join(subscription, wanted)
        concerned = had.union(ordered)
        for symbol in sorted({s.symbol for s in concerned if s.channel is Channel.CANDLES}):
            self.charts.plan(symbol)
        if ordered:
            self._wanted[wanted.reader] = wanted
            self.states.tell(wanted.reader)
        for subscription in ordered:
            self._show_known(self.routes[subscription], self.outlets[wanted.reader])

    def deliver(self, message: object, now_s: float) -> None:
        """Hand one message of the stream to its readers."""
        self.frames += 1
        door = self._doors.get(type(message))
        if door is not None:
            door(message, now_s)

    def announce(
        self, state: FeedState, subscriptions: Collection[Subscription] | None = None
    ) -> None:
        """Tell the readers of these, or of all, the state of what carries them."""
        self.states.announce(state, subscriptions)

    def on_wire(self) -> set[Subscription]:
        """Return what the venue's streams are to tell; the rest is built from it."""
        return {each for each, route in self.routes.items() if route.source is None}

    def wire_of(self, subscription: Subscription) -> Subscription:
        """Return what a subscription is built from, at last; itself where nothing is."""
        route = self.routes.get(subscription)
        return upstream(route).subscription if route is not None else subscription

    @property
    def windows(self) -> Mapping[Subscription, Window]:
        return self.charts.windows

    @property
    def books(self) -> Mapping[str, Book]:
        return self.shelf.books

    def load_candles(self, subscription: Subscription, history: Sequence[Candle]) -> None:
        """Fill a window from REST; readers get the final candles they have missed."""
        route = self.routes.get(subscription)
        if route is not None:
            self.charts.load(route, history)

    def load_book(self, snapshot: BookSnapshot, now_s: float) -> BookStep | None:
        """Bridge a snapshot; GAP means that it is too old and another is needed."""
        step = self.shelf.load(snapshot)
        if step is BookStep.APPLIED:
            self._newest(self.shelf.best(snapshot.symbol, now_s), now_s)
        return step

    def lost(self, subscriptions: Collection[Subscription]) -> None:
        """Begin these anew after a disconnect: nothing is proven, books have holes."""
        told = [self.routes[each] for each in subscriptions if each in self.routes]
        for route in downstream(told):
            subscription = route.subscription
            route.data_s = None
            route.losses += 1
            if subscription.channel is Channel.CANDLES:
                self.charts.lost(route)
                self.charts.hide(route)
            elif subscription.channel is Channel.BOOK:
                self.shelf.lost(subscription.symbol)
                if is_begun_over_rest(subscription, self.terms):
                    self.ask(subscription)

    def ask(self, subscription: Subscription) -> None:
        """Ask the session to load history or a snapshot over REST."""
        self.to_load.add(subscription)
        self.load_asked.set()

    def _join(self, subscription: Subscription, wanted: Wanted) -> None:
        route = self.routes.get(subscription) or self._open(subscription)
        if wanted.reader not in route.readers:
            reader = self.outlets[wanted.reader]
            route.readers[wanted.reader] = reader
            route.mailboxes.append(reader)
        is_candles = subscription.channel is Channel.CANDLES
        if is_candles and self.charts.deepen(subscription, wanted.candles_min):
            self.ask(subscription)

    def _show_known(self, route: Route, reader: Reader) -> None:
        """Show a reader that has joined what the others know."""
        if route.newest is not None:
            reader.latest(route.key, route.newest)
        if route.subscription.channel is Channel.CANDLES:
            self.charts.show_known(route, reader)

    def _open(self, subscription: Subscription) -> Route:
        route = open_route(self.exchange, subscription, self.states.state)
        self.routes[subscription] = route
        kind = KINDS.get(subscription.channel)
        if kind is not None:
            self._by_symbol[kind, subscription.symbol] = route
        elif subscription.channel is Channel.CANDLES:
            self.charts.open(subscription)
        if subscription.channel is Channel.BOOK:
            self.shelf.open(subscription.symbol)
        if is_begun_over_rest(subscription, self.terms):
            self.ask(subscription)
        return route

    def _leave(self, subscription: Subscription, reader: str) -> None:
        route = self.routes.get(subscription)
        if route is None:
            return
        mailbox = route.readers.pop(reader, None)
        if mailbox is not None:
            route.mailboxes.remove(mailbox)
        is_candles = subscription.channel is Channel.CANDLES  # whoever plans closes them
        if not route.readers and not route.feeds and not is_candles:
            self._close(route)

    def _close(self, route: Route) -> None:
        subscription = route.subscription
        del self.routes[subscription]
        self.to_load.discard(subscription)
        self.charts.close(subscription)
        kind = KINDS.get(subscription.channel)
        if kind is not None:
            self._by_symbol.pop((kind, subscription.symbol), None)
        if subscription.channel is Channel.BOOK:
            self.shelf.close(subscription.symbol)

    def _heard(self, route: Route, now_s: float) -> None:
        if route.data_s is None:
            self.proofs += 1
        route.data_s = now_s
        route.received += 1

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
        route.newest_id = trade.trade_id
        for mailbox in route.mailboxes:
            mailbox.latest(
                route.key, Trades(self.exchange, trade.symbol, [trade]), merge_trades
            )
        if route.feeds:
            self.charts.trade(route, trade)

    def _candle(self, candle: Candle, now_s: float) -> None:
        subscription = Subscription(candle.symbol, Channel.CANDLES, candle.timeframe)
        route = self.routes.get(subscription)
        if route is not None and route.source is None:
            self._heard(route, now_s)
            self.charts.take(route, candle)

    def _snapshot(self, snapshot: BookSnapshot, now_s: float) -> None:
        if self.shelf.begin(snapshot) is BookStep.APPLIED:
            self._newest(self.shelf.best(snapshot.symbol, now_s), now_s)

    def _delta(self, delta: BookDelta, now_s: float) -> None:
        step = self.shelf.apply(delta)
        if step is BookStep.APPLIED:
            self._newest(self.shelf.best(delta.symbol, now_s), now_s)
        elif step is not None:
            subscription = Subscription(delta.symbol, Channel.BOOK)
            if step is BookStep.GAP:
                self.ask(subscription)
            self._heard(self.routes[subscription], now_s)
