"""Coinbase's lists of products and currencies, for Exchange and for Advanced Trade.

Source: WIRE 3.5; recorded /products of 2021-04-17 less what was removed since; recorded
/api/v3/brokerage/market/products of 2026.
"""

from __future__ import annotations

import msgspec

from adapters.simulator.coinbase_texts import named_uuid, plain, product_id
from adapters.simulator.exchange import Exchange, Ware

Body = dict[str, object]
FIAT = {"USD": "US Dollar", "EUR": "Euro", "GBP": "British Pound"}


def exchange_product(ware: Ware) -> Body:
    listing = ware.listing
    return {
        "id": product_id(listing),
        "base_currency": listing.base_asset,
        "quote_currency": listing.quote_asset,
        "quote_increment": plain(listing.tick),
        "base_increment": plain(listing.lot),
        "display_name": product_id(listing),
        "min_market_funds": plain(listing.quote_min),
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
        "fx_stablecoin": False,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": False,
        "high_bid_limit_percentage": "",
    }


def advanced_product(ware: Ware) -> Body:
    listing, day = ware.listing, ware.day
    change = (day.last - day.open) / day.open * 100 if day.open else day.open
    body: Body = {
        "product_id": product_id(listing),
        "price": plain(day.last),
        "price_percentage_change_24h": f"{change:.14f}",
        "volume_24h": plain(day.base),
        "volume_percentage_change_24h": "0",
        "base_increment": plain(listing.lot),
        "quote_increment": plain(listing.tick),
        "quote_min_size": plain(listing.quote_min),
        "quote_max_size": plain(listing.quote_max),
        "base_min_size": plain(listing.base_min),
        "base_max_size": plain(listing.base_max),
        "base_name": listing.base_asset,
        "quote_name": FIAT.get(listing.quote_asset, listing.quote_asset),
        "status": "online",
        "product_type": "SPOT",
        "quote_currency_id": listing.quote_asset,
        "base_currency_id": listing.base_asset,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": listing.base_asset,
        "quote_display_symbol": listing.quote_asset,
        "price_increment": plain(listing.tick),
        "display_name": product_id(listing),
        "product_venue": "CBE",
        "approximate_quote_24h_volume": f"{day.quote:.2f}",
    }
    flags = (
        "watched", "is_disabled", "new", "cancel_only", "limit_only", "post_only",
        "trading_disabled", "auction_mode", "view_only",
    )  # fmt: skip
    return body | dict.fromkeys(flags, False)


def assets(exchange: Exchange) -> list[str]:
    """Return every asset that is traded for another, once."""
    found: dict[str, None] = {}
    for ware in exchange.wares.values():
        found[ware.listing.base_asset] = found[ware.listing.quote_asset] = None
    return list(found)


def exchange_currency(asset: str) -> Body:
    kind = "fiat" if asset in FIAT else "crypto"
    return {
        "id": asset,
        "name": FIAT.get(asset, asset),
        "min_size": "0.01" if asset in FIAT else "0.00000001",
        "status": "online",
        "message": "",
        "max_precision": "0.01" if asset in FIAT else "0.00000001",
        "convertible_to": [],
        "details": {"type": kind, "symbol": None, "sort_order": 0, "display_name": asset},
        "default_network": "",
        "supported_networks": [],
        "display_name": FIAT.get(asset, asset),
    }


def fiat_currencies(exchange: Exchange) -> Body:
    """Return /v2/currencies: those that are no crypto."""
    rows = [
        {"id": asset, "name": FIAT[asset], "min_size": "0.01000000"}
        for asset in assets(exchange)
        if asset in FIAT
    ]
    return {"data": rows}


def crypto_currencies(exchange: Exchange) -> Body:
    """Return /v2/currencies/crypto."""
    rows = [
        {
            "asset_id": named_uuid("asset", asset),
            "code": asset,
            "name": asset,
            "color": "#F7931A",
            "sort_index": number,
            "exponent": 8,
            "type": "crypto",
            "address_regex": "^[0-9a-zA-Z]{20,90}$",
        }
        for number, asset in enumerate(assets(exchange))
        if asset not in FIAT
    ]
    return {"data": rows}


def exchange_rates(exchange: Exchange) -> Body:
    """Return /v2/exchange-rates in the first quote asset that is listed."""
    wares = list(exchange.wares.values())
    quote = wares[0].listing.quote_asset
    rates = {quote: "1.0"}
    for ware in wares:
        if ware.listing.quote_asset == quote and ware.day.last:
            rates[ware.listing.base_asset] = f"{1 / ware.day.last:.16f}"
    return {"data": {"currency": quote, "rates": rates}}


def status_frame(exchange: Exchange) -> bytes:
    """Return the feed's status frame: every product and currency."""
    products = [
        exchange_product(ware) | {"type": "spot"} for ware in exchange.wares.values()
    ]
    currencies = [exchange_currency(asset) for asset in assets(exchange)]
    body = {"type": "status", "products": products, "currencies": currencies}
    return msgspec.json.encode(body)
