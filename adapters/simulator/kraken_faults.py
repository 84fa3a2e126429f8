"""Why Kraken says no: texts in a list, inside HTTP 200.

Source: "API Error Messages", 2026-05-27; the wording of tick, minimum and price decimals
from recorded answers of 2026.
"""

from __future__ import annotations

from typing import Final

from actors.pure.matching_orders import Rejection


class Refused(Exception):
    """A request that the venue turns down, in its own words."""


def invalid(name: str) -> Refused:
    return Refused(f"EGeneral:Invalid arguments:{name}")


def too_precise(symbol: str, decimals: int) -> Refused:
    return Refused(
        f"EOrder:Invalid price:{symbol} price can only be specified up to "
        f"{decimals} decimals."
    )


REJECTIONS: Final = {
    Rejection.INSUFFICIENT_BALANCE: "EOrder:Insufficient funds",
    Rejection.DUPLICATE: "EGeneral:Invalid arguments:cl_ord_id not unique",
    Rejection.WOULD_MATCH: "EOrder:Post only order",
    Rejection.WOULD_TRIGGER: "EOrder:Invalid price",
    Rejection.NO_LAST_PRICE: "EService:Unavailable",
}
BAD_KEY: Final = "EAPI:Invalid key"
BAD_SIGNATURE: Final = "EAPI:Invalid signature"
BAD_NONCE: Final = "EAPI:Invalid nonce"
BAD_SESSION: Final = "ESession:Invalid session"
NO_TOKEN: Final = "Token(s) not found"  # noqa: S105 -- what the venue says, no token
UNKNOWN_METHOD: Final = "EGeneral:Unknown method"
UNKNOWN_PAIR: Final = "EQuery:Unknown asset pair"
UNKNOWN_ORDER: Final = "EOrder:Unknown order"
INVALID_ORDER: Final = "EOrder:Invalid order"
MINIMUM: Final = "EGeneral:Invalid arguments:volume minimum not met"
COST_MINIMUM: Final = "EOrder:Cost minimum not met"
TICK: Final = "EOrder:Tick size check failed"
TOO_MANY_OPEN: Final = "EOrder:Orders limit exceeded"
TOO_FAST: Final = "EAPI:Rate limit exceeded"
TOO_FAST_ORDERS: Final = "EOrder:Rate limit exceeded"
TOO_FAST_MESSAGES: Final = "Exceeded msg rate"
LOCKOUT: Final = "EGeneral:Temporary lockout"
DEADLINE: Final = "EService:Deadline elapsed"
UNAVAILABLE: Final = "EService:Unavailable"
