"""The words of a paper account: what happened to it, durable and in order. Pure.

A paper account is the fold of these; nothing about it is kept anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs
import msgspec

from actors.messages import OrderRequest, OrderStatus


@attrs.frozen
class PaperOpened:
    """The account began with these balances."""

    exchange: str
    balances: Mapping[str, Decimal]  # by asset


@attrs.frozen
class PaperPlaced:
    """An order was taken. One with a stop price waits for it; others work at once."""

    request: OrderRequest
    order_id: int
    base_asset: str
    quote_asset: str
    at_ms: int


@attrs.frozen
class PaperTriggered:
    """The market has come to an order's stop price: it works now."""

    client_order_id: str
    at_ms: int


@attrs.frozen
class PaperFilled:
    """Part or all of an order was executed; the fee is taken from what it received."""

    client_order_id: str
    trade_id: int
    price: Decimal
    base: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    at_ms: int


@attrs.frozen
class PaperEnded:
    """An order ended before all of it was executed."""

    client_order_id: str
    status: OrderStatus  # CANCELED or EXPIRED
    reason: str
    at_ms: int


PaperFact = PaperOpened | PaperPlaced | PaperTriggered | PaperFilled | PaperEnded
KINDS: Final[Mapping[str, type[PaperFact]]] = {
    "paper_opened": PaperOpened,
    "paper_placed": PaperPlaced,
    "paper_triggered": PaperTriggered,
    "paper_filled": PaperFilled,
    "paper_ended": PaperEnded,
}
_KIND_OF: Final = {kind: name for name, kind in KINDS.items()}


def kind_of(fact: PaperFact) -> str:
    """Return the name that a fact is filed under."""
    return _KIND_OF[type(fact)]


def encode(fact: PaperFact) -> bytes:
    """Return the fact as JSON, decimals as text."""
    return msgspec.json.encode(fact)


def decode(kind: str, body: bytes) -> PaperFact:
    """Return the fact that was filed.

    Raises:
      ValueError: it is none of ours, or damaged.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!a} is no word of a paper account")
    return msgspec.json.decode(body, type=KINDS[kind])
