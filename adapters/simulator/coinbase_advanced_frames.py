"""Advanced Trade's WebSocket events, made of what the exchange knows.

Source: WIRE 3.12; recorded and documented examples of 2024-10-04 and 2026-04-07.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from actors.messages import Side
from actors.pure.matching_book import BookSide
from actors.pure.matching_orders import Kind, Order, Trade
from adapters.simulator.bar import Bar
from adapters.simulator.coinbase_advanced_bodies import order as order_body
from adapters.simulator.coinbase_frames import OTHER
from adapters.simulator.coinbase_texts import eight, micro, nano, plain, product_id
from adapters.simulator.exchange import Exchange, Ware

Body = dict[str, object]
WORDS: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
BOOK_SIDES: Final = {Side.BUY: "bid", Side.SELL: "offer"}
TYPES: Final = {
    Kind.MARKET: "Market",
    Kind.LIMIT: "Limit",
    Kind.LIMIT_MAKER: "Limit",
    Kind.STOP_LOSS_LIMIT: "Stop Limit",
    Kind.TAKE_PROFIT_LIMIT: "Stop Limit",
}


def envelope(channel: str, events: bytes, number: int, at_ms: int) -> bytes:
    """Return a message; `number` counts those of one connection."""
    return (
        b'{"channel":"%s","client_id":"","timestamp":"%s","sequence_num":%d,"events":%s}'
        % (channel.encode(), nano(at_ms).encode(), number, events)
    )


def subscriptions(channels: dict[str, list[str]]) -> bytes:
    return msgspec.json.encode([{"subscriptions": channels}])


def ticker(ware: Ware, kind: str, *, is_batch: bool) -> bytes:
    """Return a ticker event; the batched one does not say the best bid and ask."""
    day, book = ware.day, ware.book
    change = (day.last - day.open) / day.open * 100 if day.open else day.open
    body: Body = {
        "type": "ticker",
        "product_id": product_id(ware.listing),
        "price": plain(day.last),
        "volume_24_h": eight(day.base),
        "low_24_h": plain(day.low),
        "high_24_h": plain(day.high),
        "low_52_w": plain(day.low),
        "high_52_w": plain(day.high),
        "price_percent_chg_24_h": f"{change:.14f}",
    }
    if not is_batch:
        (bid, bid_base), (ask, ask_base) = book.bids.top(), book.asks.top()
        body |= {
            "best_bid": plain(bid),
            "best_bid_quantity": eight(bid_base),
            "best_ask": plain(ask),
            "best_ask_quantity": eight(ask_base),
        }
    return msgspec.json.encode([{"type": kind, "tickers": [body]}])


def trades(ware: Ware, found: Iterable[Trade], kind: str) -> bytes:
    """Return public trades, oldest first in, newest first out; the side is the maker's."""
    rows = [
        {
            "product_id": product_id(ware.listing),
            "trade_id": str(trade.trade_id),
            "price": plain(trade.price),
            "size": plain(trade.base),
            "time": micro(trade.trade_ms),
            "side": WORDS[OTHER[trade.taker_side]],
        }
        for trade in found
    ]
    return msgspec.json.encode([{"type": kind, "trades": rows[::-1]}])


def levels(side: BookSide, prices: Iterable[Decimal], at: str) -> list[Body]:
    """Return what is at `prices` now; nothing is zero."""
    found, zero = side.levels, Decimal(0)
    return [
        {
            "side": BOOK_SIDES[side.side],
            "event_time": at,
            "price_level": plain(price),
            "new_quantity": plain(found[price].total if price in found else zero),
        }
        for price in prices
    ]


def book(ware: Ware, rows: list[Body], kind: str) -> bytes:
    body = {"type": kind, "product_id": product_id(ware.listing), "updates": rows}
    return msgspec.json.encode([body])


def candles(ware: Ware, bars: Iterable[Bar], kind: str) -> bytes:
    """Return candles of five minutes."""
    rows = [
        {
            "start": str(bar.open_ms // 1000),
            "high": plain(bar.high),
            "low": plain(bar.low),
            "open": plain(bar.open),
            "close": plain(bar.close),
            "volume": plain(bar.base),
            "product_id": product_id(ware.listing),
        }
        for bar in bars
    ]
    return msgspec.json.encode([{"type": kind, "candles": rows}])


def heartbeat(number: int, at_ms: int) -> bytes:
    at = micro(at_ms).replace("T", " ")[:-1]
    current = f"{at}000 +0000 UTC m=+{number}.000000001"
    return msgspec.json.encode([{"current_time": current, "heartbeat_counter": number}])


def status(exchange: Exchange, kind: str) -> bytes:
    rows = [
        {
            "product_type": "SPOT",
            "id": product_id(ware.listing),
            "base_currency": ware.listing.base_asset,
            "quote_currency": ware.listing.quote_asset,
            "base_increment": plain(ware.listing.lot),
            "quote_increment": plain(ware.listing.tick),
            "display_name": ware.listing.symbol,
            "status": "online",
            "status_message": "",
            "min_market_funds": plain(ware.listing.quote_min),
        }
        for ware in exchange.wares.values()
    ]
    return msgspec.json.encode([{"type": kind, "products": rows}])


def user(
    exchange: Exchange, found: Iterable[Order], ends: dict[int, int], kind: str
) -> bytes:
    """Return the state of orders, as their owner hears it."""
    rows = [_user_order(exchange, order, ends) for order in found]
    positions: Body = {"perpetual_futures_positions": [], "expiring_futures_positions": []}
    return msgspec.json.encode([{"type": kind, "orders": rows, "positions": positions}])


def _user_order(exchange: Exchange, order: Order, ends: dict[int, int]) -> Body:
    body = order_body(exchange, order, ends)
    is_limit = order.kind is not Kind.MARKET
    kept = (
        "client_order_id", "completion_percentage", "filled_value", "number_of_fills",
        "order_id", "outstanding_hold_amount", "product_id", "product_type", "status",
        "time_in_force", "total_fees", "total_value_after_fees", "trigger_status",
        "retail_portfolio_id",
    )  # fmt: skip
    return {name: body[name] for name in kept} | {
        "avg_price": body["average_filled_price"],
        "cancel_reason": body["cancel_message"],
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "creation_time": micro(order.created_ms),
        "cumulative_quantity": plain(order.filled_base),
        "end_time": micro(ends[order.order_id]) if order.order_id in ends else "",
        "leaves_quantity": plain(order.remaining if order.is_open else Decimal(0)),
        "limit_price": plain(order.price) if is_limit else "0",
        "order_side": WORDS[order.side],
        "order_type": TYPES[order.kind],
        "post_only": str(order.kind is Kind.LIMIT_MAKER).lower(),
        "reject_reason": "",
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "start_time": "0001-01-01T00:00:00Z",
        "stop_price": plain(order.stop_price) if order.stop_price else "",
    }
