"""One connection of a feed's pool: connect, serve, lose, wait, and connect again.

pool --carries--> [connection] --FeedState of its own subscriptions--> readers
                               --Record------------------------------> journal

What happens to it concerns the subscriptions that it carries, and no others (R-21).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

import attrs
import trio

from actors.fan_out import FanOut
from actors.feed_session import FeedSession
from actors.feed_silence import Silence, SilenceLimits
from actors.mailbox import Mailbox
from actors.messages import (
    ExchangeConnected,
    ExchangeDisconnected,
    ExchangeReconnecting,
    Fact,
    FeedState,
    Link,
    StreamMessage,
    Subscription,
)
from actors.ports import Market, Random, VenueError
from actors.pure.reconnect import ReconnectPolicy
from actors.reconnecting import keep_connected
from actors.records import JournalWish, note

NOTE_S = 1.0  # longest wait for the journal, on the way to the next connection

Deliver = Callable[[StreamMessage, float], None]


@attrs.frozen
class FeedSettings:
    """`[exchanges.X]` in bots.toml, as far as a feed needs it."""

    exchange: str
    reconnect: ReconnectPolicy = attrs.Factory(ReconnectPolicy)
    silence: SilenceLimits = attrs.Factory(SilenceLimits)


@attrs.frozen
class Surroundings:
    """What every connection of one pool shares."""

    mailbox: Mailbox[Any]
    market: Market
    journal: Mailbox[JournalWish]
    fan_out: FanOut
    settings: FeedSettings
    random: Random


@attrs.define(eq=False)
class FeedConnection:
    """Carries `carried`; takes over `coming`, which another one still answers for."""

    number: int
    around: Surroundings
    may_connect: Callable[[], Awaitable[None]]  # paces those of one pool
    has_others: Callable[[], bool]  # that are connected
    takes_loss: Callable[[FeedConnection, VenueError], bool]  # nobody needs to be told
    deliver: Deliver
    carried: set[Subscription] = attrs.Factory(set[Subscription])
    coming: set[Subscription] = attrs.Factory(set[Subscription])
    session: FeedSession | None = None
    opened_s: float = 0.0
    state: FeedState | None = None
    attempt: int = 0
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    _gap_s: float = attrs.Factory(trio.current_time)  # since when prices are missing

    async def keep(self) -> None:
        """Serve one connection after the other, until `close`.

        Raises:
          AttemptsSpent: of one disconnect, and no other connection is left.
        """
        with self.scope:
            await keep_connected(
                self._serve,
                policy=self.around.settings.reconnect,
                random=self.around.random,
                on_lost=self._tell_lost,
                is_endless=self.has_others,
            )

    def wanted(self) -> Collection[Subscription]:
        """Return what is to be subscribed here."""
        return self.carried | self.coming if self.coming else self.carried

    def divert(self, deliver: Deliver) -> None:
        """Hand what comes from now on to somebody else."""
        self.deliver = deliver
        if self.session is not None:
            self.session.deliver = deliver

    def demand_changed(self) -> None:
        if self.session is not None:
            self.session.demand_changed()

    def drop(self, error: VenueError) -> None:
        """End this connection; the next one proves everything anew (D-6)."""
        if self.session is not None:
            self.session.end(error)

    def close(self) -> None:
        """End for good."""
        self.scope.cancel()

    def say(self, state: FeedState, subscriptions: Collection[Subscription]) -> None:
        """Tell the readers of these what becomes of their prices."""
        self.state = state
        self.around.fan_out.announce(state, subscriptions)

    def lose(self, reason: str, subscriptions: Collection[Subscription]) -> None:
        """Tell the readers of these GAP."""
        if self.state is None or self.state.link is Link.RESUMED:
            self._gap_s = trio.current_time()
        self.around.fan_out.lost(subscriptions)
        exchange = self.around.settings.exchange
        gap = FeedState(exchange, Link.GAP, self._gap_s, self.attempt, reason)
        self.say(gap, subscriptions)

    async def _serve(self, connected: Callable[[], None]) -> VenueError:
        """Serve one connection; return why it ended."""
        around = self.around
        await self.may_connect()
        try:
            async with around.market.open_stream() as stream:
                connected()
                self.opened_s = trio.current_time()
                self.session = FeedSession(
                    stream,
                    around.fan_out,
                    Silence(around.market, around.fan_out, around.settings.silence),
                    around.mailbox.note_work,
                    self.wanted,
                    self._tell_proven,
                    self.deliver,
                )
                return await self.session.run()
        finally:
            self.session = None

    async def _tell_lost(
        self, error: VenueError, attempt: int, delay_s: float | None
    ) -> None:
        """Tell readers GAP, and the journal what is done next."""
        self.attempt = attempt
        await trio.lowlevel.checkpoint()
        if self.takes_loss(self, error):
            return
        settings, reason = self.around.settings, str(error)
        self.lose(reason, self.carried)
        facts: list[Fact] = [ExchangeDisconnected(settings.exchange, reason)]
        if delay_s is not None:
            attempts_max, delay_ms = settings.reconnect.attempts, int(delay_s * 1000)
            facts.append(
                ExchangeReconnecting(settings.exchange, attempt, attempts_max, delay_ms)
            )
        with trio.move_on_after(NOTE_S):  # a silent journal delays no reconnect
            await note(self.around.journal, *facts)

    async def _tell_proven(self, proven_s: float) -> None:
        """Tell readers RESUMED: every subscription has had a datum."""
        fan_out, exchange = self.around.fan_out, self.around.settings.exchange
        await trio.lowlevel.checkpoint()
        if self.state is not None and self.state.link is Link.RESUMED:
            return  # nobody has missed anything
        if not self.carried:
            return  # another one still answers for what is coming
        now_s = trio.current_time()
        self.say(FeedState(exchange, Link.RESUMED, now_s, self.attempt), self.carried)
        await note(
            self.around.journal,
            ExchangeConnected(
                exchange,
                self.attempt,
                len(self.carried),
                int(proven_s * 1000),
                fan_out.states.readers(self.carried),
                int((now_s - self._gap_s) * 1000),
            ),
        )
