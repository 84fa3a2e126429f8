"""Hear market data of WebSocket v2 in our words.

One frame may hold several messages. Books come as their rows: whoever keeps the book
proves and numbers them. Candles are never told closed here: the venue has no such flag.

Source: docs.kraken.com, WebSocket v2 market data, 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import attrs
import msgspec

from actors.messages import (
    BookTop,
    Candle,
    PassedOver,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
    Traded,
)
from adapters.figures import UNREADABLE, BadFigure, bad
from adapters.kraken.codec import words
from adapters.kraken.codec.frames import (
    BookRow,
    CandleRow,
    Frame,
    InstrumentRows,
    MaintenanceRow,
    StatusRow,
    TickerRow,
    TradeRow,
    decode_frame,
    decode_named,
)
from adapters.kraken.codec.numbers import amount, amounts, positive, unix_ms
from adapters.kraken.codec.words import EXCHANGE

MINUTE_MS: Final = 60_000
Rows = TypeVar("Rows")


@attrs.frozen
class BookHeard:
    """A whole book or a change of one, not proven yet."""

    row: BookRow
    is_snapshot: bool


@attrs.frozen
class SystemHeard:
    """What the venue says of itself: online, cancel_only, post_only or maintenance."""

    system: str
    announced: tuple[str, ...] = ()  # maintenance to come, a line each
    emergency: tuple[str, ...] = ()


@attrs.frozen
class Acknowledged:
    """The answer to one subscription, or to its end; "" where it does not say of what."""

    method: str
    channel: str
    symbol: str
    request_id: int
    error: str = ""


Heard = (
    Ticker
    | BookTop
    | Traded
    | Candle
    | BookHeard
    | SystemHeard
    | Acknowledged
    | SubscriptionAccepted
    | SubscriptionRefused
    | PassedOver
)

_tickers = msgspec.json.Decoder(list[TickerRow])
_trades = msgspec.json.Decoder(list[TradeRow])
_candles = msgspec.json.Decoder(list[CandleRow])
_books = msgspec.json.Decoder(list[BookRow])
_statuses = msgspec.json.Decoder(list[StatusRow])
_instruments = msgspec.json.Decoder(InstrumentRows)


def decode_market(
    text: str | bytes, received_s: float, *, venue_ms: int = 0
) -> list[Heard]:
    """Return what a frame says, in its order; a heartbeat says that the venue lives.

    `venue_ms` stands in where a frame does not tell its own time.

    Raises:
      RemoteProtocolError: the frame could not be read.
    """
    frame = decode_frame(text)
    try:
        if not frame.channel:
            return [_hear_answer(frame)]
        hear = _CHANNELS.get(frame.channel)
        if hear is None:
            return [PassedOver(f"channel {frame.channel[:40]!a}")]
        return hear(frame, received_s, venue_ms)
    except UNREADABLE as error:
        raise bad(f"{frame.channel[:40]} frame", text, error) from error


def newest_of(frame: str | bytes) -> str:
    """Return the symbol of a ticker frame whose newest says all, else ""."""
    if isinstance(frame, str) and frame.startswith('{"channel":"ticker"'):
        at = frame.find('"symbol":"') + 10
        if at >= 10 and frame.find('"symbol":"', at) < 0:
            return frame[at : frame.find('"', at)]
    return ""


def _hear_answer(frame: Frame) -> Heard:
    if frame.method == "pong":
        return PassedOver("a pong")
    named = decode_named(frame.result)
    if not frame.error and frame.method not in {"subscribe", "unsubscribe"}:
        return PassedOver(f"an answer to {frame.method[:40]!a}")
    return Acknowledged(
        frame.method,
        named.channel,
        frame.symbol or named.symbol,
        frame.req_id or 0,
        frame.error[:200] or ("" if frame.success else "no success, and no reason"),
    )


def _hear_tickers(frame: Frame, received_s: float, venue_ms: int) -> list[Heard]:
    heard: list[Heard] = []
    for row in _tickers.decode(frame.data):
        amounts(row.bid, row.bid_qty, row.ask, row.ask_qty, row.last, row.volume)
        at_ms = unix_ms(row.timestamp) if row.timestamp is not None else venue_ms
        if row.last:
            heard.append(
                Ticker(
                    EXCHANGE,
                    row.symbol,
                    row.last,
                    row.bid,
                    row.ask,
                    row.volume,
                    at_ms,
                    received_s,
                )
            )
        heard.append(
            BookTop(
                EXCHANGE,
                row.symbol,
                row.bid,
                row.bid_qty,
                row.ask,
                row.ask_qty,
                at_ms,
                received_s,
            )
        )
    return heard


def _hear_trades(frame: Frame, received_s: float, _venue_ms: int) -> list[Heard]:
    return [
        Traded(
            EXCHANGE,
            row.symbol,
            row.trade_id,
            positive(row.price),
            positive(row.qty),
            words.side(row.side),
            unix_ms(row.timestamp),
            received_s,
        )
        for row in _trades.decode(frame.data)
    ]


def _hear_candles(frame: Frame, _received_s: float, _venue_ms: int) -> list[Heard]:
    """Return candles oldest first; of a snapshot the last only, for REST has the rest."""
    rows = sorted(_candles.decode(frame.data), key=lambda row: row.interval_begin)
    if frame.type == "snapshot":
        last = {(row.symbol, row.interval): row for row in rows}
        rows = list(last.values())
    return [_hear_candle(row) for row in rows]


def _hear_candle(row: CandleRow) -> Heard:
    timeframe = words.TIMEFRAME.get(row.interval)
    if timeframe is None:
        return PassedOver(f"candles of {row.interval} minutes")
    open_ms = unix_ms(row.interval_begin)
    return checked_candle(
        Candle(
            EXCHANGE,
            row.symbol,
            timeframe,
            open_ms,
            open_ms + row.interval * MINUTE_MS - 1,
            positive(row.open),
            positive(row.high),
            positive(row.low),
            positive(row.close),
            amount(row.volume),
            amount(row.vwap) * row.volume,
            row.trades,
            is_closed=False,
        )
    )


def checked_candle(candle: Candle) -> Candle:
    """Refuse a candle whose open or close lies outside its own range."""
    if not candle.low <= min(candle.open, candle.close):
        raise BadFigure("a low above the open or the close")
    if not candle.high >= max(candle.open, candle.close):
        raise BadFigure("a high below the open or the close")
    return candle


def _hear_books(frame: Frame, _received_s: float, _venue_ms: int) -> list[Heard]:
    is_snapshot = frame.type == "snapshot"
    return [BookHeard(row, is_snapshot) for row in _books.decode(frame.data)]


def _hear_status(frame: Frame, _received_s: float, _venue_ms: int) -> list[Heard]:
    return [
        SystemHeard(
            row.system,
            tuple(map(_line, row.upcoming_maintenance)),
            tuple(map(_line, row.emergency)),
        )
        for row in _statuses.decode(frame.data)
    ]


def _line(row: MaintenanceRow) -> str:
    """Return one event as people read it."""
    services = ", ".join(row.affected_services)
    parts = (row.title, row.phase, row.expected_start_utc, row.expected_end_utc, services)
    return " · ".join([part[:80] for part in parts if part])


def _hear_instruments(frame: Frame, _received_s: float, _venue_ms: int) -> list[Heard]:
    """Return what changed of the pairs' status; figures are read from REST."""
    pairs = _instruments.decode(frame.data).pairs
    return [PassedOver(f"instrument: {len(pairs)} pairs told")]


def _hear_heartbeat(_frame: Frame, _received_s: float, _venue_ms: int) -> list[Heard]:
    return [PassedOver("heartbeat")]


_CHANNELS: Final[dict[str, Callable[[Frame, float, int], list[Heard]]]] = {
    "ticker": _hear_tickers,
    "trade": _hear_trades,
    "ohlc": _hear_candles,
    "book": _hear_books,
    "status": _hear_status,
    "instrument": _hear_instruments,
    "heartbeat": _hear_heartbeat,
}
