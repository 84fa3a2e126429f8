"""Name market streams, and write and read the commands that choose them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import msgspec

from actors.messages import Channel, Subscription
from adapters.figures import UNREADABLE, Ident, bad

TIMEFRAMES: Final = (
    "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h",
    "1d", "3d", "1w", "1M",
)  # fmt: skip

_SUFFIX: Final = {
    Channel.TICKER: "ticker",
    Channel.BOOK_TOP: "bookTicker",
    Channel.TRADES: "trade",
    Channel.BOOK: "depth@100ms",
}
_CHANNEL: Final = {suffix: channel for channel, suffix in _SUFFIX.items()}


def stream_name(subscription: Subscription, venue_symbol: str) -> str:
    """Return the name of the stream that carries `subscription`: "btcusdt@trade"."""
    symbol = venue_symbol.lower()
    if subscription.channel is Channel.CANDLES:
        return f"{symbol}@kline_{subscription.timeframe}"
    return f"{symbol}@{_SUFFIX[subscription.channel]}"


def newest_of(frame: str | bytes) -> str:
    """Return the stream of a combined frame whose newest event says all, else ""."""
    if isinstance(frame, str) and frame.startswith('{"stream":"'):
        name = frame[11 : frame.find('"', 11)]
        if name.endswith(("@ticker", "@bookTicker")):
            return name
    return ""


@attrs.frozen
class StreamName:
    """A stream name taken apart; `depth` is 5, 10 or 20 for partial depth, else 0."""

    venue_symbol: str
    channel: Channel
    timeframe: str = ""
    depth: int = 0


def parse_stream_name(name: str) -> StreamName | None:
    """Return the parts of `name`, or None when it is not a stream of ours."""
    symbol, _, suffix = name.partition("@")
    symbol = symbol.upper()
    if suffix in _CHANNEL:
        return StreamName(symbol, _CHANNEL[suffix])
    if suffix == "depth":
        return StreamName(symbol, Channel.BOOK)
    if suffix.startswith("kline_") and suffix[6:] in TIMEFRAMES:
        return StreamName(symbol, Channel.CANDLES, suffix[6:])
    digits = suffix.removesuffix("@100ms").removeprefix("depth")
    if suffix.startswith("depth") and digits in {"5", "10", "20"}:
        return StreamName(symbol, Channel.BOOK, depth=int(digits))
    return None


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a client says on a market connection: SUBSCRIBE and its kin."""

    method: str
    params: tuple[str | bool, ...] = ()
    id: Ident | str | None = None


def encode_command(method: str, streams: Sequence[str], request_id: int) -> str:
    """Return the frame that subscribes to, or unsubscribes from, `streams`."""
    return msgspec.json.encode(Command(method, tuple(streams), request_id)).decode()


_command = msgspec.json.Decoder(Command)


def decode_command(text: str | bytes) -> Command:
    """Return a client's command.

    Raises:
      RemoteProtocolError: it is not one.
    """
    try:
        return _command.decode(text)
    except UNREADABLE as error:
        raise bad("stream command", text, error) from error
