"""What everybody shares of one Binance behind one IP: gate, clock offset, symbols, HTTP.

One object per venue and IP; markets and every account's trading hold the same one (R-27,
R-28, R-29).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import attrs
import trio

from actors.messages import Instrument
from actors.ports import WallClock
from adapters.binance.codec.instruments import decode_exchange_info
from adapters.binance.codec.rest import decode_fault, decode_time
from adapters.binance.gate import TOO_MANY_ORDERS, Gate
from adapters.binance.sign import Signer, encode_query
from adapters.endpoints import Endpoints
from adapters.errors import ConnectionLost, NotListed, VenueError, VenueRefused
from adapters.http import BODY_SIZE_MAX, HttpAnswer, HttpClient
from adapters.sockets import NewestOf, OpenSocket, Socket, Timing, UpgradeRefused
from adapters.streams import Dial
from adapters.websocket import open_websocket

RECV_WINDOW_MS: Final = 5000
OFFSET_TRIES: Final = 3  # round trips; the quickest is the truest
INVALID_TIMESTAMP: Final = "-1021"
MEND_S: Final = 3.0
INFO_SIZE_MAX: Final = 64 * 2**20  # exchangeInfo of all symbols is about 15 MB

Params = Mapping[str, str | int]


@attrs.define(eq=False)
class Venue:
    """The conversation with one venue: who asks goes through the one gate."""

    endpoints: Endpoints
    clock: WallClock
    timing: Timing
    dial: Dial
    http: HttpClient  # for questions
    orders_http: HttpClient  # orders wait behind nobody's questions
    gate: Gate
    open_socket: OpenSocket = open_websocket  # of public market data
    offset_ms: int = 0
    names: dict[str, str] = attrs.Factory(dict[str, str])  # "BTC/USDT" -> "BTCUSDT"
    symbols: dict[str, str] = attrs.Factory(dict[str, str])  # and back
    _learning: trio.Lock = attrs.Factory(trio.Lock)
    _sounding: trio.Lock = attrs.Factory(trio.Lock)

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        return self.clock.now_ms() + self.offset_ms

    async def ask(
        self, path: str, params: Params, *, weight: int, signer: Signer | None = None
    ) -> bytes:
        """Return the body of a question.

        Raises:
          VenueError: no answer, or the venue refused; says nothing about any order.
        """
        if self.gate.is_unsure:
            await self._sound()
        self.gate.enter(weight)
        answer = await self.send(self.http, "GET", path, params, signer, weight=weight)
        if answer.status == 200:
            return answer.body
        fault = decode_fault(answer.body)
        if fault is None or answer.status >= 500:
            text = f"{path}: HTTP {answer.status} {answer.body[:100]!a}"
            raise ConnectionLost(text) if answer.status >= 500 else VenueError(text)
        if signer is not None:
            await self.mend_clock(str(fault.code))
        raise VenueRefused(str(fault.code), fault.msg[:200])

    async def _sound(self) -> None:
        """Learn by one cheap question what was spent, where nobody remembers (I-21)."""
        async with self._sounding:
            if self.gate.is_unsure:
                self.gate.enter(1, is_urgent=True)
                answer = await self.send(self.http, "GET", "/api/v3/time", {}, None)
                if answer.status != 200:
                    raise ConnectionLost(f"/api/v3/time: HTTP {answer.status}")
                self.gate.be_sure()  # also where no header tells

    async def send(
        self,
        http: HttpClient,
        method: str,
        path: str,
        params: Params,
        signer: Signer | None,
        *,
        weight: int = 0,
    ) -> HttpAnswer:
        """Send one request once; a 429 or 418 closes the gate for everybody.

        Too many orders of one account are that account's matter; then the answer returns.

        Raises:
          RateLimited: the venue says so.
          NotSent: no byte left.
          ConnectionLost: anything may have become of it.
        """
        query = self._query(params, signer)
        is_info = path.endswith("/exchangeInfo")
        headers = signer.headers() if signer is not None else {}
        if is_info:
            headers["accept-encoding"] = "gzip"
        with self.gate.asking(weight):
            answer = await http.request(
                method,
                f"{path}?{query}" if query else path,
                headers=headers,
                body_size_max=INFO_SIZE_MAX if is_info else BODY_SIZE_MAX,
            )
        self.gate.heard(answer.headers.get("x-mbx-used-weight-1m"))
        if answer.status in {418, 429} and not _is_about_orders(answer):
            told = answer.headers.get("retry-after", "")
            raise self.gate.close(
                f"{path}: HTTP {answer.status}, the venue forbids requests",
                retry_after_s=float(told) if told.isdecimal() else None,
            )
        return answer

    @asynccontextmanager
    async def socket(
        self,
        url: str,
        *,
        weight: int = 0,
        write_gap_s: float = 0.0,
        opened: OpenSocket = open_websocket,
        newest_of: NewestOf | None = None,
    ) -> AsyncGenerator[Socket, None]:
        """Open a WebSocket through the gate; a 429 or 418 closes it for everybody.

        Raises:
          ConnectionLost: could not connect.
          RateLimited: the venue, or our own budget, forbids it now.
        """
        self.gate.connect(weight)
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

    async def aclose(self) -> None:
        """Leave the gate and close what asks; the caller sets the deadline."""
        self.gate.leave()
        await self.http.aclose()
        await self.orders_http.aclose()

    def _query(self, params: Params, signer: Signer | None) -> str:
        if signer is None:
            return encode_query(params)
        return signer.query(self.stamped(params))

    def stamped(self, params: Params) -> dict[str, str | int]:
        """Return `params` with the times that a signed request carries."""
        return {**params, "recvWindow": RECV_WINDOW_MS, "timestamp": self.now_ms()}

    async def measure_offset(self) -> tuple[int, int]:
        """Measure and keep venue time minus ours; return (offset_ms, round_trip_ms)."""
        best = await self._round_trip()
        for _ in range(OFFSET_TRIES - 1):
            best = min(best, await self._round_trip())
        trip_ms, offset_ms = best
        self.offset_ms = round(offset_ms)
        self.gate.align(self.now_ms())
        return self.offset_ms, round(trip_ms)

    async def mend_clock(self, code: str) -> None:
        """Measure the offset anew where the venue has refused our timestamp (R-29).

        A clock went astray; whoever asks next is right. Bounded, and never an error.
        """
        if code == INVALID_TIMESTAMP:
            with trio.move_on_after(MEND_S), suppress(VenueError):
                await self.measure_offset()
        await trio.lowlevel.checkpoint()

    async def _round_trip(self) -> tuple[float, float]:
        """Return how long one question took, and the offset it shows, both in ms."""
        sent_ms, sent_s = self.clock.now_ms(), trio.current_time()
        server_ms = decode_time(await self.ask("/api/v3/time", {}, weight=1))
        trip_ms = (trio.current_time() - sent_s) * 1000
        return trip_ms, server_ms - (sent_ms + trip_ms / 2)

    async def instruments(self) -> dict[str, Instrument]:
        """Return every symbol by canonical name, and remember the venue's names."""
        info = decode_exchange_info(await self.ask("/api/v3/exchangeInfo", {}, weight=20))
        self.gate.learn(info.limits)
        for instrument in info.instruments:
            self.names[instrument.symbol] = instrument.venue_symbol
            self.symbols[instrument.venue_symbol] = instrument.symbol
        return {instrument.symbol: instrument for instrument in info.instruments}

    async def know_symbols(self) -> None:
        """Learn the venue's names once, however many ask."""
        async with self._learning:
            if not self.names:
                await self.instruments()

    def name(self, symbol: str) -> str:
        """Return the venue's name of `symbol`.

        Raises:
          NotListed: the venue's exchangeInfo does not have it.
        """
        found = self.names.get(symbol)
        if found is None:
            raise NotListed(symbol)
        return found


def stream_url(endpoints: Endpoints) -> str:
    """Return the address of combined streams."""
    base = endpoints.url.rstrip("/")
    return base if base.endswith("/stream") else base.removesuffix("/ws") + "/stream"


def origin_of(endpoints: Endpoints) -> str:
    """Return the REST address without a path: the paths begin with /api/v3."""
    return endpoints.rest_url.rstrip("/").removesuffix("/api")


def _is_about_orders(answer: HttpAnswer) -> bool:
    fault = decode_fault(answer.body)
    return answer.status == 429 and fault is not None and fault.code == TOO_MANY_ORDERS
