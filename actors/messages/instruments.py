"""What an exchange allows on one symbol. Rounding never rounds up risk."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import attrs


@attrs.frozen
class Instrument:
    """One tradable symbol with its filters. A 0 bound means the venue sets none."""

    exchange: str
    symbol: str  # canonical, "BTC/USDT"
    venue_symbol: str  # "BTCUSDT"
    base_asset: str
    quote_asset: str
    is_trading: bool
    tick: Decimal  # quote per base
    lot: Decimal  # base
    base_min: Decimal
    base_max: Decimal
    market_base_max: Decimal
    quote_min: Decimal  # smallest notional
    quote_max: Decimal
    is_quote_min_for_market: bool
    price_min: Decimal
    price_max: Decimal
    order_types: frozenset[str]  # values of OrderType

    def floor_base(self, base: Decimal) -> Decimal:
        """Return `base` rounded down to the lot."""
        return floor_to(base, self.lot)

    def floor_price(self, price: Decimal) -> Decimal:
        """Return `price` rounded down to the tick."""
        return floor_to(price, self.tick)

    def ceil_price(self, price: Decimal) -> Decimal:
        """Return `price` rounded up to the tick."""
        if not self.tick:
            return price
        return (price / self.tick).to_integral_value(ROUND_CEILING) * self.tick


def floor_to(number: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` that is not above `number`; step 0 keeps it."""
    if not step:
        return number
    return (number / step).to_integral_value(ROUND_FLOOR) * step
