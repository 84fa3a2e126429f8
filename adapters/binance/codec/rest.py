"""Read the public bodies of REST: time, depth, klines, tickers and errors.

Source: rest-api.md, 2026-07-21.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from actors.messages import BookSnapshot, Candle, Source, Ticker
from adapters.binance.codec.market import EXCHANGE, checked_candle
from adapters.binance.codec.market_frames import Fault, PartialDepth
from adapters.binance.codec.market_writer import Day
from adapters.figures import (
    UNREADABLE,
    Count,
    Figure,
    Ms,
    amount,
    bad,
    eight,
    levels,
    positive,
)

Body = TypeVar("Body")


class Time(msgspec.Struct):
    serverTime: Ms  # noqa: N815 -- the venue's name


class DayTicker(msgspec.Struct, rename="camel"):
    last_price: Figure
    bid_price: Figure
    ask_price: Figure
    volume: Figure
    close_time: Ms


KlineRow = tuple[
    Ms, Figure, Figure, Figure, Figure, Figure, Ms, Figure, Count, Figure, Figure, Figure
]

_time = msgspec.json.Decoder(Time)
_depth = msgspec.json.Decoder(PartialDepth)
_klines = msgspec.json.Decoder(list[KlineRow])
_ticker = msgspec.json.Decoder(DayTicker)
_fault = msgspec.json.Decoder(Fault)


def decode_body(decoder: msgspec.json.Decoder[Body], what: str, body: bytes) -> Body:
    """Return `body` parsed.

    Raises:
      RemoteProtocolError: it is not what the documentation says.
    """
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise bad(what, body, error) from error


def decode_time(body: bytes) -> int:
    """Return the venue's Unix milliseconds."""
    return decode_body(_time, "time", body).serverTime


def encode_time(now_ms: int) -> bytes:
    return f'{{"serverTime":{now_ms}}}'.encode()


def decode_depth(body: bytes, symbol: str, received_s: float) -> BookSnapshot:
    """Return a book snapshot; its writer is `market_writer.encode_partial_depth`."""
    book = decode_body(_depth, "depth", body)
    try:
        bids, asks = levels(book.bids), levels(book.asks)
    except UNREADABLE as error:
        raise bad("depth", body, error) from error
    return BookSnapshot(EXCHANGE, symbol, book.lastUpdateId, bids, asks, received_s)


def decode_klines(body: bytes, symbol: str, timeframe: str) -> tuple[Candle, ...]:
    """Return candles, oldest first; the last may still be open.

    REST has no closed flag: a candle is closed once the answer holds a later one (R-26).
    """
    rows = decode_body(_klines, "klines", body)
    try:
        last_ms = rows[-1][0] if rows else 0
        return tuple(
            [_candle(row, symbol, timeframe, is_closed=row[0] < last_ms) for row in rows]
        )
    except UNREADABLE as error:
        raise bad("klines", body, error) from error


def _candle(row: KlineRow, symbol: str, timeframe: str, *, is_closed: bool) -> Candle:
    open_ms, first, high, low, last, base, close_ms, quote, trades, *_ = row
    return checked_candle(
        Candle(
            EXCHANGE,
            symbol,
            timeframe,
            open_ms,
            close_ms,
            positive(first),
            positive(high),
            positive(low),
            positive(last),
            amount(base),
            amount(quote),
            trades,
            is_closed,
        )
    )


def encode_klines(candles: list[Candle]) -> bytes:
    """Return the body of GET /api/v3/klines; the taker's share is told as half."""
    return msgspec.json.encode(
        [
            [
                c.open_ms,
                eight(c.open),
                eight(c.high),
                eight(c.low),
                eight(c.close),
                eight(c.volume_base),
                c.close_ms,
                eight(c.volume_quote),
                c.trades,
                eight(c.volume_base / 2),
                eight(c.volume_quote / 2),
                "0",
            ]
            for c in candles
        ]
    )


def decode_day_ticker(body: bytes, symbol: str, received_s: float) -> Ticker:
    """Return the ticker of GET /api/v3/ticker/24hr for one symbol."""
    day = decode_body(_ticker, "ticker", body)
    try:
        return Ticker(
            EXCHANGE,
            symbol,
            positive(day.last_price),
            amount(day.bid_price),
            amount(day.ask_price),
            amount(day.volume),
            day.close_time,
            received_s,
            Source.REST,
        )
    except UNREADABLE as error:
        raise bad("ticker", body, error) from error


def encode_day_ticker(ticker: Ticker, venue_symbol: str, day: Day) -> bytes:
    """Return the body of GET /api/v3/ticker/24hr for one symbol."""
    return msgspec.json.encode(
        {
            "symbol": venue_symbol,
            "priceChange": eight(day.change(ticker.last)),
            "priceChangePercent": f"{day.change_percent(ticker.last):.3f}",
            "weightedAvgPrice": eight(day.average(ticker.volume_base)),
            "prevClosePrice": eight(day.previous_close),
            "lastPrice": eight(ticker.last),
            "lastQty": eight(day.last_base),
            "bidPrice": eight(ticker.bid),
            "bidQty": eight(day.bid_base),
            "askPrice": eight(ticker.ask),
            "askQty": eight(day.ask_base),
            "openPrice": eight(day.open),
            "highPrice": eight(day.high),
            "lowPrice": eight(day.low),
            "volume": eight(ticker.volume_base),
            "quoteVolume": eight(day.volume_quote),
            "openTime": day.open_ms,
            "closeTime": ticker.exchange_ms,
            "firstId": day.first_id,
            "lastId": day.last_id,
            "count": day.trades,
        }
    )


def decode_fault(body: bytes) -> Fault | None:
    """Return the venue's error, or None when the body is not one (a proxy's page)."""
    try:
        return _fault.decode(body)
    except UNREADABLE:
        return None


def encode_fault(code: int, text: str) -> bytes:
    return msgspec.json.encode({"code": code, "msg": text})
