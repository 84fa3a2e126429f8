"""Judge the venue's answer to an order: a definite no, or nobody knows (R-01, R-05).

Only what stands in these tables is a definite no: the venue says that the request did not
reach the matching engine, or that the engine refused it. Everything else is unknown and is
resolved by evidence. "Duplicate order sent." is unknown on purpose: the order is *there*.

Source: errors.md and rest-api.md ("HTTP Return Codes"), 2026-07-21.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from actors.messages import VenueAck, VenueReject, VenueUnknown

Outcome = VenueAck | VenueReject | VenueUnknown


class Endpoint(Enum):
    PLACE = "place"
    CANCEL = "cancel"


# Refused before the matching engine, whatever was asked.
_REFUSED: Final = frozenset({
    -1002,  # UNAUTHORIZED
    -1003,  # TOO_MANY_REQUESTS
    -1013,  # INVALID_MESSAGE: "the request didn't reach the Matching Engine"
    -1014,  # UNKNOWN_ORDER_COMPOSITION
    -1015,  # TOO_MANY_ORDERS
    -1020,  # UNSUPPORTED_OPERATION
    -1021,  # INVALID_TIMESTAMP, also when checked again before the engine
    -1022,  # INVALID_SIGNATURE
    -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108,  # malformed parameters
    -1111,  # BAD_PRECISION
    -1114, -1115, -1116, -1117, -1118, -1119,  # TIF, type, side, ids
    -1121,  # BAD_SYMBOL
    -1128, -1130, -1131, -1135, -1145,  # bad combinations and values
    -2014, -2015,  # key format; key, IP or permission
})  # fmt: skip

# Said by the matching engine with -1010, -2010 or -2011.
_ENGINE: Final = frozenset({-1010, -2010, -2011})
_PLACE_TEXTS: Final = (
    "market is closed",
    "account has insufficient balance",
    "market orders are not supported",
    "stop loss orders are not supported",
    "stop loss limit orders are not supported",
    "take profit orders are not supported",
    "take profit limit orders are not supported",
    "price * qty is zero or less",
    "this action is disabled on this account",
    "this account may not place or cancel orders",
    "unsupported order combination",
    "order would trigger immediately",
    "order would immediately match and take",
    "this symbol is not permitted for this account",
    "this symbol is restricted for this account",
    "rest api trading is not enabled",
    "websocket api trading is not enabled",
    "order book liquidity is less than",
    "filter failure",
    "order cancel-replace is not supported",
)
_CANCEL_TEXTS: Final = (
    "unknown order sent",
    "cancel order is invalid",
    "order was not canceled due to cancel restrictions",
    "this action is disabled on this account",
    "this account may not place or cancel orders",
    "order cancel-replace is not supported",
)
_TEXTS: Final = {Endpoint.PLACE: _PLACE_TEXTS, Endpoint.CANCEL: _CANCEL_TEXTS}


def judge_fault(
    endpoint: Endpoint, client_order_id: str, *, status: int, code: int, text: str
) -> VenueReject | VenueUnknown:
    """Return what an error answer means for the order it is about."""
    shown = f"{code}: {text[:160]}"
    if status >= 500:
        return VenueUnknown(client_order_id, f"HTTP {status}, {shown}")
    if code in _REFUSED:
        return VenueReject(client_order_id, str(code), text[:160])
    if code in _ENGINE and text.lower().startswith(_TEXTS[endpoint]):
        return VenueReject(client_order_id, str(code), text[:160])
    return VenueUnknown(client_order_id, shown)
