"""What a bot sees of its own market only if it is told to: more candles, trades, the book.

Pure. Ten thousand bots must stay small, and nearly all of them have none of this.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from actors.messages import BookSnapshot, Candles, Channel, Link, Subscription, Trades
from actors.pure.bot_wishes import BotSettings
from actors.pure.market_view import NO_CHARTS, NO_FLOWS, Chart
from actors.pure.trade_flow import Flow, TradeFlow


@attrs.define(eq=False)
class Extras:
    """The newest of each, as of the last message."""

    settings: BotSettings
    charts: dict[str, Chart] = attrs.Factory(dict[str, Chart])
    flow: TradeFlow | None = None
    book: BookSnapshot | None = None

    @classmethod
    def of(cls, settings: BotSettings) -> Extras | None:
        """Return them; None where the bot asks for nothing."""
        if not extra_subscriptions(settings):
            return None
        charts = {timeframe: Chart() for timeframe in settings.timeframes}
        return cls(settings, charts, TradeFlow.of(settings.flow_s))

    def take(self, message: Candles | Trades | BookSnapshot, now_s: float) -> bool:
        """Keep what is about the own market; tell whether it was kept."""
        if (message.exchange, message.symbol) != (
            self.settings.exchange,
            self.settings.symbol,
        ):
            return False
        match message:
            case Candles() if message.timeframe in self.charts:
                self.charts[message.timeframe] = Chart(message.window, message.running)
            case Trades() if self.flow is not None:
                self.flow.take(message.trades, now_s)
            case BookSnapshot():
                self.book = message
            case _:
                return False
        return True

    def hear(self, link: Link, now_s: float) -> None:
        """Forget what has a hole now; the feed tells which candles have."""
        if link is not Link.RESUMED:
            self.forget()
        elif self.flow is not None:
            self.flow.resume(now_s)

    def forget(self) -> None:
        """Trust nothing known before (D-6)."""
        self.book = None
        if self.flow is not None:
            self.flow.break_off()

    def fresh_book(self, now_s: float) -> BookSnapshot | None:
        """Return the book, unless it is too old to be trusted (R-20)."""
        book = self.book
        if book is None or now_s - book.received_s > self.settings.price_age_s_max:
            return None
        return book

    def flows(self, now_s: float) -> Mapping[int, Flow]:
        """Return the trade flow of each window."""
        return self.flow.flows(now_s) if self.flow is not None else NO_FLOWS


def extra_subscriptions(settings: BotSettings) -> set[Subscription]:
    """Return what is to be subscribed to for them."""
    symbol = settings.symbol
    wanted = {Subscription(symbol, Channel.CANDLES, each) for each in settings.timeframes}
    if settings.flow_s:
        wanted.add(Subscription(symbol, Channel.TRADES))
    if settings.has_book:
        wanted.add(Subscription(symbol, Channel.BOOK))
    return wanted


def charts_of(extras: Extras | None) -> Mapping[str, Chart]:
    """Return the candles of the other timeframes, which are none where none is wanted."""
    return NO_CHARTS if extras is None else dict(extras.charts)
