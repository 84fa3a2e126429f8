"""Read what the Exchange tells by pages, newest first, each to its end or not at all.

The header CB-AFTER leads to older rows.
Source: Exchange REST API, "Pagination".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import attrs
import trio

from actors.messages import VenueFill, VenueOrder
from adapters.coinbase.codec import exchange_orders as orders
from adapters.coinbase.exchange_client import ExchangeClient, Params
from adapters.coinbase.known_orders import KnownOrders
from adapters.errors import RemoteProtocolError, VenueError

PAGE: Final = 100
PAGES_MAX: Final = 200

Row = TypeVar("Row")


@attrs.define(eq=False)
class ExchangeLists:
    """One account's orders and fills."""

    _client: ExchangeClient
    _known: KnownOrders

    async def orders(self, params: Params, *, since_ms: int) -> list[VenueOrder]:
        """Return orders that moved since `since_ms`, oldest first."""
        symbols = self._client.venue.symbols
        found = await self._read(
            "/orders",
            params,
            lambda body: orders.decode_orders(body, symbols),
            lambda order: order.update_ms,
            since_ms,
        )
        for order in found:
            self._known.saw(order)
        return found

    async def fills(self, params: Params, *, since_ms: int) -> list[VenueFill]:
        """Return executions since `since_ms`, oldest first."""
        symbols = self._client.venue.symbols
        return await self._read(
            "/fills",
            params,
            lambda body: orders.decode_fills(body, symbols),
            lambda fill: fill.trade_ms,
            since_ms,
        )

    async def _read(
        self,
        path: str,
        params: Params,
        decode: Callable[[bytes], Sequence[Row]],
        at_ms: Callable[[Row], int],
        since_ms: int,
    ) -> list[Row]:
        """Return the rows of all pages down to `since_ms`.

        Raises:
          VenueError: there are more than anybody could want; nothing is concluded.
          RemoteProtocolError: the pages go round in a circle.
        """
        rows: list[Row] = []
        cursors: set[str] = set()
        cursor = ""
        await trio.lowlevel.checkpoint()
        for _ in range(PAGES_MAX):
            asked = [*params, ("limit", str(PAGE))]
            if cursor:
                asked.append(("after", cursor))
            answer = await self._client.ask(path, asked)
            page = decode(answer.body)
            recent = [row for row in page if at_ms(row) >= since_ms]
            rows += recent
            cursor = answer.headers.get("cb-after", "")
            if not cursor or not recent:
                return sorted(rows, key=at_ms)
            if cursor in cursors:
                raise RemoteProtocolError(f"{path}: the same page again")
            cursors.add(cursor)
        raise VenueError(f"{path}: more than {PAGES_MAX} pages")
