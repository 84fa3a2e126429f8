"""Write what we ask for on a market socket: one command for each channel of many symbols.

Source: docs.kraken.com, WebSocket v2 "ticker", "trade", "ohlc", "book", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import msgspec

from actors.messages import Channel, Subscription
from adapters.errors import LocalProtocolError
from adapters.kraken.codec import words

DEPTH: Final = 100  # levels of a book on each side: 10, 25, 100, 500 or 1000


@attrs.frozen
class Stream:
    """One channel of the venue with its terms; ticker and best prices are one."""

    channel: str
    interval: int = 0  # minutes, of candles


def stream_of(subscription: Subscription) -> Stream:
    """Return the venue's channel for a subscription.

    Raises:
      LocalProtocolError: candles of a timeframe that the venue does not have.
    """
    match subscription.channel:
        case Channel.TICKER | Channel.BOOK_TOP:
            return Stream("ticker")
        case Channel.TRADES:
            return Stream("trade")
        case Channel.BOOK:
            return Stream("book")
        case Channel.CANDLES:
            minutes = words.INTERVAL_M.get(subscription.timeframe)
            if minutes is None:
                text = f"the venue has no candles of {subscription.timeframe!a}"
                raise LocalProtocolError(text)
            return Stream("ohlc", minutes)


def encode_command(
    method: str, stream: Stream, symbols: Sequence[str], request_id: int
) -> str:
    """Return a subscribe or unsubscribe frame.

    Quotes are told with every change of the best prices, not only with trades. A book and
    a candle begin with what they are now; trades do not begin with the last fifty.
    """
    params: dict[str, object] = {"channel": stream.channel, "symbol": list(symbols)}
    if stream.channel == "ticker":
        params["event_trigger"] = "bbo"
    if stream.channel == "book":
        params["depth"] = DEPTH
    if stream.channel == "ohlc":
        params["interval"] = stream.interval
    if method == "subscribe":
        params["snapshot"] = stream.channel != "trade"
    return msgspec.json.encode(
        {"method": method, "params": params, "req_id": request_id}
    ).decode()


def encode_ping(request_id: int) -> str:
    """Return an application ping; one with `params` is refused."""
    return f'{{"method":"ping","req_id":{request_id}}}'
