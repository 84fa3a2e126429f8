"""Ask for and read cancel-and-replace: one request, two halves that succeed or fail apart.

Not transactional: in STOP_ON_FAILURE nothing is placed unless the cancel succeeded, but a
cancel stays done when the new order is then refused.

Source: rest-api.md and web-socket-api.md, "Cancel and replace order"; errors.md.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from actors.messages import OrderRequest
from adapters.binance.codec.market_frames import Fault
from adapters.binance.codec.orders import place_params
from adapters.figures import UNREADABLE, bad

PARTLY_FAILED: Final = -2021
WHOLLY_FAILED: Final = -2022
_NOTHING: Final = msgspec.Raw()

Result = Literal["SUCCESS", "FAILURE", "NOT_ATTEMPTED"]


class Halves(msgspec.Struct, rename="camel"):
    """What became of each half: an answer as the half alone would get, or a fault."""

    cancel_result: Result
    new_order_result: Result
    cancel_response: msgspec.Raw = _NOTHING
    new_order_response: msgspec.Raw = _NOTHING


_halves = msgspec.json.Decoder(Halves)
_fault = msgspec.json.Decoder(Fault)


def decode_halves(body: bytes) -> Halves:
    """Return the halves of an answer, or of the `data` of an error.

    Raises:
      RemoteProtocolError: unreadable.
    """
    try:
        return _halves.decode(body)
    except UNREADABLE as error:
        raise bad("cancel-and-replace answer", body, error) from error


def decode_half_fault(body: bytes) -> Fault:
    """Return why one half failed.

    Raises:
      RemoteProtocolError: unreadable.
    """
    try:
        return _fault.decode(body)
    except UNREADABLE as error:
        raise bad("cancel-and-replace fault", body, error) from error


def replace_params(client_order_id: str, request: OrderRequest) -> dict[str, str]:
    """Return the parameters of a cancel-and-replace but its symbol.

    ONLY_NEW: an order that has begun to fill stays as it is, and so does what it guards.

    Raises:
      LocalProtocolError: a price that the order type needs is missing.
    """
    return {
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrigClientOrderId": client_order_id,
        "cancelRestrictions": "ONLY_NEW",
        **place_params(request),
    }
