"""Judge the venue's answer to a cancel-and-replace, each half on its own (R-01, R-05).

A half whose success cannot be read is unknown, never assumed; so are both when the answer
does not say what became of each and is no definite no.
"""

from __future__ import annotations

from typing import Final

from actors.messages import VenueAck, VenueReject, VenueReplaced, VenueUnknown
from adapters.binance.codec import orders
from adapters.binance.codec.replace import (
    PARTLY_FAILED,
    WHOLLY_FAILED,
    Halves,
    Result,
    decode_half_fault,
    decode_halves,
)
from adapters.binance.order_roads import Reply
from adapters.binance.verdict import Endpoint, Outcome, judge_fault
from adapters.errors import RemoteProtocolError

NOT_REPLACED: Final = "not_replaced"  # the venue did not attempt this half


def judge_replaced(
    reply: Reply, cancelled_id: str, placed_id: str, symbols: orders.Symbols
) -> VenueReplaced:
    """Return what a readable answer says of both halves.

    Raises:
      RemoteProtocolError: it says that it was carried out, but not what became of it.
    """
    if reply.status == 200:
        halves = decode_halves(reply.body)
    elif _tells_halves(reply):
        halves = decode_halves(bytes(reply.data))
    else:
        return VenueReplaced(
            reply.judge(Endpoint.CANCEL, cancelled_id),
            reply.judge(Endpoint.PLACE, placed_id),
        )
    return _both(halves, cancelled_id, placed_id, symbols)


def _tells_halves(reply: Reply) -> bool:
    return reply.code in {PARTLY_FAILED, WHOLLY_FAILED} and reply.status < 500


def _both(
    halves: Halves, cancelled_id: str, placed_id: str, symbols: orders.Symbols
) -> VenueReplaced:
    cancelled = _half(
        Endpoint.CANCEL,
        cancelled_id,
        halves.cancel_result,
        bytes(halves.cancel_response),
        symbols,
    )
    placed = _half(
        Endpoint.PLACE,
        placed_id,
        halves.new_order_result,
        bytes(halves.new_order_response),
        symbols,
    )
    return VenueReplaced(cancelled, placed)


def _half(
    endpoint: Endpoint,
    client_order_id: str,
    result: Result,
    body: bytes,
    symbols: orders.Symbols,
) -> Outcome:
    if result == "NOT_ATTEMPTED":
        return VenueReject(client_order_id, NOT_REPLACED, "the venue did not attempt it")
    try:
        if result == "SUCCESS":
            return _acked(endpoint, client_order_id, body, symbols)
        fault = decode_half_fault(body)
    except RemoteProtocolError as error:
        return VenueUnknown(client_order_id, str(error))
    return judge_fault(
        endpoint, client_order_id, status=400, code=fault.code, text=fault.msg
    )


def _acked(
    endpoint: Endpoint, client_order_id: str, body: bytes, symbols: orders.Symbols
) -> VenueAck:
    is_cancel = endpoint is Endpoint.CANCEL
    decode = orders.decode_canceled if is_cancel else orders.decode_placed
    ack = decode(body, symbols)
    if ack.client_order_id != client_order_id:
        raise RemoteProtocolError(f"the answer is about {ack.client_order_id[:40]!a}")
    return ack
