"""Tell a silent subscription from a quiet market, by asking the venue over REST.

The venue's last price and its volume are compared with what they were when the
subscription last told something. A trade since then that the stream does not tell makes
it silent; no trade makes the market quiet (R-21, R-22). Whoever gets no answer cannot
tell, and reconnects, unless the stream has spoken meanwhile.
"""

from __future__ import annotations

from decimal import Decimal

import attrs
import trio

from actors.fan_out import FanOut, Route
from actors.messages import Channel, Subscription, Ticker
from actors.ports import Market, NotListed, VenueError

REST_S = 5.0  # longest wait for the venue's answer
GRACE_S = 2.0  # REST may be a push ahead of the stream
CACHED_MS_MAX = 60_000  # an answer may be older than the stream; more is an odd date
ASKING_MAX = 4  # symbols asked for at once: one that is slow delays no other


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


@attrs.frozen
class _Market:
    """What the venue said of a symbol, while the subscription's last datum was this."""

    last: Decimal
    volume_base: Decimal
    exchange_ms: int
    data_s: float | None

    @staticmethod
    def of(told: Ticker, data_s: float | None) -> _Market:
        return _Market(told.last, told.volume_base, told.exchange_ms, data_s)

    def has_traded_until(self, later: Ticker) -> bool:
        """Tell whether somebody traded; of 24 hours' volume old trades only fall out.

        An answer that the venue dates a little earlier tells nothing: a cache gave it.
        """
        if later.exchange_ms < self.exchange_ms <= later.exchange_ms + CACHED_MS_MAX:
            return False
        return later.last != self.last or later.volume_base > self.volume_base


@attrs.define(eq=False)
class Silence:
    """The judgements of one session."""

    market: Market
    fan_out: FanOut
    limits: SilenceLimits
    excused_s: dict[Subscription, float] = attrs.Factory(dict[Subscription, float])
    _seen: dict[Subscription, _Market] = attrs.Factory(dict[Subscription, _Market])
    _asking: trio.CapacityLimiter = attrs.Factory(lambda: trio.CapacityLimiter(ASKING_MAX))

    def is_due(self, route: Route, subscribed_s: float, now_s: float) -> bool:
        """Tell whether a subscription has been without data for too long."""
        subscription = route.subscription
        limit_s = self.limits.of(subscription.channel)
        if route.feeds:  # trades that make candles must not be missed like others
            limit_s = limit_s or self.limits.candles_s
        if not limit_s:
            return False
        if route.data_s is None:
            limit_s = min(limit_s, self.limits.proof_s)
        since_s = max(
            subscribed_s,
            subscribed_s if route.data_s is None else route.data_s,
            self.excused_s.get(subscription, subscribed_s),
        )
        return now_s - since_s >= limit_s

    async def is_quiet(self, route: Route) -> bool:
        """Return whether the venue says that nothing happened, or the stream has spoken.

        Raises:
          NotListed: the venue says that it does not have the symbol any more.
        """
        before_s, symbol = route.data_s, route.subscription.symbol
        known = self._known(route)
        if known is None:
            first = await self._ask(symbol)
            if first is None:
                return route.data_s != before_s
            known = _Market.of(first, before_s)
            self._seen[route.subscription] = known
            await trio.sleep(GRACE_S)
        now = await self._ask(symbol)
        if now is None:
            return route.data_s != before_s
        if known.has_traded_until(now):
            await trio.sleep(GRACE_S)
            if route.data_s == before_s:
                return False
        self.excused_s[route.subscription] = trio.current_time()
        return True

    def forget(self, subscription: Subscription) -> None:
        """Forget a subscription that was given up."""
        self.excused_s.pop(subscription, None)
        self._seen.pop(subscription, None)

    def _known(self, route: Route) -> _Market | None:
        """Return the market as of the subscription's last datum, if anybody saw it."""
        newest = route.newest
        if route.data_s is not None and isinstance(newest, Ticker):
            return _Market.of(newest, route.data_s)
        seen = self._seen.get(route.subscription)
        return seen if seen is not None and seen.data_s == route.data_s else None

    async def _ask(self, symbol: str) -> Ticker | None:
        try:
            async with self._asking:
                with trio.fail_after(REST_S):
                    return await self.market.ticker(symbol)
        except NotListed:
            raise
        except (VenueError, trio.TooSlowError):
            await trio.lowlevel.checkpoint()
            return None
