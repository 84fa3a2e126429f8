"""Load over REST what a stream begins with: candle history and book snapshots.

fan-out --asks for a subscription--> [loading] --history, snapshot--> fan-out

Each subscription is loaded by a task of its own, a few at once, and again after a pause
until it succeeds: a symbol that fails delays no other. A snapshot is asked for only once
the changes are subscribed to, so that it can be bridged. A book that the stream itself
begins is subscribed to anew instead. What was asked for before the connection was lost is
asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

import attrs
import trio

from actors.fan_out import FanOut
from actors.messages import Candle, Channel, Subscription
from actors.ports import Market, RateLimited, VenueError
from actors.pure.book import BookStep
from actors.pure.candle_builder import longer
from actors.pure.timeframes import LENGTH_MS, longest_part

LOAD_S = 10.0  # longest wait for one answer
RETRY_S = 5.0  # between two tries
AGAIN_S = 1.0  # until a snapshot that was too old is asked for again
LOADING_MAX = 4  # at once


@attrs.define(eq=False)
class Loading:
    """The loads of one life of a feed."""

    market: Market
    fan_out: FanOut
    subscribed: Container[Subscription]
    begin_anew: Callable[[Subscription], None]  # by the stream
    _under_way: set[Subscription] = attrs.Factory(set[Subscription])
    _limiter: trio.CapacityLimiter = attrs.Factory(
        lambda: trio.CapacityLimiter(LOADING_MAX)
    )

    async def run(self) -> None:
        """Load whatever is asked for, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                await self.fan_out.load_asked.wait()
                self.fan_out.load_asked = trio.Event()
                asked = self.fan_out.to_load - self._under_way
                for subscription in sorted(asked, key=str):  # a run can be replayed
                    if self._is_subscribed(subscription):
                        self._under_way.add(subscription)
                        nursery.start_soon(self._load, subscription)

    async def _load(self, subscription: Subscription) -> None:
        asked = self.fan_out.to_load
        while subscription in asked and self._is_subscribed(subscription):
            asked.discard(subscription)
            pause_s = await self._try(subscription)
            if pause_s and subscription in self.fan_out.routes:
                asked.add(subscription)
            await trio.sleep(pause_s or AGAIN_S)
        self._under_way.discard(subscription)
        await trio.lowlevel.checkpoint()

    async def _try(self, subscription: Subscription) -> float:
        """Load once; return the pause before the next try, 0 when none is needed."""
        try:
            async with self._limiter:
                with trio.fail_after(LOAD_S):
                    if subscription.channel is Channel.BOOK:
                        return await self._load_book(subscription)
                    return await self._load_candles(subscription)
        except RateLimited as limited:
            pause_s = max(RETRY_S, limited.retry_after_s)
        except (VenueError, trio.TooSlowError):
            pause_s = RETRY_S
        await trio.lowlevel.checkpoint()
        return pause_s

    async def _load_book(self, subscription: Subscription) -> float:
        if self.fan_out.terms.is_book_streamed:
            self.begin_anew(subscription)
            await trio.lowlevel.checkpoint()
            return 0.0
        losses = self._losses(subscription)
        snapshot = await self.market.book(subscription.symbol)
        if losses != self._losses(subscription):
            return AGAIN_S
        step = self.fan_out.load_book(snapshot, trio.current_time())
        return AGAIN_S if step is BookStep.GAP else 0.0

    async def _load_candles(self, subscription: Subscription) -> float:
        window = self.fan_out.windows.get(subscription)
        if window is None or window.is_loaded:
            await trio.lowlevel.checkpoint()
            return 0.0
        losses = self._losses(subscription)
        history = await self._history(subscription, window.depth + 1)
        if losses != self._losses(subscription):
            return AGAIN_S
        self.fan_out.load_candles(subscription, history)
        return 0.0 if window.is_loaded else RETRY_S

    async def _history(self, subscription: Subscription, limit: int) -> Sequence[Candle]:
        """Return candles as the venue tells them, or built from shorter ones it tells."""
        symbol, timeframe = subscription.symbol, subscription.timeframe
        told = self.fan_out.terms.history
        part = longest_part(timeframe, told) if told else timeframe
        if part is None:
            await trio.lowlevel.checkpoint()
            return ()
        if part == timeframe:
            return await self.market.candles(symbol, timeframe, limit=limit)
        parts = (limit + 1) * (LENGTH_MS[timeframe] // LENGTH_MS[part])
        return longer(await self.market.candles(symbol, part, limit=parts), timeframe)

    def _is_subscribed(self, subscription: Subscription) -> bool:
        return self.fan_out.wire_of(subscription) in self.subscribed

    def _losses(self, subscription: Subscription) -> int:
        route = self.fan_out.routes.get(subscription)
        return route.losses if route is not None else -1
