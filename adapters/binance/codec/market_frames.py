"""The shapes of Binance's market frames: only the fields we use, under its own names.

Source: web-socket-streams.md, 2026-07-21.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

import msgspec

from adapters.figures import Count, Figure, Ident, Level, Ms, Word

T = TypeVar("T")


class Event(msgspec.Struct):
    s: Word


class TickerEvent(Event):
    e: Literal["24hrTicker"]
    E: Ms
    c: Figure
    b: Figure
    a: Figure
    v: Figure


class BookTopEvent(Event):
    u: Ident
    b: Figure
    B: Figure
    a: Figure
    A: Figure


class TradeEvent(Event):
    e: Literal["trade"]
    t: Ident
    p: Figure
    q: Figure
    T: Ms
    m: bool


class KlineBody(msgspec.Struct):
    t: Ms
    T: Ms
    i: Word
    o: Figure
    h: Figure
    l: Figure  # noqa: E741 -- the venue's name
    c: Figure
    v: Figure
    q: Figure
    n: Count
    x: bool


class KlineEvent(Event):
    e: Literal["kline"]
    k: KlineBody


class DepthEvent(Event):
    e: Literal["depthUpdate"]
    E: Ms
    U: Ident
    u: Ident
    b: list[Level]
    a: list[Level]


class PartialDepth(msgspec.Struct):
    lastUpdateId: Ident  # noqa: N815 -- the venue's name
    bids: list[Level]
    asks: list[Level]


class Combined(msgspec.Struct, Generic[T]):
    """A frame of /stream."""

    stream: str
    data: T


class Fault(msgspec.Struct):
    code: int
    msg: str
    data: msgspec.Raw = msgspec.Raw()  # of a cancel-and-replace: what became of each half


class Loose(msgspec.Struct):
    """Any frame, as far as one must look to know what it is."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    e: str = ""
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: Fault | None = None
    code: int | None = None
    msg: str = ""
    s: str = ""
    lastUpdateId: Ident | None = None  # noqa: N815 -- the venue's name
