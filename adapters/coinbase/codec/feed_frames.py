"""The shapes of the public feed's frames: only the fields we use, under their own names.

Source: Exchange WebSocket channels; recorded frames of 2021 and 2026.
"""

from __future__ import annotations

import msgspec

from adapters.coinbase.codec.times import Time
from adapters.figures import Figure, Ident, Level, Word


class Frame(msgspec.Struct):
    product_id: Word


class TickerFrame(Frame):
    price: Figure
    best_bid: Figure
    best_ask: Figure
    volume_24h: Figure
    time: Time = ""  # a product that never traded has none


class MatchFrame(Frame):
    trade_id: Ident
    side: Word  # of the maker
    size: Figure
    price: Figure
    time: Time
    sequence: Ident = 0


class HeartbeatFrame(Frame):
    sequence: Ident
    last_trade_id: Ident
    time: Time = ""


class SnapshotFrame(Frame):
    bids: list[Level]
    asks: list[Level]


class ChangesFrame(Frame):
    changes: list[tuple[Word, Figure, Figure]]  # side, price, size; size 0 removes
    time: Time = ""


class AckedChannel(msgspec.Struct):
    name: Word
    product_ids: list[Word] | None = None


class AckFrame(msgspec.Struct):
    channels: list[AckedChannel]


class ErrorFrame(msgspec.Struct):
    message: str
    reason: str = ""


class StatusFrame(msgspec.Struct):
    products: msgspec.Raw = msgspec.Raw(b"[]")


class Loose(msgspec.Struct):
    """Any frame, as far as one must look to know what it is."""

    type: Word
