"""One connection of a feed, from subscribing to its end: pump, prove, watch for silence.

A session ends with a reason and never crashes the feed by itself. Freshness is judged for
each subscription, not for the socket (R-21). A symbol that the venue does not list is
left out, and costs the others nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import attrs
import trio

from actors.fan_out import FanOut, Route
from actors.feed_silence import Silence, SilenceLimits
from actors.messages import StreamMessage, Subscription, SubscriptionRefused, VenueClosing
from actors.ports import (
    ConnectionLost,
    MarketStream,
    NotListed,
    RemoteProtocolError,
    VenueError,
)

__all__ = ["FeedSession", "SilenceLimits"]

WATCH_S = 0.5  # between two looks at freshness
BAD_FRAMES_MAX = 20  # unreadable frames in BAD_FRAMES_S end the connection
BAD_FRAMES_S = 10.0


@attrs.define(eq=False)
class FeedSession:
    """Runs until the connection ends; `run` returns why."""

    stream: MarketStream
    fan_out: FanOut
    silence: Silence
    note_work: Callable[[int], None]
    wanted: Callable[[], Collection[Subscription]]  # on this connection
    on_proven: Callable[[float], Awaitable[None]]  # seconds it took
    deliver: Callable[[StreamMessage, float], None]
    error: VenueError | None = None
    subscribed_s: dict[Subscription, float] = attrs.Factory(dict[Subscription, float])
    unlisted: set[str] = attrs.Factory(set[str])  # symbols that the venue does not have
    _scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _changed: trio.Event = attrs.Factory(trio.Event)
    _proven: trio.Event = attrs.Factory(trio.Event)
    _doubted: trio.Event = attrs.Factory(trio.Event)
    _begun_anew: set[Subscription] = attrs.Factory(set[Subscription])
    _looked_at: set[Subscription] = attrs.Factory(set[Subscription])
    _bad_frames: int = 0
    _bad_since_s: float = 0.0
    _proofs: int = -1  # when it was last looked whether all is proven

    async def run(self) -> VenueError:
        """Serve until the connection ends, and return the reason."""
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump)
                nursery.start_soon(self._follow_demand)
                nursery.start_soon(self._watch, nursery)
                nursery.start_soon(self._tell_proven)
        return self.error or ConnectionLost("the session was dropped")

    def end(self, error: VenueError) -> None:
        """End the session for this reason; the first one counts."""
        self.error = self.error or error
        self._scope.cancel()

    def demand_changed(self) -> None:
        self._changed.set()

    def begin_anew(self, subscription: Subscription) -> None:
        """Unsubscribe and subscribe: what it told has a hole that the stream must mend."""
        self._begun_anew.add(subscription)
        self._changed.set()

    def doubt(self) -> None:
        """Forget that all was proven; it is told anew when it is."""
        self._proven = trio.Event()
        self._doubted.set()
        self._doubted = trio.Event()
        self._prove()

    async def _pump(self) -> None:
        stream = self.stream
        while True:
            try:
                messages = await stream.receive()
            except RemoteProtocolError as error:
                self._count_bad(error)
                await trio.lowlevel.checkpoint()
                continue
            except VenueError as error:
                self.end(error)
                return await trio.lowlevel.checkpoint()
            now_s, deliver = trio.current_time(), self.deliver
            for message in messages:
                if isinstance(message, SubscriptionRefused) and message.symbol:
                    self._leave_out(message.symbol)
                elif isinstance(message, (VenueClosing, SubscriptionRefused)):
                    return self.end(_announced(message))
                else:
                    deliver(message, now_s)
            self.note_work(len(messages))
            if self._proofs != self.fan_out.proofs:
                self._proofs = self.fan_out.proofs
                self._prove()

    async def _follow_demand(self) -> None:
        while True:
            self._changed = trio.Event()
            try:
                await self._subscribe()
            except NotListed as error:
                self._leave_out(error.symbol)
                await trio.lowlevel.checkpoint()
                continue
            except VenueError as error:
                self.end(error)
            await self._changed.wait()

    def _leave_out(self, symbol: str) -> None:
        """Want no more of a symbol that the venue does not have, nor of it alone."""
        self.unlisted.add(symbol)
        self.demand_changed()

    async def _subscribe(self) -> None:
        """Subscribe to what is wanted, and to nothing else."""
        await trio.lowlevel.checkpoint()
        wanted = {each for each in self.wanted() if each.symbol not in self.unlisted}
        dropped = self.subscribed_s.keys() - (wanted - self._begun_anew)
        self._begun_anew.clear()
        if dropped:
            await self.stream.unsubscribe(sorted(dropped, key=str))
        for subscription in dropped:
            del self.subscribed_s[subscription]
            self.silence.forget(subscription)
        added = sorted(wanted - self.subscribed_s.keys(), key=str)
        if added:
            await self.stream.subscribe(added)
        self.subscribed_s.update(dict.fromkeys(added, trio.current_time()))
        self.fan_out.load_asked.set()
        self._prove()

    async def _watch(self, nursery: trio.Nursery) -> None:
        while True:
            await trio.sleep(WATCH_S)
            now_s = trio.current_time()
            for subscription, subscribed_s in self.subscribed_s.items():
                route = self.fan_out.routes.get(subscription)
                if route is None or subscription in self._looked_at:
                    continue
                if self.silence.is_due(route, subscribed_s, now_s):
                    self._looked_at.add(subscription)
                    nursery.start_soon(self._look_at, route, subscribed_s)

    async def _look_at(self, route: Route, subscribed_s: float) -> None:
        subscription = route.subscription
        try:
            is_quiet = await self.silence.is_quiet(route)
        except NotListed as error:
            self._leave_out(error.symbol)
            await trio.lowlevel.checkpoint()
            return
        finally:
            self._looked_at.discard(subscription)
        if is_quiet:
            self._prove()
        elif self.fan_out.routes.get(subscription) is route:
            since_s = subscribed_s if route.data_s is None else route.data_s
            silent_s = trio.current_time() - since_s
            words = (
                subscription.symbol,
                subscription.channel.value,
                subscription.timeframe,
            )
            self.end(
                ConnectionLost(
                    f"no data on {' '.join(filter(None, words))} for {silent_s:.1f} s"
                )
            )

    async def _tell_proven(self) -> None:
        while True:
            begun_s, proven = trio.current_time(), self._proven
            await proven.wait()
            await self.on_proven(trio.current_time() - begun_s)
            while self._proven is proven:
                await self._doubted.wait()

    def _prove(self) -> None:
        """Note when every subscription has had a datum, or the venue's word for quiet."""
        taken, excused_s = self.subscribed_s, self.silence.excused_s
        limits = self.silence.limits
        if taken and all(
            route.data_s is not None
            or subscription in excused_s
            or (subscription in taken and not limits.of(subscription.channel))
            for subscription in self.wanted()
            if subscription.symbol not in self.unlisted
            and (route := self.fan_out.routes.get(subscription)) is not None
        ):
            self._proven.set()

    def _count_bad(self, error: RemoteProtocolError) -> None:
        now_s = trio.current_time()
        if now_s - self._bad_since_s > BAD_FRAMES_S:
            self._bad_since_s, self._bad_frames = now_s, 0
        self.fan_out.states.count_bad()
        self._bad_frames += 1
        if self._bad_frames >= BAD_FRAMES_MAX:
            self.end(RemoteProtocolError(f"{self._bad_frames} unreadable frames: {error}"))


def _announced(message: VenueClosing | SubscriptionRefused) -> VenueError:
    if isinstance(message, VenueClosing):
        return ConnectionLost("the exchange announced that it closes this connection")
    return RemoteProtocolError(f"subscription refused: {message.code} {message.reason}")
