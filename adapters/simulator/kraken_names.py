"""Kraken's three spellings of one symbol, and its codes for assets.

The WebSocket says BTC/USDT, REST says XBTUSDT (or XXBTZUSD for the oldest pairs), and
BTC is XBT or XXBT there. `assetVersion=1` makes REST answer in the new spelling.

Source: "Get Tradable Asset Pairs" and "Get Asset Info", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from adapters.simulator.config import Listing
from adapters.simulator.exchange import Ware

ALTERNATIVE: Final = {"BTC": "XBT", "DOGE": "XDG"}
_CRYPTO: Final = frozenset(
    {"ETC", "ETH", "LTC", "MLN", "REP", "XBT", "XDG", "XLM", "XMR", "XRP", "ZEC"}
)
_FIAT: Final = frozenset({"AUD", "CAD", "EUR", "GBP", "JPY", "USD"})


def alternative(asset: str) -> str:
    """Return REST's short name of an asset: XBT for BTC."""
    return ALTERNATIVE.get(asset, asset)


def code(asset: str) -> str:
    """Return REST's full name of an asset: XXBT for BTC, ZUSD for USD."""
    short = alternative(asset)
    if short in _CRYPTO:
        return f"X{short}"
    return f"Z{short}" if short in _FIAT else short


@attrs.frozen
class Name:
    """One symbol in every spelling."""

    symbol: str  # "BTC/USDT"
    pair: str  # the key of REST's answers
    altname: str
    wsname: str  # of the old WebSocket, "XBT/USDT"


def name_of(listing: Listing) -> Name:
    base, quote = listing.base_asset, listing.quote_asset
    altname = alternative(base) + alternative(quote)
    is_old = code(base) != alternative(base) and code(quote) != alternative(quote)
    return Name(
        symbol=listing.symbol,
        pair=code(base) + code(quote) if is_old else altname,
        altname=altname,
        wsname=f"{alternative(base)}/{alternative(quote)}",
    )


class Names:
    """Every listed symbol by every name that clients use."""

    def __init__(self, wares: Iterable[Ware]) -> None:
        self.wares = list(wares)
        self._names = {it.listing.symbol: name_of(it.listing) for it in self.wares}
        self._by_symbol = {it.listing.symbol: it for it in self.wares}
        self._by_rest: dict[str, Ware] = {}
        for ware in self.wares:
            name = self.of(ware)
            for spelling in (name.pair, name.altname, name.wsname, name.symbol):
                self._by_rest[spelling] = ware

    def of(self, ware: Ware) -> Name:
        return self._names[ware.listing.symbol]

    def by_symbol(self, symbol: str) -> Ware | None:
        """Return what the WebSocket calls `symbol`."""
        return self._by_symbol.get(symbol)

    def by_pair(self, pair: str) -> Ware | None:
        """Return what REST calls `pair`, in any of its spellings."""
        return self._by_rest.get(pair) or self._by_rest.get(pair.upper())


def decimals_of(step: Decimal) -> int:
    """Return how many decimals a step of prices or quantities has."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def price_decimals(ware: Ware) -> int:
    return decimals_of(ware.listing.tick)


def base_decimals(ware: Ware) -> int:
    return decimals_of(ware.listing.lot)


COST_DECIMALS: Final = 8  # so that no fee is rounded away
BALANCE_DECIMALS: Final = 10
