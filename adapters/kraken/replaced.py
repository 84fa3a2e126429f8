"""Replace an order at a venue that cannot do both at once: cancel, look, place.

Nothing is placed unless the venue has said that the old order ended with nothing executed.
Between the two the position has no stop there: a short window, and the local monitor
stands in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

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
from adapters.errors import VenueError
from adapters.http import NotSent
from adapters.kraken.order_roads import NOT_SENT, OrderRoads
from adapters.kraken.own_orders import ENDED
from adapters.kraken.verdict import Outcome

NOT_REPLACED: Final = "not_replaced"
LOOK_S: Final = 6.0  # for the cancel and its end together
GAP_S: Final = 0.2  # between two looks, doubled
STREAM_S: Final = 0.05  # for the stream to tell of the end, which then need not be asked

Look = Callable[[str, str], Awaitable[VenueOrder | None]]


async def replace(
    roads: OrderRoads, look: Look, client_order_id: str, request: OrderRequest
) -> VenueReplaced:
    """Cancel one order and place another in its room; each half is judged on its own.

    The first stays unless the second may leave, too.
    """
    new_id = request.client_order_id
    try:
        await roads.count_replacement(client_order_id, request)
    except NotSent as error:
        await trio.lowlevel.checkpoint()
        no = VenueReject(client_order_id, NOT_SENT, str(error))
        return VenueReplaced(no, VenueReject(new_id, NOT_SENT, str(error)))
    cancelled: Outcome = VenueUnknown(client_order_id, f"no end within {LOOK_S:g} s")
    with trio.move_on_after(LOOK_S):
        cancelled = await _cancelled(roads, look, client_order_id, request.symbol)
    if isinstance(cancelled, VenueAck):
        return VenueReplaced(cancelled, await roads.place(request, is_counted=True))
    text = "the old order has not ended as it should"
    await trio.lowlevel.checkpoint()
    return VenueReplaced(cancelled, VenueReject(new_id, NOT_REPLACED, text))


async def _cancelled(
    roads: OrderRoads, look: Look, client_order_id: str, symbol: str
) -> Outcome:
    """Return an acknowledgement only when nothing of the order was executed (R-08)."""
    answer = await roads.cancel(symbol, client_order_id, is_counted=True)
    await trio.sleep(STREAM_S)
    if isinstance(answer, VenueReject):
        told = roads.told_end(client_order_id)
        return _ended(told, client_order_id) if told is not None else answer
    gap_s = GAP_S
    while True:
        try:
            found = await look(symbol, client_order_id)
        except VenueError as error:
            return VenueUnknown(client_order_id, str(error))
        if found is not None and found.status in ENDED:
            return _ended(found, client_order_id)
        await trio.sleep(gap_s)
        gap_s *= 2


def _ended(found: VenueOrder, client_order_id: str) -> Outcome:
    if found.filled_base or found.status is OrderStatus.FILLED:
        text = f"{found.filled_base:f} of it was executed"
        return VenueReject(client_order_id, "executed", text)
    return VenueAck(
        client_order_id,
        found.venue_order_id,
        OrderStatus.CANCELED,
        found.filled_base,
        found.update_ms,
    )
