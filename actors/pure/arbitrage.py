"""Find a price on one exchange that another one pays for, fees included. Pure.

Spot only: the leg that sells sells what its bot holds there, so both exchanges need an
inventory; a chance without one is refused (`no_position`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from actors.messages import FeedState, Instrument, Link, Source, Ticker
from actors.pure.books import Books
from actors.pure.money import HUNDRED, ZERO, percent_of, plain
from actors.pure.position_math import sellable_base

Bar = tuple[str, str]  # code, reason


@attrs.frozen(kw_only=True)
class LegSettings:
    """One exchange's side of an arbitrage: a bot of its own with its own position."""

    bot: str
    account: str
    exchange: str
    symbol: str
    capital: Decimal  # quote
    position_percent: Decimal  # of capital, the most that one group buys
    inventory_percent: Decimal = ZERO  # of capital, bought once, before the first group
    fee_percent: Decimal = ZERO  # of an order that is executed at once


@attrs.frozen(kw_only=True)
class ArbitrageSettings:
    """What one arbitrage is told to do."""

    legs: tuple[LegSettings, LegSettings]  # the first one's bot decides for both
    profit_percent: Decimal  # of the buying price, after fees, the least
    price_age_s_max: float = 10.0
    valid_s: float = 2.0  # a leg older than this is never sent
    refused_wait_s: float = 1.0  # after a refusal

    @property
    def name(self) -> str:
        return self.legs[0].bot

    def other(self, leg: LegSettings) -> LegSettings:
        return self.legs[1] if leg is self.legs[0] else self.legs[0]


@attrs.define
class Market:
    """What is known of one leg's market."""

    symbol: str
    instrument: Instrument | None = None
    ticker: Ticker | None = None
    feed: FeedState | None = None

    def hear(self, feed: FeedState) -> None:
        """Take the feed's word; after a gap of this symbol only what comes next counts.

        That it goes on, said again with other counts, is no gap.
        """
        known, resumed = self.feed, (Link.RESUMED, feed.since_s)
        is_same = known is not None and (known.link, known.since_s) == resumed
        if is_same and feed.link is Link.RESUMED:
            return
        if not feed.symbols or self.symbol in feed.symbols:
            self.feed, self.ticker = feed, None
        elif self.feed is None:
            self.feed = attrs.evolve(feed, link=Link.RESUMED)


@attrs.frozen
class Chance:
    """Buy `base` on one exchange and sell it on the other."""

    buy: LegSettings
    sell: LegSettings
    base: Decimal
    profit_percent: Decimal


def find(
    settings: ArbitrageSettings, markets: Mapping[str, Market], books: Books, now_s: float
) -> Chance | Bar:
    """Return a chance that is worth it, or the code and reason of why there is none.

    `markets` is by exchange. The code "" says that everything stands well, but the prices.
    """
    for leg in settings.legs:
        market = markets[leg.exchange]
        bar = _market_bar(settings, leg, market, now_s) or _order_bar(leg, books)
        if bar is not None:
            return bar
    profits = {leg.bot: _profit_percent(settings, leg, markets) for leg in settings.legs}
    buy = max(settings.legs, key=lambda leg: profits[leg.bot])
    profit, sell = profits[buy.bot], settings.other(buy)
    if profit < settings.profit_percent:
        text = f"buying at {buy.exchange} and selling at {sell.exchange} earns"
        return "", f"{text} {profit:.3f} %, {plain(settings.profit_percent)} % is wanted"
    return _sized(buy, sell, profit, markets, books)


def _market_bar(
    settings: ArbitrageSettings, leg: LegSettings, market: Market, now_s: float
) -> Bar | None:
    feed, ticker, instrument = market.feed, market.ticker, market.instrument
    if feed is not None and feed.link is not Link.RESUMED:
        return "no_price", f"{leg.exchange} has no prices"
    if feed is None and ticker is not None and ticker.source is Source.REST:
        return "no_price", f"{leg.exchange} tells prices by REST only"
    if ticker is None or ticker.bid <= 0 or ticker.ask <= 0:
        return "no_price", f"{leg.exchange} tells no bid and ask of {leg.symbol}"
    age_s = now_s - ticker.received_s
    if age_s > settings.price_age_s_max:
        return "stale_price", f"the price of {leg.exchange} is {age_s:.1f} s old"
    if instrument is None or not instrument.is_trading:
        return "not_trading", f"{leg.symbol} is not trading at {leg.exchange}"
    return None


def _order_bar(leg: LegSettings, books: Books) -> Bar | None:
    lacking = books.orders.lacking(leg.bot, leg.symbol)
    for order in (*books.orders.live_of(leg.bot, leg.symbol), lacking):
        if order is None or order.is_at_rest:
            continue
        code = "unknown_order" if order.is_unknown else "order_in_flight"
        return code, f"order {order.client_order_id} of {leg.bot} is {order.status.value}"
    return None


def _profit_percent(
    settings: ArbitrageSettings, buy: LegSettings, markets: Mapping[str, Market]
) -> Decimal:
    """Return what is earned by buying on this leg and selling on the other, after fees."""
    sell = settings.other(buy)
    here, there = markets[buy.exchange].ticker, markets[sell.exchange].ticker
    if here is None or there is None:
        return -HUNDRED
    paid = here.ask * (1 + buy.fee_percent / HUNDRED)
    got = there.bid * (1 - sell.fee_percent / HUNDRED)
    return (got - paid) * HUNDRED / here.ask


def _sized(
    buy: LegSettings,
    sell: LegSettings,
    profit: Decimal,
    markets: Mapping[str, Market],
    books: Books,
) -> Chance | Bar:
    """Return the chance with as much as money, inventory and both lots allow."""
    here, there = markets[buy.exchange], markets[sell.exchange]
    if not (here.ticker and there.ticker and here.instrument and there.instrument):
        return "no_price", "no price"
    held = books.of(sell.bot, sell.symbol).base
    spent = books.holdings.cost_to(buy.bot)
    quote = min(percent_of(buy.capital, buy.position_percent), buy.capital - spent)
    base = min(quote / here.ticker.ask, held)
    if not sellable_base(held, there.ticker.bid, there.instrument):
        text = f"{sell.bot} holds {plain(held)} {sell.symbol} at {sell.exchange}"
        return "no_position", f"nothing to sell there: {text}"
    base = _common_base(base, here.instrument, there.instrument)
    least = max(_least(here), _least(there))
    if base < least or base <= 0:
        text = f"{plain(base)} is less than {plain(least)} that both exchanges want"
        return "below_minimum", f"{text}: {quote:.2f} may be spent at {buy.exchange}"
    return Chance(buy, sell, base, profit)


def _common_base(base: Decimal, here: Instrument, there: Instrument) -> Decimal:
    """Return the largest quantity up to `base` that both exchanges have, or 0."""
    bounds = (here.market_base_max, there.market_base_max)
    bound = min(each for each in (base, *bounds) if each) if base > 0 else ZERO
    coarse, fine = sorted((here, there), key=lambda each: each.lot, reverse=True)
    floored = coarse.floor_base(bound)
    return floored if fine.floor_base(floored) == floored else ZERO


def _least(market: Market) -> Decimal:
    instrument, ticker = market.instrument, market.ticker
    if instrument is None or ticker is None:
        return ZERO
    least = max(instrument.base_min, instrument.lot)
    return max(least, instrument.quote_min / ticker.bid)
