"""Ask Advanced Trade as one account: every request with a token that names it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import attrs
import trio

from adapters.coinbase.codec.advanced_answers import decode_error
from adapters.coinbase.gate import Paces, advanced_paces
from adapters.coinbase.sign import AdvancedSigner
from adapters.coinbase.venue import Venue
from adapters.errors import ConnectionLost, VenueError, VenueRefused
from adapters.http import HttpAnswer

PREFIX: Final = "/api/v3/brokerage"
MEND_S: Final = 3.0

Params = Sequence[tuple[str, str]]


@attrs.define(eq=False)
class AdvancedClient:
    """One key's way to the venue."""

    venue: Venue
    signer: AdvancedSigner
    paces: Paces = attrs.Factory(advanced_paces)

    @property
    def host(self) -> str:
        """Return the host that tokens name."""
        return urlsplit(self.venue.endpoints.trading_rest_url).netloc

    async def ask(self, path: str, params: Params = ()) -> bytes:
        """Return the body of a question.

        Raises:
          VenueRefused: the venue answered with an error; its code is the HTTP status.
          VenueError: no answer; that says nothing about any order.
        """
        venue = self.venue
        headers = self.signer.headers("GET", self.host, path, venue.now_ms())
        query = urlencode(params, quote_via=quote)
        answer = await venue.send(
            venue.clients.advanced,
            self.paces.questions,
            "GET",
            f"{path}?{query}" if query else path,
            headers=headers,
        )
        if answer.status == 200:
            return answer.body
        if answer.status == 401:
            await self.mend_clock()
        raise _failure(path, answer)

    async def post(self, path: str, body: bytes) -> HttpAnswer:
        """Send one order or cancel once, and return the answer, whatever it says.

        Raises:
          RateLimited, NotSent, ConnectionLost: as `Venue.send` says.
        """
        venue, orders = self.venue, self.paces.orders
        await venue.gate.enter(orders)  # the token begins to expire when it is made
        headers = self.signer.headers(
            "POST", self.host, path, venue.now_ms(), is_order=True
        )
        http = venue.clients.advanced_orders
        return await venue.send(http, None, "POST", path, headers=headers, body=body)

    async def mend_clock(self) -> None:
        """Measure the offset anew: a refused token may be one of another time (R-29).

        Bounded, and never an error.
        """
        with trio.move_on_after(MEND_S), suppress(VenueError):
            await self.venue.measure_offset()
        await trio.lowlevel.checkpoint()


def _failure(path: str, answer: HttpAnswer) -> VenueError:
    text = f"{path}: HTTP {answer.status} {answer.body[:100]!a}"
    told = decode_error(answer.body)
    if answer.status >= 500:
        return ConnectionLost(text)
    if told is None and answer.status != 401:
        return VenueError(text)
    shown = " ".join((*told.codes, told.text)) if told is not None else "unauthorized"
    return VenueRefused(str(answer.status), shown[:200])
