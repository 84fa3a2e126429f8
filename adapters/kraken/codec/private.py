"""Hear the private channels of WebSocket v2: executions and balances, and answers.

Updates are sparse: most carry the venue's id of an order and what has changed. Whoever
knows the orders joins them. Each channel counts its frames.

Source: docs.kraken.com, WebSocket v2 "executions", "balances", "add_order", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import attrs
import msgspec

from adapters.figures import UNREADABLE, BadFigure, bad
from adapters.kraken.codec.frames import Frame, decode_frame
from adapters.kraken.codec.numbers import ZERO, Word, signed
from adapters.kraken.codec.rest import plain_error


class Fee(msgspec.Struct):
    asset: Word
    qty: Decimal


class Triggers(msgspec.Struct):
    price: Decimal | None = None


class Execution(msgspec.Struct):
    """One row of executions; what is missing has not changed."""

    order_id: Word
    exec_type: Word
    timestamp: datetime
    order_status: Word = ""
    cl_ord_id: Word = ""
    symbol: Word = ""
    side: Word = ""
    order_type: Word = ""
    order_qty: Decimal | None = None
    limit_price: Decimal | None = None
    triggers: Triggers | None = None
    cum_qty: Decimal | None = None
    last_qty: Decimal | None = None
    last_price: Decimal | None = None
    exec_id: Word = ""
    liquidity_ind: Word = ""
    fees: list[Fee] = []
    reason: str = ""


class Wallet(msgspec.Struct):
    type: Word
    id: Word
    balance: Decimal


class BalanceRow(msgspec.Struct):
    asset: Word
    balance: Decimal = ZERO  # of the wallet in an update, of all in a snapshot
    wallets: list[Wallet] = []
    wallet_type: Word = "spot"
    wallet_id: Word = "main"
    timestamp: datetime | None = None


class Acked(msgspec.Struct):
    """What an answer about an order, or a subscription, may hold."""

    order_id: Word = ""
    cl_ord_id: Word = ""
    channel: Word = ""
    maxratecount: int = 0


@attrs.frozen
class ExecutionsHeard:
    rows: tuple[Execution, ...]
    sequence: int
    is_snapshot: bool


@attrs.frozen
class BalancesTold:
    """Totals of the spot wallet, holds not told."""

    totals: tuple[tuple[str, Decimal], ...]
    at: datetime | None
    sequence: int


@attrs.frozen
class Answer:
    """The venue's word on one request."""

    method: str
    request_id: int | None
    error: str
    acked: Acked
    at: datetime | None


class Token(msgspec.Struct):
    token: str


PrivateHeard = ExecutionsHeard | BalancesTold | Answer | None

_executions = msgspec.json.Decoder(list[Execution])
_balances = msgspec.json.Decoder(list[BalanceRow])
_acked = msgspec.json.Decoder(Acked)
_token = msgspec.json.Decoder(Token)


def decode_token(result: msgspec.Raw) -> str:
    """Return a token for private sockets; what cannot be read is not shown (S-3)."""
    try:
        return _token.decode(result).token
    except UNREADABLE:
        raise bad("token", b"", BadFigure("there is none")) from None


def decode_private(text: str | bytes) -> PrivateHeard:
    """Return what a frame of a private socket says; None for what is no news to us.

    Raises:
      RemoteProtocolError: the frame could not be read; reconcile.
    """
    frame = decode_frame(text)
    try:
        if not frame.channel:
            return _hear_answer(frame)
        if frame.channel == "executions":
            rows = tuple(_executions.decode(frame.data))
            return ExecutionsHeard(rows, frame.sequence, frame.type == "snapshot")
        if frame.channel == "balances":
            return _hear_balances(frame)
    except UNREADABLE as error:
        raise bad(f"{frame.channel[:40]} frame", text, error) from error
    return None


def _hear_answer(frame: Frame) -> Answer:
    told = bytes(frame.result)
    acked = _acked.decode(told) if told.startswith(b"{") else Acked()
    error = plain_error(frame.error)
    error = error or ("" if frame.success else "no success, and no reason")
    if frame.method == "pong":
        error = ""
    return Answer(frame.method, frame.req_id, error, acked, frame.time_out)


def _hear_balances(frame: Frame) -> BalancesTold:
    rows = _balances.decode(frame.data)
    totals: dict[str, Decimal] = {}
    for row in rows:
        spot = [each.balance for each in row.wallets if (each.type, each.id) == _SPOT]
        if row.wallets:
            totals[row.asset] = signed(spot[0]) if spot else ZERO
        elif (row.wallet_type, row.wallet_id) == _SPOT:
            totals[row.asset] = signed(row.balance)
    at = next((row.timestamp for row in reversed(rows) if row.timestamp), None)
    return BalancesTold(tuple(totals.items()), at, frame.sequence)


_SPOT = ("spot", "main")


def encode_request(
    request_id: int, method: str, params: Mapping[str, object] | None = None
) -> str:
    """Return a request; numbers in it are written by `numbers.bare`."""
    fields: dict[str, object] = {"method": method, "req_id": request_id}
    if params is not None:
        fields["params"] = params
    return msgspec.json.encode(fields).decode()
