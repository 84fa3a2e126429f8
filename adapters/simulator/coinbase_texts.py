"""Ids, times and figures as Coinbase writes them. Pure."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from adapters.coinbase.codec.market_writer import EPOCH, eight, micro, plain
from adapters.simulator.config import Listing

__all__ = [
    "UUID4_TEXT",
    "UUID_TEXT",
    "eight",
    "micro",
    "milli",
    "named_uuid",
    "nano",
    "order_number",
    "order_uuid",
    "plain",
    "product_id",
    "read_time",
    "sixteen",
]
ORDER_IDS: Final = "5f0ba1c0-c01b-4a5e-8b0a-"  # the rest is the engine's number in hex
UUID_TEXT: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII
)
UUID4_TEXT: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII
)
_SECONDS: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?", re.ASCII)


def product_id(listing: Listing) -> str:
    return listing.symbol.replace("/", "-")


def order_uuid(order_id: int) -> str:
    return f"{ORDER_IDS}{order_id:012x}"


def order_number(text: str) -> int | None:
    """Return the engine's number of an order id of ours; None when it is none."""
    if not UUID_TEXT.fullmatch(text) or not text.startswith(ORDER_IDS):
        return None
    return int(text[-12:], 16)


def named_uuid(*purpose: str) -> str:
    """Return an id that is always the same for the same purpose."""
    digest = hashlib.sha256(":".join(purpose).encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def nano(at_ms: int) -> str:
    """Return a time with nanoseconds, as REST tickers and fills carry it."""
    return f"{micro(at_ms)[:-1]}000Z"


def milli(at_ms: int) -> str:
    return f"{micro(at_ms)[:-4]}Z"


def read_time(text: str) -> int | None:
    """Return Unix milliseconds of an ISO time or of Unix seconds; None if it is neither."""
    if _SECONDS.fullmatch(text):
        return int(Decimal(text) * 1000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - EPOCH) // timedelta(milliseconds=1)


def sixteen(number: Decimal) -> str:
    return f"{number:.16f}"
