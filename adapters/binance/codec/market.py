"""Hear the market streams: combined frames and raw ones, every number checked.

The kind of a frame is read off its stream name (or its `"e"`) without parsing, then the
frame is parsed once, straight into a typed struct that holds only what we use.

Source: web-socket-streams.md, 2026-07-21. Frames on one connection repeat few shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

import attrs
import msgspec

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    PassedOver,
    Side,
    StreamMessage,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
    Traded,
    VenueClosing,
)
from adapters.binance.codec.market_frames import (
    BookTopEvent,
    Combined,
    DepthEvent,
    Event,
    KlineEvent,
    Loose,
    PartialDepth,
    TickerEvent,
    TradeEvent,
)
from adapters.binance.codec.streams import TIMEFRAMES
from adapters.figures import (
    UNREADABLE,
    BadFigure,
    amount,
    amounts,
    bad,
    levels,
    positive,
)

EXCHANGE: Final = "binance"


E = TypeVar("E", bound=Event)

_loose = msgspec.json.Decoder(Loose)
_partial = msgspec.json.Decoder(Combined[PartialDepth])

Symbols = Mapping[str, str]  # "BTCUSDT" -> "BTC/USDT"


@attrs.frozen
class Kind(Generic[E]):
    """One kind of event: how it is parsed, and what it tells."""

    combined: msgspec.json.Decoder[Combined[E]]
    raw: msgspec.json.Decoder[E]
    tell: Callable[[E, str, float], StreamMessage]

    def hear_combined(self, text: str, symbols: Symbols, at_s: float) -> StreamMessage:
        event = self.combined.decode(text).data
        symbol = symbols.get(event.s)
        if symbol is None:
            return PassedOver(f"symbol {event.s!a} is not one of ours")
        return self.tell(event, symbol, at_s)

    def hear_raw(self, text: str, symbols: Symbols, at_s: float) -> StreamMessage:
        event = self.raw.decode(text)
        symbol = symbols.get(event.s)
        if symbol is None:
            return PassedOver(f"symbol {event.s!a} is not one of ours")
        return self.tell(event, symbol, at_s)


def _ticker(event: TickerEvent, symbol: str, at_s: float) -> Ticker:
    last, bid, ask, volume = amounts(event.c, event.b, event.a, event.v)
    if not last:
        raise BadFigure("a last price of zero")
    return Ticker(EXCHANGE, symbol, last, bid, ask, volume, event.E, at_s)


def _book_top(event: BookTopEvent, symbol: str, at_s: float) -> BookTop:
    bid, bid_base, ask, ask_base = amounts(event.b, event.B, event.a, event.A)
    return BookTop(EXCHANGE, symbol, bid, bid_base, ask, ask_base, event.u, at_s)


def _trade(event: TradeEvent, symbol: str, at_s: float) -> Traded:
    # m says that the buyer was the maker, so the taker sold.
    return Traded(
        EXCHANGE,
        symbol,
        event.t,
        positive(event.p),
        positive(event.q),
        Side.SELL if event.m else Side.BUY,
        event.T,
        at_s,
    )


def _kline(event: KlineEvent, symbol: str, _at_s: float) -> StreamMessage:
    body = event.k
    if body.i not in TIMEFRAMES:
        return PassedOver(f"timeframe {body.i!a} is not one of ours")
    return checked_candle(
        Candle(
            EXCHANGE,
            symbol,
            body.i,
            body.t,
            body.T,
            positive(body.o),
            positive(body.h),
            positive(body.l),
            positive(body.c),
            amount(body.v),
            amount(body.q),
            body.n,
            body.x,
        )
    )


def checked_candle(candle: Candle) -> Candle:
    """Return `candle` if its prices and times can belong to one candle."""
    if not candle.low <= min(candle.open, candle.close):
        raise BadFigure("low above open or close")
    if not candle.high >= max(candle.open, candle.close):
        raise BadFigure("high below open or close")
    if candle.close_ms < candle.open_ms:
        raise BadFigure("closes before it opens")
    return candle


def _depth(event: DepthEvent, symbol: str, _at_s: float) -> BookDelta:
    if event.u < event.U:
        raise BadFigure("last id before first id")
    return BookDelta(
        EXCHANGE, symbol, event.U, event.u, levels(event.b), levels(event.a), event.E
    )


def _hear_partial(text: str, symbols: Symbols, at_s: float) -> StreamMessage:
    frame = _partial.decode(text)
    venue_symbol = frame.stream.partition("@")[0].upper()
    symbol = symbols.get(venue_symbol)
    if symbol is None:
        return PassedOver(f"symbol {venue_symbol!a} is not one of ours")
    book = frame.data
    return BookSnapshot(
        EXCHANGE, symbol, book.lastUpdateId, levels(book.bids), levels(book.asks), at_s
    )


Hear = Callable[[str, Symbols, float], StreamMessage]
_decoder = msgspec.json.Decoder

_TICKER = Kind(_decoder(Combined[TickerEvent]), _decoder(TickerEvent), _ticker)
_BOOK_TOP = Kind(_decoder(Combined[BookTopEvent]), _decoder(BookTopEvent), _book_top)
_TRADE = Kind(_decoder(Combined[TradeEvent]), _decoder(TradeEvent), _trade)
_KLINE = Kind(_decoder(Combined[KlineEvent]), _decoder(KlineEvent), _kline)
_DEPTH = Kind(_decoder(Combined[DepthEvent]), _decoder(DepthEvent), _depth)

_BY_STREAM: Final[dict[str, Hear]] = {
    "ticker": _TICKER.hear_combined,
    "bookTicker": _BOOK_TOP.hear_combined,
    "trade": _TRADE.hear_combined,
    "depth": _DEPTH.hear_combined,
    "depth@100ms": _DEPTH.hear_combined,
    **{f"kline_{timeframe}": _KLINE.hear_combined for timeframe in TIMEFRAMES},
    **{f"depth{n}{pace}": _hear_partial for n in (5, 10, 20) for pace in ("", "@100ms")},
}
_BY_EVENT: Final[dict[str, Hear]] = {
    "24hrTicker": _TICKER.hear_raw,
    "trade": _TRADE.hear_raw,
    "kline": _KLINE.hear_raw,
    "depthUpdate": _DEPTH.hear_raw,
}


def decode_stream(text: str | bytes, symbols: Symbols, received_s: float) -> StreamMessage:
    """Return what one frame of a market connection says.

    Raises:
      RemoteProtocolError: not JSON, fields missing or of the wrong type, or a number
        that no market can mean.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return _hear(text, symbols, received_s)
    except UNREADABLE as error:
        raise bad("market frame", text, error) from error


def _hear(text: str, symbols: Symbols, at_s: float) -> StreamMessage:
    if text.startswith('{"stream":"'):
        name = text[11 : text.find('"', 11)]
        hear = _BY_STREAM.get(name[name.find("@") + 1 :])
        if hear is not None:
            return hear(text, symbols, at_s)
    elif text.startswith('{"e":"'):
        hear = _BY_EVENT.get(text[6 : text.find('"', 6)])
        if hear is not None:
            return hear(text, symbols, at_s)
    return _hear_rare(text, symbols, at_s)


def _hear_rare(text: str, symbols: Symbols, at_s: float) -> StreamMessage:
    if text.lstrip().startswith("["):
        msgspec.json.decode(text)
        return PassedOver("an array of events; we ask for single ones")
    loose = _loose.decode(text)
    if loose.stream:
        return _hear_loose_combined(text, loose, symbols, at_s)
    if loose.e:
        return _hear_loose_event(text, loose, symbols, at_s)
    if loose.s:
        return _BOOK_TOP.hear_raw(text, symbols, at_s)
    if loose.lastUpdateId is not None:
        return PassedOver("partial depth outside /stream does not name its symbol")
    return _answer(loose)


def _hear_loose_combined(
    text: str, loose: Loose, symbols: Symbols, at_s: float
) -> StreamMessage:
    hear = _BY_STREAM.get(loose.stream.partition("@")[2])
    if hear is not None:
        return hear(text, symbols, at_s)
    if loose.stream == "!serverShutdown":
        return VenueClosing()
    if not bytes(loose.data):
        raise BadFigure("a stream without data")
    return PassedOver(f"stream {loose.stream!a}")


def _hear_loose_event(
    text: str, loose: Loose, symbols: Symbols, at_s: float
) -> StreamMessage:
    if loose.e == "serverShutdown":
        return VenueClosing()
    hear = _BY_EVENT.get(loose.e)
    return hear(text, symbols, at_s) if hear else PassedOver(f"event {loose.e!a}")


def _answer(loose: Loose) -> StreamMessage:
    request_id = loose.id if isinstance(loose.id, int) else None
    if loose.error is not None:
        return SubscriptionRefused(request_id, loose.error.code, loose.error.msg)
    if loose.code is not None:
        return SubscriptionRefused(request_id, loose.code, loose.msg)
    if not bytes(loose.result):
        raise BadFigure("neither an event nor an answer")
    if request_id is None or bytes(loose.result) != b"null":
        return PassedOver("an answer to a question we do not ask")
    return SubscriptionAccepted(request_id)
