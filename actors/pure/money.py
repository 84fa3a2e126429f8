"""Money that is never a float: percentages, symbols, and the quantity an amount buys."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Instrument

ZERO = Decimal(0)
HUNDRED = Decimal(100)
PLACES_SHOWN = 10
MINUS = "\N{MINUS SIGN}"


def split_symbol(symbol: str) -> tuple[str, str]:
    """Return base and quote asset of a canonical symbol: "BTC/USDT" to BTC and USDT."""
    base, _, quote = symbol.partition("/")
    return base, quote


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """Return `percent` hundredths of `amount`."""
    return amount * percent / HUNDRED


def as_percent(part: Decimal, whole: Decimal) -> Decimal:
    """Return what percentage of `whole` `part` is; of nothing, everything is 0 percent."""
    return part * HUNDRED / whole if whole else ZERO


def below(price: Decimal, percent: Decimal) -> Decimal:
    """Return the price `percent` under `price`."""
    return price * (1 - percent / HUNDRED)


def above(price: Decimal, percent: Decimal) -> Decimal:
    """Return the price `percent` over `price`."""
    return price * (1 + percent / HUNDRED)


def entry_base(
    capital: Decimal, position_percent: Decimal, price: Decimal, instrument: Instrument
) -> Decimal:
    """Return the quantity that `position_percent` of `capital` buys, down to the lot.

    Units: capital in quote, price quote per base, answer in base.
    """
    return instrument.floor_base(percent_of(capital, position_percent) / price)


def plain(amount: Decimal) -> str:
    """Return the amount for people: no zeros at its end, of an average ten places."""
    whole, _, fraction = f"{amount:f}".partition(".")
    shown = fraction[:PLACES_SHOWN].rstrip("0")
    return f"{whole}.{shown}" if shown else whole


def signed(amount: Decimal, places: int = 2) -> str:
    """Return the amount with its sign; below 1 with as many places as say something."""
    text = f"{abs(amount):.{places if abs(amount) >= 1 else 8}f}"
    text = text.rstrip("0") if "." in text else text
    whole, _, fraction = text.partition(".")
    shown = f"{whole}.{fraction.ljust(places, '0')}" if fraction or places else whole
    return f"{'+' if amount >= 0 else MINUS}{shown}"


def rounded(amount: Decimal) -> Decimal:
    """Return an average without its endless digits, for people and the ledger."""
    return round(amount, 12)
