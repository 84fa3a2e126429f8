"""Read what Advanced Trade tells by pages, each to its end or not at all.

Source: Advanced Trade REST API, "List Orders", "List Fills", "List Accounts".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar

import attrs
import trio

from actors.messages import VenueBalance, VenueFill, VenueOrder
from adapters.coinbase.advanced_client import PREFIX, AdvancedClient, Params
from adapters.coinbase.codec import advanced_orders as orders
from adapters.coinbase.known_orders import KnownOrders
from adapters.errors import RemoteProtocolError, VenueError

PAGE: Final = 100  # rows of one answer; the venue may give fewer
PAGES_MAX: Final = 200

Row = TypeVar("Row")
Read = Callable[[bytes], tuple[Sequence[Row], str]]


@attrs.define(eq=False)
class AdvancedLists:
    """One account's orders, fills and balances."""

    _client: AdvancedClient
    _known: KnownOrders

    async def orders(
        self, symbols: Sequence[str], params: Params, *, only: str = ""
    ) -> list[VenueOrder]:
        """Return the orders on `symbols`, as the venue lists them: newest first.

        `only` ends the reading as soon as the order with this id of ours is found.
        """

        def read(body: bytes) -> tuple[Sequence[VenueOrder], str]:
            page = orders.decode_orders(body, venue.symbols)
            for order in page.orders:
                self._known.note(order.client_order_id, order.venue_order_id)
            mine = [it for it in page.orders if it.client_order_id == only]
            return (mine, "") if only and mine else (page.orders, page.cursor)

        venue = self._client.venue
        await venue.know_symbols()
        products = [("product_ids", venue.name(symbol)) for symbol in symbols]
        path = f"{PREFIX}/orders/historical/batch"
        found = await self._read(path, [*products, *params], read)
        return [it for it in found if not only or it.client_order_id == only]

    async def fills(self, params: Params) -> list[VenueFill]:
        """Return executions, oldest first, paged to the end."""

        def read(body: bytes) -> tuple[Sequence[VenueFill], str]:
            page = orders.decode_fills(body, venue.symbols)
            is_last = not page.fills and not page.passed_over
            return page.fills, "" if is_last else page.cursor

        venue = self._client.venue
        await venue.know_symbols()
        path = f"{PREFIX}/orders/historical/fills"
        return sorted(await self._read(path, params, read), key=lambda it: it.trade_ms)

    async def balances(self) -> list[VenueBalance]:
        """Return one balance for each asset: an asset may have several accounts."""

        def read(body: bytes) -> tuple[Sequence[VenueBalance], str]:
            page = orders.decode_accounts(body)
            return page.balances, page.cursor

        totals: dict[str, tuple[Decimal, Decimal]] = {}
        for each in await self._read(f"{PREFIX}/accounts", (), read):
            free, locked = totals.get(each.asset, (Decimal(0), Decimal(0)))
            totals[each.asset] = (free + each.free, locked + each.locked)
        return [VenueBalance(asset, *total) for asset, total in totals.items()]

    async def _read(self, path: str, params: Params, read: Read[Row]) -> list[Row]:
        """Return the rows of all pages.

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
                asked.append(("cursor", cursor))
            page, cursor = read(await self._client.ask(path, asked))
            rows += page
            if not cursor:
                return rows
            if cursor in cursors:
                raise RemoteProtocolError(f"{path}: the same page again")
            cursors.add(cursor)
        raise VenueError(f"{path}: more than {PAGES_MAX} pages")
