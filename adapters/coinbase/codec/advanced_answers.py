"""Read what Advanced Trade answers to a new order and to a cancel, and its errors.

Source: Advanced Trade REST API, "Create Order", "Cancel Orders", "Error Response".
"""

from __future__ import annotations

import attrs
import msgspec

from adapters.figures import UNREADABLE, BadFigure, Word, bad


class Created(msgspec.Struct):
    order_id: Word
    client_order_id: str = ""
    product_id: Word = ""


class Failure(msgspec.Struct):
    error: str = ""
    message: str = ""
    error_details: str = ""
    preview_failure_reason: str = ""
    new_order_failure_reason: str = ""


class OrderAnswer(msgspec.Struct):
    success: bool
    success_response: Created | None = None
    error_response: Failure | None = None
    failure_reason: str = ""
    order_id: Word = ""  # where there is no success_response, as there was not until 2024


class CancelResult(msgspec.Struct):
    success: bool
    failure_reason: str = ""
    order_id: Word = ""


class CancelAnswer(msgspec.Struct):
    results: list[CancelResult]


class ErrorBody(msgspec.Struct):
    error: str = ""
    message: str = ""
    error_details: str = ""


@attrs.frozen
class Refusal:
    """Why something was not done: the reasons the venue names, and its words."""

    codes: tuple[str, ...]
    text: str


_order = msgspec.json.Decoder(OrderAnswer)
_cancel = msgspec.json.Decoder(CancelAnswer)
_error = msgspec.json.Decoder(ErrorBody)


def decode_created(body: bytes) -> Created | Refusal:
    """Return the order that was created, or why none was.

    Raises:
      RemoteProtocolError: the answer says neither.
    """
    try:
        answer = _order.decode(body)
        if not answer.success:
            return _refusal(answer)
        created = answer.success_response or Created(answer.order_id)
        if not created.order_id:
            raise BadFigure("a success without an order id")
    except UNREADABLE as error:
        raise bad("order answer", body, error) from error
    return created


def _refusal(answer: OrderAnswer) -> Refusal:
    told = answer.error_response or Failure()
    codes = (
        told.error,
        told.new_order_failure_reason,
        told.preview_failure_reason,
        answer.failure_reason,
    )
    return Refusal(tuple(filter(None, codes)), told.message or told.error_details)


def decode_cancelled(body: bytes) -> CancelResult:
    """Return what became of the one cancel that was asked for.

    Raises:
      RemoteProtocolError: the answer is not about one.
    """
    try:
        (result,) = _cancel.decode(body).results
    except (*UNREADABLE, ValueError) as error:
        raise bad("cancel answer", body, error) from error
    return result


def decode_error(body: bytes) -> Refusal | None:
    """Return the venue's error, or None when the body is not one (a proxy's page)."""
    try:
        told = _error.decode(body)
    except UNREADABLE:
        return None
    if not (told.error or told.message):
        return None
    return Refusal((told.error,), told.message or told.error_details)
