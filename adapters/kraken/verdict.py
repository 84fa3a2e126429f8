"""Judge the venue's answer to an order: a definite no, or nobody knows (R-01, R-05).

Only what stands in these tables is a definite no: the venue says that the request did not
reach the matching engine, or that the engine refused it. Everything else is unknown and is
resolved by evidence. "cl_ord_id not unique" is unknown on purpose: the order is *there*.

Source: docs.kraken.com, "API Errors" and "Add Order", 2026-05-27; refusals recorded live in
../shared/captures/kraken-async-rs; WIRE 4.8 and 4.12.
"""

from __future__ import annotations

from typing import Final

from actors.messages import VenueAck, VenueReject, VenueUnknown

Outcome = VenueAck | VenueReject | VenueUnknown

TOO_FAST: Final = ("EOrder:Rate limit exceeded", "EAPI:Rate limit exceeded")
TOO_LATE: Final = "EService:Deadline elapsed"
BAD_SESSION: Final = ("ESession:Invalid session", "Token(s) not found")

# Refused before the engine, whatever was asked.
_REFUSED: Final = (
    "EAPI:Invalid key",
    "EAPI:Invalid signature",
    "EAPI:Invalid nonce",
    "EAPI:Feature disabled",
    "EGeneral:Permission denied",
    "EGeneral:Temporary lockout",
    "EGeneral:Unknown method",
    "EGeneral:Unknown Method",
    "EQuery:Unknown asset pair",
    "EService:Throttled",
    TOO_LATE,
    "EService:Market in cancel_only mode",
    "EService:Market in post_only mode",
    "EService:Market in limit_only mode",
    "Currency pair not supported",
    "Malformed request",
    *TOO_FAST,
    *BAD_SESSION,
)
_PLACE: Final = (
    "EGeneral:Invalid arguments",  # but see _EXISTS
    "EOrder:Insufficient funds",
    "EOrder:Order minimum not met",
    "EOrder:Cost minimum not met",
    "EOrder:Tick size check failed",
    "EOrder:Invalid price",
    "EOrder:Invalid order",
    "EOrder:Orders limit exceeded",
    "EOrder:Order limit exceeded",
    "EOrder:Positions limit exceeded",
    "EOrder:Cannot open position",
    "EOrder:Cannot open opposing position",
    "EOrder:Margin allowance exceeded",
    "EOrder:Insufficient margin",
    "EOrder:Reduce only",
    "EOrder:Trading agreement required",
    "EOrder:Post only order",
    "EOrder:Scheduled orders limit exceeded",
    "EOrder:Unknown position",
    "EAccount:Invalid permissions",
    "EAuth:Account temporary disabled",
    "EAuth:Account unconfirmed",
)
_CANCEL: Final = (
    "EOrder:Unknown order",
    "EOrder:Invalid order",
    "EGeneral:Invalid arguments",
)
_EXISTS: Final = "cl_ord_id not unique"
_FIELD: Final = " field must be "  # "Limit_price field must be a number_float"


def judge_fault(client_order_id: str, text: str, *, is_cancel: bool) -> Outcome:
    """Return what an error means for the order it is about."""
    known = _REFUSED + (_CANCEL if is_cancel else _PLACE)
    is_definite = text.startswith(known) or _FIELD in text
    if is_definite and _EXISTS not in text:
        return VenueReject(client_order_id, text[:60], text[:160])
    return VenueUnknown(client_order_id, text[:160])
