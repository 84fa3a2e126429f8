"""One connection of a feed, from subscribing to its end: pump, prove, watch for silence.

A session ends with a reason and never crashes the feed by itself. Freshness is judged for
each subscription, not for the socket (R-21); a quiet market is told from a silent
subscription by asking the venue over REST whether anything has happened (R-22).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import attrs
import trio

from actors.fan_out import FanOut, Route
from actors.mailbox import Mailbox
from actors.messages import (
    Channel,
    Subscription,
    SubscriptionRefused,
    Ticker,
    VenueClosing,
)
from actors.ports import (
    ConnectionLost,
    Market,
    MarketStream,
    RemoteProtocolError,
    VenueError,
)
from actors.pure.book import BookStep

WATCH_S = 0.5  # between two looks at freshness
REST_S = 5.0  # longest wait for a REST answer that only this session needs
GRACE_S = 2.0  # REST may be a push ahead of the stream
RETRY_S = 5.0  # between two tries of a REST load
BAD_FRAMES_MAX = 20  # unreadable frames in BAD_FRAMES_S end the connection
BAD_FRAMES_S = 10.0


@attrs.frozen
class SilenceLimits:
    """Seconds without a datum before a subscription is looked into; 0 never."""

    ticker_s: float = 10.0
    book_top_s: float = 30.0
    book_s: float = 30.0
    candles_s: float = 30.0
    trades_s: float = 0.0  # a quiet market trades seldom
    proof_s: float = 10.0  # for the first datum after subscribing

    def of(self, channel: Channel) -> float:
        """Return the limit of one channel."""
        return {
            Channel.TICKER: self.ticker_s,
            Channel.BOOK_TOP: self.book_top_s,
            Channel.BOOK: self.book_s,
            Channel.CANDLES: self.candles_s,
            Channel.TRADES: self.trades_s,
        }[channel]


async def _ignore(_: float) -> None:
    pass


@attrs.define(eq=False)
class FeedSession:
    """Runs until the connection ends; `run` returns why."""

    stream: MarketStream
    market: Market
    fan_out: FanOut
    mailbox: Mailbox[Any]
    limits: SilenceLimits
    on_proven: Callable[[float], Awaitable[None]] = _ignore
    error: VenueError | None = None
    bad_frames: int = 0
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _changed: trio.Event = attrs.Factory(trio.Event)
    _proven: trio.Event = attrs.Factory(trio.Event)
    _subscribed_s: dict[Subscription, float] = attrs.Factory(dict[Subscription, float])
    _quiet: dict[str, tuple[Decimal, Decimal]] = attrs.Factory(
        dict[str, tuple[Decimal, Decimal]]
    )
    _excused_s: dict[Subscription, float] = attrs.Factory(dict[Subscription, float])
    _bad_since_s: float = 0.0

    async def run(self) -> VenueError:
        """Serve until the connection ends, and return the reason."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump)
                nursery.start_soon(self._follow_demand)
                nursery.start_soon(self._watch)
                nursery.start_soon(self._tell_proven)
                nursery.start_soon(self._load)
        return self.error or ConnectionLost("the session was dropped")

    def end(self, error: VenueError) -> None:
        """End the session for this reason; the first one counts."""
        self.error = self.error or error
        self._scope.cancel()

    def demand_changed(self) -> None:
        self._changed.set()

    async def _pump(self) -> None:
        deliver, stream = self.fan_out.deliver, self.stream
        while True:
            try:
                messages = await stream.receive()
            except RemoteProtocolError as error:
                self._count_bad(error)
                continue
            except VenueError as error:
                return self.end(error)
            now_s = trio.current_time()
            for message in messages:
                if isinstance(message, (VenueClosing, SubscriptionRefused)):
                    return self.end(_announced(message))
                deliver(message, now_s)
            self.mailbox.note_work(len(messages))
            if not self._proven.is_set():
                self._prove()

    async def _follow_demand(self) -> None:
        while True:
            wanted = set(self.fan_out.routes)
            added = wanted - self._subscribed_s.keys()
            dropped = self._subscribed_s.keys() - wanted
            try:
                if dropped:
                    await self.stream.unsubscribe(sorted(dropped, key=str))
                if added:
                    await self.stream.subscribe(sorted(added, key=str))
            except VenueError as error:
                return self.end(error)
            for subscription in dropped:
                del self._subscribed_s[subscription]
            for subscription in added:
                self._subscribed_s[subscription] = trio.current_time()
            await self._changed.wait()
            self._changed = trio.Event()

    async def _watch(self) -> None:
        while True:
            await trio.sleep(WATCH_S)
            now_s = trio.current_time()
            for route in list(self.fan_out.routes.values()):
                await self._look_at(route, now_s)
            self._prove()

    async def _tell_proven(self) -> None:
        begun_s = trio.current_time()
        await self._proven.wait()
        await self.on_proven(trio.current_time() - begun_s)

    def _prove(self) -> None:
        """Note when every subscription has had a datum, or the venue's word for quiet."""
        routes, taken = self.fan_out.routes, self._subscribed_s
        if routes and all(
            route.data_s is not None
            or subscription in self._excused_s
            or (subscription in taken and not self.limits.of(subscription.channel))
            for subscription, route in routes.items()
        ):
            self._proven.set()

    async def _look_at(self, route: Route, now_s: float) -> None:
        subscription = route.subscription
        asked_s = self._subscribed_s.get(subscription)
        limit_s = self.limits.of(subscription.channel)
        if asked_s is None or not limit_s:
            return
        if route.data_s is None:
            limit_s = min(limit_s, self.limits.proof_s)
        since_s = max(asked_s, route.data_s or asked_s)
        if now_s - max(since_s, self._excused_s.get(subscription, since_s)) < limit_s:
            return
        if await self._is_quiet(route):
            self._excused_s[subscription] = trio.current_time()
            return
        silent_s = trio.current_time() - since_s
        name = (
            f"{subscription.symbol} {subscription.channel.value} {subscription.timeframe}"
        )
        self.end(ConnectionLost(f"no data on {name.strip()} for {silent_s:.1f} s"))

    async def _is_quiet(self, route: Route) -> bool:
        """Return whether the venue itself says that nothing happened on the symbol."""
        symbol, before_s = route.subscription.symbol, route.data_s
        try:
            with trio.fail_after(REST_S):
                asked = await self.market.ticker(symbol)
        except (VenueError, trio.TooSlowError):
            return False
        now = (asked.last, asked.volume_base)
        streamed = self.fan_out.routes.get(Subscription(symbol, Channel.TICKER))
        newest = streamed.newest if streamed is not None else None
        known = (
            (newest.last, newest.volume_base)
            if isinstance(newest, Ticker)
            else self._quiet.get(symbol)
        )
        self._quiet[symbol] = now
        if now == known:
            return True
        await trio.sleep(GRACE_S)
        return route.data_s != before_s

    async def _load(self) -> None:
        """Load candle history and book snapshots that the fan-out asks for, one by one."""
        while True:
            await self.fan_out.load_asked.wait()
            self.fan_out.load_asked = trio.Event()
            while self.fan_out.to_load:
                subscription = self.fan_out.to_load.pop()
                try:
                    with trio.fail_after(2 * REST_S):
                        await self._load_one(subscription)
                except (VenueError, trio.TooSlowError):
                    self.fan_out.ask(subscription)
                    await trio.sleep(RETRY_S)

    async def _load_one(self, subscription: Subscription) -> None:
        if subscription.channel is Channel.BOOK:
            snapshot = await self.market.book(subscription.symbol)
            step = self.fan_out.load_book(snapshot, trio.current_time())
            if step is BookStep.GAP:
                self.fan_out.ask(subscription)
            return
        window = self.fan_out.windows.get(subscription)
        if window is not None and not window.is_loaded:
            history = await self.market.candles(
                subscription.symbol, subscription.timeframe, limit=window.depth + 1
            )
            self.fan_out.load_candles(subscription, history)

    def _count_bad(self, error: RemoteProtocolError) -> None:
        now_s = trio.current_time()
        if now_s - self._bad_since_s > BAD_FRAMES_S:
            self._bad_since_s, self.bad_frames = now_s, 0
        self.bad_frames += 1
        if self.bad_frames >= BAD_FRAMES_MAX:
            self.end(RemoteProtocolError(f"{self.bad_frames} unreadable frames: {error}"))


def _announced(message: VenueClosing | SubscriptionRefused) -> VenueError:
    if isinstance(message, VenueClosing):
        return ConnectionLost("the exchange announced that it closes this connection")
    return RemoteProtocolError(f"subscription refused: {message.code} {message.reason}")
