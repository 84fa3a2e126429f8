"""Advanced Trade's public endpoints: time, products, books, candles and trades.

Source: WIRE 3.12; docs.cdp.coinbase.com "Advanced Trade REST API", 2026.
"""

from __future__ import annotations

from typing import Final

from adapters.simulator.coinbase_advanced_frames import WORDS
from adapters.simulator.coinbase_asked import Asked
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_faults import AdvancedRefused, invalid
from adapters.simulator.coinbase_frames import OTHER
from adapters.simulator.coinbase_products import (
    Body,
    advanced_product,
    crypto_currencies,
    exchange_rates,
    fiat_currencies,
)
from adapters.simulator.coinbase_texts import micro, milli, plain, product_id
from adapters.simulator.exchange import Ware

GRANULARITIES: Final = {
    "ONE_MINUTE": ("1m", 60),
    "FIVE_MINUTE": ("5m", 300),
    "FIFTEEN_MINUTE": ("15m", 900),
    "THIRTY_MINUTE": ("30m", 1800),
    "ONE_HOUR": ("1h", 3600),
    "TWO_HOUR": ("2h", 7200),
    "FOUR_HOUR": ("4h", 14_400),
    "SIX_HOUR": ("6h", 21_600),
    "ONE_DAY": ("1d", 86_400),
}
CANDLES_MAX: Final = 350
TRADES_MAX: Final = 1000


def server_time(venue: CoinbaseDialect, _asked: Asked) -> object:
    now_ms = venue.exchange.told_ms()
    return {
        "iso": f"{milli(now_ms)[:-5]}Z",
        "epochSeconds": str(now_ms // 1000),
        "epochMillis": str(now_ms),
    }


def old_time(venue: CoinbaseDialect, _asked: Asked) -> object:
    now_ms = venue.exchange.told_ms()
    return {"data": {"iso": f"{milli(now_ms)[:-5]}Z", "epoch": now_ms // 1000}}


def fiats(venue: CoinbaseDialect, _asked: Asked) -> object:
    return fiat_currencies(venue.exchange)


def cryptos(venue: CoinbaseDialect, _asked: Asked) -> object:
    return crypto_currencies(venue.exchange)


def rates(venue: CoinbaseDialect, _asked: Asked) -> object:
    return exchange_rates(venue.exchange)


def products(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return the spot products, or those that are named; there are no others."""
    is_spot = asked.one("product_type", "SPOT") in {"SPOT", "UNKNOWN_PRODUCT_TYPE"}
    named = asked.many("product_ids")
    rows = [
        advanced_product(ware)
        for name, ware in venue.products.items()
        if is_spot and (not named or name in named)
    ]
    return {"products": rows, "num_products": len(rows)}


def product(venue: CoinbaseDialect, asked: Asked) -> object:
    return advanced_product(ware_of(venue, asked.parts[0]))


def product_book(venue: CoinbaseDialect, asked: Asked) -> object:
    ware = ware_of(venue, asked.one("product_id"))
    (bid, _), (ask, _) = ware.book.bids.top(), ware.book.asks.top()
    middle = (bid + ask) / 2
    basis_points = (ask - bid) / middle * 10_000 if middle else middle
    return {
        "pricebook": _pricebook(venue, ware, asked.whole("limit")),
        "last": plain(ware.day.last),
        "mid_market": plain(middle),
        "spread_bps": f"{basis_points:.8f}",
        "spread_absolute": plain(ask - bid),
    }


def best_bid_ask(venue: CoinbaseDialect, asked: Asked) -> object:
    named = asked.many("product_ids") or list(venue.products)
    books = [_pricebook(venue, ware_of(venue, name), 1) for name in named]
    return {"pricebooks": books}


def candles(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return candles, newest first; without trades there is none."""
    ware = ware_of(venue, asked.parts[0])
    found = GRANULARITIES.get(asked.one("granularity"))
    start_s, end_s = asked.whole("start"), asked.whole("end")
    if found is None or start_s is None or end_s is None:
        raise invalid("start, end and granularity are required")
    timeframe, length_s = found
    if (end_s - start_s) / length_s > CANDLES_MAX:
        raise invalid("number of candles requested should be less than 350")
    bars = ware.chart.bars(timeframe, CANDLES_MAX + 1, start_s * 1000, end_s * 1000)
    rows = [
        {
            "start": str(bar.open_ms // 1000),
            "low": plain(bar.low),
            "high": plain(bar.high),
            "open": plain(bar.open),
            "close": plain(bar.close),
            "volume": plain(bar.base),
        }
        for bar in reversed(bars)
        if bar.trades
    ]
    return {"candles": rows[: asked.limit(CANDLES_MAX, CANDLES_MAX)]}


def trades(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return the newest public trades and the best prices; sides are the maker's."""
    ware, limit = ware_of(venue, asked.parts[0]), asked.limit(100, TRADES_MAX)
    start_ms, end_ms = asked.time("start"), asked.time("end")
    rows: list[Body] = [
        {
            "trade_id": str(trade.trade_id),
            "product_id": product_id(ware.listing),
            "price": plain(trade.price),
            "size": plain(trade.base),
            "time": micro(trade.trade_ms),
            "side": WORDS[OTHER[trade.taker_side]],
            "bid": "",
            "ask": "",
            "exchange": "",
        }
        for trade in reversed(venue.exchange.tape[ware.listing.venue_symbol])
        if (start_ms or 0) <= trade.trade_ms <= (end_ms or trade.trade_ms)
    ]
    return {
        "trades": rows[:limit],
        "best_bid": plain(ware.book.bids.top()[0]),
        "best_ask": plain(ware.book.asks.top()[0]),
    }


def ware_of(venue: CoinbaseDialect, name: str) -> Ware:
    found = venue.products.get(name)
    if found is None:
        raise AdvancedRefused(404, "NOT_FOUND", f"product {name[:40]} was not found")
    return found


def _pricebook(venue: CoinbaseDialect, ware: Ware, limit: int | None) -> Body:
    body: Body = {"product_id": product_id(ware.listing)}
    for name, side in (("bids", ware.book.bids), ("asks", ware.book.asks)):
        rows = side.depth(limit or len(side.levels))
        body[name] = [{"price": plain(p), "size": plain(base)} for p, base in rows]
    return body | {"time": micro(venue.exchange.now_ms())}
