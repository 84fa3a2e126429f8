"""Open one Kraken: the market side for everybody, a trading side for each account."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio

from actors.ports import WallClock
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
from adapters.kraken.caller import Caller
from adapters.kraken.codec.words import EXCHANGE
from adapters.kraken.dead_man import DeadMan
from adapters.kraken.nonces import NonceMemory, Nonces
from adapters.kraken.rest import KrakenMarket
from adapters.kraken.sign import Signer
from adapters.kraken.trading import KrakenTrading
from adapters.kraken.venue import CONNECTS_MAX, CONNECTS_S, Venue
from adapters.limits import Limits
from adapters.sockets import OpenSocket, Timing
from adapters.spent import Memory, RamMemory
from adapters.streams import Dial, dial, dial_trusting, tls_trusting
from adapters.websocket import open_websocket


@attrs.define(eq=False)
class Kraken:
    """One venue behind one IP: one budget, one ban, one clock offset for all."""

    market: KrakenMarket
    _venue: Venue
    _allow_foreign_host: bool

    def trading(
        self,
        account_key: Revealing,
        secret: Revealing,
        *,
        nonces: NonceMemory | None = None,
        dead_man_s: float | None = None,
    ) -> KrakenTrading:
        """Return the private side of one account. Two for one key would be a mistake.

        `nonces` remembers over processes, which the venue itself demands. `dead_man_s`
        switches on the venue's dead man's switch: docs/kraken.md says what it costs.

        Raises:
          ForeignHost: the key would leave for a host that is not the venue's (S-9).
          SecretError: the secret can sign nothing.
          StateUnusable: the remembered nonce cannot be read.
        """
        check_keys_may_go(
            EXCHANGE, self._venue.endpoints, allow_foreign_host=self._allow_foreign_host
        )
        signer = Signer(account_key, secret)
        caller = Caller(self._venue, signer, Nonces(self._venue.clock, nonces))
        return KrakenTrading(self._venue, caller, DeadMan(dead_man_s))


@asynccontextmanager
async def open_kraken(
    endpoints: Endpoints | None = None,
    *,
    clock: WallClock,
    allow_foreign_host: bool = False,
    timing: Timing | None = None,
    http_timing: HttpTiming | None = None,
    ca_file: Path | None = None,
    memory: Memory | None = None,
    remembers_connects: bool = True,
    dial: Dial = dial,
    open_transport: OpenTransport = open_transport,
    open_socket: OpenSocket = open_websocket,  # of public market data
) -> AsyncGenerator[Kraken, None]:
    """Introduce one Kraken for the length of the block; nothing is sent until asked.

    `ca_file` is the one authority that may vouch for hosts that are not the venue's own;
    `memory` may remember what was asked before.

    Raises:
      ForeignHost: `ca_file` was given for a host of the venue itself (S-9).
      CertificateUnusable: it cannot be read.
    """
    known = (endpoints or Endpoints()).of(EXCHANGE)
    if ca_file is not None:
        dial, open_transport = _trusting(ca_file, known)
    limits = Limits(
        clock, memory or RamMemory(), CONNECTS_MAX, CONNECTS_S, remembers_connects
    )
    http, orders_http = (_http(known, http_timing, open_transport) for _ in range(2))
    venue = Venue(
        known, clock, timing or Timing(), dial, http, orders_http, limits, open_socket
    )
    try:
        yield Kraken(KrakenMarket(venue), venue, allow_foreign_host)
    finally:
        with trio.move_on_after(2, shield=True):
            await venue.aclose()


def _http(
    known: Endpoints, timing: HttpTiming | None, open_transport: OpenTransport
) -> HttpClient:
    origin = known.rest_url.rstrip("/").removesuffix("/0")
    return HttpClient(origin, timing or HttpTiming(), open_transport)


def _trusting(ca_file: Path, endpoints: Endpoints) -> tuple[Dial, OpenTransport]:
    check_own_authority(EXCHANGE, endpoints)
    trusted = tls_trusting(ca_file)
    return dial_trusting(trusted), transport_trusting(trusted)
