"""What everybody shares of one Coinbase behind one IP: gate, clock offset, names, HTTP.

One object per venue and IP; the market and every account's trading hold the same one
(R-27, R-28, R-29).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import Instrument
from actors.ports import WallClock
from adapters.coinbase.codec.products import decode_products
from adapters.coinbase.codec.rest import decode_fault, decode_time
from adapters.coinbase.gate import Bucket, Gate
from adapters.endpoints import Endpoints
from adapters.errors import ConnectionLost, NotListed, VenueError, VenueRefused
from adapters.http import HttpAnswer, HttpClient
from adapters.sockets import NewestOf, OpenSocket, Socket, Timing, UpgradeRefused
from adapters.streams import Dial
from adapters.websocket import open_websocket

OFFSET_TRIES: Final = 3  # round trips; the quickest is the truest
# The venue refuses requests that do not say which program asks.
HEADERS: Final[Mapping[str, str]] = {
    "User-Agent": "shoal",
    "Accept": "application/json",
    "Content-Type": "application/json",
}


@attrs.frozen(eq=False)
class Clients:
    """Who asks. Orders wait behind nobody's questions."""

    rest: HttpClient  # public questions, and those of Exchange keys
    rest_orders: HttpClient
    advanced: HttpClient
    advanced_orders: HttpClient

    async def aclose(self) -> None:
        await self.rest.aclose()
        await self.rest_orders.aclose()
        await self.advanced.aclose()
        await self.advanced_orders.aclose()


@attrs.define(eq=False)
class Venue:
    """The conversation with one venue: who asks goes through the one gate."""

    endpoints: Endpoints
    clock: WallClock
    timing: Timing
    dial: Dial
    clients: Clients
    gate: Gate
    open_socket: OpenSocket = open_websocket  # of public market data
    offset_ms: int = 0
    names: dict[str, str] = attrs.Factory(dict[str, str])  # "BTC/USD" -> "BTC-USD"
    symbols: dict[str, str] = attrs.Factory(dict[str, str])  # and back
    delisted: frozenset[str] = frozenset()  # the venue's names of what it had once
    book_ids: dict[str, int] = attrs.Factory(dict[str, int])  # last number of each book
    fetch_again_s: float = 0.0  # before this, no dropped trades are fetched
    _learning: trio.Lock = attrs.Factory(trio.Lock)

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        return self.clock.now_ms() + self.offset_ms

    async def ask(self, target: str) -> bytes:
        """Return the body of a public question.

        Raises:
          VenueError: no answer, or the venue refused.
        """
        answer = await self.send(self.clients.rest, self.gate.public, "GET", target)
        if answer.status == 200:
            return answer.body
        raise failure(target, answer)

    async def send(
        self,
        http: HttpClient,
        bucket: Bucket | None,  # None: it has waited for its turn already
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> HttpAnswer:
        """Send one request once, in its turn; a 429 closes the gate for everybody.

        Raises:
          RateLimited: the venue says so, or it is not our turn for too long.
          NotSent: no byte left.
          ConnectionLost: anything may have become of it.
        """
        if bucket is not None:
            await self.gate.enter(bucket)
        answer = await http.request(
            method, target, headers={**HEADERS, **(headers or {})}, body=body
        )
        if answer.status == 429:
            raise self._closed(f"{_path(target)}: HTTP 429, too many requests", answer)
        return answer

    def _closed(self, reason: str, answer: HttpAnswer) -> VenueError:
        told = answer.headers.get("retry-after", "")
        retry_after_s = float(told) if told.isdecimal() else None
        return self.gate.close(reason, retry_after_s=retry_after_s)

    @asynccontextmanager
    async def socket(
        self,
        url: str,
        *,
        write_gap_s: float = 0.0,
        opened: OpenSocket = open_websocket,
        newest_of: NewestOf | None = None,
    ) -> AsyncGenerator[Socket, None]:
        """Open a WebSocket through the gate; a 429 closes it for everybody.

        Raises:
          ConnectionLost: could not connect.
          RateLimited: the venue, or our own budget, forbids it now.
        """
        self.gate.connect()
        timing = attrs.evolve(self.timing, write_gap_s=write_gap_s)
        try:
            async with opened(
                url, timing=timing, dial=self.dial, newest_of=newest_of
            ) as socket:
                yield socket
        except UpgradeRefused as error:
            if error.status == 403:  # a firewall's word on one host is no ban
                raise
            raise self.gate.close(str(error), retry_after_s=error.retry_after_s) from error

    async def measure_offset(self) -> tuple[int, int]:
        """Measure and keep venue time minus ours; return (offset_ms, round_trip_ms)."""
        best = await self._round_trip()
        for _ in range(OFFSET_TRIES - 1):
            best = min(best, await self._round_trip())
        trip_ms, offset_ms = best
        self.offset_ms = round(offset_ms)
        return self.offset_ms, round(trip_ms)

    async def _round_trip(self) -> tuple[float, float]:
        """Return how long one question took, and the offset it shows, both in ms.

        Its wait for its turn is no part of its way.
        """
        await self.gate.enter(self.gate.public)
        sent_ms, sent_s = self.clock.now_ms(), trio.current_time()
        answer = await self.clients.rest.request("GET", "/time", headers=HEADERS)
        trip_ms = (trio.current_time() - sent_s) * 1000
        if answer.status == 429:
            raise self._closed("/time: HTTP 429, too many requests", answer)
        if answer.status != 200:
            raise failure("/time", answer)
        return trip_ms, decode_time(answer.body) - (sent_ms + trip_ms / 2)

    async def instruments(self) -> dict[str, Instrument]:
        """Return every symbol by canonical name, and remember the venue's names."""
        products = decode_products(await self.ask("/products"))
        found = products.instruments
        for instrument in found:
            self.names[instrument.symbol] = instrument.venue_symbol
            self.symbols[instrument.venue_symbol] = instrument.symbol
        gone = self.symbols.keys() - {instrument.venue_symbol for instrument in found}
        self.delisted = products.delisted | gone
        return {instrument.symbol: instrument for instrument in found}

    async def know_symbols(self) -> None:
        """Learn the venue's names once, however many ask."""
        async with self._learning:
            if not self.names:
                await self.instruments()

    def name(self, symbol: str) -> str:
        """Return the venue's name of `symbol`.

        Raises:
          NotListed: the venue's products do not have it.
        """
        found = self.names.get(symbol)
        if found is None:
            raise NotListed(symbol)
        return found

    async def aclose(self) -> None:
        """Close what asks; the caller sets the deadline."""
        await self.clients.aclose()


def failure(target: str, answer: HttpAnswer) -> VenueError:
    """Return the error of a question that was not answered with what was asked."""
    told = decode_fault(answer.body)
    if told is None or answer.status >= 500:
        text = f"{_path(target)}: HTTP {answer.status} {answer.body[:100]!a}"
        return ConnectionLost(text) if answer.status >= 500 else VenueError(text)
    return VenueRefused(str(answer.status), told[:200])


def _path(target: str) -> str:
    return target.partition("?")[0]
