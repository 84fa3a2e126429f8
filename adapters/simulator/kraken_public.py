"""Kraken's public REST calls, answered from the exchange.

Source: the pages of "Market Data", 2026-05-27.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from actors.messages import Side
from actors.pure.matching_orders import ZERO
from adapters.simulator.bar import Bar
from adapters.simulator.exchange import Ware
from adapters.simulator.kraken_bodies import Body, fixed, seconds
from adapters.simulator.kraken_desk import Desk
from adapters.simulator.kraken_faults import invalid
from adapters.simulator.kraken_names import (
    BALANCE_DECIMALS,
    COST_DECIMALS,
    alternative,
    base_decimals,
    code,
    price_decimals,
)
from adapters.simulator.kraken_params import Params

TIMEFRAMES: Final = {
    1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d", 10080: "1w",
}  # fmt: skip
CANDLES_MAX: Final = 720
DEPTH_MAX: Final = 500
TRADES_MAX: Final = 1000
SECONDS_MAX: Final = 10**11  # a larger `since` is in nanoseconds


def moment(at_ms: int) -> str:
    """Return a time as RFC 3339, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def server_time(desk: Desk, _params: Params) -> object:
    now_ms = desk.exchange.told_ms()
    at = datetime.fromtimestamp(now_ms // 1000, UTC)
    return {
        "unixtime": now_ms // 1000,
        "rfc1123": at.strftime("%a, %d %b %y %H:%M:%S +0000"),
    }


def system_status(desk: Desk, _params: Params) -> object:
    return {
        "status": "online",
        "timestamp": moment(desk.exchange.told_ms()),
        "upcoming_maintenance": [],
        "emergency": [],
    }


def assets(desk: Desk, _params: Params) -> object:
    listings = [ware.listing for ware in desk.names.wares]
    known = {it.base_asset: None for it in listings} | {
        it.quote_asset: None for it in listings
    }
    return {
        code(asset): {
            "aclass": "currency",
            "altname": alternative(asset),
            "decimals": BALANCE_DECIMALS,
            "display_decimals": 5,
            "status": "enabled",
        }
        for asset in known
    }


def asset_pairs(desk: Desk, params: Params) -> object:
    is_new = params.maybe("assetVersion") == "1"
    found: Body = {}
    for ware in params.wares(desk.names):
        name = desk.names.of(ware)
        found[name.symbol if is_new else name.pair] = _pair(desk, ware, is_new=is_new)
    return found


def _pair(desk: Desk, ware: Ware, *, is_new: bool) -> Body:
    listing, config, name = ware.listing, desk.exchange.config, desk.names.of(ware)
    base, quote = listing.base_asset, listing.quote_asset
    return {
        "altname": name.altname,
        "wsname": name.wsname,
        "aclass_base": "currency",
        "base": base if is_new else code(base),
        "aclass_quote": "currency",
        "quote": quote if is_new else code(quote),
        "lot": "unit",
        "cost_decimals": COST_DECIMALS,
        "pair_decimals": price_decimals(ware),
        "lot_decimals": base_decimals(ware),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, float(config.taker_fee * 100)]],
        "fees_maker": [[0, float(config.maker_fee * 100)]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{listing.base_min:f}",
        "costmin": f"{listing.quote_min:f}",
        "tick_size": f"{listing.tick:f}",
        "status": "online",
        "execution_venue": "international",
    }


def ticker(desk: Desk, params: Params) -> object:
    return {
        desk.names.of(ware).pair: _ticker(desk, ware) for ware in params.wares(desk.names)
    }


def _ticker(desk: Desk, ware: Ware) -> Body:
    day, places = ware.day, price_decimals(ware)
    day.roll(desk.exchange.now_ms())
    (bid, bid_base), (ask, ask_base) = ware.book.bids.top(), ware.book.asks.top()
    today = ware.chart.bars("1d", 1)[-1]

    def price(number: Decimal) -> str:
        return fixed(number, places)

    def base(number: Decimal) -> str:
        return fixed(number, base_decimals(ware))

    return {
        "a": [price(ask), str(int(ask_base)), fixed(ask_base, 3)],
        "b": [price(bid), str(int(bid_base)), fixed(bid_base, 3)],
        "c": [price(day.last), base(day.last_base)],
        "v": [base(today.base), base(day.base)],
        "p": [price(average(today)), price(day.quote / day.base if day.base else day.last)],
        "t": [today.trades, day.trades],
        "l": [price(today.low), price(day.low)],
        "h": [price(today.high), price(day.high)],
        "o": price(today.open),
    }


def average(bar: Bar) -> Decimal:
    """Return a candle's average price by volume; 0 when nobody traded."""
    return bar.quote / bar.base if bar.base else ZERO


def depth(desk: Desk, params: Params) -> object:
    ware, count = params.ware(desk.names), params.whole("count", 100)
    if not 1 <= count <= DEPTH_MAX:
        raise invalid("count")
    at_s = desk.exchange.now_ms() // 1000
    sides = {"asks": ware.book.asks, "bids": ware.book.bids}
    levels = {
        word: [
            [fixed(price, price_decimals(ware)), fixed(base, base_decimals(ware)), at_s]
            for price, base in side.depth(count)
        ]
        for word, side in sides.items()
    }
    return {desk.names.of(ware).pair: levels}


def candles(desk: Desk, params: Params) -> object:
    """Return the newest candles, never more than 720; the last is still running."""
    ware = params.ware(desk.names)
    timeframe = TIMEFRAMES.get(params.whole("interval", 1))
    if timeframe is None:
        raise invalid("interval")
    since_ms = (params.moment_ms("since") or 0) if "since" in params else -1
    bars = ware.chart.bars(timeframe, CANDLES_MAX)
    places = price_decimals(ware)
    rows = [
        [
            bar.open_ms // 1000,
            *(fixed(it, places) for it in (bar.open, bar.high, bar.low, bar.close)),
            fixed(average(bar), places),
            fixed(bar.base, base_decimals(ware)),
            bar.trades,
        ]
        for bar in bars
        if bar.open_ms > since_ms
    ]
    committed_ms = bars[-2].open_ms if len(bars) > 1 else bars[-1].open_ms
    return {desk.names.of(ware).pair: rows, "last": committed_ms // 1000}


def trades(desk: Desk, params: Params) -> object:
    """Return the newest public trades, or those after `since`; see Exchange.tape."""
    ware, count = params.ware(desk.names), params.whole("count", TRADES_MAX)
    if not 1 <= count <= TRADES_MAX:
        raise invalid("count")
    tape = list(desk.exchange.tape[ware.listing.venue_symbol])
    since_ms = _since_ms(params)
    found = (
        tape[-count:]
        if since_ms is None
        else [it for it in tape if it.trade_ms > since_ms][:count]
    )
    rows = [
        [
            fixed(it.price, price_decimals(ware)),
            fixed(it.base, base_decimals(ware)),
            seconds(it.trade_ms),
            "b" if it.taker_side is Side.BUY else "s",
            "l",
            "",
            it.trade_id,
        ]
        for it in found
    ]
    last_ms = found[-1].trade_ms if found else since_ms or desk.exchange.now_ms()
    return {desk.names.of(ware).pair: rows, "last": str(last_ms * 1_000_000)}


def _since_ms(params: Params) -> int | None:
    """Return `since`, which is an id of Trades (nanoseconds) or plain seconds."""
    since = params.maybe("since")
    if since is None:
        return None
    number = Decimal(since) if since.replace(".", "", 1).isdecimal() else None
    if number is None:
        raise invalid("since")
    return int(number * 1000 if number < SECONDS_MAX else number / 1_000_000)
