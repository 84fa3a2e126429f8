"""What one bot sees: its market, its own orders, and what stands in the way. Pure."""

from __future__ import annotations

import attrs

from actors.messages import (
    BookSnapshot,
    BotFlattened,
    BotPaused,
    BotResumed,
    BotStarted,
    BotStopped,
    Candle,
    Candles,
    Fact,
    FeedState,
    Link,
    OrderType,
    Source,
    Ticker,
    Trades,
)
from actors.pure.books import Books
from actors.pure.bot_extras import Extras, charts_of
from actors.pure.bot_others import Others, shown
from actors.pure.bot_wishes import BotSettings
from actors.pure.market_view import NO_FLOWS, Cause, Held, MarketView
from actors.pure.order_life import Order
from actors.pure.order_sheet import Orders
from actors.pure.position_math import Holding

ENDED_MAX = 16  # ended orders remembered, for late fills

Bar = tuple[str, str]  # code, reason


@attrs.define(eq=False)
class BotSight:
    """The market and the books of one bot, as of the last message."""

    settings: BotSettings
    books: Books = attrs.Factory(lambda: Books(Orders(ended_max=ENDED_MAX)))
    ticker: Ticker | None = None
    window: tuple[Candle, ...] = ()
    running: Candle | None = None
    feed: FeedState | None = None
    others: Others | None = None  # markets that are only read
    extras: Extras | None = None  # of the own market, where they are asked for
    paused: str = ""  # why
    is_stopped: bool = False  # by the operator, who did not resume it by starting it

    def remember(self, fact: Fact) -> None:
        """Take a fact, told or recalled."""
        match fact:
            case BotPaused(reason=reason):
                self.paused = reason or "paused by the operator"
            case BotFlattened():
                self.paused = "flattened by the operator"
            case BotResumed():
                self.paused = ""
            case BotStopped() | BotStarted():
                self.is_stopped = isinstance(fact, BotStopped)
            case _:
                self.books.apply(fact)

    @property
    def holding(self) -> Holding:
        return self.books.of(self.settings.name, self.settings.symbol)

    @property
    def live(self) -> tuple[Order, ...]:
        return self.books.orders.live_of(self.settings.name, self.settings.symbol)

    @property
    def is_idle(self) -> bool:
        """Whether an operator has paused or stopped the bot."""
        return self.is_stopped or bool(self.paused)

    @property
    def is_buying(self) -> bool:
        """Whether an entry at the market is on its way: what it buys is held soon."""
        return any(
            order.is_entry and order.intended.order_type is OrderType.MARKET
            for order in self.live
        )

    def is_own(self, message: Ticker | Candles | BookSnapshot) -> bool:
        """Tell whether it is about the market that is traded; keep it where it is not."""
        return self.others is None or not self.others.take(message)

    def renew(self, ticker: Ticker) -> bool:
        """Take a price of the own market; tell whether it is newer than what is known."""
        known = self.ticker
        if known is not None and ticker.received_s < known.received_s:
            return False  # by REST, asked for before the stream spoke again
        self.ticker = ticker
        return True

    def take_extra(self, message: Candles | Trades | BookSnapshot, now_s: float) -> bool:
        """Keep what is seen besides price and candles; tell whether it was that."""
        return self.extras is not None and self.extras.take(message, now_s)

    def forget_prices(self) -> None:
        """Trust no price known before."""
        self.ticker = None
        if self.others is not None:
            self.others.forget()
        if self.extras is not None:
            self.extras.forget()

    def view(self, cause: Cause, ticker: Ticker, now_s: float) -> MarketView:
        """Return what the strategy is shown."""
        holding, held = self.holding, None
        if holding.is_open:
            unrealized = holding.unrealized(ticker.last)
            held = Held(holding.entry, holding.base, unrealized)
        return MarketView(
            self.settings.symbol,
            ticker,
            self.window,
            self.running,
            held,
            ticker.exchange_ms,
            cause,
            shown(self.others, now_s),
            charts_of(self.extras),
            NO_FLOWS if self.extras is None else self.extras.flows(now_s),
            None if self.extras is None else self.extras.fresh_book(now_s),
        )

    def bar(self, now_s: float) -> Bar | None:
        """Return why the strategy is not even asked, or None."""
        if self.is_stopped:
            return "paused", "stopped by the operator"
        if self.paused:
            return "paused", self.paused
        feed = self.feed
        if feed is not None and feed.link is not Link.RESUMED:
            why = f": {feed.reason}" if feed.reason else ""
            return "no_price", f"{feed.exchange} has no prices{why}"
        return self._price_bar(now_s)

    def bar_to_entry(self) -> Bar | None:
        """Return what of our own stands in the way of an entry, or None."""
        for order in self.live:
            if order.is_unknown:
                return "unknown_order", f"the outcome of {order.client_order_id} is unknown"
            if order.is_entry:
                text = f"entry {order.client_order_id} is {order.status.value}"
                return "open_entry", text
        return None

    def bar_to_exit(self) -> Bar | None:
        """Return what of our own stands in the way of an exit, or None."""
        if not self.holding.is_open:
            return "no_position", "nothing to sell: a sale closes a position"
        for order in self.live:
            if not order.is_entry and not order.is_at_rest:
                text = f"exit {order.client_order_id} is {order.status.value}"
                return "exit_in_flight", text
        return None

    def _price_bar(self, now_s: float) -> Bar | None:
        ticker = self.ticker
        if ticker is None:
            return "no_price", "no price yet"
        if ticker.last <= 0:
            return "no_price", f"the price is {ticker.last}"
        if self.feed is None and ticker.source is Source.REST:
            return "no_price", "prices come by REST only, the stream has not spoken"
        if now_s - ticker.received_s > self.settings.price_age_s_max:
            return "stale_price", "the newest price is too old"
        return None
