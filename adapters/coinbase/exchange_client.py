"""Ask the Exchange as one account: every request with its own signature."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urlencode

import attrs
import trio

from adapters.coinbase.gate import Paces, exchange_paces
from adapters.coinbase.sign import ExchangeSigner
from adapters.coinbase.venue import Venue, failure
from adapters.errors import VenueError
from adapters.http import HttpAnswer

MEND_S: Final = 3.0

Params = Sequence[tuple[str, str]]


@attrs.define(eq=False)
class ExchangeClient:
    """One key's way to the venue."""

    venue: Venue
    signer: ExchangeSigner
    paces: Paces = attrs.Factory(exchange_paces)

    async def ask(self, path: str, params: Params = ()) -> HttpAnswer:
        """Return the answer to a question.

        Raises:
          VenueRefused: the venue answered with an error; its code is the HTTP status.
          VenueError: no answer; that says nothing about any order.
        """
        venue, target = self.venue, with_query(path, params)
        await venue.gate.enter(self.paces.questions)
        headers = self.signer.headers("GET", target, b"", venue.now_ms())
        answer = await venue.send(venue.clients.rest, None, "GET", target, headers=headers)
        if answer.status == 200:
            return answer
        if answer.status == 401:
            await self.mend_clock()
        raise failure(path, answer)

    async def order(self, method: str, target: str, body: bytes = b"") -> HttpAnswer:
        """Send one order or cancel once, and return the answer, whatever it says.

        Raises:
          RateLimited, NotSent, ConnectionLost: as `Venue.send` says.
        """
        venue = self.venue
        await venue.gate.enter(self.paces.orders)  # the signature begins to expire
        headers = self.signer.headers(method, target, body, venue.now_ms(), is_order=True)
        http = venue.clients.rest_orders
        return await venue.send(http, None, method, target, headers=headers, body=body)

    async def mend_clock(self) -> None:
        """Measure the offset anew: a refused request may be one of another time (R-29).

        Bounded, and never an error.
        """
        with trio.move_on_after(MEND_S), suppress(VenueError):
            await self.venue.measure_offset()
        await trio.lowlevel.checkpoint()


def with_query(path: str, params: Params) -> str:
    """Return the target of a request, as it is sent and signed."""
    query = urlencode(params, quote_via=quote)
    return f"{path}?{query}" if query else path
