"""Facts of two legs with sensible values: dawn buys on binance, dusk sells on kraken."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    Ended,
    Fact,
    Filled,
    Intended,
    Leg,
    LegsIntended,
    OrderStatus,
    OrderType,
    Purpose,
    Refused,
    Side,
)
from actors.pure.arbitrage import ArbitrageSettings, LegSettings
from tests.words import SYMBOL, Money

HERE = LegSettings(
    bot="dawn",
    account="main",
    exchange="binance",
    symbol=SYMBOL,
    capital=Decimal(10_000),
    position_percent=Decimal(10),
    fee_percent=Decimal("0.1"),
)
THERE = attrs.evolve(HERE, bot="dusk", account="second", exchange="kraken")
SETTINGS = ArbitrageSettings(legs=(HERE, THERE), profit_percent=Decimal("0.5"))
BUY = Leg("dawn", "main", "binance", SYMBOL, "g1/buy", Decimal(100))
SELL = Leg("dusk", "second", "kraken", SYMBOL, "g1/sell", Decimal(101))
GROUP = LegsIntended("dawn", "main", SYMBOL, "g1", BUY, SELL, Decimal(1), Decimal("0.8"))


def begun(leg: Leg, base: Money = 1, intent_id: str = "") -> list[Fact]:
    """Return the facts of an order that is on its way; its id is that of its intent."""
    is_buy = leg is BUY and not intent_id
    intended = Intended(
        bot=leg.bot,
        account=leg.account,
        exchange=leg.exchange,
        symbol=leg.symbol,
        intent_id=intent_id or leg.intent_id,
        purpose=Purpose.ENTRY if is_buy else Purpose.EXIT,
        side=Side.BUY if is_buy else Side.SELL,
        order_type=OrderType.MARKET,
        base=Decimal(base),
        price=leg.price,
        limit_price=None,
        stop_price=None,
        strategy="",
        notes="",
    )
    order_id = intended.intent_id
    attempted = Attempted(leg.bot, leg.account, leg.symbol, order_id, 1, order_id, 0)
    return [intended, attempted]


def fill(leg: Leg, base: Money, intent_id: str = "", **changes: Any) -> Filled:
    order_id = intent_id or leg.intent_id
    plain = Filled(
        bot=leg.bot,
        account=leg.account,
        exchange=leg.exchange,
        symbol=leg.symbol,
        client_order_id=order_id,
        trade_id=f"t/{order_id}",
        side=Side.BUY if leg is BUY and not intent_id else Side.SELL,
        price=leg.price,
        base=Decimal(base),
        fee=Decimal(0),
        fee_asset="USDT",
        is_maker=False,
        trade_ms=1_700_000_000_000,
    )
    return attrs.evolve(plain, **changes)


def over(
    leg: Leg, status: OrderStatus, base: Money = 0, intent_id: str = "", code: str = ""
) -> Ended:
    order_id = intent_id or leg.intent_id
    told = Decimal(base)
    return Ended(leg.bot, leg.account, leg.symbol, order_id, status, told, code)


def whole(leg: Leg, base: Money = 1, intent_id: str = "") -> list[Fact]:
    """Return the facts of an order that was executed."""
    return [
        *begun(leg, base, intent_id),
        fill(leg, base, intent_id),
        over(leg, OrderStatus.FILLED, base, intent_id),
    ]


def inventory(leg: Leg, base: Money) -> list[Fact]:
    """Return the facts of what a leg bought before all groups."""
    order_id = f"{leg.bot}/stock"
    bought = fill(leg, base, order_id, side=Side.BUY)
    intended, attempted = begun(leg, base, order_id)
    assert isinstance(intended, Intended)
    entry = attrs.evolve(intended, purpose=Purpose.ENTRY, side=Side.BUY)
    return [entry, attempted, bought, over(leg, OrderStatus.FILLED, base, order_id)]


def resting_stop(leg: Leg, base: Money) -> list[Fact]:
    """Return the facts of a stop that guards a leg's inventory at its exchange."""
    intended, attempted = begun(leg, base, f"{leg.bot}/stop")
    assert isinstance(intended, Intended)
    assert isinstance(attempted, Attempted)
    at = {"limit_price": leg.price * Decimal("0.97"), "stop_price": leg.price}
    stop = attrs.evolve(intended, order_type=OrderType.STOP_LOSS_LIMIT, **at)
    order_id = attempted.client_order_id
    told = Acknowledged(leg.bot, leg.account, leg.symbol, order_id, "v1")
    return [stop, attempted, told]


def refused(leg: Leg, code: str = "not_reconciled", intent_id: str = "") -> Refused:
    purpose = Purpose.ENTRY if leg is BUY and not intent_id else Purpose.EXIT
    return Refused(
        leg.bot,
        leg.account,
        leg.symbol,
        intent_id or leg.intent_id,
        purpose,
        code,
        ("because",),
    )
