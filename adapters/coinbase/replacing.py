"""Put an order in the place of another where the venue has no single request for it.

Cancel, read back that it has ended, place: for that while nothing rests at the exchange.
Each half is judged on its own; nothing is placed unless the first has ended unfilled.
"""

from __future__ import annotations

from typing import Final, Protocol

import trio

from actors.messages import (
    OrderRequest,
    OrderStatus,
    VenueAck,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from adapters.coinbase.verdict import Outcome
from adapters.errors import VenueError

CANCEL_S: Final = 4.0
READ_BACK_S: Final = 4.0
PLACE_S: Final = 6.0  # all three fit into the sender's deadline
PAUSE_S: Final = 0.25  # between two looks at the order
NOT_REPLACED: Final = "not_replaced"
_LIVE: Final = frozenset(
    {OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_CANCEL}
)


class Halves(Protocol):
    """What it takes: the three requests of one account."""

    async def place(self, request: OrderRequest) -> Outcome: ...

    async def cancel(self, symbol: str, client_order_id: str) -> Outcome: ...

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None: ...


async def replace_in_two(
    trading: Halves, client_order_id: str, request: OrderRequest
) -> VenueReplaced:
    """Cancel an order nothing of which was executed, and place another. Bounded."""
    symbol, new_id = request.symbol, request.client_order_id
    asked: Outcome = VenueUnknown(client_order_id, "no answer to the cancel")
    with trio.move_on_after(CANCEL_S):
        asked = await trading.cancel(symbol, client_order_id)
    ended = await _ended(trading, symbol, client_order_id)
    if ended is None:
        return _stays(asked, client_order_id, new_id)
    reason = _why_not(ended)
    cancelled: Outcome = _gone(ended, client_order_id)
    placed: Outcome = VenueReject(new_id, NOT_REPLACED, reason)
    if ended.status is not OrderStatus.CANCELED:
        cancelled = VenueReject(client_order_id, ended.status.value, reason)
    if not reason:
        placed = VenueUnknown(new_id, "no answer to the order")
        with trio.move_on_after(PLACE_S):
            placed = await trading.place(request)
    return VenueReplaced(cancelled, placed)


def _gone(ended: VenueOrder, order_id: str) -> VenueAck:
    return VenueAck(
        order_id,
        ended.venue_order_id,
        OrderStatus.CANCELED,
        ended.filled_base,
        ended.update_ms,
    )


async def _ended(trading: Halves, symbol: str, order_id: str) -> VenueOrder | None:
    """Return how the order has ended; None where nobody can say that it has (R-08)."""
    with trio.move_on_after(READ_BACK_S):
        while True:
            try:
                order = await trading.order(symbol, order_id)
            except VenueError:
                order = None
            await trio.lowlevel.checkpoint()
            if order is not None and order.status not in _LIVE:
                return order
            await trio.sleep(PAUSE_S)
    return None


def _why_not(ended: VenueOrder) -> str:
    """Return why nothing is placed, "" where the way is free."""
    if ended.status is not OrderStatus.CANCELED:
        return f"it is {ended.status.value}"
    if ended.filled_base:
        return f"{ended.filled_base:f} of it was executed"
    return ""


def _stays(asked: Outcome, old_id: str, new_id: str) -> VenueReplaced:
    """Return the answer where the old order may still be there."""
    reason = "the order before it was not seen to end"
    if not isinstance(asked, VenueReject):
        asked = VenueUnknown(old_id, reason)
    return VenueReplaced(asked, VenueReject(new_id, NOT_REPLACED, reason))
