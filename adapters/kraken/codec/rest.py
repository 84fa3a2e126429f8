"""Read the bodies of Kraken's public REST: time, status, ticker, candles, book.

Every answer is HTTP 200 with `error` and `result`; an answer may be keyed by another name
of the pair than the one asked for, so a single pair is taken whatever it is called.

Source: docs.kraken.com, REST market data, 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from actors.messages import BookSnapshot, Candle, Source, Ticker
from adapters.figures import UNREADABLE, BadFigure, bad
from adapters.kraken.codec import words
from adapters.kraken.codec.market import MINUTE_MS, SystemHeard, checked_candle
from adapters.kraken.codec.numbers import NOTHING, amount, amounts, positive
from adapters.kraken.codec.words import EXCHANGE

Body = TypeVar("Body")


class Envelope(msgspec.Struct):
    error: list[str] = []
    result: msgspec.Raw = NOTHING


class Time(msgspec.Struct):
    unixtime: int


class Status(msgspec.Struct):
    status: str


class DayTicker(msgspec.Struct):
    """Prices and quantities; each list is described where it is read."""

    a: list[Decimal]  # best ask: price, whole lots, lots
    b: list[Decimal]
    c: list[Decimal]  # last trade: price, lots
    v: list[Decimal]  # volume: today, 24 hours


DepthRow = tuple[Decimal, Decimal, float]  # price, volume, time


class Depth(msgspec.Struct):
    asks: list[DepthRow]
    bids: list[DepthRow]


# time_s, open, high, low, close, vwap, volume, count
CandleRow = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, int]

_envelope = msgspec.json.Decoder(Envelope)
_keyed = msgspec.json.Decoder(dict[str, msgspec.Raw])
_time = msgspec.json.Decoder(Time)
_status = msgspec.json.Decoder(Status)
_ticker = msgspec.json.Decoder(DayTicker)
_depth = msgspec.json.Decoder(Depth)
_candles = msgspec.json.Decoder(list[CandleRow])


def decode_envelope(body: bytes) -> tuple[Sequence[str], msgspec.Raw]:
    """Return the errors, warnings left out, and the result.

    Raises:
      RemoteProtocolError: the body is no answer of the venue (a proxy's page).
    """
    envelope = decode_body(_envelope, "answer", body)
    errors = [plain_error(text) for text in envelope.error if not text.startswith("W")]
    if not errors and not bytes(envelope.result):
        raise bad("answer", body, BadFigure("neither a result nor an error"))
    return errors, envelope.result


def plain_error(text: str) -> str:
    """Return an error as most are written: there may be a space after the category."""
    return text.replace(": ", ":", 1)[:300]


def decode_body(
    decoder: msgspec.json.Decoder[Body], what: str, body: bytes | msgspec.Raw
) -> Body:
    """Return `body` parsed.

    Raises:
      RemoteProtocolError: it is not what the documentation says.
    """
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise bad(what, bytes(body), error) from error


def decode_time(result: msgspec.Raw) -> int:
    """Return the venue's Unix seconds: it tells no fraction."""
    return decode_body(_time, "time", result).unixtime


def decode_status(result: msgspec.Raw) -> SystemHeard:
    """Return what the venue says of itself."""
    return SystemHeard(decode_body(_status, "status", result).status)


def decode_day_ticker(
    result: msgspec.Raw, symbol: str, received_s: float, *, venue_ms: int
) -> Ticker:
    """Return the ticker of one symbol; the venue does not say when it was."""
    row = decode_body(_ticker, "ticker", only(result))
    try:
        amounts(*row.a, *row.b, *row.c, *row.v)
        return Ticker(
            EXCHANGE,
            symbol,
            positive(row.c[0]),
            row.b[0],
            row.a[0],
            row.v[1],
            venue_ms,
            received_s,
            Source.REST,
        )
    except (*UNREADABLE, IndexError) as error:
        raise bad("ticker", bytes(result), error) from error


def decode_depth(result: msgspec.Raw, symbol: str, received_s: float) -> BookSnapshot:
    """Return the best levels of a book. It has no number: no stream continues it."""
    book = decode_body(_depth, "depth", only(result))
    try:
        bids, asks = _levels(book.bids), _levels(book.asks)
    except UNREADABLE as error:
        raise bad("depth", bytes(result), error) from error
    return BookSnapshot(EXCHANGE, symbol, 0, bids, asks, received_s)


def _levels(rows: Sequence[DepthRow]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple([(positive(price), amount(base)) for price, base, _ in rows])


def decode_candles(
    result: msgspec.Raw, symbol: str, timeframe: str, *, limit: int
) -> tuple[Candle, ...]:
    """Return the newest candles, oldest first; the last is the one that still runs."""
    minutes = words.INTERVAL_M[timeframe]
    rows = decode_body(_candles, "candles", only(result))
    try:
        last_s = rows[-1][0] if rows else 0
        return tuple(
            [
                _candle(row, symbol, timeframe, minutes, is_closed=row[0] != last_s)
                for row in rows[-limit:]
            ]
        )
    except UNREADABLE as error:
        raise bad("candles", bytes(result)[:200], error) from error


def _candle(
    row: CandleRow, symbol: str, timeframe: str, minutes: int, *, is_closed: bool
) -> Candle:
    open_s, first, high, low, last, average, base, count = row
    return checked_candle(
        Candle(
            EXCHANGE,
            symbol,
            timeframe,
            open_s * 1000,
            open_s * 1000 + minutes * MINUTE_MS - 1,
            positive(first),
            positive(high),
            positive(low),
            positive(last),
            amount(base),
            amount(average) * base,
            count,
            is_closed,
        )
    )


def only(result: msgspec.Raw) -> msgspec.Raw:
    """Return the one value that is keyed by a pair; `last` pages, and is none.

    Raises:
      RemoteProtocolError: there is not exactly one.
    """
    keyed = decode_body(_keyed, "result", result)
    keyed.pop("last", None)
    if len(keyed) != 1:
        raise bad("result", bytes(result), BadFigure(f"{len(keyed)} pairs, not one"))
    return next(iter(keyed.values()))
