"""Read the public bodies of REST: time, book, trades, ticker, and errors.

Source: Exchange REST API; bodies of 2019 to 2026.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import msgspec

from actors.messages import BookSnapshot, Source, Ticker, Traded
from adapters.coinbase.codec.feed import EXCHANGE, taker_side
from adapters.coinbase.codec.times import Time, epoch_ms
from adapters.figures import (
    UNREADABLE,
    BadFigure,
    Figure,
    Ident,
    Levels,
    Word,
    amount,
    bad,
    positive,
)

Body = TypeVar("Body")
BookRow = tuple[Figure, Figure, msgspec.Raw]  # price, size, number of orders or an id


class TimeBody(msgspec.Struct):
    epoch: Decimal  # seconds


class BookBody(msgspec.Struct):
    sequence: Ident
    bids: list[BookRow]
    asks: list[BookRow]


class TickerBody(msgspec.Struct):
    price: Figure
    bid: Figure
    ask: Figure
    volume: Figure
    time: Time = ""


class TradeBody(msgspec.Struct):
    trade_id: Ident
    side: Word  # of the maker
    price: Figure
    size: Figure
    time: Time


class FaultBody(msgspec.Struct):
    message: str


_time = msgspec.json.Decoder(TimeBody)
_book = msgspec.json.Decoder(BookBody)
_ticker = msgspec.json.Decoder(TickerBody)
_trades = msgspec.json.Decoder(list[TradeBody])
_fault = msgspec.json.Decoder(FaultBody)


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
    told = decode_body(_time, "time", body).epoch
    if not Decimal(1_230_768_000) <= told <= Decimal(4_102_444_800):
        raise bad("time", body, BadFigure("not between 2009 and 2100"))
    return int(told * 1000)


def decode_book(body: bytes, symbol: str, received_s: float) -> BookSnapshot:
    """Return the whole book of GET /products/<id>/book?level=2, best first."""
    book = decode_body(_book, "book", body)
    try:
        bids, asks = _levels(book.bids), _levels(book.asks)
    except UNREADABLE as error:
        raise bad("book", body, error) from error
    return BookSnapshot(EXCHANGE, symbol, book.sequence, bids, asks, received_s)


def _levels(rows: list[BookRow]) -> Levels:
    return tuple([(positive(price), amount(size)) for price, size, _ in rows])


def decode_ticker(body: bytes, symbol: str, received_s: float) -> Ticker:
    """Return the body of GET /products/<id>/ticker."""
    told = decode_body(_ticker, "ticker", body)
    try:
        return Ticker(
            EXCHANGE,
            symbol,
            positive(told.price),
            amount(told.bid),
            amount(told.ask),
            amount(told.volume),
            epoch_ms(told.time),
            received_s,
            Source.REST,
        )
    except UNREADABLE as error:
        raise bad("ticker", body, error) from error


def decode_trades(body: bytes, symbol: str, received_s: float) -> tuple[Traded, ...]:
    """Return the body of GET /products/<id>/trades, oldest first."""
    rows = decode_body(_trades, "trades", body)
    try:
        found = [
            Traded(
                EXCHANGE,
                symbol,
                row.trade_id,
                positive(row.price),
                positive(row.size),
                taker_side(row.side),
                epoch_ms(row.time),
                received_s,
            )
            for row in rows
        ]
    except UNREADABLE as error:
        raise bad("trades", body, error) from error
    return tuple(sorted(found, key=lambda trade: trade.trade_id))


def decode_fault(body: bytes) -> str | None:
    """Return the venue's message, or None when the body is not one (a proxy's page)."""
    try:
        return _fault.decode(body).message
    except UNREADABLE:
        return None
