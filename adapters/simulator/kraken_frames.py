"""Kraken's WebSocket v2 frames about markets: bare JSON numbers with every zero in place.

Source: the pages of "Spot WebSocket v2", "Market Data", 2026-05-27, and frames of
2024-05 to 2026-10.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from actors.messages import Side
from actors.pure.matching_orders import Trade
from adapters.simulator.bar import Bar
from adapters.simulator.exchange import Ware
from adapters.simulator.kraken_names import (
    BALANCE_DECIMALS,
    COST_DECIMALS,
    Names,
    base_decimals,
    decimals_of,
    price_decimals,
)
from adapters.simulator.kraken_public import TIMEFRAMES, average
from adapters.simulator.timeframes import next_of

CHECKED_LEVELS: Final = 10  # of each side
HEARTBEAT: Final = b'{"channel":"heartbeat"}'
SIDE_WORDS: Final = {Side.BUY: "buy", Side.SELL: "sell"}
Body = dict[str, object]
Level = tuple[Decimal, Decimal]  # price, base; 0 removes


def number(value: Decimal, decimals: int) -> msgspec.Raw:
    """Return a JSON number with exactly so many decimals."""
    return msgspec.Raw(f"{value:.{decimals}f}".encode())


def stamp(at_ms: int) -> str:
    """Return a time as RFC 3339, to the microsecond."""
    second = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}000Z"


def encode(message: Body) -> bytes:
    return msgspec.json.encode(message)


def status(system: str, connection_id: int | None) -> Body:
    """Return the frame that greets a client, or warns it."""
    row: Body = {"version": "2.0.10", "system": system, "api_version": "v2"}
    if connection_id is not None:
        row |= {
            "connection_id": connection_id,
            "upcoming_maintenance": [],
            "emergency": [],
        }
    return {"channel": "status", "type": "update", "data": [row]}


def ticker(ware: Ware, kind: str, now_ms: int, last: Decimal | None = None) -> Body:
    """Return a symbol's ticker; `last` stands in for what was traded last."""
    day, places, sizes = ware.day, price_decimals(ware), base_decimals(ware)
    (bid, bid_base), (ask, ask_base) = ware.book.bids.top(), ware.book.asks.top()
    last = last or day.last
    change = last - day.open
    row: Body = {
        "symbol": ware.listing.symbol,
        "bid": number(bid, places),
        "bid_qty": number(bid_base, sizes),
        "ask": number(ask, places),
        "ask_qty": number(ask_base, sizes),
        "last": number(last, places),
        "volume": number(day.base, sizes),
        "vwap": number(day.quote / day.base if day.base else last, places),
        "low": number(day.low, places),
        "high": number(day.high, places),
        "change": number(change, places),
        "change_pct": number(change / day.open * 100, 2),
        "trades": day.trades,
        "timestamp": stamp(now_ms),
    }
    return {"channel": "ticker", "type": kind, "data": [row]}


def trades(ware: Ware, found: Sequence[Trade], kind: str) -> Body:
    rows = [
        {
            "symbol": ware.listing.symbol,
            "side": SIDE_WORDS[it.taker_side],
            "price": number(it.price, price_decimals(ware)),
            "qty": number(it.base, base_decimals(ware)),
            "ord_type": "limit",
            "trade_id": it.trade_id,
            "timestamp": stamp(it.trade_ms),
        }
        for it in found
    ]
    return {"channel": "trade", "type": kind, "data": rows}


def candles(ware: Ware, bars: Sequence[Bar], minutes: int, kind: str, now_ms: int) -> Body:
    places, timeframe = price_decimals(ware), TIMEFRAMES[minutes]
    rows = [
        {
            "symbol": ware.listing.symbol,
            "open": number(bar.open, places),
            "high": number(bar.high, places),
            "low": number(bar.low, places),
            "close": number(bar.close, places),
            "trades": bar.trades,
            "volume": number(bar.base, base_decimals(ware)),
            "vwap": number(average(bar), places),
            "interval_begin": stamp(bar.open_ms)[:-1] + "000Z",
            "interval": minutes,
            "timestamp": stamp(next_of(timeframe, bar.open_ms)),
        }
        for bar in bars
    ]
    return {"channel": "ohlc", "type": kind, "timestamp": stamp(now_ms), "data": rows}


def book(
    ware: Ware,
    bids: Iterable[Level],
    asks: Iterable[Level],
    checksum: int,
    at_ms: int | None,
) -> Body:
    """Return a snapshot, or with a time an update."""
    row: Body = {
        "symbol": ware.listing.symbol,
        "bids": _levels(ware, bids),
        "asks": _levels(ware, asks),
        "checksum": checksum,
    }
    if at_ms is not None:
        row["timestamp"] = stamp(at_ms)
    kind = "snapshot" if at_ms is None else "update"
    return {"channel": "book", "type": kind, "data": [row]}


def _levels(ware: Ware, levels: Iterable[Level]) -> list[Body]:
    places, sizes = price_decimals(ware), base_decimals(ware)
    return [
        {"price": number(price, places), "qty": number(base, sizes)}
        for price, base in levels
    ]


def checksum_of(ware: Ware, bids: Iterable[Level], asks: Iterable[Level]) -> int:
    """Return the CRC-32 of the ten best levels of each side, both best first."""
    text = ""
    for levels in (asks, bids):
        for price, base in list(levels)[:CHECKED_LEVELS]:
            text += _digits(price, price_decimals(ware)) + _digits(
                base, base_decimals(ware)
            )
    return zlib.crc32(text.encode())


def _digits(value: Decimal, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace(".", "").lstrip("0")


def instruments(names: Names, kind: str) -> Body:
    assets: dict[str, None] = {}
    pairs: list[Body] = []
    for ware in names.wares:
        listing = ware.listing
        assets |= {listing.base_asset: None, listing.quote_asset: None}
        increment = number(listing.tick, decimals_of(listing.tick))
        pairs.append(
            {
                "symbol": listing.symbol,
                "base": listing.base_asset,
                "quote": listing.quote_asset,
                "status": "online",
                "qty_precision": base_decimals(ware),
                "qty_increment": number(listing.lot, decimals_of(listing.lot)),
                "qty_min": number(listing.base_min, decimals_of(listing.base_min)),
                "price_precision": price_decimals(ware),
                "price_increment": increment,
                "tick_size": increment,
                "cost_precision": COST_DECIMALS,
                "cost_min": number(listing.quote_min, decimals_of(listing.quote_min)),
                "marginable": False,
                "has_index": True,
            }
        )
    rows = [
        {
            "id": asset,
            "status": "enabled",
            "precision": BALANCE_DECIMALS,
            "precision_display": 5,
            "borrowable": False,
            "collateral_value": 0,
            "margin_rate": 0,
        }
        for asset in assets
    ]
    return {"channel": "instrument", "type": kind, "data": {"assets": rows, "pairs": pairs}}
