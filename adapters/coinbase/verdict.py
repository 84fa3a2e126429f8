"""Judge the venue's answer to an order: a definite no, or nobody knows (R-01, R-05).

Only what stands in these tables is a definite no: the venue refused the request before it
reached an engine, or the engine refused it. Everything else is unknown and is resolved by
evidence, also a refusal for no reason it knows, and one that says beside others
DUPLICATE_CLIENT_ORDER_ID: the order is *there*.

Source: Advanced Trade REST API, "Create Order" and "Cancel Orders" (the enumerations of
2026); Exchange REST API, "Errors", and the texts of WIRE 3.9.
"""

from __future__ import annotations

from typing import Final

from actors.messages import VenueAck, VenueReject, VenueUnknown
from adapters.coinbase.codec.advanced_answers import Refusal, decode_error
from adapters.coinbase.codec.rest import decode_fault
from adapters.errors import ConnectionLost, RateLimited, RemoteProtocolError
from adapters.http import HttpAnswer, NotSent

Outcome = VenueAck | VenueReject | VenueUnknown

NOT_SENT: Final = "not_sent"
ROAD_ERRORS: Final = (ConnectionLost, RateLimited, RemoteProtocolError)

ADVANCED_PLACE: Final = frozenset({
    "UNSUPPORTED_ORDER_CONFIGURATION", "INVALID_SIDE", "INVALID_PRODUCT_ID",
    "INVALID_SIZE_PRECISION", "INVALID_PRICE_PRECISION", "INSUFFICIENT_FUND",
    "INSUFFICIENT_FUNDS", "INVALID_LEDGER_BALANCE", "ORDER_ENTRY_DISABLED",
    "INELIGIBLE_PAIR", "INVALID_LIMIT_PRICE_POST_ONLY", "INVALID_LIMIT_PRICE",
    "INVALID_NO_LIQUIDITY", "INVALID_REQUEST", "COMMANDER_REJECTED_NEW_ORDER",
    "UNTRADABLE_PRODUCT", "GEOFENCING_RESTRICTION", "MISSING_MARKET_TRADE_DATA",
    "LIMIT_PRICE_TOO_FAR_FROM_MARKET", "STOP_TRIGGER_PRICE_OUT_OF_BOUNDS",
    "NOT_ALLOWED_BY_MARKET_STATE", "COMPLIANCE_PURCHASE_LIMIT_EXCEEDED",
})  # fmt: skip
IS_THERE: Final = "DUPLICATE_CLIENT_ORDER_ID"
PREVIEW: Final = "PREVIEW_"  # failed before there was anything to send on
ADVANCED_CANCEL: Final = frozenset({
    "UNKNOWN_CANCEL_ORDER", "INVALID_CANCEL_REQUEST", "COMMANDER_REJECTED_CANCEL_ORDER",
    "INVALID_CANCEL_PRODUCT_ID", "NOT_ALLOWED_TO_CANCEL", "ORDER_IS_FULLY_FILLED",
})  # fmt: skip
BEING_CANCELLED: Final = "DUPLICATE_CANCEL_REQUEST"
# gRPC's names for a request that was refused as such, sent with a 4xx.
_REFUSED: Final = frozenset({
    "INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED",
    "FAILED_PRECONDITION",
})  # fmt: skip
EXCHANGE_PLACE: Final = (
    "insufficient funds",
    "size is too small",
    "size is too large",
    "size too precise",
    "size is too precise",
    "price is too small",
    "price too small",
    "price too precise",
    "price is too precise",
    "invalid price",
    "invalid size",
    "invalid stop_price",
    "invalid product",
    "product not found",
    "trading pair not available",
    "limit only mode",
    "post only mode",
    "cancel only mode",
    "auction mode",
    "trading is disabled",
    "under maintenance",
    "bad request",
)
EXCHANGE_CANCEL: Final = (
    "order already done",
    "order not found",
    "notfound",
    "invalid order id",
)
UNSIGNED: Final = 401  # whatever the body: nobody's request reaches an engine
FORBIDDEN: Final = 403


def judge_refusal(
    client_order_id: str, refusal: Refusal, known: frozenset[str]
) -> VenueReject | VenueUnknown:
    """Return what a refusal inside of HTTP 200 means for the order it is about."""
    for code in () if IS_THERE in refusal.codes else refusal.codes:
        if code in known or code.startswith(PREVIEW):
            return VenueReject(client_order_id, code, refusal.text[:160])
    shown = f"{' '.join(refusal.codes)}: {refusal.text[:120]}"
    return VenueUnknown(client_order_id, shown)


def judge_advanced(
    client_order_id: str, answer: HttpAnswer, known: frozenset[str]
) -> VenueReject | VenueUnknown:
    """Return what an error answer of Advanced Trade means for an order."""
    if answer.status == UNSIGNED:
        return _unsigned(client_order_id, answer)
    refusal = decode_error(answer.body)
    if refusal is None or answer.status >= 500:
        return _unreadable(client_order_id, answer)
    return judge_refusal(client_order_id, refusal, known | _REFUSED)


def judge_exchange(
    client_order_id: str, answer: HttpAnswer, texts: tuple[str, ...]
) -> VenueReject | VenueUnknown:
    """Return what an error answer of the Exchange means for an order."""
    if answer.status == UNSIGNED:
        return _unsigned(client_order_id, answer)
    told = decode_fault(answer.body)
    if told is None or answer.status >= 500:
        return _unreadable(client_order_id, answer)
    is_known = told.lower().startswith(texts) and 400 <= answer.status < 500
    if is_known or answer.status == FORBIDDEN:
        return VenueReject(client_order_id, str(answer.status), told[:160])
    return VenueUnknown(client_order_id, f"HTTP {answer.status}: {told[:160]}")


def judge_error(
    client_order_id: str, error: ConnectionLost | RateLimited | RemoteProtocolError
) -> VenueReject | VenueUnknown:
    """Return what a request that got no readable answer means for an order."""
    if isinstance(error, NotSent):
        return VenueReject(client_order_id, NOT_SENT, str(error))
    if isinstance(error, RateLimited):  # before it was sent, or the answer to itself
        return VenueReject(client_order_id, "rate_limited", str(error))
    return VenueUnknown(client_order_id, str(error))


def _unsigned(client_order_id: str, answer: HttpAnswer) -> VenueReject:
    shown = decode_fault(answer.body) or f"{answer.body[:100]!a}"
    return VenueReject(client_order_id, str(UNSIGNED), shown[:160])


def _unreadable(client_order_id: str, answer: HttpAnswer) -> VenueUnknown:
    return VenueUnknown(client_order_id, f"HTTP {answer.status} {answer.body[:100]!a}")
