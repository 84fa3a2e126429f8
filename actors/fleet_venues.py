"""Open the right exchange by its name: the one place that knows which adapter speaks to it.

Adapters are imported when a fleet uses them; a fleet on one exchange loads one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import attrs

from actors.fleet_settings import fingerprint
from actors.fleet_world import Venue
from actors.pure.config import AccountConfig, ExchangeConfig, Mode
from actors.pure.config_endpoints import LOOPBACK, host_of, place_of
from actors.pure.config_types import MarketSocket
from adapters.clock import SystemClock
from adapters.endpoints import Endpoints
from adapters.secrets import Secret
from adapters.sockets import OpenSocket, Timing
from adapters.spent_file import SpentFile
from adapters.state import limits_file, nonce_file


@attrs.frozen
class Keys:
    """The credentials of one account."""

    key: Secret
    secret: Secret
    passphrase: Secret | None = None


@attrs.frozen
class Account:
    """One account at an exchange that is to be opened."""

    config: AccountConfig
    keys: Keys


@attrs.frozen
class Opening:
    """What an exchange is opened with, whichever it is."""

    settings: ExchangeConfig
    where: Endpoints
    accounts: Mapping[str, Account]  # of it, by name
    ca_file: Path | None = None
    is_simulated: bool = False  # by ourselves: nothing is to be remembered of it

    @property
    def timing(self) -> Timing:
        settings = self.settings
        return Timing(settings.connect_s, settings.ping_s, settings.pong_s)

    @property
    def allow_foreign_host(self) -> bool:
        return self.settings.send_keys_to_this_host or self.is_simulated

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine, where nobody counts connections."""
        return host_of(self.settings.ws_api_url) in LOOPBACK

    @property
    def open_socket(self) -> OpenSocket:
        """What opens connections of public market data; the other kind is not loaded."""
        if self.settings.market_socket is MarketSocket.TRIO_WEBSOCKET:
            from adapters.websocket import open_websocket  # noqa: PLC0415 -- as it says

            return open_websocket
        from adapters.websocket_busy import open_busy_websocket  # noqa: PLC0415 -- the same

        return open_busy_websocket

    def memory(self) -> SpentFile:
        """Return what all fleets of this user remember of the limits at one place."""
        name = self.settings.name
        return SpentFile(limits_file(name, place_of(name, self.settings.rest_url)))

    def nonces(self, account: Account) -> Path:
        """Return where the nonces of one account's key are remembered."""
        name, key = self.settings.name, account.keys.key.reveal()
        return nonce_file(name, fingerprint(name, Mode.LIVE, key))


async def open_venue(opened: AsyncExitStack, opening: Opening) -> Venue:
    """Open one exchange; `opened` closes it.

    Raises:
      ForeignHost: a key would leave for a host that is not the exchange's (S-9).
      CertificateUnusable: `ca_file` cannot be read.
      SecretError: a secret can sign nothing there.
      StateUnusable: what must be remembered cannot be read.
    """
    return await OPENERS[opening.settings.name](opened, opening)


async def _binance(opened: AsyncExitStack, opening: Opening) -> Venue:
    from adapters.binance.gate import Gate  # noqa: PLC0415 -- only who uses it loads it
    from adapters.binance.open import open_binance  # noqa: PLC0415 -- the same

    clock, gate = SystemClock(), None
    if not opening.is_simulated:
        gate = Gate(clock, opening.memory(), remembers_connects=not opening.is_here)
    binance = await opened.enter_async_context(
        open_binance(
            opening.where,
            clock=clock,
            allow_foreign_host=opening.allow_foreign_host,
            timing=opening.timing,
            ca_file=opening.ca_file,
            gate=gate,
            open_socket=opening.open_socket,
        )
    )
    trading = {
        name: binance.trading(account.keys.key, account.keys.secret)
        for name, account in opening.accounts.items()
    }
    return Venue(binance.market, trading.__getitem__)


async def _kraken(opened: AsyncExitStack, opening: Opening) -> Venue:
    from adapters.kraken.nonces import NonceFile  # noqa: PLC0415 -- only who uses it loads it
    from adapters.kraken.open import open_kraken  # noqa: PLC0415 -- the same

    kraken = await opened.enter_async_context(
        open_kraken(
            opening.where,
            clock=SystemClock(),
            allow_foreign_host=opening.allow_foreign_host,
            timing=opening.timing,
            ca_file=opening.ca_file,
            memory=None if opening.is_simulated else opening.memory(),
            remembers_connects=not opening.is_here,
            open_socket=opening.open_socket,
        )
    )
    trading = {
        name: kraken.trading(
            account.keys.key,
            account.keys.secret,
            nonces=None if opening.is_simulated else NonceFile(opening.nonces(account)),
            dead_man_s=account.config.dead_man_s,
        )
        for name, account in opening.accounts.items()
    }
    return Venue(kraken.market, trading.__getitem__)


async def _coinbase(opened: AsyncExitStack, opening: Opening) -> Venue:
    from adapters.coinbase.gate import Gate  # noqa: PLC0415 -- only who uses it loads it
    from adapters.coinbase.open import open_coinbase  # noqa: PLC0415 -- the same

    clock, gate = SystemClock(), None
    if not opening.is_simulated:
        gate = Gate(clock, opening.memory(), remembers_connects=not opening.is_here)
    coinbase = await opened.enter_async_context(
        open_coinbase(
            opening.where,
            clock=clock,
            allow_foreign_host=opening.allow_foreign_host,
            timing=opening.timing,
            ca_file=opening.ca_file,
            gate=gate,
            open_socket=opening.open_socket,
        )
    )
    trading = {
        name: coinbase.trading(
            account.keys.key, account.keys.secret, account.keys.passphrase
        )
        for name, account in opening.accounts.items()
    }
    return Venue(coinbase.market, trading.__getitem__)


Opener = Callable[[AsyncExitStack, Opening], Awaitable[Venue]]
OPENERS: Final[Mapping[str, Opener]] = {
    "binance": _binance,
    "coinbase": _coinbase,
    "kraken": _kraken,
}
