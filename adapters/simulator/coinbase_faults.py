"""How Coinbase refuses: Exchange by status and message, Advanced Trade by enumerations.

Exchange's messages are free text and no documentation lists them all: those here are the
ones that clients are known to match (WIRE 3.9), or say plainly what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actors.pure.matching_orders import Rejection


class Refused(Exception):
    """No, in Exchange's words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class AdvancedRefused(Exception):
    """No, in Advanced Trade's words, with a status of its own."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(f"{status}: {error} {message}")
        self.status = status
        self.error = error
        self.message = message


class OrderRefused(Exception):
    """No to an order, inside an answer of status 200."""

    def __init__(self, error: str, message: str = "", preview: str = "") -> None:
        super().__init__(f"{error} {message}")
        self.error = error
        self.message = message
        self.preview = preview or "UNKNOWN_PREVIEW_FAILURE_REASON"


def invalid(message: str) -> AdvancedRefused:
    return AdvancedRefused(400, "INVALID_ARGUMENT", message)


NOT_FOUND: Final = (404, "NotFound")
NO_ORDER: Final = (404, "order not found")
ALREADY_DONE: Final = (400, "Order already done")
BAD_KEY: Final = (401, "Invalid API Key")
BAD_SIGNATURE: Final = (401, "invalid signature")
BAD_PASSPHRASE: Final = (401, "Invalid Passphrase")
EXPIRED: Final = (401, "request timestamp expired")
PUBLIC_LIMIT: Final = (429, "Public rate limit exceeded")
PRIVATE_LIMIT: Final = (429, "Private rate limit exceeded")
SERVER_ERROR: Final = (500, "Internal server error")
DUPLICATE: Final = (400, "Duplicate client_oid")  # the venue's own words are not known

REJECTED: Final[Mapping[Rejection, tuple[int, str]]] = {
    Rejection.INSUFFICIENT_BALANCE: (400, "Insufficient funds"),
    Rejection.DUPLICATE: DUPLICATE,
    Rejection.WOULD_TRIGGER: (400, "stop price would trigger at once"),
    Rejection.NO_LAST_PRICE: (400, "Trading pair not available"),
}
ADVANCED_REJECTED: Final[Mapping[Rejection, tuple[str, str, str]]] = {
    Rejection.INSUFFICIENT_BALANCE: (
        "INSUFFICIENT_FUND",
        "Insufficient balance in source account",
        "PREVIEW_INSUFFICIENT_FUND",
    ),
    Rejection.WOULD_MATCH: (
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "a post-only order would take at this price",
        "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY",
    ),
    Rejection.NO_LAST_PRICE: ("INELIGIBLE_PAIR", "the product is not traded", ""),
}
