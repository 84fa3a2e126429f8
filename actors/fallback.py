"""REST prices where a stream is silent: starts on absence of data, not of a connection.

feed   --Ticker (latest)--> [fallback] --Ticker (latest, source REST)--> readers
demand --Wanted (latest)--> [fallback] --Record------------------------> journal

It takes its mail once a LOOK_S, so that a busy feed costs it nothing (R-19, R-25). Each
silent symbol has a task of its own: one that the venue answers slowly delays no other,
and a silent journal delays no price. A price is as old as the question for it: one that
the stream has overtaken is dropped, and so is one that the venue itself dates before the
stream's last (a cache answers); one odd date of the stream alone refuses nothing. A
restart forgets when each symbol was last heard and waits `after_s` anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import attrs
import trio

from actors.demand import Demand
from actors.mailbox import Mailbox
from actors.messages import (
    Channel,
    Fact,
    FallbackBegun,
    FallbackEnded,
    Source,
    Ticker,
    Wanted,
)
from actors.ports import Market, RateLimited, VenueError
from actors.records import JournalWish, note

LOOK_S = 0.5
ASK_S = 5.0
BEHIND_MS_MAX = 5_000  # one price may be dated by its trade, another by its telling
AHEAD_MS_MAX = 60_000  # of the date before and the time since


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
    told_ms: int = 0  # the venue's own time of the stream's newest price, if believed
    dated_ms: int = 0  # the same of the very newest
    readers: set[str] = attrs.Factory(set[str])
    polling: trio.CancelScope | None = None  # while we stand in
    polls: int = 0

    def hear(self, ticker: Ticker) -> None:
        """Note a price of the stream; a date far ahead needs a second one like it."""
        since_ms = 1000 * (ticker.received_s - self.heard_s)
        ahead_ms = ticker.exchange_ms - self.dated_ms - since_ms
        if not self.dated_ms or ahead_ms <= AHEAD_MS_MAX:
            self.told_ms = ticker.exchange_ms
        self.dated_ms = ticker.exchange_ms
        self.heard_s = max(self.heard_s, ticker.received_s)


async def run_fallback(
    mailbox: Mailbox[Wanted | Ticker],
    market: Market,
    journal: Mailbox[JournalWish],
    outlets: Mapping[str, Mailbox[Any]],
    demand: Demand,
    *,
    settings: FallbackSettings,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Watch every wanted ticker until cancelled; poll those that are silent."""
    async with trio.open_nursery() as nursery:
        fallback = _Fallback(mailbox, market, journal, outlets, settings, nursery)
        for wanted in demand.current().values():
            fallback.want(wanted)
        task_status.started()
        while True:
            await trio.sleep(LOOK_S)
            fallback.take_mail()
            for watched in fallback.watched.values():
                fallback.attend(watched)


@attrs.define(eq=False)
class _Fallback:
    mailbox: Mailbox[Wanted | Ticker]
    market: Market
    journal: Mailbox[JournalWish]
    outlets: Mapping[str, Mailbox[Any]]
    settings: FallbackSettings
    nursery: trio.Nursery
    watched: dict[str, Watched] = attrs.Factory(dict[str, Watched])
    quiet_until_s: float = 0.0  # the venue told us to wait

    def take_mail(self) -> None:
        """Take all that waits."""
        while (message := self.mailbox.receive_nowait()) is not None:
            match message:
                case Wanted():
                    self.want(message)
                case Ticker():
                    self.hear(message)
                case _:
                    assert_never(message)

    def want(self, wanted: Wanted) -> None:
        """Watch these symbols for this reader, and no others."""
        symbols = {s.symbol for s in wanted.subscriptions if s.channel is Channel.TICKER}
        for symbol in sorted(symbols - self.watched.keys()):
            self.watched[symbol] = Watched(symbol, trio.current_time())
        for symbol, watched in list(self.watched.items()):
            if symbol in symbols:
                watched.readers.add(wanted.reader)
            else:
                watched.readers.discard(wanted.reader)
            if not watched.readers:
                del self.watched[symbol]
                self._end(watched)

    def hear(self, ticker: Ticker) -> None:
        """Note that the stream told a price."""
        watched = self.watched.get(ticker.symbol)
        if watched is not None:
            watched.hear(ticker)

    def attend(self, watched: Watched) -> None:
        """Begin or end standing in for the stream of one symbol."""
        silent_s = trio.current_time() - watched.heard_s
        if silent_s < self.settings.after_s:
            self._end(watched)
        elif watched.polling is None:
            watched.polling, watched.polls = trio.CancelScope(), 0
            exchange, silent_ms = self.settings.exchange, int(silent_s * 1000)
            self._tell(FallbackBegun(exchange, watched.symbol, silent_ms))
            self.nursery.start_soon(self._keep_polling, watched, watched.polling)

    def _end(self, watched: Watched) -> None:
        if watched.polling is not None:
            watched.polling.cancel()
            watched.polling = None
            self._tell(FallbackEnded(self.settings.exchange, watched.symbol, watched.polls))

    def _tell(self, fact: Fact) -> None:
        self.nursery.start_soon(note, self.journal, fact)

    async def _keep_polling(self, watched: Watched, polling: trio.CancelScope) -> None:
        with polling:
            while True:
                await trio.sleep_until(self.quiet_until_s)
                due_s = trio.current_time() + self.settings.poll_s
                await self._poll(watched)
                await trio.sleep_until(due_s)

    async def _poll(self, watched: Watched) -> None:
        asked_s = trio.current_time()
        try:
            with trio.fail_after(ASK_S):
                told = await self.market.ticker(watched.symbol)
        except RateLimited as limited:
            self.quiet_until_s = trio.current_time() + limited.retry_after_s
        except (VenueError, trio.TooSlowError):
            pass  # the next poll asks again; the age of the last price tells the story
        else:
            watched.polls += 1
            self._show(watched, attrs.evolve(told, received_s=asked_s, source=Source.REST))
        await trio.lowlevel.checkpoint()

    def _show(self, watched: Watched, ticker: Ticker) -> None:
        """Show a price to who wants it, unless the stream has told a newer one (R-43)."""
        self.take_mail()  # the stream may have spoken since the last look
        is_behind = 0 < ticker.exchange_ms < watched.told_ms - BEHIND_MS_MAX
        if watched.heard_s >= ticker.received_s or is_behind:
            return
        for name in watched.readers:
            outlet = self.outlets.get(name)
            if outlet is not None:
                outlet.latest(f"rest:{ticker.exchange}:{ticker.symbol}", ticker)
