"""Turn a chance into the wishes of both legs, a mismatch into a hedge. Pure."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import (
    Evaluated,
    ExitIntent,
    ExitReason,
    Instrument,
    Leg,
    LegsIntended,
    OrderIntent,
    OrderType,
    Outcome,
    Side,
    Signal,
    SignalType,
    Ticker,
)
from actors.pure.arbitrage import ArbitrageSettings, Chance, LegSettings, Market
from actors.pure.leg_group import Hedge
from actors.pure.money import entry_base, plain
from actors.pure.position_math import least_base

STRATEGY = "arbitrage"


def purchase_intent(
    settings: ArbitrageSettings,
    chance: Chance,
    ticker: Ticker,
    group_id: str,
    now_s: float,
) -> OrderIntent:
    """Return the wish to buy, at the market."""
    told = f"sold at {chance.sell.exchange}, {chance.profit_percent:.3f} % after fees"
    intent_id, base = f"{group_id}/buy", chance.base
    return _bought(settings, chance.buy, ticker, base, intent_id, told, now_s)


def inventory_intent(
    settings: ArbitrageSettings,
    leg: LegSettings,
    instrument: Instrument,
    ticker: Ticker,
    intent_id: str,
    now_s: float,
) -> OrderIntent:
    """Return the wish to buy what a leg is to hold before the first group."""
    price = ticker.ask if ticker.ask > 0 else ticker.last
    base = entry_base(leg.capital, leg.inventory_percent, price, instrument)
    told = f"an inventory of {plain(base)} to sell from"
    return _bought(settings, leg, ticker, base, intent_id, told, now_s)


def sale_intent(
    settings: ArbitrageSettings,
    chance: Chance,
    ticker: Ticker,
    position_id: str,
    group_id: str,
    now_s: float,
) -> ExitIntent:
    """Return the wish to sell as much from the inventory."""
    leg = chance.sell
    return ExitIntent(
        intent_id=f"{group_id}/sell",
        bot=leg.bot,
        account=leg.account,
        exchange=leg.exchange,
        symbol=leg.symbol,
        position_id=position_id,
        base=chance.base,
        reason=ExitReason.LEG,
        price=ticker.bid,
        notes=f"Bot: {settings.name} | bought at {chance.buy.exchange}",
        valid_until_s=now_s + settings.valid_s,
    )


def hedge_intent(
    settings: ArbitrageSettings, group: LegsIntended, hedge: Hedge, now_s: float
) -> ExitIntent:
    """Return the wish to sell what was bought and not sold on the other side."""
    leg = hedge.leg
    return ExitIntent(
        intent_id=hedge.intent_id,
        bot=leg.bot,
        account=leg.account,
        exchange=leg.exchange,
        symbol=leg.symbol,
        position_id="",  # so it is known for an exit, that must always be able to leave
        base=hedge.base,
        reason=ExitReason.LEG,
        price=leg.price,
        notes=f"Bot: {settings.name} | hedge of {group.group_id}",
        valid_until_s=now_s + settings.valid_s,
    )


def group_of(
    settings: ArbitrageSettings, chance: Chance, buy: OrderIntent, sell: ExitIntent
) -> LegsIntended:
    """Return the group as it is recorded before either leg leaves."""
    first = settings.legs[0]
    return LegsIntended(
        first.bot,
        first.account,
        first.symbol,
        buy.intent_id.removesuffix("/buy"),
        _leg(buy),
        _leg(sell),
        chance.base,
        round(chance.profit_percent, 6),
    )


def least_of(market: Market, price: Decimal) -> Decimal:
    """Return the smallest quantity that a hedge can sell there."""
    instrument, ticker = market.instrument, market.ticker
    if instrument is None:
        return Decimal(0)  # the exchange will say
    at = ticker.last if ticker is not None and ticker.last > 0 else price
    return least_base(instrument, at)


def shown(
    leg: LegSettings,
    number: int,
    outcome: Outcome,
    code: str,
    reasons: tuple[str, ...],
    price: Decimal,
    now_s: float,
    repeated: int,
) -> Evaluated:
    """Return one evaluation as the board is shown it."""
    return Evaluated(
        leg.bot,
        leg.account,
        leg.symbol,
        number,
        outcome,
        None,
        "",
        code,
        reasons,
        price,
        now_s,
        repeated,
    )


def _leg(intent: OrderIntent | ExitIntent) -> Leg:
    return Leg(
        intent.bot,
        intent.account,
        intent.exchange,
        intent.symbol,
        intent.intent_id,
        intent.price,
    )


def _bought(
    settings: ArbitrageSettings,
    leg: LegSettings,
    ticker: Ticker,
    base: Decimal,
    intent_id: str,
    told: str,
    now_s: float,
) -> OrderIntent:
    return OrderIntent(
        intent_id=intent_id,
        bot=leg.bot,
        account=leg.account,
        exchange=leg.exchange,
        symbol=leg.symbol,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        base=base,
        price=ticker.last,
        limit_price=None,
        stop_price=None,
        strategy=STRATEGY,
        signal=Signal(SignalType.BUY, 1.0, 1.0, (told,)),
        notes=f"Bot: {settings.name} | {told}",
        price_s=ticker.received_s,
        valid_until_s=now_s + settings.valid_s,
    )
