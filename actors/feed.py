"""One exchange's shared market-data connection: subscribe, fan out, reconnect.

demand --Wanted (latest)-------> [feed] --Ticker, Candles, … (latest)--> readers
clock  --ClockStepped (latest)-> [feed] --FeedState (latest)-----------> readers
                                 [feed] --Record-----------------------> journal

A disconnect is not a crash: the feed reconnects inside its life, re-subscribes, and says
RESUMED only when every subscription was proven by a first datum (R-24). Five attempts
spent end the life, and the circuit breaker takes over. However a life ends, readers are
told GAP; a restart forgets windows and books (they are loaded again over REST) and recalls
what is wanted from the demand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import trio

from actors.demand import Demand
from actors.fan_out import FanOut
from actors.feed_session import FeedSession
from actors.feed_silence import Silence, SilenceLimits
from actors.mailbox import Mailbox
from actors.messages import (
    ClockStepped,
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    Fact,
    FeedState,
    Link,
    Wanted,
)
from actors.ports import Market, Random, VenueError
from actors.pure.reconnect import ReconnectPolicy
from actors.reconnecting import keep_connected
from actors.records import JournalWish, note

NOTE_S = 1.0  # longest wait for the journal, on the way to the next connection


@attrs.frozen
class FeedSettings:
    """`[exchanges.X]` in bots.toml, as far as a feed needs it."""

    exchange: str
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    silence: SilenceLimits = attrs.Factory(SilenceLimits)


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
      ExceptionGroup: of `AttemptsSpent`, when one disconnect has used them all.
    """
    for wanted in demand.current().values():
        fan_out.want(wanted)
    begun_s = trio.current_time()
    fan_out.announce(FeedState(settings.exchange, Link.CONNECTING, begun_s))
    connection = _Connection(mailbox, market, journal, fan_out, settings, gap_s=begun_s)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.keep, random)
            task_status.started()
            while True:
                match await mailbox.receive():
                    case Wanted() as wanted:
                        fan_out.want(wanted)
                        connection.demand_changed()
                    case ClockStepped(reason=reason):
                        connection.drop(reason)
    finally:
        connection.tell_ended()


@attrs.define(eq=False)
class _Connection:
    mailbox: Mailbox[Any]
    market: Market
    journal: Mailbox[JournalWish]
    fan_out: FanOut
    settings: FeedSettings
    gap_s: float  # since when readers are without prices
    session: FeedSession | None = None
    changed: trio.Event = attrs.Factory(trio.Event)
    attempt: int = 0

    async def keep(self, random: Random) -> None:
        """Serve one connection after the other."""
        await keep_connected(
            self.serve,
            policy=self.settings.reconnect,
            random=random,
            on_lost=self.tell_lost,
        )

    async def serve(self, connected: Callable[[], None]) -> VenueError:
        """Serve one connection, once somebody wants something; return why it ended."""
        while not self.fan_out.routes:
            await self.changed.wait()
            self.changed = trio.Event()
            self.gap_s = trio.current_time()
        try:
            async with self.market.open_stream() as stream:
                connected()
                self.session = FeedSession(
                    stream,
                    self.fan_out,
                    Silence(self.market, self.fan_out, self.settings.silence),
                    self.mailbox.note_work,
                    self.tell_proven,
                )
                return await self.session.run()
        finally:
            self.session = None

    def demand_changed(self) -> None:
        self.changed.set()
        if self.session is not None:
            self.session.demand_changed()

    def drop(self, reason: str) -> None:
        """End this connection; the next one proves everything anew (D-6)."""
        if self.session is not None:
            self.session.end(VenueError(reason))

    async def tell_lost(
        self, error: VenueError, attempt: int, delay_s: float | None
    ) -> None:
        """Tell readers GAP, and the journal what is done next."""
        state, self.attempt = self.fan_out.state, attempt
        if state is not None and state.link is Link.RESUMED:
            self.gap_s = trio.current_time()
        exchange, reason = self.settings.exchange, str(error)
        self.fan_out.lost()
        self.fan_out.announce(FeedState(exchange, Link.GAP, self.gap_s, attempt, reason))
        facts: list[Fact] = [ExchangeDisconnected(exchange, reason)]
        if delay_s is not None:
            attempts_max = self.settings.reconnect.attempts
            delay_ms = int(delay_s * 1000)
            facts.append(ExchangeReconnecting(exchange, attempt, attempts_max, delay_ms))
        with trio.move_on_after(NOTE_S):  # a silent journal delays no reconnect
            await note(self.journal, *facts)

    def tell_ended(self) -> None:
        """Tell readers GAP when this life ends, until the next one has prices again."""
        state = self.fan_out.state
        if state is None or state.link is not Link.GAP:
            exchange, now_s = self.settings.exchange, trio.current_time()
            ended = FeedState(exchange, Link.GAP, now_s, reason="the feed has ended")
            self.fan_out.announce(ended)

    async def tell_proven(self, proven_s: float) -> None:
        """Tell readers RESUMED: every subscription has had a datum."""
        exchange, now_s = self.settings.exchange, trio.current_time()
        self.fan_out.announce(FeedState(exchange, Link.RESUMED, now_s, self.attempt))
        await note(
            self.journal,
            ExchangeConnected(
                exchange,
                self.attempt,
                len(self.fan_out.routes),
                int(proven_s * 1000),
                self.fan_out.readers(),
                int((now_s - self.gap_s) * 1000),
            ),
        )
