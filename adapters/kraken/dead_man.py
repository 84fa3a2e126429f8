"""The venue's dead man's switch: it cancels every order of the account when we fall silent.

Every order means the protective stops, too: whoever switches it on trades positions without
a stop for orders without an owner. So it is off unless the configuration asks for it, and
an orderly end switches it off.

Source: docs.kraken.com, "cancel_all_orders_after" of WebSocket v2 and REST, 2026-05-27.
"""

from __future__ import annotations

from typing import Final

import trio

from adapters.errors import VenueError
from adapters.kraken.caller import Caller
from adapters.kraken.order_socket import OrderSocket

REFRESH: Final = 3  # times in each timeout; the venue recommends 15 to 30 s of 60
OFF_S: Final = 3.0


async def renew(socket: OrderSocket, timeout_s: float) -> None:
    """Renew the switch for as long as the connection lives.

    When that ends it falls due, unless the next connection renews it in time.
    """
    await trio.lowlevel.checkpoint()
    while not socket.lost:
        await socket.ask("cancel_all_orders_after", {"timeout": round(timeout_s)})
        await trio.sleep(timeout_s / REFRESH)


async def switch_off(caller: Caller) -> None:
    """Switch it off while we say goodbye; what cannot be said falls due."""
    try:
        await caller.order("CancelAllOrdersAfter", {"timeout": 0})
    except VenueError:
        await trio.lowlevel.checkpoint()
