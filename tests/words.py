"""Words with sensible values, so that a test names only what it is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from actors.messages import (
    Attempted,
    Candle,
    Ended,
    ExitReason,
    Filled,
    Instrument,
    Intended,
    OrderIntent,
    OrderStatus,
    OrderType,
    Purpose,
    Side,
    Signal,
    SignalType,
    Ticker,
)

Money = str | int | Decimal
SYMBOL = "BTC/USDT"
BTC = Instrument(
    exchange="binance",
    symbol=SYMBOL,
    venue_symbol="BTCUSDT",
    base_asset="BTC",
    quote_asset="USDT",
    is_trading=True,
    tick=Decimal("0.01"),
    lot=Decimal("0.00001"),
    base_min=Decimal("0.00001"),
    base_max=Decimal(9000),
    market_base_max=Decimal(100),
    quote_min=Decimal(5),
    quote_max=Decimal(9_000_000),
    is_quote_min_for_market=True,
    price_min=Decimal("0.01"),
    price_max=Decimal(1_000_000),
    order_types=frozenset(kind.value for kind in OrderType),
)
BUY = Signal(SignalType.BUY, 0.5, 1.0, ("because",))
SELL = Signal(SignalType.SELL, 0.5, 1.0, ("because",))
HOLD = Signal(SignalType.HOLD, 0.0, 1.0, ("nothing to do",))


def ticker(last: Money, received_s: float = 0.0, **changes: Any) -> Ticker:
    price = Decimal(last)
    plain = Ticker(
        "binance",
        SYMBOL,
        last=price,
        bid=price,
        ask=price,
        volume_base=Decimal(1000),
        exchange_ms=1_700_000_000_000,
        received_s=received_s,
    )
    return attrs.evolve(plain, **changes)


def candle(number: int, close: Money, *, is_closed: bool = True) -> Candle:
    price, open_ms = Decimal(close), number * 60_000
    return Candle(
        "binance",
        SYMBOL,
        "1m",
        open_ms,
        open_ms + 59_999,
        price,
        price,
        price,
        price,
        volume_base=Decimal(1),
        volume_quote=price,
        trades=1,
        is_closed=is_closed,
    )


def order_intent(**changes: Any) -> OrderIntent:
    plain = OrderIntent(
        intent_id="i1",
        bot="dawn",
        account="main",
        exchange="binance",
        symbol=SYMBOL,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        base=Decimal("0.01"),
        price=Decimal(50_000),
        limit_price=None,
        stop_price=None,
        strategy="ema_cross",
        signal=BUY,
        notes="Bot: dawn | Signal: BUY",
        price_s=0.0,
        valid_until_s=2.0,
    )
    return attrs.evolve(plain, **changes)


def intended(**changes: Any) -> Intended:
    plain = Intended(
        bot="dawn",
        account="main",
        exchange="binance",
        symbol=SYMBOL,
        intent_id="i1",
        purpose=Purpose.ENTRY,
        side=Side.BUY,
        order_type=OrderType.MARKET,
        base=Decimal(1),
        price=Decimal(100),
        limit_price=None,
        stop_price=None,
        strategy="ema_cross",
        notes="Bot: dawn | Signal: BUY",
    )
    return attrs.evolve(plain, **changes)


def exit_intended(**changes: Any) -> Intended:
    plain = intended(
        intent_id="x1",
        purpose=Purpose.EXIT,
        side=Side.SELL,
        position_id="c1",
        exit_reason=ExitReason.STOP_LOSS,
        notes="Auto-closed by bot: Stop loss hit",
    )
    return attrs.evolve(plain, **changes)


def attempted(intent_id: str = "i1", order_id: str = "c1", **changes: Any) -> Attempted:
    plain = Attempted("dawn", "main", SYMBOL, intent_id, 1, order_id, 0)
    return attrs.evolve(plain, **changes)


def filled(base: Money, price: Money, **changes: Any) -> Filled:
    plain = Filled(
        bot="dawn",
        account="main",
        exchange="binance",
        symbol=SYMBOL,
        client_order_id="c1",
        trade_id="t1",
        side=Side.BUY,
        price=Decimal(price),
        base=Decimal(base),
        fee=Decimal(0),
        fee_asset="USDT",
        is_maker=False,
        trade_ms=1_700_000_000_000,
    )
    return attrs.evolve(plain, **changes)


def sold(base: Money, price: Money, **changes: Any) -> Filled:
    plain = filled(base, price, side=Side.SELL, client_order_id="cx1", trade_id="x1")
    return attrs.evolve(plain, **changes)


def ended(status: OrderStatus, filled_base: str = "0", order_id: str = "c1") -> Ended:
    return Ended("dawn", "main", SYMBOL, order_id, status, Decimal(filled_base))
