"""One exchange's shared market-data connection: subscribe, fan out, reconnect.

demand --Wanted (latest)-------> [feed] --Ticker, Candles, … (latest)--> readers
clock  --ClockStepped (latest)-> [feed] --FeedState (latest)-----------> readers
                                 [feed] --Record-----------------------> journal

A disconnect is not a crash: the feed reconnects inside its life, re-subscribes, and says
RESUMED only when every subscription was proven by a first datum (R-24). Five attempts
spent end the life, and the circuit breaker takes over. A restart forgets windows and
books (they are loaded again over REST) and recalls what is wanted from the demand.
"""

from __future__ import annotations

from typing import Any

import attrs
import trio

from actors.demand import Demand
from actors.fan_out import FanOut
from actors.feed_session import FeedSession, SilenceLimits
from actors.mailbox import Mailbox
from actors.messages import (
    ClockStepped,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    FeedState,
    Link,
    Wanted,
)
from actors.ports import Market, Random, RateLimited, VenueError
from actors.pure.reconnect import Reconnect, ReconnectPolicy
from actors.records import JournalWish, note

CONNECT_S = 30.0


@attrs.frozen
class FeedSettings:
    """`[exchanges.X]` in bots.toml, as far as a feed needs it."""

    exchange: str
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    connect_s: float = CONNECT_S
    silence: SilenceLimits = attrs.Factory(SilenceLimits)


class FeedLost(Exception):
    """All attempts of one disconnect are spent."""


async def run_feed(
    mailbox: Mailbox[Wanted | ClockStepped],
    market: Market,
    journal: Mailbox[JournalWish],
    fan_out: FanOut,
    demand: Demand,
    *,
    settings: FeedSettings,
    random: Random,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the demand until cancelled. Ready at once: never "connected".

    Raises:
      ExceptionGroup: of `FeedLost`, when all attempts of one disconnect are spent.
    """
    for wanted in demand.current().values():
        fan_out.want(wanted)
    connection = _Connection(mailbox, market, journal, fan_out, settings, random)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.keep)
        task_status.started()
        while True:
            match await mailbox.receive():
                case Wanted() as wanted:
                    fan_out.want(wanted)
                    connection.demand_changed()
                case ClockStepped(reason=reason):
                    connection.drop(reason)


@attrs.define(eq=False)
class _Connection:
    mailbox: Mailbox[Any]
    market: Market
    journal: Mailbox[JournalWish]
    fan_out: FanOut
    settings: FeedSettings
    random: Random
    session: FeedSession | None = None
    changed: trio.Event = attrs.Factory(trio.Event)
    gap_s: float = 0.0  # since when readers are without prices

    async def keep(self) -> None:
        """Connect, serve, and connect again, as the reconnect policy allows."""
        reconnect = Reconnect(self.settings.reconnect)
        self.gap_s = trio.current_time()
        while True:
            while not self.fan_out.routes:
                await self.changed.wait()
                self.changed = trio.Event()
            reconnect, error = await self._serve(reconnect)
            now_s = trio.current_time()
            reconnect, delay_s = reconnect.lost(
                now_s,
                self.random.random(),
                at_least_s=error.retry_after_s if isinstance(error, RateLimited) else 0.0,
            )
            await self._tell_lost(error, reconnect.attempt, delay_s)
            if delay_s is None:
                raise FeedLost(
                    f"{self.settings.reconnect.attempts} attempts spent: {error}"
                )
            await trio.sleep_until(now_s + delay_s)

    def demand_changed(self) -> None:
        self.changed.set()
        if self.session is not None:
            self.session.demand_changed()

    def drop(self, reason: str) -> None:
        """End this connection; the next one proves everything anew (D-6)."""
        if self.session is not None:
            self.session.end(VenueError(reason))

    async def _serve(self, reconnect: Reconnect) -> tuple[Reconnect, VenueError]:
        attempt = reconnect.attempt
        try:
            async with self.market.open_stream() as stream:
                reconnect = reconnect.connected(trio.current_time())
                self.session = session = FeedSession(
                    stream, self.market, self.fan_out, self.mailbox, self.settings.silence
                )
                session.on_proven = lambda proven_s: self._tell_proven(attempt, proven_s)
                error = await session.run()
        except VenueError as reason:
            error = reason
        finally:
            self.session = None
        return reconnect, error

    async def _tell_lost(
        self, error: VenueError, attempt: int, delay_s: float | None
    ) -> None:
        was_up = self.fan_out.state is not None and self.fan_out.state.link is Link.RESUMED
        if was_up or self.fan_out.state is None:
            self.gap_s = trio.current_time()
        exchange, reason = self.settings.exchange, str(error)
        self.fan_out.lost()
        self.fan_out.announce(FeedState(exchange, Link.GAP, self.gap_s, attempt, reason))
        await note(self.journal, ExchangeDisconnected(exchange, reason))
        if delay_s is not None:
            attempts_max = self.settings.reconnect.attempts
            await note(
                self.journal,
                ExchangeReconnecting(exchange, attempt, attempts_max, int(delay_s * 1000)),
            )

    async def _tell_proven(self, attempt: int, proven_s: float) -> None:
        exchange, now_s = self.settings.exchange, trio.current_time()
        self.fan_out.announce(FeedState(exchange, Link.RESUMED, now_s, attempt))
        await note(
            self.journal,
            ExchangeConnected(
                exchange,
                attempt,
                len(self.fan_out.routes),
                int(proven_s * 1000),
                self.fan_out.readers(),
                int((now_s - self.gap_s) * 1000),
            ),
        )
