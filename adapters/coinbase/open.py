"""Open one Coinbase: the market side for everybody, a trading side for each account."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import attrs
import trio

from actors.ports import WallClock
from actors.pure.config_endpoints import ENDPOINTS
from adapters.coinbase.advanced_client import AdvancedClient
from adapters.coinbase.advanced_trading import AdvancedTrading
from adapters.coinbase.codec.feed import EXCHANGE
from adapters.coinbase.exchange_client import ExchangeClient
from adapters.coinbase.exchange_trading import ExchangeTrading
from adapters.coinbase.gate import Gate
from adapters.coinbase.rest import CoinbaseMarket
from adapters.coinbase.sign import AdvancedSigner, ExchangeSigner
from adapters.coinbase.venue import Clients, Venue
from adapters.endpoints import (
    Endpoints,
    ForeignHost,
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

_HOSTS: Final = ENDPOINTS[EXCHANGE].hosts


@attrs.define(eq=False)
class Coinbase:
    """One venue behind one IP: one pace, one ban, one clock offset for all."""

    market: CoinbaseMarket
    _venue: Venue
    _allow_foreign_host: bool

    def trading(
        self, account_key: Revealing, secret: Revealing, passphrase: Revealing | None = None
    ) -> AdvancedTrading | ExchangeTrading:
        """Return the private side of one account; a passphrase tells an Exchange key.

        Raises:
          ForeignHost: the key would leave for a host that is not the venue's (S-9).
          SecretError: the secret signs nothing.
        """
        where = self._venue.endpoints
        _check_one_place(where, is_advanced=passphrase is None)
        _check_keys_may_go(
            where,
            is_advanced=passphrase is None,
            allow_foreign_host=self._allow_foreign_host,
        )
        if passphrase is None:
            advanced = AdvancedSigner(account_key, secret)
            advanced.check()
            return AdvancedTrading(AdvancedClient(self._venue, advanced))
        signer = ExchangeSigner(account_key, secret, passphrase)
        signer.check()
        return ExchangeTrading(ExchangeClient(self._venue, signer))


def _check_keys_may_go(
    where: Endpoints, *, is_advanced: bool, allow_foreign_host: bool
) -> None:
    asked = where
    if is_advanced:
        asked = attrs.evolve(where, rest_url=where.trading_rest_url)
    else:  # the private stream is the feed's own
        asked = attrs.evolve(where, ws_api_url=where.url)
    check_keys_may_go(EXCHANGE, asked, allow_foreign_host=allow_foreign_host)


def _check_one_place(where: Endpoints, *, is_advanced: bool) -> None:
    """Refuse to look at prices elsewhere and to trade on them at the venue itself.

    Raises:
      ForeignHost: says what to write as well.
    """
    prices = urlsplit(where.rest_url).hostname or ""
    orders = urlsplit(where.trading_rest_url).hostname or ""
    if is_advanced and not _is_real(prices) and _is_real(orders):
        raise ForeignHost(
            f"prices come from {prices}, and orders would go to {orders}: give"
            " trading_rest_url and ws_api_url, too"
        )


def _is_real(host: str) -> bool:
    """Tell whether a host is where real money is traded."""
    return host in _HOSTS and "sandbox" not in host


@asynccontextmanager
async def open_coinbase(
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
) -> AsyncGenerator[Coinbase, None]:
    """Introduce one Coinbase for the length of the block; nothing is sent until asked.

    `ca_file` is the one authority that may vouch for hosts which are not the venue's own;
    `gate` may know of bans that earlier processes met.

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
        clients=_clients(known, http_timing or HttpTiming(), open_transport),
    )
    try:
        yield Coinbase(CoinbaseMarket(venue), venue, allow_foreign_host)
    finally:
        with trio.move_on_after(2, shield=True):
            await venue.aclose()


def _clients(known: Endpoints, timing: HttpTiming, opened: OpenTransport) -> Clients:
    rest, trading = known.rest_url.rstrip("/"), known.trading_rest_url.rstrip("/")
    return Clients(
        rest=HttpClient(rest, timing, opened),
        rest_orders=HttpClient(rest, timing, opened),
        advanced=HttpClient(trading, timing, opened),
        advanced_orders=HttpClient(trading, timing, opened),
    )


def _trusting(ca_file: Path, endpoints: Endpoints) -> tuple[Dial, OpenTransport]:
    check_own_authority(EXCHANGE, endpoints)
    trading = attrs.evolve(endpoints, rest_url=endpoints.trading_rest_url)
    check_own_authority(EXCHANGE, trading)
    trusted = tls_trusting(ca_file)
    return dial_trusting(trusted), transport_trusting(trusted)
