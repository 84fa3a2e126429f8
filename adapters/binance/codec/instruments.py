"""Read and write exchangeInfo: symbols with their filters, and the rate limits.

Source: rest-api.md and filters.md, 2026-07-21. "BTCUSDT" is mapped by baseAsset and
quoteAsset, never by cutting strings. A filter bound of 0 sets no bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

import attrs
import msgspec

from actors.messages import Instrument
from adapters.binance.codec import words
from adapters.binance.codec.market import EXCHANGE
from adapters.binance.codec.rest import decode_body
from adapters.figures import (
    UNREADABLE,
    BadFigure,
    Figure,
    Ms,
    Word,
    amount,
    eight,
)

_INTERVAL_S: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
_INTERVAL: Final = ((86400, "DAY"), (3600, "HOUR"), (60, "MINUTE"), (1, "SECOND"))
_ORDER_TYPE: Final = {word: kind.value for word, kind in words.TYPE.items()}
_ORDER_TYPE_WORD: Final = {ours: word for word, ours in _ORDER_TYPE.items()}


class Filter(msgspec.Struct, rename="camel"):
    filter_type: Word
    min_price: Figure = "0"
    max_price: Figure = "0"
    tick_size: Figure = "0"
    min_qty: Figure = "0"
    max_qty: Figure = "0"
    step_size: Figure = "0"
    min_notional: Figure = "0"
    max_notional: Figure = "0"
    apply_min_to_market: bool = False  # of NOTIONAL
    apply_to_market: bool = False  # of the older MIN_NOTIONAL


class Symbol(msgspec.Struct, rename="camel"):
    symbol: Word
    status: Word
    base_asset: Word
    quote_asset: Word
    order_types: list[Word] = []
    is_spot_trading_allowed: bool = True
    filters: list[Filter] = []


class WireLimit(msgspec.Struct, rename="camel"):
    rate_limit_type: Word
    interval: Word
    interval_num: int
    limit: int


class Info(msgspec.Struct, rename="camel"):
    server_time: Ms
    rate_limits: list[WireLimit]
    symbols: list[Symbol]


_info = msgspec.json.Decoder(Info)
_read = lru_cache(4096)(amount)  # thousands of symbols repeat a few hundred figures


@attrs.frozen
class RateLimit:
    """So many of `kind` (REQUEST_WEIGHT, ORDERS, RAW_REQUESTS) in `interval_s`."""

    kind: str
    interval_s: int
    limit: int


@attrs.frozen
class ExchangeInfo:
    server_ms: int
    limits: tuple[RateLimit, ...]
    instruments: tuple[Instrument, ...]
    refused: tuple[
        str, ...
    ]  # symbols we cannot read, and why: one must not blind us to all


def decode_exchange_info(body: bytes) -> ExchangeInfo:
    """Return symbols and limits.

    Raises:
      RemoteProtocolError: the body as a whole is not what the documentation says.
    """
    info = decode_body(_info, "exchangeInfo", body)
    instruments: list[Instrument] = []
    refused: list[str] = []
    for symbol in info.symbols:
        try:
            instruments.append(_instrument(symbol))
        except UNREADABLE as error:
            refused.append(f"{symbol.symbol!a}: {error}")
    limits = [
        RateLimit(
            limit.rate_limit_type,
            _INTERVAL_S[limit.interval] * limit.interval_num,
            limit.limit,
        )
        for limit in info.rate_limits
        if limit.interval in _INTERVAL_S
    ]
    return ExchangeInfo(info.server_time, tuple(limits), tuple(instruments), tuple(refused))


def _instrument(symbol: Symbol) -> Instrument:
    for name in (symbol.symbol, symbol.base_asset, symbol.quote_asset):
        if not (name.isascii() and name.isalnum()):
            raise BadFigure("a name that is not plain ASCII; no config can mean it")
    by_type = {found.filter_type: found for found in symbol.filters}
    none = Filter("")
    price = by_type.get("PRICE_FILTER", none)
    lot = by_type.get("LOT_SIZE", none)
    market_lot = by_type.get("MARKET_LOT_SIZE", none)
    notional = by_type.get("NOTIONAL", by_type.get("MIN_NOTIONAL", none))
    order_types = [_ORDER_TYPE[w] for w in symbol.order_types if w in _ORDER_TYPE]
    return Instrument(
        exchange=EXCHANGE,
        symbol=f"{symbol.base_asset}/{symbol.quote_asset}",
        venue_symbol=symbol.symbol,
        base_asset=symbol.base_asset,
        quote_asset=symbol.quote_asset,
        is_trading=symbol.status == "TRADING" and symbol.is_spot_trading_allowed,
        tick=_read(price.tick_size),
        lot=_read(lot.step_size),
        base_min=_read(lot.min_qty),
        base_max=_read(lot.max_qty),
        market_base_max=_read(market_lot.max_qty),
        quote_min=_read(notional.min_notional),
        quote_max=_read(notional.max_notional),
        is_quote_min_for_market=notional.apply_min_to_market or notional.apply_to_market,
        price_min=_read(price.min_price),
        price_max=_read(price.max_price),
        order_types=frozenset(order_types),
    )


def encode_exchange_info(
    instruments: Iterable[Instrument], limits: Sequence[RateLimit], server_ms: int
) -> bytes:
    """Return the body of GET /api/v3/exchangeInfo."""
    return msgspec.json.encode(
        {
            "timezone": "UTC",
            "serverTime": server_ms,
            "rateLimits": [encode_limit(limit) for limit in limits],
            "exchangeFilters": [],
            "symbols": [_symbol_fields(instrument) for instrument in instruments],
        }
    )


def encode_limit(limit: RateLimit, count: int | None = None) -> dict[str, object]:
    """Return a rate limit as exchangeInfo lists it; with `count`, as WS-API answers do."""
    length_s, interval = next(pair for pair in _INTERVAL if limit.interval_s % pair[0] == 0)
    fields: dict[str, object] = {
        "rateLimitType": limit.kind,
        "interval": interval,
        "intervalNum": limit.interval_s // length_s,
        "limit": limit.limit,
    }
    return fields if count is None else {**fields, "count": count}


def _symbol_fields(instrument: Instrument) -> dict[str, object]:
    return {
        "symbol": instrument.venue_symbol,
        "status": "TRADING" if instrument.is_trading else "BREAK",
        "baseAsset": instrument.base_asset,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote_asset,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": sorted(_ORDER_TYPE_WORD[kind] for kind in instrument.order_types),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": False,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def _filters(instrument: Instrument) -> list[dict[str, object]]:
    lot, zero = eight(instrument.lot), eight(Decimal(0))
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": eight(instrument.price_min),
            "maxPrice": eight(instrument.price_max),
            "tickSize": eight(instrument.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": eight(instrument.base_min),
            "maxQty": eight(instrument.base_max),
            "stepSize": lot,
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": zero,
            "maxQty": eight(instrument.market_base_max),
            "stepSize": zero,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": eight(instrument.quote_min),
            "applyMinToMarket": instrument.is_quote_min_for_market,
            "maxNotional": eight(instrument.quote_max),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
    ]
