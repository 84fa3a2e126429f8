"""What both of Coinbase's order doors share: filters, ends, triggers and client ids. Pure.

Source: WIRE 3.5, 3.7 and 3.12.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from actors.messages import Side
from actors.pure.matching_orders import ZERO, Kind, Order
from adapters.simulator.config import Listing
from adapters.simulator.exchange import Ware

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
UNNAMED: Final = "unnamed:"  # how the engine calls an order without a client id
ENDED_BY_TIME: Final = "end time"  # the id of the cancel of an order whose time was up
ORDERS_MAX: Final = 500  # open, of one profile on one product
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)


def client_oid(order: Order) -> str:
    """Return the client's own id of an order, "" when it had none that counts."""
    asked = order.client_order_id
    return "" if asked.startswith(UNNAMED) else asked


def stop_word(order: Order) -> str:
    """Return `loss` when a falling price fires the order, else `entry`."""
    return "loss" if fires_down(order.kind, order.side) else "entry"


def fires_down(kind: Kind, side: Side) -> bool:
    return (kind is Kind.STOP_LOSS_LIMIT) == (side is Side.SELL)


def conditional(side: Side, *, is_down: bool) -> Kind:
    """Return the kind of order that a falling, or a rising, price fires."""
    is_stop = is_down == (side is Side.SELL)
    return Kind.STOP_LOSS_LIMIT if is_stop else Kind.TAKE_PROFIT_LIMIT


def read_number(text: str) -> Decimal | None:
    """Return a plain decimal number above zero; None when the text is none."""
    if not _NUMBER.fullmatch(text):
        return None
    return Decimal(text) or None


def breach(
    ware: Ware, kind: Kind, base: Decimal, quote: Decimal, prices: tuple[Decimal, ...]
) -> str:
    """Return the first filter that an order breaks, by a name of ours; "" when none."""
    listing: Listing = ware.listing
    price = ware.chart.last if kind is Kind.MARKET else prices[0]
    spent = quote or base * price
    breaches = (
        ("price_precision", any(it % listing.tick for it in prices)),
        ("price_max", any(it > listing.price_max for it in prices)),
        ("size_precision", bool(base % listing.lot)),
        ("size_min", ZERO < base < listing.base_min),
        ("size_max", base > listing.base_max),
        ("funds_precision", bool(quote % listing.tick)),
        ("funds_min", spent < listing.quote_min),
        ("funds_max", spent > listing.quote_max),
    )
    return next((name for name, is_broken in breaches if is_broken), "")


def filled_fees(order: Order) -> Decimal:
    return sum((fill.fee for fill in order.fills), ZERO)
