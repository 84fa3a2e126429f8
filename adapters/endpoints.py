"""Where a venue is, and where a key may be sent (S-9).

The addresses themselves are in `actors.pure.config_endpoints`.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

import attrs

from actors.pure.config_endpoints import ENDPOINTS


class ForeignHost(ValueError):
    """A key would be sent to a host that is not the venue's; the config must say so."""


class Revealing(Protocol):
    """A secret that shows its value only when asked by name (S-2)."""

    def reveal(self) -> str: ...


@attrs.frozen
class Endpoints:
    """A venue's addresses; any of them may be overridden, "" is the venue's own."""

    url: str = ""
    ws_api_url: str = ""
    rest_url: str = ""
    trading_rest_url: str = ""  # where orders are not at `rest_url`

    def of(self, exchange: str) -> Endpoints:
        """Return these endpoints, the exchange's own where one is empty."""
        own = ENDPOINTS[exchange]
        return Endpoints(
            self.url or own.url,
            self.ws_api_url or own.ws_api_url,
            self.rest_url or own.rest_url,
            self.trading_rest_url or own.trading_rest_url,
        )


def check_own_authority(exchange: str, endpoints: Endpoints) -> None:
    """Refuse to let anybody but this machine's authorities vouch for the venue itself.

    Raises:
      ForeignHost: an address is the venue's own; says what to write instead.
    """
    for url in (endpoints.url, endpoints.rest_url, endpoints.ws_api_url):
        host = (urlsplit(url).hostname or "").rstrip(".")
        if host in ENDPOINTS[exchange].hosts:
            raise ForeignHost(
                f"{host} is {exchange.capitalize()} itself, which needs no ca_file:"
                " remove it, or give other addresses"
            )


def check_keys_may_go(
    exchange: str, endpoints: Endpoints, *, allow_foreign_host: bool
) -> None:
    """Refuse to send a key anywhere but to the venue, and anywhere in the clear.

    Raises:
      ForeignHost: names the address and what to write in the configuration.
    """
    if allow_foreign_host:
        return
    for url, scheme in ((endpoints.rest_url, "https"), (endpoints.ws_api_url, "wss")):
        parts = urlsplit(url)
        if parts.hostname not in ENDPOINTS[exchange].hosts:
            raise ForeignHost(
                f"{parts.hostname} is not a host of {exchange.capitalize()}: keys are sent"
                " there only with send_keys_to_this_host = true"
            )
        if parts.scheme != scheme:
            raise ForeignHost(f"{url} is not {scheme}: keys are never sent in the clear")
