"""REST prices where a stream is silent: starts on absence of data, not of a connection.

feed   --Ticker, FeedState (latest)--> [fallback] --Ticker (latest, source REST)--> readers
demand --Wanted (latest)-------------> [fallback] --Record------------------------> journal

It takes its mail once a LOOK_S, so that a busy feed costs it nothing (R-19, R-25). A
restart forgets when each symbol was last heard and waits `after_s` anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import trio

from actors.demand import Demand
from actors.mailbox import Mailbox
from actors.messages import (
    Channel,
    FallbackBegun,
    FallbackEnded,
    FeedState,
    Source,
    Ticker,
    Wanted,
)
from actors.ports import Market, RateLimited, VenueError
from actors.records import JournalWish, note

LOOK_S = 0.5
ASK_S = 5.0


@attrs.frozen
class FallbackSettings:
    exchange: str
    after_s: float = 5.0  # without a streamed price
    poll_s: float = 2.0


@attrs.define(eq=False)
class Watched:
    """One symbol: who reads it, when it was last heard, and whether we stand in."""

    symbol: str
    heard_s: float
    readers: set[str] = attrs.Factory(set[str])
    is_begun: bool = False
    polled_s: float = 0.0
    polls: int = 0


async def run_fallback(
    mailbox: Mailbox[Wanted | Ticker | FeedState],
    market: Market,
    journal: Mailbox[JournalWish],
    outlets: Mapping[str, Mailbox[Any]],
    demand: Demand,
    *,
    settings: FallbackSettings,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Watch every wanted ticker until cancelled; poll those that are silent."""
    fallback = _Fallback(market, journal, outlets, settings)
    for wanted in demand.current().values():
        fallback.want(wanted)
    task_status.started()
    while True:
        await trio.sleep(LOOK_S)
        while (message := mailbox.receive_nowait()) is not None:
            match message:
                case Wanted():
                    fallback.want(message)
                case Ticker(symbol=symbol, received_s=received_s):
                    fallback.hear(symbol, received_s)
                case FeedState():
                    pass  # silence is judged by prices alone
        for watched in list(fallback.watched.values()):
            await fallback.attend(watched)


@attrs.define(eq=False)
class _Fallback:
    market: Market
    journal: Mailbox[JournalWish]
    outlets: Mapping[str, Mailbox[Any]]
    settings: FallbackSettings
    watched: dict[str, Watched] = attrs.Factory(dict[str, Watched])
    quiet_until_s: float = 0.0  # the venue told us to wait

    def want(self, wanted: Wanted) -> None:
        symbols = {s.symbol for s in wanted.subscriptions if s.channel is Channel.TICKER}
        for symbol in symbols - self.watched.keys():
            self.watched[symbol] = Watched(symbol, trio.current_time())
        for symbol, watched in list(self.watched.items()):
            if symbol in symbols:
                watched.readers.add(wanted.reader)
            else:
                watched.readers.discard(wanted.reader)
            if not watched.readers:
                del self.watched[symbol]

    def hear(self, symbol: str, received_s: float) -> None:
        watched = self.watched.get(symbol)
        if watched is not None:
            watched.heard_s = max(watched.heard_s, received_s)

    async def attend(self, watched: Watched) -> None:
        """Begin, go on, or end standing in for the stream of one symbol."""
        now_s, exchange = trio.current_time(), self.settings.exchange
        silent_s = now_s - watched.heard_s
        if silent_s < self.settings.after_s:
            if watched.is_begun:
                watched.is_begun = False
                await note(
                    self.journal, FallbackEnded(exchange, watched.symbol, watched.polls)
                )
            return
        if not watched.is_begun:
            watched.is_begun, watched.polls, watched.polled_s = True, 0, -1e9
            silent_ms = int(silent_s * 1000)
            await note(self.journal, FallbackBegun(exchange, watched.symbol, silent_ms))
        if now_s >= self.quiet_until_s and now_s - watched.polled_s >= self.settings.poll_s:
            await self._poll(watched)

    async def _poll(self, watched: Watched) -> None:
        watched.polled_s = trio.current_time()
        try:
            with trio.fail_after(ASK_S):
                asked = await self.market.ticker(watched.symbol)
        except RateLimited as limited:
            self.quiet_until_s = trio.current_time() + limited.retry_after_s
            return
        except (VenueError, trio.TooSlowError):
            return  # the next poll asks again; the age of the last price tells the story
        watched.polls += 1
        ticker = attrs.evolve(asked, received_s=trio.current_time(), source=Source.REST)
        for name in watched.readers:
            outlet = self.outlets.get(name)
            if outlet is not None:
                outlet.latest(f"rest:{ticker.exchange}:{ticker.symbol}", ticker)
