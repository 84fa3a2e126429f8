"""What everybody shares of one Kraken behind one IP: limits, clock offset, names, HTTP.

One object per venue and IP; markets and every account's trading hold the same one (R-27,
R-28, R-29).

Source: docs.kraken.com, "Spot Websockets Introduction" (connections) and "Spot REST Rate
Limits", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlencode

import attrs
import msgspec
import trio

from actors.messages import Instrument
from actors.ports import WallClock
from adapters.endpoints import Endpoints
from adapters.errors import (
    ConnectionLost,
    NotListed,
    RateLimited,
    VenueError,
    VenueRefused,
)
from adapters.http import HttpAnswer, HttpClient
from adapters.kraken.codec.instruments import Listing, decode_listing
from adapters.kraken.codec.market import SystemHeard
from adapters.kraken.codec.rest import decode_envelope, decode_time
from adapters.limits import Bucket, Limits
from adapters.sockets import NewestOf, OpenSocket, Socket, Timing, UpgradeRefused
from adapters.streams import Dial
from adapters.websocket import open_websocket

PUBLIC: Final = Bucket(level_max=10, drain_per_s=1)  # of our address; the venue tells none
WAIT_S: Final = 10.0  # for room in a counter; longer is an error
CONNECTS_MAX: Final = 100  # in CONNECTS_S; the venue's firewall allows about 150
CONNECTS_S: Final = 600.0
LOCKOUT_S: Final = 900.0
THROTTLED: Final = "EService:Throttled"  # and until when
USER_AGENT: Final = "shoal"  # the venue asks for one
MEND_S: Final = 3.0
BUSY_S: Final = 10.0  # after the venue said that our address asks too much
OFFSET_TRIES: Final = 3
OFFSET_GAP_S: Final = 0.35  # the venue tells whole seconds: tries fall on parts of one
NOBODY: Final = Listing({}, {}, {}, {}, ())


@attrs.define(eq=False)
class Venue:
    """The conversation with one venue: who asks goes through its limits."""

    endpoints: Endpoints
    clock: WallClock
    timing: Timing
    dial: Dial
    http: HttpClient  # for questions
    orders_http: HttpClient  # orders wait behind nobody's questions
    limits: Limits
    open_socket: OpenSocket = open_websocket  # of public market data
    offset_ms: int = 0
    listing: Listing = NOBODY
    system: SystemHeard = attrs.Factory(lambda: SystemHeard("online"))
    _learning: trio.Lock = attrs.Factory(trio.Lock)

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        return self.clock.now_ms() + self.offset_ms

    async def ask(self, path: str, params: Mapping[str, str | int]) -> msgspec.Raw:
        """Return the result of a public question, asked when our own budget has room.

        Raises:
          VenueError: no answer, or the venue refused.
        """
        await self.wait("public", PUBLIC, 1)
        query = f"?{urlencode(params)}" if params else ""
        answer = await self.send(self.http, "GET", f"/0/public/{path}{query}")
        errors, result = decode_envelope(answer.body)
        if errors:
            raise self.refusal(errors)
        return result

    async def wait(self, name: str, bucket: Bucket, weight: float) -> None:
        """Wait until a counter has room, but not for long, and count.

        Who waits with others may find the room taken by one of them, and waits on.

        Raises:
          RateLimited: it would take too long, or the venue forbids requests.
        """
        until_s = trio.current_time() + WAIT_S
        await trio.lowlevel.checkpoint()
        while (wait_s := self.limits.wait_s(name, bucket, weight)) > 0:
            if trio.current_time() + wait_s > until_s:
                break
            self.limits.check_open()
            await trio.sleep(wait_s + 0.01)
        self.limits.enter(name, bucket, weight)

    async def send(
        self,
        http: HttpClient,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> HttpAnswer:
        """Send one request once; a ban closes the gate for everybody.

        Raises:
          RateLimited: the venue, or what stands before it, forbids requests.
          NotSent: no byte left.
          ConnectionLost: anything may have become of it.
        """
        named = {"user-agent": USER_AGENT, **(headers or {})}
        answer = await http.request(method, target, headers=named, body=body)
        if answer.status == 429:
            told = answer.headers.get("retry-after", "")
            raise self.limits.close(
                f"{target.partition('?')[0]}: HTTP 429, the venue forbids requests",
                retry_after_s=float(told) if told.isdecimal() else None,
            )
        if answer.status != 200:
            text = f"{target.partition('?')[0]}: HTTP {answer.status}"
            raise ConnectionLost(f"{text} {answer.body[:100]!a}")
        return answer

    def refusal(self, errors: Sequence[str]) -> VenueError:
        """Return the error for what the venue said; some words close the gate (R-28)."""
        text = errors[0]
        if text.startswith(THROTTLED):
            return self.limits.close(text[:200], retry_after_s=self._throttled_s(text))
        if text.startswith("EGeneral:Temporary lockout"):
            return self.limits.close(text[:200], retry_after_s=LOCKOUT_S)
        if text.startswith(("EGeneral:Too many requests", "EAPI:Rate limit exceeded")):
            self.limits.fill("public", PUBLIC)
            return RateLimited(text[:200], retry_after_s=BUSY_S)
        return VenueRefused(text[:80], text[:200])

    def _throttled_s(self, text: str) -> float | None:
        """Return until when, which the venue tells in Unix seconds."""
        told = text.rpartition(":")[2].strip()
        return int(told) - self.now_ms() / 1000 if told.isdecimal() else None

    @asynccontextmanager
    async def socket(
        self,
        url: str,
        *,
        write_gap_s: float = 0.0,
        opened: OpenSocket = open_websocket,
        newest_of: NewestOf | None = None,
    ) -> AsyncGenerator[Socket, None]:
        """Open a WebSocket within the limits; a 429 closes the gate for everybody.

        Raises:
          ConnectionLost: could not connect.
          RateLimited: the venue, or our own budget, forbids it now.
        """
        self.limits.connect()
        timing = attrs.evolve(self.timing, write_gap_s=write_gap_s)
        try:
            async with opened(
                url, timing=timing, dial=self.dial, newest_of=newest_of
            ) as socket:
                yield socket
        except UpgradeRefused as error:
            if error.status == 403:  # a firewall's word on one host is no ban
                raise
            text = str(error)
            raise self.limits.close(text, retry_after_s=error.retry_after_s) from error

    async def aclose(self) -> None:
        """Close what asks; the caller sets the deadline."""
        await self.http.aclose()
        await self.orders_http.aclose()

    async def measure_offset(self) -> tuple[int, int]:
        """Measure and keep venue time minus ours; return (offset_ms, round_trip_ms).

        The venue tells whole seconds: each answer says that the offset lies in a second and
        a round trip, and what several say together is narrower. The middle is kept.
        """
        low_ms, high_ms, best_ms = -float("inf"), float("inf"), float("inf")
        for number in range(OFFSET_TRIES):
            if number:
                await trio.sleep(OFFSET_GAP_S)
            low, high, trip_ms = await self._sound()
            if low > high_ms or high < low_ms:  # a clock was set meanwhile
                low_ms, high_ms = low, high
            low_ms, high_ms = max(low_ms, low), min(high_ms, high)
            best_ms = min(best_ms, trip_ms)
        await trio.lowlevel.checkpoint()
        self.offset_ms = round((low_ms + high_ms) / 2)
        return self.offset_ms, round(best_ms)

    async def mend_clock(self) -> None:
        """Measure anew where the venue found our deadline over: a clock went astray (R-29).

        Whoever asks next is right. Bounded, and never an error.
        """
        with trio.move_on_after(MEND_S), suppress(VenueError):
            await self.measure_offset()
        await trio.lowlevel.checkpoint()

    async def _sound(self) -> tuple[float, float, float]:
        """Return the least and the greatest offset that one answer allows, and its trip."""
        await self.wait("public", PUBLIC, 1)
        sent_ms, sent_s = self.clock.now_ms(), trio.current_time()
        answer = await self.send(self.http, "GET", "/0/public/Time")
        trip_ms = (trio.current_time() - sent_s) * 1000
        errors, result = decode_envelope(answer.body)
        if errors:
            raise self.refusal(errors)
        venue_ms = decode_time(result) * 1000
        return venue_ms - (sent_ms + trip_ms), venue_ms + 1000 - sent_ms, trip_ms

    async def instruments(self) -> dict[str, Instrument]:
        """Return every symbol by canonical name, and remember the venue's names."""
        old = await self.ask("AssetPairs", {})
        new = await self.ask("AssetPairs", {"assetVersion": 1})
        self.listing = decode_listing(new, old)
        return dict(self.listing.instruments)

    async def know_symbols(self) -> None:
        """Learn the venue's names once, however many ask."""
        async with self._learning:
            if not self.listing.instruments:
                await self.instruments()

    def instrument(self, symbol: str) -> Instrument:
        """Return what the venue lists as `symbol`.

        Raises:
          NotListed: it lists nothing so.
        """
        found = self.listing.instruments.get(symbol)
        if found is None:
            raise NotListed(symbol)
        return found

    def symbol_of(self, name: str) -> str:
        """Return our name of a pair, or the venue's own for one that it did not list."""
        return self.listing.symbols.get(name, name)

    def asset_of(self, name: str) -> str:
        """Return our name of an asset; of what is not traded, the venue's own."""
        return self.listing.assets.get(name, name)
