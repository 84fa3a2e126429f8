"""Check an order against what the exchange allows, before it can refuse it. Pure.

Source: Binance, filters.md: LOT_SIZE, MARKET_LOT_SIZE, NOTIONAL, PRICE_FILTER.
"""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Instrument, OrderIntent, OrderType
from actors.pure.money import plain

Broken = tuple[str, str] | None  # code, reason


def broken_filter(intent: OrderIntent, quote: Decimal, instrument: Instrument) -> Broken:
    """Return the first filter that the order breaks, or None. `quote` is its notional."""
    if intent.order_type.value not in instrument.order_types:
        return "filters", f"the exchange takes no {intent.order_type.value} orders here"
    for check in (_ill_priced, _too_small, _too_large, _off_lot):
        if (broken := check(intent, quote, instrument)) is not None:
            return broken
    for price in (intent.limit_price, intent.stop_price):
        if price is not None and (broken := _bad_price(price, instrument)) is not None:
            return broken
    return None


def _ill_priced(intent: OrderIntent, _quote: Decimal, _instrument: Instrument) -> Broken:
    """Refuse an order without the prices that its type needs, or with others."""
    kind = intent.order_type
    wanted = (kind.is_limited, kind.is_triggered)
    if (intent.limit_price is not None, intent.stop_price is not None) == wanted:
        return None
    needs = [
        name for name, is_wanted in zip(("limit", "stop"), wanted, strict=True) if is_wanted
    ]
    return "filters", f"a {kind.value} order needs {' and '.join(needs) or 'no'} price"


def _too_small(intent: OrderIntent, quote: Decimal, instrument: Instrument) -> Broken:
    if intent.base < instrument.base_min:
        least = instrument.base_min
        return "below_minimum", f"{plain(intent.base)} is less than {plain(least)}"
    is_market = intent.order_type is OrderType.MARKET
    if is_market and not instrument.is_quote_min_for_market:
        return None
    if quote < instrument.quote_min:
        return "below_minimum", f"{quote:.2f} is less than {plain(instrument.quote_min)}"
    return None


def _too_large(intent: OrderIntent, quote: Decimal, instrument: Instrument) -> Broken:
    is_market = intent.order_type is OrderType.MARKET
    most = (is_market and instrument.market_base_max) or instrument.base_max
    if most and intent.base > most:
        return "filters", f"{plain(intent.base)} is more than {plain(most)}"
    if instrument.quote_max and quote > instrument.quote_max:
        return "filters", f"{quote:.2f} is more than {plain(instrument.quote_max)}"
    return None


def _off_lot(intent: OrderIntent, _quote: Decimal, instrument: Instrument) -> Broken:
    if instrument.floor_base(intent.base) == intent.base:
        return None
    base, lot = plain(intent.base), plain(instrument.lot)
    return "filters", f"{base} is no multiple of the lot {lot}"


def _bad_price(price: Decimal, instrument: Instrument) -> Broken:
    if not price.is_finite() or price <= 0:
        return "filters", f"price {price} is not a positive number"
    if instrument.floor_price(price) != price:
        return "filters", f"price {price} is no multiple of the tick {instrument.tick}"
    is_over = instrument.price_max and price > instrument.price_max
    if is_over or price < instrument.price_min:
        return "filters", f"price {price} is outside what the exchange takes"
    return None
