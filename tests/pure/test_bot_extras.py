"""What a bot sees of its market besides price and candles, if it asks for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from actors.bot import wanted_by
from actors.messages import (
    BookSnapshot,
    Candle,
    Candles,
    Channel,
    FeedState,
    Link,
    Pair,
    Side,
    Signal,
    Subscription,
    Traded,
    Trades,
)
from actors.pure.bot_desk import BotDesk
from actors.pure.client_order_id import IntentIds
from actors.pure.market_view import NO_CHARTS, NO_FLOWS, Chart, MarketView
from tests.pure.desks import SETTINGS
from tests.words import BTC, HOLD, SYMBOL, candle, ticker

ONE = Decimal(1)
EXTRAS: dict[str, Any] = {"timeframes": ("5m",), "flow_s": (10,), "has_book": True}


@attrs.define
class Watching:
    """A strategy that keeps what it was shown last."""

    candles_min: int = 1
    view: MarketView | None = None

    def evaluate(self, view: MarketView) -> Signal:
        self.view = view
        return HOLD


def desk(**changes: Any) -> BotDesk:
    settings = attrs.evolve(SETTINGS, **changes)
    ids = IntentIds("e", "r", "dawn", 1)
    return BotDesk(settings, {BTC.symbol: BTC}, Watching(), ids, due_s=60.0)


def seen(bot: BotDesk, now_s: float = 1.0) -> MarketView:
    bot.price(ticker(100, now_s), now_s)
    assert isinstance(bot.strategy, Watching)
    assert bot.strategy.view is not None
    return bot.strategy.view


def candles(timeframe: str, *window: Candle, symbol: str = SYMBOL) -> Candles:
    return Candles("binance", symbol, timeframe, window[-1:], window)


def traded(at_s: float, symbol: str = SYMBOL) -> Trades:
    trade = Traded("binance", symbol, 1, ONE, ONE, Side.BUY, 0, at_s)
    return Trades("binance", symbol, [trade])


def book(at_s: float) -> BookSnapshot:
    return BookSnapshot("binance", SYMBOL, 1, ((ONE, ONE),), ((ONE + 1, ONE),), at_s)


def test_candles_of_another_timeframe_stand_beside_the_first() -> None:
    bot = desk(**EXTRAS)
    bot.candles(candles("1m", candle(1, 1)), 0.0)
    bot.candles(candles("5m", candle(0, 5)), 0.0)
    view = seen(bot)
    assert view.window == (candle(1, 1),)
    assert view.charts == {"5m": Chart((candle(0, 5),))}


def test_only_the_first_timeframe_asks_for_an_evaluation() -> None:
    bot = desk(**EXTRAS, evaluate_s="candle")
    bot.price(ticker(100, 0.0), 0.0)
    assert bot.candles(candles("5m", candle(0, 5)), 0.0) is None
    assert bot.candles(candles("1m", candle(1, 1)), 0.0) is not None


def test_trades_become_flow_and_the_book_is_shown() -> None:
    bot = desk(**EXTRAS)
    bot.sight.take_extra(traded(0.5), 0.5)
    bot.sight.take_extra(book(0.6), 0.6)
    view = seen(bot)
    assert (view.flows[10].buy_base, view.flows[10].trades) == (1, 1)
    assert view.book == book(0.6)


def test_an_old_book_is_not_shown() -> None:
    bot = desk(**EXTRAS)
    bot.sight.take_extra(book(0.0), 0.0)
    assert seen(bot, 10.0).book is not None
    assert seen(bot, 10.5).book is None


def test_what_is_about_another_market_is_not_taken() -> None:
    bot = desk(**EXTRAS)
    assert not bot.sight.take_extra(traded(0.5, "ETH/USDT"), 0.5)
    assert not bot.sight.take_extra(candles("5m", candle(0, 5), symbol="ETH/USDT"), 0.5)
    assert seen(bot).flows[10].trades == 0


def test_a_gap_forgets_trades_and_book_and_keeps_candles() -> None:
    bot = desk(**EXTRAS)
    bot.candles(candles("5m", candle(0, 5)), 0.0)
    bot.sight.take_extra(traded(0.5), 0.5)
    bot.sight.take_extra(book(0.5), 0.5)
    bot.feed_state(FeedState("binance", Link.GAP, 1.0), 1.0)
    bot.feed_state(FeedState("binance", Link.RESUMED, 4.0), 4.0)
    view = seen(bot, 5.0)
    assert (view.book, view.flows[10].trades, view.flows[10].heard_s) == (None, 0, 1.0)
    assert view.charts["5m"].window == (candle(0, 5),)


def test_a_gap_of_another_symbol_is_none_of_ours() -> None:
    """Several connections of one feed: one of them is lost."""
    bot = desk(**EXTRAS, reads=(Pair("binance", "ETH/USDT"),))
    bot.price(ticker(100, 0.0), 0.0)
    gap = FeedState("binance", Link.GAP, 1.0, reason="lost", symbols=("ETH/USDT",))
    assert bot.feed_state(gap, 1.0) is None
    assert bot.sight.bar(1.0) is None
    assert bot.feed_state(attrs.evolve(gap, symbols=(SYMBOL,)), 1.0) is not None


def test_a_bot_that_asks_for_nothing_is_shown_nothing() -> None:
    view = seen(desk())
    assert (view.charts, view.flows, view.book) == (NO_CHARTS, NO_FLOWS, None)
    assert desk().sight.extras is None


def test_each_is_subscribed_to_once_it_is_asked_for() -> None:
    settings = attrs.evolve(SETTINGS, **EXTRAS)
    wanted = wanted_by("bot:dawn", settings, Watching())["binance"]
    assert wanted.subscriptions == {
        Subscription(SYMBOL, Channel.TICKER),
        Subscription(SYMBOL, Channel.CANDLES, "1m"),
        Subscription(SYMBOL, Channel.CANDLES, "5m"),
        Subscription(SYMBOL, Channel.TRADES),
        Subscription(SYMBOL, Channel.BOOK),
    }
    assert len(wanted_by("bot:dawn", SETTINGS, Watching())["binance"].subscriptions) == 2
