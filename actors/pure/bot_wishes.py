"""Turn a signal into an order intent, or an exit intent, at the live price. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import attrs

from actors.messages import (
    ExitIntent,
    ExitReason,
    Instrument,
    OrderIntent,
    OrderType,
    Pair,
    Protection,
    Side,
    Signal,
    Ticker,
)
from actors.pure.money import ZERO, above, below, entry_base
from actors.pure.position_math import Holding


@attrs.frozen(kw_only=True)
class BotSettings:
    """What one bot is told to do. Percents are of the live price, but position_percent."""

    name: str
    account: str
    exchange: str
    symbol: str
    strategy: str
    capital: Decimal  # quote
    position_percent: Decimal  # of capital, for each entry
    reads: tuple[Pair, ...] = ()  # what the strategy sees besides
    timeframe: str = "1m"
    timeframes: tuple[str, ...] = ()  # besides
    flow_s: tuple[int, ...] = ()  # windows of trade flow
    has_book: bool = False
    order: OrderType = OrderType.MARKET
    limit_offset_percent: Decimal = ZERO
    stop_trigger_percent: Decimal = Decimal("0.1")
    stop_limit_percent: Decimal = Decimal("0.1")
    protection: Protection = attrs.Factory(Protection)
    evaluate_s: float | Literal["tick", "candle"] = 60.0
    price_age_s_max: float = 10.0
    price_every_s: float = 10.0  # between recorded prices
    valid_s: float = 2.0  # an intent older than this is never sent
    refused_wait_s: float = 1.0  # between a refusal and the next intent


def entry_intent(
    settings: BotSettings,
    instrument: Instrument,
    intent_id: str,
    signal: Signal,
    ticker: Ticker,
    now_s: float,
) -> OrderIntent:
    """Return the wish to buy. Its quantity is 0 when the money does not buy one lot."""
    limit_price, stop_price = _prices(settings, instrument, ticker)
    price = limit_price or ticker.last
    base = entry_base(settings.capital, settings.position_percent, price, instrument)
    return OrderIntent(
        intent_id=intent_id,
        bot=settings.name,
        account=settings.account,
        exchange=settings.exchange,
        symbol=settings.symbol,
        side=Side.BUY,
        order_type=settings.order,
        base=base,
        price=ticker.last,
        limit_price=limit_price,
        stop_price=stop_price,
        strategy=settings.strategy,
        signal=signal,
        notes=f"Bot: {settings.name} | Signal: {signal.type.value}",
        price_s=ticker.received_s,
        valid_until_s=now_s + settings.valid_s,
        protection=settings.protection,
    )


def exit_intent(
    settings: BotSettings, holding: Holding, intent_id: str, ticker: Ticker, now_s: float
) -> ExitIntent:
    """Return the wish to sell all that the bot holds."""
    return ExitIntent(
        intent_id=intent_id,
        bot=settings.name,
        account=settings.account,
        exchange=settings.exchange,
        symbol=settings.symbol,
        position_id=holding.position_id,
        base=holding.base,
        reason=ExitReason.SIGNAL,
        price=ticker.last,
        notes=f"Bot: {settings.name} | Signal: SELL",
        valid_until_s=now_s + settings.valid_s,
    )


def _prices(
    settings: BotSettings, instrument: Instrument, ticker: Ticker
) -> tuple[Decimal | None, Decimal | None]:
    """Return limit and trigger price of a buy: below the market, or beyond a trigger."""
    price = ticker.last
    match settings.order:
        case OrderType.MARKET:
            return None, None
        case OrderType.LIMIT:
            return instrument.floor_price(below(price, settings.limit_offset_percent)), None
        case OrderType.STOP_LOSS_LIMIT:
            trigger = instrument.ceil_price(above(price, settings.stop_trigger_percent))
            limit = instrument.ceil_price(above(trigger, settings.stop_limit_percent))
            return limit, trigger
        case OrderType.LIMIT_MAKER:
            most = ticker.ask - instrument.tick if ticker.ask > 0 else price
            limit = min(below(price, settings.limit_offset_percent), most)
            return instrument.floor_price(limit), None
        case OrderType.TAKE_PROFIT_LIMIT:
            trigger = instrument.floor_price(below(price, settings.stop_trigger_percent))
            limit = instrument.ceil_price(above(trigger, settings.stop_limit_percent))
            return limit, trigger
