"""Kraken's WebSocket v2 frames as they stand on the wire, as far as we use them.

Acknowledgements have `method`, data has `channel`. Public and private frames share the
envelope.

Source: docs.kraken.com, WebSocket v2, 2026-05-27; ../shared/captures.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from adapters.figures import UNREADABLE, BadFigure, bad
from adapters.kraken.codec.numbers import NOTHING, ZERO, Word


class Frame(msgspec.Struct):
    """One message: data of a channel, or the answer to a request."""

    channel: str = ""
    type: str = ""
    data: msgspec.Raw = NOTHING
    sequence: int = 0  # of private channels
    method: str = ""
    success: bool = False
    error: str = ""
    symbol: str = ""  # of a refusal; not always
    req_id: int | None = None
    result: msgspec.Raw = NOTHING
    time_out: datetime | None = None


class Named(msgspec.Struct):
    """What an acknowledgement says was subscribed to."""

    channel: Word = ""
    symbol: Word = ""


class TickerRow(msgspec.Struct):
    symbol: Word
    bid: Decimal = ZERO
    bid_qty: Decimal = ZERO
    ask: Decimal = ZERO
    ask_qty: Decimal = ZERO
    last: Decimal = ZERO
    volume: Decimal = ZERO
    timestamp: datetime | None = None


class TradeRow(msgspec.Struct):
    symbol: Word
    side: Word
    price: Decimal
    qty: Decimal
    trade_id: int
    timestamp: datetime


class CandleRow(msgspec.Struct):
    symbol: Word
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    interval: int
    interval_begin: datetime
    vwap: Decimal = ZERO
    trades: int = 0


class LevelRow(msgspec.Struct):
    price: Decimal
    qty: Decimal


class BookRow(msgspec.Struct):
    symbol: Word
    bids: list[LevelRow] = []
    asks: list[LevelRow] = []
    checksum: int = -1
    timestamp: datetime | None = None


class MaintenanceRow(msgspec.Struct):
    """One announced event; every field may be missing."""

    title: str = ""
    phase: str = ""
    affected_services: list[str] = []
    expected_start_utc: str = ""
    expected_end_utc: str = ""
    order_submission: str = ""


class StatusRow(msgspec.Struct):
    system: Word
    upcoming_maintenance: list[MaintenanceRow] = []
    emergency: list[MaintenanceRow] = []


class PairRow(msgspec.Struct):
    symbol: Word
    status: Word
    price_precision: int = 0
    qty_precision: int = 0


class InstrumentRows(msgspec.Struct):
    pairs: list[PairRow] = []


_frame = msgspec.json.Decoder(Frame)
_named = msgspec.json.Decoder(Named)


def decode_frame(text: str | bytes) -> Frame:
    """Return the envelope; its data is read by whoever knows the channel.

    Raises:
      RemoteProtocolError: it is neither data nor an answer.
    """
    try:
        frame = _frame.decode(text)
        if not (frame.channel or frame.method or frame.error):
            raise BadFigure("neither data nor an answer")
    except UNREADABLE as error:
        raise bad("frame", text, error) from error
    return frame


def decode_named(result: msgspec.Raw) -> Named:
    """Return what an acknowledgement is about; nothing where it does not say."""
    try:
        return _named.decode(result) if bytes(result) else Named()
    except UNREADABLE as error:
        raise bad("acknowledgement", bytes(result), error) from error
