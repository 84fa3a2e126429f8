"""Write Exchange's market frames as the venue does; what the simulator says, we hear.

Source: WIRE 3.2 and 3.3; recorded frames of 2021-04-17, 2026-08-25 and 2026-10-03. Sizes
have eight decimals, prices none that say nothing, and times six.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import attrs
import msgspec

from actors.messages import BookDelta, BookSnapshot, Side, Ticker, Traded

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class TickerRest:
    """What a ticker says beside a `Ticker`: its trade, the book's sizes, the day."""

    sequence: int
    open: Decimal
    high: Decimal
    low: Decimal
    volume_30d: Decimal
    bid_base: Decimal
    ask_base: Decimal
    side: Side  # of the taker
    trade_id: int
    last_base: Decimal


def micro(at_ms: int) -> str:
    """Return a time with microseconds."""
    at = EPOCH + timedelta(milliseconds=at_ms)
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def plain(number: Decimal) -> str:
    """Return a figure without the zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def eight(number: Decimal) -> str:
    return f"{number:.8f}"


def encode_ticker(ticker: Ticker, product_id: str, rest: TickerRest) -> str:
    """Return a ticker frame; its side is the taker's."""
    return (
        f'{{"type":"ticker","sequence":{rest.sequence},"product_id":"{product_id}"'
        f',"price":"{plain(ticker.last)}","open_24h":"{plain(rest.open)}"'
        f',"volume_24h":"{eight(ticker.volume_base)}","low_24h":"{plain(rest.low)}"'
        f',"high_24h":"{plain(rest.high)}","volume_30d":"{eight(rest.volume_30d)}"'
        f',"best_bid":"{plain(ticker.bid)}","best_bid_size":"{eight(rest.bid_base)}"'
        f',"best_ask":"{plain(ticker.ask)}","best_ask_size":"{eight(rest.ask_base)}"'
        f',"side":"{rest.side.value}","time":"{micro(ticker.exchange_ms)}"'
        f',"trade_id":{rest.trade_id},"last_size":"{eight(rest.last_base)}"}}'
    )


def encode_match(
    traded: Traded,
    product_id: str,
    *,
    sequence: int,
    maker_order_id: str,
    taker_order_id: str,
    is_last: bool = False,
) -> str:
    """Return a match frame, or last_match; its side is the maker's."""
    side = Side.SELL if traded.side is Side.BUY else Side.BUY
    return (
        f'{{"type":"{"last_match" if is_last else "match"}","trade_id":{traded.trade_id}'
        f',"maker_order_id":"{maker_order_id}","taker_order_id":"{taker_order_id}"'
        f',"side":"{side.value}","size":"{eight(traded.base)}"'
        f',"price":"{plain(traded.price)}","product_id":"{product_id}"'
        f',"sequence":{sequence},"time":"{micro(traded.trade_ms)}"}}'
    )


def encode_snapshot(snapshot: BookSnapshot, product_id: str) -> str:
    """Return the frame that a level2 subscription begins with: the whole book."""
    sides = {"bids": snapshot.bids, "asks": snapshot.asks}
    rows = {
        name: ",".join(f'["{plain(price)}","{eight(base)}"]' for price, base in levels)
        for name, levels in sides.items()
    }
    return (
        f'{{"type":"snapshot","product_id":"{product_id}"'
        f',"asks":[{rows["asks"]}],"bids":[{rows["bids"]}]}}'
    )


def encode_update(delta: BookDelta, product_id: str) -> str:
    """Return an l2update frame; a size of zero removes the level."""
    changes = [("buy", *level) for level in delta.bids]
    changes += [("sell", *level) for level in delta.asks]
    rows = ",".join(
        f'["{side}","{plain(price)}","{eight(base)}"]' for side, price, base in changes
    )
    return (
        f'{{"type":"l2update","product_id":"{product_id}","changes":[{rows}]'
        f',"time":"{micro(delta.exchange_ms)}"}}'
    )


def encode_heartbeat(
    product_id: str, *, sequence: int, last_trade_id: int, at_ms: int
) -> str:
    """Return a heartbeat frame."""
    return (
        f'{{"type":"heartbeat","last_trade_id":{last_trade_id}'
        f',"product_id":"{product_id}","sequence":{sequence},"time":"{micro(at_ms)}"}}'
    )


def encode_subscriptions(channels: Mapping[str, Iterable[str]]) -> str:
    """Return the acknowledgement: all that is subscribed now, by the wire's names."""
    rows = [
        {"name": name, "product_ids": list(product_ids), "account_ids": None}
        for name, product_ids in channels.items()
    ]
    return msgspec.json.encode({"type": "subscriptions", "channels": rows}).decode()


def encode_error(message: str, reason: str = "") -> str:
    """Return an error frame."""
    fields = {"type": "error", "message": message}
    return msgspec.json.encode(fields | ({"reason": reason} if reason else {})).decode()
