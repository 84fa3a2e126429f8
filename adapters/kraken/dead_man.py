"""The venue's dead man's switch: it cancels every order of the account when we fall silent.

Every order means the protective stops, too: whoever switches it on trades positions without
a stop for orders without an owner. So it is off unless the configuration asks for it, and
an orderly end switches it off.

Source: docs.kraken.com, "cancel_all_orders_after" of WebSocket v2 and REST, 2026-05-27.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import attrs
import trio

from adapters.errors import VenueError, VenueRefused
from adapters.kraken.caller import Caller
from adapters.kraken.order_socket import OrderSocket

REFRESH: Final = 3  # times in each timeout; the venue recommends 15 to 30 s of 60
OFF_S: Final = 3.0


@attrs.define(eq=False)
class DeadMan:
    """The switch of one account. With no timeout it is never touched."""

    timeout_s: float | None
    refused: str = ""  # why the venue has none for us, the last time we asked

    async def renew(self, socket: OrderSocket) -> None:
        """Renew the switch for as long as the connection lives.

        When that ends it falls due, unless the next connection renews it in time.

        Raises:
          ConnectionLost: the connection ended.
        """
        await trio.lowlevel.checkpoint()
        while self.timeout_s is not None and not socket.lost:
            params = {"timeout": round(self.timeout_s)}
            answer = await socket.ask("cancel_all_orders_after", params)
            self.refused = answer.error
            await trio.sleep(self.timeout_s / REFRESH)

    async def switch_off(self, caller: Caller) -> None:
        """Switch it off while we say goodbye; what cannot be said falls due."""
        await trio.lowlevel.checkpoint()
        if self.timeout_s is not None:
            with suppress(VenueError):
                await caller.order("CancelAllOrdersAfter", lambda: {"timeout": 0})

    def check(self) -> None:
        """Let nobody believe in a switch that the venue refuses.

        Raises:
          VenueRefused: the configuration asks for one, and there is none.
        """
        if self.refused:
            raise VenueRefused("dead_man_s", f"the switch is refused: {self.refused}")
