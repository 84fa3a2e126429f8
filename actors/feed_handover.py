"""Move subscriptions from one connection to others without a gap and without an echo.

old --what is still its own--> [handover] --each datum once--> fan-out
new --from where it follows--> [handover]

The old connection answers for a subscription until the new one tells something of it that
follows what is known: the next trade, a change that the book can take, the next candle.
What the new one tells before that is ahead of the old one, and would leave a hole.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import trio

from actors.fan_out import FanOut
from actors.feed_connection import FeedConnection
from actors.feed_silence import SilenceLimits
from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    Channel,
    StreamMessage,
    Subscription,
    Ticker,
    Traded,
)
from actors.pure.echoes import is_echo
from actors.routes import Route

GRACE_S = 2.0  # the old connection may be a push ahead of the new one
HELD_MAX = 1_000  # trades of one symbol that the new connection told too early

_CHANNELS: Mapping[type, Channel] = {
    Ticker: Channel.TICKER,
    BookTop: Channel.BOOK_TOP,
    Traded: Channel.TRADES,
    Candle: Channel.CANDLES,
    BookDelta: Channel.BOOK,
    BookSnapshot: Channel.BOOK,
}


@attrs.define(eq=False)
class Handover:
    """From one connection to those that `moves` names; both are open meanwhile."""

    fan_out: FanOut
    old: FeedConnection
    moves: Mapping[FeedConnection, set[Subscription]]
    limits: SilenceLimits
    waiting: set[Subscription] = attrs.field(init=False)  # the old one's still
    settled: trio.Event = attrs.Factory(trio.Event)  # only quiet ones are, if any
    done: trio.Event = attrs.Factory(trio.Event)  # none is
    echoes: int = 0  # data that both connections told, shown once
    _moved: frozenset[Subscription] = attrs.field(init=False)
    _held: dict[Subscription, list[Traded]] = attrs.Factory(
        dict[Subscription, list[Traded]]
    )

    def __attrs_post_init__(self) -> None:
        self._moved = frozenset(each for move in self.moves.values() for each in move)
        self.waiting = set(self._moved)

    def begin(self) -> None:
        """Let the new connections subscribe, and listen to both."""
        self.old.divert(self.from_old)
        for new, moved in self.moves.items():
            new.coming = set(moved)
            new.divert(self.from_new)
            new.demand_changed()
        self._look()

    def forget(self, subscription: Subscription) -> None:
        """Note that nobody wants this any more."""
        self.waiting.discard(subscription)
        for new in self.moves:
            new.coming.discard(subscription)
            new.demand_changed()
        self._look()

    def from_old(self, message: StreamMessage, now_s: float) -> None:
        """Pass on what the old connection still answers for."""
        subscription = _told_by(message)
        if subscription in self.waiting or subscription not in self._moved:
            self._pass_on(subscription, message, now_s)
        else:
            self.echoes += 1

    def from_new(self, message: StreamMessage, now_s: float) -> None:
        """Pass on what follows what is known; the old one is not listened to then."""
        subscription = _told_by(message)
        if subscription is not None and subscription in self.waiting:
            route = self.fan_out.routes.get(subscription)
            if route is not None and not self._follows(route, message):
                return
            self.waiting.discard(subscription)
            self._let_go(subscription, now_s)
            self._look()
        self._pass_on(subscription, message, now_s)

    def is_good(self) -> bool:
        """Tell whether those that still wait are quiet, and not silent on the new one."""
        for new, moved in self.moves.items():
            if new.session is None:
                return False
            for subscription in moved & new.coming:
                if subscription.symbol in new.session.unlisted:
                    continue
                since_s = new.session.subscribed_s.get(subscription)
                route = self.fan_out.routes.get(subscription)
                if since_s is None:
                    return False
                if subscription not in self.waiting or route is None:
                    continue
                if route.data_s is not None and route.data_s > since_s + GRACE_S:
                    return False
        return True

    def finish(self) -> set[Subscription]:
        """Let the new ones carry everything; return what they have told nothing of.

        They are listened to with care until `end`: they may still repeat the old one.
        """
        now_s = trio.current_time()
        for subscription in sorted(self.waiting, key=str):
            self._let_go(subscription, now_s)
        for new in self.moves:
            new.carried |= new.coming
            new.coming.clear()
        unproven, self.waiting = self.waiting, set()
        self.old.carried.clear()
        self.settled.set()
        self.done.set()
        return unproven

    def end(self) -> None:
        """Trust the new connections to repeat nothing any more."""
        for new in self.moves:
            if new.deliver == self.from_new:
                new.divert(self.fan_out.deliver)

    def cancel(self) -> None:
        """Let the old one carry everything on."""
        for subscription in sorted(self._moved - self.waiting, key=str):
            is_book = subscription.channel is Channel.BOOK
            if is_book and self.fan_out.terms.is_book_streamed:
                self._begin_anew(subscription)
        self.waiting = set(self._moved)  # it repeats nothing that the new one told
        for new in self.moves:
            new.coming.clear()
            new.divert(self.fan_out.deliver)
            new.demand_changed()
        self.settled.set()
        self.done.set()

    def _begin_anew(self, subscription: Subscription) -> None:
        """Let the old connection tell a book again that the new one has numbered."""
        if subscription in self.fan_out.routes:
            self.fan_out.shelf.lost(subscription.symbol)
        if self.old.session is not None:
            self.old.session.begin_anew(subscription)

    def _look(self) -> None:
        if all(not self.limits.of(each.channel) for each in self.waiting):
            self.settled.set()
        if not self.waiting:
            self.done.set()

    def _pass_on(
        self, subscription: Subscription | None, message: StreamMessage, now_s: float
    ) -> None:
        route = self.fan_out.routes.get(subscription) if subscription else None
        if route is not None and self._is_echo(route, message):
            self.echoes += 1
        else:
            self.fan_out.deliver(message, now_s)

    def _is_echo(self, route: Route, message: StreamMessage) -> bool:
        if isinstance(message, Traded):
            return message.trade_id <= route.newest_id
        if isinstance(message, Candle):
            return is_echo(message, self.fan_out.windows[route.subscription].running)
        return is_echo(message, route.newest)

    def _follows(self, route: Route, message: StreamMessage) -> bool:
        subscription = route.subscription
        match message:
            case Traded(trade_id=number):
                if not route.newest_id or number <= route.newest_id + 1:
                    return True
                held = self._held.setdefault(subscription, [])
                held.append(message)
                del held[:-HELD_MAX]
                return False
            case BookDelta(first_id=first_id):
                book = self.fan_out.books[subscription.symbol]
                if self.fan_out.terms.is_book_streamed:
                    return False  # its snapshot begins it
                return not book.is_synced or first_id <= book.last_id + 1
            case Candle():
                window = self.fan_out.windows[subscription]
                return not window.is_loaded or window.follows(message)
            case _:
                return True

    def _let_go(self, subscription: Subscription, now_s: float) -> None:
        for trade in self._held.pop(subscription, ()):
            self._pass_on(subscription, trade, now_s)


def _told_by(message: StreamMessage) -> Subscription | None:
    channel = _CHANNELS.get(type(message))
    if channel is None:
        return None
    timeframe = message.timeframe if isinstance(message, Candle) else ""
    return Subscription(message.symbol, channel, timeframe)  # type: ignore[union-attr] -- the map's types have one
