"""Open one Binance: the market side for everybody, a trading side for each account."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio

from actors.ports import WallClock
from adapters.binance.codec.market import EXCHANGE
from adapters.binance.gate import Gate
from adapters.binance.rest import BinanceMarket
from adapters.binance.sign import Signer
from adapters.binance.trading import BinanceTrading
from adapters.binance.venue import Venue, origin_of
from adapters.endpoints import (
    Endpoints,
    Revealing,
    check_keys_may_go,
    check_own_authority,
)
from adapters.http import (
    HttpClient,
    HttpTiming,
    OpenTransport,
    open_transport,
    transport_trusting,
)
from adapters.sockets import OpenSocket, Timing
from adapters.streams import Dial, dial, dial_trusting, tls_trusting
from adapters.websocket import open_websocket


@attrs.define(eq=False)
class Binance:
    """One venue behind one IP: one rate budget, one ban, one clock offset for all."""

    market: BinanceMarket
    _venue: Venue
    _allow_foreign_host: bool

    def trading(self, account_key: Revealing, secret: Revealing) -> BinanceTrading:
        """Return the private side of one account. Two for one key would be a mistake.

        Raises:
          ForeignHost: the key would leave for a host that is not the venue's (S-9).
        """
        check_keys_may_go(
            EXCHANGE, self._venue.endpoints, allow_foreign_host=self._allow_foreign_host
        )
        return BinanceTrading(self._venue, Signer(account_key, secret))


@asynccontextmanager
async def open_binance(
    endpoints: Endpoints | None = None,
    *,
    clock: WallClock,
    allow_foreign_host: bool = False,
    timing: Timing | None = None,
    http_timing: HttpTiming | None = None,
    ca_file: Path | None = None,
    gate: Gate | None = None,
    dial: Dial = dial,
    open_transport: OpenTransport = open_transport,
    open_socket: OpenSocket = open_websocket,  # of public market data
) -> AsyncGenerator[Binance, None]:
    """Introduce one Binance for the length of the block; nothing is sent until asked.

    `ca_file` is the one authority that may vouch for hosts that are not the venue's own;
    `gate` may remember what was asked before.

    Raises:
      ForeignHost: `ca_file` was given for a host of the venue itself (S-9).
      CertificateUnusable: it cannot be read.
    """
    known = (endpoints or Endpoints()).of(EXCHANGE)
    if ca_file is not None:
        dial, open_transport = _trusting(ca_file, known)
    venue = Venue(
        endpoints=known,
        clock=clock,
        timing=timing or Timing(),
        dial=dial,
        gate=gate or Gate(clock),
        open_socket=open_socket,
        http=_http(known, http_timing, open_transport),
        orders_http=_http(known, http_timing, open_transport),
    )
    try:
        yield Binance(BinanceMarket(venue), venue, allow_foreign_host)
    finally:
        with trio.move_on_after(2, shield=True):
            await venue.aclose()


def _http(
    known: Endpoints, timing: HttpTiming | None, open_transport: OpenTransport
) -> HttpClient:
    return HttpClient(origin_of(known), timing or HttpTiming(), open_transport)


def _trusting(ca_file: Path, endpoints: Endpoints) -> tuple[Dial, OpenTransport]:
    check_own_authority(EXCHANGE, endpoints)
    trusted = tls_trusting(ca_file)
    return dial_trusting(trusted), transport_trusting(trusted)
