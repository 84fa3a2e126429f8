"""Hear the public feed: every frame read once, every number checked.

What the stream must weigh before it may be told (snapshots, changes, heartbeats, last
matches) has words of its own here; everything else is said in ours.

`side` is the taker's in a ticker and the maker's in a match.
Source: Exchange WebSocket channels and errors; recordings of 2021 and 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import attrs
import msgspec

from actors.messages import PassedOver, Side, SubscriptionRefused, Ticker, Traded
from adapters.coinbase.codec.channels import present_name
from adapters.coinbase.codec.feed_frames import (
    AckFrame,
    ChangesFrame,
    ErrorFrame,
    Frame,
    HeartbeatFrame,
    Loose,
    MatchFrame,
    SnapshotFrame,
    StatusFrame,
    TickerFrame,
)
from adapters.coinbase.codec.times import epoch_ms
from adapters.figures import (
    UNREADABLE,
    BadFigure,
    Levels,
    amounts,
    bad,
    levels,
    positive,
)

EXCHANGE: Final = "coinbase"
Symbols = Mapping[str, str]  # "BTC-USD" -> "BTC/USD"


def newest_of(frame: str | bytes) -> str:
    """Return the product of a ticker frame, whose newest says all, else ""."""
    if isinstance(frame, str) and frame.startswith('{"type":"ticker",'):
        at = frame.find('"product_id":"') + 14
        return frame[at : frame.find('"', at)] if at >= 14 else ""
    return ""


@attrs.frozen
class WholeBook:
    """A snapshot of one book, not numbered: the feed numbers none."""

    symbol: str
    bids: Levels
    asks: Levels


@attrs.frozen
class BookChanges:
    """Changed levels of one book, not numbered."""

    symbol: str
    bids: Levels
    asks: Levels
    exchange_ms: int


@attrs.frozen
class Heartbeat:
    """One a second for each product: the number of its last trade."""

    symbol: str
    sequence: int
    last_trade_id: int


@attrs.frozen
class LastMatch:
    """The trade before the subscription: old news, and where the counting begins."""

    symbol: str
    trade_id: int


@attrs.frozen
class Subscribed:
    """Everything that is subscribed to now, by channel, as the venue lists it."""

    channels: Mapping[str, frozenset[str]]


Heard = (
    Ticker
    | Traded
    | WholeBook
    | BookChanges
    | Heartbeat
    | LastMatch
    | Subscribed
    | SubscriptionRefused
    | PassedOver
)
F = TypeVar("F", bound=Frame)
Hear = Callable[[str, Symbols, float], Heard]

_loose = msgspec.json.Decoder(Loose)
_ack = msgspec.json.Decoder(AckFrame)
_error = msgspec.json.Decoder(ErrorFrame)
_status = msgspec.json.Decoder(StatusFrame)


def _of_product(kind: type[F], tell: Callable[[F, str, float], Heard]) -> Hear:
    decoder = msgspec.json.Decoder(kind)

    def hear(text: str, symbols: Symbols, at_s: float) -> Heard:
        frame = decoder.decode(text)
        symbol = symbols.get(frame.product_id)
        if symbol is None:
            return PassedOver(f"product {frame.product_id!a} is not one of ours")
        return tell(frame, symbol, at_s)

    return hear


def _ticker(frame: TickerFrame, symbol: str, at_s: float) -> Ticker:
    last, bid, ask, volume = amounts(
        frame.price, frame.best_bid, frame.best_ask, frame.volume_24h
    )
    if not last:
        raise BadFigure("a last price of zero")
    return Ticker(EXCHANGE, symbol, last, bid, ask, volume, epoch_ms(frame.time), at_s)


def _match(frame: MatchFrame, symbol: str, at_s: float) -> Traded:
    return Traded(
        EXCHANGE,
        symbol,
        frame.trade_id,
        positive(frame.price),
        positive(frame.size),
        taker_side(frame.side),
        epoch_ms(frame.time),
        at_s,
    )


def taker_side(maker_side: str) -> Side:
    """Return who took, of a trade told by its maker's side."""
    if maker_side not in {"buy", "sell"}:
        raise BadFigure(f"side {maker_side!a}")
    return Side.SELL if maker_side == "buy" else Side.BUY


def _last_match(frame: MatchFrame, symbol: str, _at_s: float) -> LastMatch:
    return LastMatch(symbol, frame.trade_id)


def _heartbeat(frame: HeartbeatFrame, symbol: str, _at_s: float) -> Heartbeat:
    return Heartbeat(symbol, frame.sequence, frame.last_trade_id)


def _snapshot(frame: SnapshotFrame, symbol: str, _at_s: float) -> WholeBook:
    return WholeBook(symbol, levels(frame.bids), levels(frame.asks))


def _changes(frame: ChangesFrame, symbol: str, _at_s: float) -> BookChanges:
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []
    for side, price, size in frame.changes:
        if side not in {"buy", "sell"}:
            raise BadFigure(f"side {side!a}")
        (bids if side == "buy" else asks).append((price, size))
    return BookChanges(symbol, levels(bids), levels(asks), epoch_ms(frame.time))


def _hear_ack(text: str, _symbols: Symbols, _at_s: float) -> Heard:
    return Subscribed(
        {
            present_name(each.name): frozenset(each.product_ids or ())
            for each in _ack.decode(text).channels
        }
    )


def _hear_error(text: str, symbols: Symbols, _at_s: float) -> Heard:
    """Return a refusal; one whose reason names a product is that product's alone."""
    error = _error.decode(text)
    shown = ": ".join(filter(None, (error.message, error.reason)))
    named = [symbols[word] for word in error.reason.split() if word in symbols]
    return SubscriptionRefused(None, 0, shown[:300], named[0] if named else "")


def _hear_status(text: str, _symbols: Symbols, _at_s: float) -> Heard:
    _status.decode(text)
    return PassedOver("status: products are read over REST, at a hundredth of its bytes")


_BY_TYPE: Final[Mapping[str, Hear]] = {
    "ticker": _of_product(TickerFrame, _ticker),
    "match": _of_product(MatchFrame, _match),
    "last_match": _of_product(MatchFrame, _last_match),
    "l2update": _of_product(ChangesFrame, _changes),
    "snapshot": _of_product(SnapshotFrame, _snapshot),
    "heartbeat": _of_product(HeartbeatFrame, _heartbeat),
    "subscriptions": _hear_ack,
    "error": _hear_error,
    "status": _hear_status,
}


def decode_feed(text: str | bytes, symbols: Symbols, received_s: float) -> Heard:
    """Return what one frame of the public feed says; other types are passed over.

    Raises:
      RemoteProtocolError: not JSON, fields missing or of the wrong type, or a number
        that no market can mean.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode()
        hear = _BY_TYPE.get(_type_of(text))
        if hear is None:
            return PassedOver(f"type {_loose.decode(text).type!a}")
        return hear(text, symbols, received_s)
    except UNREADABLE as error:
        raise bad("feed frame", text, error) from error


def _type_of(text: str) -> str:
    """Return the frame's type, read off its beginning where the venue puts it."""
    if text.startswith('{"type":"'):
        return text[9 : text.find('"', 9)]
    return _loose.decode(text).type
