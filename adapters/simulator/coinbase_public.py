"""Exchange's public endpoints: time, products, tickers, books, trades and candles.

Source: WIRE 3.6; docs.cdp.coinbase.com "Exchange REST API", 2025-05.
"""

from __future__ import annotations

from typing import Final

import msgspec

from adapters.simulator.bar import Bar
from adapters.simulator.coinbase_asked import Asked, Page
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_faults import NOT_FOUND, Refused
from adapters.simulator.coinbase_frames import DAYS, OTHER, SIDES, last_trade_id
from adapters.simulator.coinbase_products import (
    Body,
    assets,
    exchange_currency,
    exchange_product,
)
from adapters.simulator.coinbase_texts import (
    eight,
    micro,
    milli,
    nano,
    order_uuid,
    plain,
    product_id,
)
from adapters.simulator.exchange import Ware

GRANULARITIES: Final = {
    "60": "1m",
    "300": "5m",
    "900": "15m",
    "3600": "1h",
    "21600": "6h",
    "86400": "1d",
}
CANDLES_MAX: Final = 300
TRADES_MAX: Final = 1000
_NUMBERS: Final = msgspec.json.Encoder(decimal_format="number")


def server_time(venue: CoinbaseDialect, _asked: Asked) -> object:
    now_ms = venue.exchange.told_ms()
    return {"iso": milli(now_ms), "epoch": now_ms / 1000}


def products(venue: CoinbaseDialect, _asked: Asked) -> object:
    return [exchange_product(ware) for ware in venue.products.values()]


def product(venue: CoinbaseDialect, asked: Asked) -> object:
    return exchange_product(ware_of(venue, asked))


def currencies(venue: CoinbaseDialect, _asked: Asked) -> object:
    return [exchange_currency(asset) for asset in assets(venue.exchange)]


def currency(venue: CoinbaseDialect, asked: Asked) -> object:
    if asked.parts[0] not in assets(venue.exchange):
        raise Refused(*NOT_FOUND)
    return exchange_currency(asked.parts[0])


def ticker(venue: CoinbaseDialect, asked: Asked) -> object:
    ware = ware_of(venue, asked)
    tape = venue.exchange.tape[ware.listing.venue_symbol]
    at_ms = tape[-1].trade_ms if tape else venue.exchange.now_ms()
    return {
        "ask": plain(ware.book.asks.top()[0]),
        "bid": plain(ware.book.bids.top()[0]),
        "volume": eight(ware.day.base),
        "trade_id": last_trade_id(ware),
        "price": plain(ware.day.last),
        "size": eight(ware.day.last_base),
        "time": nano(at_ms),
        "rfq_volume": "0",
    }


def stats(venue: CoinbaseDialect, asked: Asked) -> object:
    day = ware_of(venue, asked).day
    return {
        "open": plain(day.open),
        "high": plain(day.high),
        "low": plain(day.low),
        "last": plain(day.last),
        "volume": eight(day.base),
        "volume_30day": eight(day.base * DAYS),
    }


def book(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return level 1 (the best), 2 (every price) or 3 (every order) of a book."""
    ware, level = ware_of(venue, asked), asked.one("level", "1")
    if level not in {"1", "2", "3"}:
        raise Refused(400, "Invalid level")
    body: Body = {
        "sequence": venue.feed.sequence_of(ware.listing.venue_symbol),
        "auction_mode": False,
        "auction": None,
        "time": micro(venue.exchange.now_ms()),
    }
    for name, side in (("bids", ware.book.bids), ("asks", ware.book.asks)):
        prices = side.prices()[: 1 if level == "1" else None]
        if level == "3":
            body[name] = [
                [plain(price), eight(order.remaining), order_uuid(order.order_id)]
                for price in prices
                for order in side.levels[price].orders.values()
            ]
        else:
            found = [(price, side.levels[price]) for price in prices]
            body[name] = [[plain(p), eight(it.total), len(it.orders)] for p, it in found]
    return body


def trades(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return the newest public trades, newest first; their side is the maker's."""
    ware, limit = ware_of(venue, asked), asked.limit(TRADES_MAX, TRADES_MAX)
    newer, older = asked.whole("before"), asked.whole("after")
    found: list[Body] = [
        {
            "trade_id": trade.trade_id,
            "side": SIDES[OTHER[trade.taker_side]],
            "size": eight(trade.base),
            "price": eight(trade.price),
            "time": micro(trade.trade_ms),
        }
        for trade in reversed(venue.exchange.tape[ware.listing.venue_symbol])
        if (newer is None or trade.trade_id > newer)
        and (older is None or trade.trade_id < older)
    ]
    rows = found[:limit]
    if not rows:
        return Page([])
    return Page(rows, str(rows[0]["trade_id"]), str(rows[-1]["trade_id"]))


def candles(venue: CoinbaseDialect, asked: Asked) -> object:
    """Return candles as rows of numbers, newest first; without trades there is none."""
    ware, granularity = ware_of(venue, asked), asked.one("granularity", "60")
    timeframe = GRANULARITIES.get(granularity)
    if timeframe is None:
        raise Refused(400, "Unsupported granularity")
    start_ms, end_ms = asked.time("start"), asked.time("end")
    if start_ms is None or end_ms is None:
        bars = ware.chart.bars(timeframe, CANDLES_MAX)
    else:
        if (end_ms - start_ms) / (int(granularity) * 1000) > CANDLES_MAX:
            text = "granularity too small for the requested time range"
            raise Refused(400, f"{text}. Count of aggregations requested exceeds 300")
        bars = ware.chart.bars(timeframe, CANDLES_MAX + 1, start_ms, end_ms)
    rows = [_row(bar) for bar in reversed(bars) if bar.trades]
    return msgspec.Raw(_NUMBERS.encode(rows[:CANDLES_MAX]))


def spark_lines(venue: CoinbaseDialect, _asked: Asked) -> object:
    """Return the hourly prices of a day, newest first."""
    return {
        product_id(ware.listing): [
            [bar.open_ms // 1000, plain(bar.close)]
            for bar in reversed(ware.chart.bars("1h", 24))
        ]
        for ware in venue.products.values()
    }


def ware_of(venue: CoinbaseDialect, asked: Asked) -> Ware:
    found = venue.products.get(asked.parts[0])
    if found is None:
        raise Refused(*NOT_FOUND)
    return found


def _row(bar: Bar) -> list[object]:
    return [bar.open_ms // 1000, bar.low, bar.high, bar.open, bar.close, bar.base]
