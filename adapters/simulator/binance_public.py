"""Binance's public endpoints: time, symbols, book, candles, trades and tickers."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

import msgspec

from actors.messages import Side
from actors.pure.matching_orders import Trade
from adapters.binance.codec import market_writer, rest
from adapters.simulator.binance_bodies import KINDS, Body, e8
from adapters.simulator.binance_faults import Refused
from adapters.simulator.binance_params import Params
from adapters.simulator.binance_publisher import candle_of, day_of, snapshot
from adapters.simulator.binance_rules import PERCENT_DOWN, PERCENT_UP
from adapters.simulator.exchange import Exchange, Ware
from adapters.simulator.timeframes import LENGTH_MS, next_of

DEPTH_WEIGHTS: Final = ((100, 5), (500, 25), (1000, 50), (5000, 250))


def ping(_exchange: Exchange, _params: Params) -> object:
    return {}


def server_time(exchange: Exchange, _params: Params) -> object:
    return {"serverTime": exchange.told_ms()}


def exchange_info(exchange: Exchange, params: Params) -> object:
    return {
        "timezone": "UTC",
        "serverTime": exchange.told_ms(),
        "rateLimits": rate_limits(exchange),
        "exchangeFilters": [],
        "symbols": [_symbol(ware) for ware in _asked(exchange, params)],
    }


def rate_limits(exchange: Exchange) -> list[Body]:
    limits = exchange.limits.limits
    rows = (
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_1m),
        ("ORDERS", "SECOND", 10, limits.orders_10s),
        ("ORDERS", "DAY", 1, limits.orders_1d),
        ("RAW_REQUESTS", "MINUTE", 5, 300_000),
    )
    return [
        {"rateLimitType": kind, "interval": unit, "intervalNum": number, "limit": limit}
        for kind, unit, number, limit in rows
    ]


def depth_weight(params: Params) -> int:
    limit = params.limit(100, 5000)
    return next(weight for most, weight in DEPTH_WEIGHTS if limit <= most)


def depth(exchange: Exchange, params: Params) -> object:
    ware, limit = params.ware(exchange), params.limit(100, 5000)
    if exchange.recorded_depth is not None:
        recorded = exchange.recorded_depth(ware.listing.venue_symbol, limit)
        return msgspec.Raw(market_writer.encode_partial_depth(recorded).encode())
    return msgspec.Raw(market_writer.encode_partial_depth(snapshot(ware, limit)).encode())


def klines(exchange: Exchange, params: Params) -> object:
    ware, timeframe = params.ware(exchange), params.text("interval")
    if timeframe not in LENGTH_MS:
        raise Refused(-1120, "Invalid interval.")
    bars = ware.chart.bars(
        timeframe,
        params.limit(500, 1000),
        params.whole("startTime"),
        params.whole("endTime"),
    )
    name = ware.listing.symbol
    candles = [candle_of(bar, name, timeframe, is_closed=True) for bar in bars]
    return msgspec.Raw(rest.encode_klines(candles))


def trades(exchange: Exchange, params: Params) -> object:
    """Return the newest public trades; those before the start are not remembered."""
    symbol, limit = params.ware(exchange).listing.venue_symbol, params.limit(500, 1000)
    return [
        {
            "id": trade.trade_id,
            "price": e8(trade.price),
            "qty": e8(trade.base),
            "quoteQty": e8(trade.price * trade.base),
            "time": trade.trade_ms,
            "isBuyerMaker": trade.taker_side is Side.SELL,
            "isBestMatch": True,
        }
        for trade in list(exchange.tape[symbol])[-limit:]
    ]


def aggregate_trades(exchange: Exchange, params: Params) -> object:
    """Return public trades, those of one taker at one price and time as one.

    An aggregate has the id of its first trade, so that ids rise and are never reused.
    """
    symbol, limit = params.ware(exchange).listing.venue_symbol, params.limit(500, 1000)
    from_id, start_ms = params.whole("fromId"), params.whole("startTime")
    end_ms = params.whole("endTime")
    found = [
        row
        for row in _aggregated(exchange.tape[symbol])
        if row["a"] >= (from_id or 0)
        and row["T"] >= (start_ms or 0)
        and (end_ms is None or row["T"] <= end_ms)
    ]
    is_from_start = from_id is not None or start_ms is not None
    return found[:limit] if is_from_start else found[-limit:]


def _aggregated(tape: Iterable[Trade]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    by_taker = groupby(tape, lambda it: (it.price, it.taker_side, it.trade_ms))
    for (price, taker_side, at_ms), group in by_taker:
        trades = list(group)
        rows.append(
            {
                "a": trades[0].trade_id,
                "p": e8(price),
                "q": e8(sum((it.base for it in trades), Decimal(0))),
                "f": trades[0].trade_id,
                "l": trades[-1].trade_id,
                "T": at_ms,
                "m": taker_side is Side.SELL,
                "M": True,
            }
        )
    return rows


def day_weight(params: Params) -> int:
    return 2 if "symbol" in params else 80


def day_ticker(exchange: Exchange, params: Params) -> object:
    rows = [
        msgspec.Raw(rest.encode_day_ticker(*day_of(ware, exchange.now_ms())))
        for ware in _asked(exchange, params)
    ]
    return rows[0] if "symbol" in params else rows


def price_weight(params: Params) -> int:
    return 2 if "symbol" in params else 4


def price_ticker(exchange: Exchange, params: Params) -> object:
    rows = [
        {"symbol": symbol, "price": e8(exchange.wares[symbol].chart.last)}
        for symbol in _symbols(exchange, params)
    ]
    return rows[0] if "symbol" in params else rows


def book_ticker(exchange: Exchange, params: Params) -> object:
    rows: list[Body] = []
    for symbol in _symbols(exchange, params):
        book = exchange.wares[symbol].book
        (bid, bid_base), (ask, ask_base) = book.bids.top(), book.asks.top()
        rows.append(
            {
                "symbol": symbol,
                "bidPrice": e8(bid),
                "bidQty": e8(bid_base),
                "askPrice": e8(ask),
                "askQty": e8(ask_base),
            }
        )
    return rows[0] if "symbol" in params else rows


def average_price(exchange: Exchange, params: Params) -> object:
    """Return the average of the last five minutes, weighted by volume."""
    ware = params.ware(exchange)
    bars = ware.chart.bars("1m", 5)
    base = sum((bar.base for bar in bars), Decimal(0))
    quote = sum((bar.quote for bar in bars), Decimal(0))
    price = quote / base if base else ware.chart.last
    close_ms = next_of("1m", bars[-1].open_ms) - 1
    return {"mins": 5, "price": e8(price), "closeTime": close_ms}


def _symbols(exchange: Exchange, params: Params) -> list[str]:
    return [ware.listing.venue_symbol for ware in _asked(exchange, params)]


def _asked(exchange: Exchange, params: Params) -> list[Ware]:
    """Return the wares that `symbol` or `symbols` name, or all."""
    ware = params.maybe_ware(exchange)
    if ware is not None:
        return [ware]
    listed = params.maybe("symbols")
    if listed is None:
        return list(exchange.wares.values())
    try:
        names = msgspec.json.decode(listed, type=list[str])
    except msgspec.MsgspecError:
        raise Refused(-1100, "Illegal characters found in parameter 'symbols'.") from None
    return [Params({"symbol": name}).ware(exchange) for name in names]


def _symbol(ware: Ware) -> Body:
    listing = ware.listing
    return {
        "symbol": listing.venue_symbol,
        "status": "TRADING",
        "baseAsset": listing.base_asset,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote_asset,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(KINDS),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(ware),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _filters(ware: Ware) -> list[Body]:
    listing = ware.listing
    percent: Body = {
        f"{side}Multiplier{way}": f"{number:f}"
        for side in ("bid", "ask")
        for way, number in (("Up", PERCENT_UP), ("Down", PERCENT_DOWN))
    }
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": e8(listing.tick),
            "maxPrice": e8(listing.price_max),
            "tickSize": e8(listing.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": e8(listing.base_min),
            "maxQty": e8(listing.base_max),
            "stepSize": e8(listing.lot),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": e8(listing.market_base_max),
            "stepSize": "0.00000000",
        },
        {"filterType": "PERCENT_PRICE_BY_SIDE", **percent, "avgPriceMins": 5},
        {
            "filterType": "NOTIONAL",
            "minNotional": e8(listing.quote_min),
            "applyMinToMarket": True,
            "maxNotional": e8(listing.quote_max),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": listing.orders_max},
    ]
