"""Hear and write user-data events, wrapped as the WS-API wraps them.

Source: user-data-stream.md, 2026-07-21. On a cancel `C` is the order's own client id and
`c` the id of the cancel request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from actors.messages import (
    BalancesHeard,
    PassedOver,
    PrivateMessage,
    PrivateStreamEnded,
    VenueBalance,
    VenueClosing,
    VenueFill,
    VenueOrder,
)
from adapters.binance.codec import words
from adapters.binance.codec.market import EXCHANGE
from adapters.figures import (
    UNREADABLE,
    BadFigure,
    Figure,
    Ident,
    Ms,
    Word,
    amount,
    bad,
    eight,
    fee_paid,
    positive,
)

UserMessage = PrivateMessage | PassedOver | VenueClosing


class Report(msgspec.Struct):
    """An executionReport, as far as we use it."""

    s: Word
    c: Word
    S: Word
    o: Word
    q: Figure
    p: Figure
    P: Figure
    x: Word
    X: Word
    i: Ident
    l: Figure  # noqa: E741 -- the venue's name
    z: Figure
    L: Figure
    T: Ms
    C: Word = ""
    r: Word = "NONE"
    n: Figure = "0"
    N: Word | None = None
    t: int = -1
    m: bool = False


class Holding(msgspec.Struct):
    a: Word
    f: Figure
    l: Figure  # noqa: E741 -- the venue's name


class Position(msgspec.Struct):
    E: Ms
    B: list[Holding]


class Named(msgspec.Struct):
    e: Word


class Wrapped(msgspec.Struct):
    event: msgspec.Raw


_report = msgspec.json.Decoder(Report)
_position = msgspec.json.Decoder(Position)
_named = msgspec.json.Decoder(Named)
_wrapped = msgspec.json.Decoder(Wrapped)

_EXECUTIONS: Final = frozenset({"TRADE", "CALCULATED"})  # with a trade id and a quantity
_NOT_TOLD: Final = frozenset({"balanceUpdate", "listStatus", "externalLockUpdate"})


def decode_user_event(
    text: str | bytes, symbols: Mapping[str, str]
) -> tuple[UserMessage, ...]:
    """Return what a wrapped event says: a trade is a fill and the order's new state.

    Raises:
      RemoteProtocolError: the event could not be read; reconcile.
    """
    try:
        return _hear(bytes(_wrapped.decode(text).event), symbols)
    except UNREADABLE as error:
        raise bad("user event", text, error) from error


def _hear(event: bytes, symbols: Mapping[str, str]) -> tuple[UserMessage, ...]:
    match _named.decode(event).e:
        case "executionReport":
            return _hear_report(_report.decode(event), symbols)
        case "outboundAccountPosition":
            return (_hear_position(_position.decode(event)),)
        case "eventStreamTerminated":
            return (PrivateStreamEnded("the venue ended the event stream"),)
        case "serverShutdown":
            return (VenueClosing(),)
        case name if name in _NOT_TOLD:
            return (PassedOver(f"{name}: balances and orders are told by other events"),)
        case name:
            return (PassedOver(f"event {name!a}"),)


def _hear_report(report: Report, symbols: Mapping[str, str]) -> tuple[UserMessage, ...]:
    symbol = symbols.get(report.s)
    if symbol is None:
        return (PassedOver(f"symbol {report.s!a} is not one of ours"),)
    client_order_id = report.c if report.C in {"", "null"} else report.C
    filled_base = amount(report.z)
    limit_price, stop_price = amount(report.p), amount(report.P)
    order = VenueOrder(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id=client_order_id,
        venue_order_id=str(report.i),
        side=words.side(report.S),
        order_type=report.o,
        status=words.status(report.X, is_filling=bool(filled_base)),
        base=amount(report.q),
        filled_base=filled_base,
        limit_price=limit_price or None,
        stop_price=stop_price or None,
        update_ms=report.T,
        reason="" if report.r == "NONE" else report.r,
    )
    if report.x not in _EXECUTIONS:
        return (order,)
    return (_fill(report, order), order)


def _fill(report: Report, order: VenueOrder) -> VenueFill:
    if report.t < 0:
        raise BadFigure("a trade without a trade id")
    return VenueFill(
        exchange=EXCHANGE,
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        trade_id=str(report.t),
        side=order.side,
        price=positive(report.L),
        base=positive(report.l),
        fee=fee_paid(report.n),
        fee_asset=report.N or "",
        is_maker=report.m,
        trade_ms=report.T,
    )


def _hear_position(position: Position) -> BalancesHeard:
    return BalancesHeard(
        tuple([VenueBalance(row.a, amount(row.f), amount(row.l)) for row in position.B]),
        position.E,
    )


def wrap_event(event: str, subscription_id: int = 0) -> str:
    """Return `event` as a WS-API connection carries it."""
    return f'{{"subscriptionId":{subscription_id},"event":{event}}}'


def encode_report(
    order: VenueOrder,
    venue_symbol: str,
    *,
    execution: str,
    fill: VenueFill | None = None,
    cancel_id: str = "",
    quote_filled: Decimal = Decimal(0),
    created_ms: int = 0,
    execution_id: int = 0,
) -> str:
    """Return an executionReport. `execution` is NEW, TRADE, CANCELED, REJECTED or EXPIRED.

    `cancel_id` is the id of the cancel request; then `C` carries the order's own.
    """
    fields: dict[str, object] = {
        "e": "executionReport",
        "E": order.update_ms,
        "s": venue_symbol,
        "c": cancel_id or order.client_order_id,
        **_terms_of(order),
        "C": order.client_order_id if cancel_id else "",
        "x": execution,
        "X": words.STATUS_WORD[order.status],
        "r": order.reason or "NONE",
        "i": int(order.venue_order_id),
        **_last_of(fill),
        "z": eight(order.filled_base),
        "T": order.update_ms,
        "I": execution_id,
        "w": words.STATUS_WORD[order.status] in {"NEW", "PARTIALLY_FILLED"},
        "M": False,
        "O": created_ms or order.update_ms,
        "Z": eight(quote_filled),
        "Q": "0.00000000",
        "W": created_ms or order.update_ms,
        "V": "NONE",
    }
    return msgspec.json.encode(fields).decode()


def _terms_of(order: VenueOrder) -> dict[str, object]:
    """Return the fields that say what was ordered."""
    return {
        "S": words.SIDE_WORD[order.side],
        "o": order.order_type,
        "f": "GTC",
        "q": eight(order.base),
        "p": eight(order.limit_price or Decimal(0)),
        "P": eight(order.stop_price or Decimal(0)),
        "F": "0.00000000",
        "g": -1,
    }


def _last_of(fill: VenueFill | None) -> dict[str, object]:
    """Return the fields of the last execution, empty when nothing was executed."""
    if fill is None:
        zero = "0.00000000"
        return {"l": zero, "L": zero, "n": "0", "N": None, "t": -1, "m": False, "Y": zero}
    return {
        "l": eight(fill.base),
        "L": eight(fill.price),
        "n": eight(fill.fee),
        "N": fill.fee_asset,
        "t": int(fill.trade_id),
        "m": fill.is_maker,
        "Y": eight(fill.price * fill.base),
    }


def encode_position(balances: Iterable[VenueBalance], event_ms: int) -> str:
    """Return an outboundAccountPosition event with the assets that changed."""
    rows = [{"a": b.asset, "f": eight(b.free), "l": eight(b.locked)} for b in balances]
    return msgspec.json.encode(
        {"e": "outboundAccountPosition", "E": event_ms, "u": event_ms, "B": rows}
    ).decode()


def encode_stream_end(event_ms: int) -> str:
    """Return an eventStreamTerminated event."""
    return f'{{"e":"eventStreamTerminated","E":{event_ms}}}'
