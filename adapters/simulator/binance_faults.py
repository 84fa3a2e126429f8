"""Why Binance says no: its codes with its own words.

Source: errors.md, 2026-07-21; the wording of -1100 and -1104 from recorded answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actors.pure.matching_orders import Rejection

CLIENT_ID_RANGE: Final = "^[a-zA-Z0-9-_]{1,36}$"
NUMBER_RANGE: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"


class Refused(Exception):
    """A request that the venue turns down."""

    def __init__(
        self, code: int, text: str, *, status: int = 400, until_ms: int | None = None
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status
        self.until_ms = until_ms  # of 429 and 418


class HalfRefused(Refused):
    """A cancel-and-replace of which one half or both failed; `data` says which and why."""

    def __init__(self, data: Mapping[str, object], *, has_effect: bool) -> None:
        if has_effect:
            super().__init__(-2021, "Order cancel-replace partially failed.", status=409)
        else:
            super().__init__(-2022, "Order cancel-replace failed.")
        self.data = data
        self.has_effect = has_effect  # one half was carried out


def missing(name: str) -> Refused:
    return Refused(
        -1102,
        f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    )


def illegal(name: str, legal: str) -> Refused:
    return Refused(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
    )


def not_required(name: str) -> Refused:
    return Refused(-1106, f"Parameter '{name}' sent when not required.")


def too_precise(name: str) -> Refused:
    return Refused(-1111, f"Parameter '{name}' has too much precision.")


def filter_failure(name: str) -> Refused:
    return Refused(-1013, f"Filter failure: {name}")


def over_weight(status: int, until_ms: int, limit: int) -> Refused:
    if status == 418:
        text = f"Way too much request weight used; IP banned until {until_ms}."
        hint = "Please use WebSocket Streams for live updates to avoid bans."
    else:
        text = (
            "Too much request weight used; current limit is "
            f"{limit} request weight per 1 MINUTE."
        )
        hint = "Please use WebSocket Streams for live updates to avoid polling the API."
    return Refused(-1003, f"{text} {hint}", status=status, until_ms=until_ms)


def over_orders(limit: int, window_s: int, until_ms: int) -> Refused:
    window = "1 DAY" if window_s == 86_400 else f"{window_s} SECOND"
    return Refused(
        -1015,
        f"Too many new orders; current limit is {limit} orders per {window}.",
        status=429,
        until_ms=until_ms,
    )


REJECTIONS: Final = {
    Rejection.INSUFFICIENT_BALANCE: (
        "Account has insufficient balance for requested action."
    ),
    Rejection.DUPLICATE: "Duplicate order sent.",
    Rejection.WOULD_MATCH: "Order would immediately match and take.",
    Rejection.WOULD_TRIGGER: "Order would trigger immediately.",
    Rejection.NO_LAST_PRICE: "Market is closed.",
}
INVALID_SYMBOL: Final = (-1121, "Invalid symbol.")
UNKNOWN_CANCEL: Final = (-2011, "Unknown order sent.")
RESTRICTED: Final = (-2011, "Order was not canceled due to cancel restrictions.")
NO_SUCH_ORDER: Final = (-2013, "Order does not exist.")
NEITHER_ID: Final = (
    -1102,
    "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
)
NEITHER_CANCEL_ID: Final = (
    -1102,
    "Param 'cancelOrigClientOrderId' or 'cancelOrderId' must be sent, but both were "
    "empty/null!",
)
BAD_RESTRICTIONS: Final = (-1145, "Invalid cancelRestrictions")
BAD_KEY_FORMAT: Final = (-2014, "API-key format invalid.")
BAD_KEY: Final = (-2015, "Invalid API-key, IP, or permissions for action.")
BAD_SIGNATURE: Final = (-1022, "Signature for this request is not valid.")
TOO_LATE: Final = (-1021, "Timestamp for this request is outside of the recvWindow.")
TOO_EARLY: Final = (
    -1021,
    "Timestamp for this request was 1000ms ahead of the server's time.",
)
UNKNOWN_OUTCOME: Final = (
    -1007,
    "Timeout waiting for response from backend server. Send status unknown; "
    "execution status unknown.",
)
