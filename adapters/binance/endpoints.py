"""Where Binance is, and where a key may be sent (S-9).

The addresses themselves are in `actors.pure.config_endpoints`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import attrs

from actors.pure.config_endpoints import ENDPOINTS

_OWN: Final = ENDPOINTS["binance"]


class ForeignHost(ValueError):
    """A key would be sent to a host that is not the venue's; the config must say so."""


@attrs.frozen
class Endpoints:
    """Three addresses; any of them may be overridden, "" is the venue's own."""

    url: str = ""
    ws_api_url: str = ""
    rest_url: str = ""

    def with_defaults(self) -> Endpoints:
        """Return these endpoints, the venue's own where one is empty."""
        return Endpoints(
            self.url or _OWN.url,
            self.ws_api_url or _OWN.ws_api_url,
            self.rest_url or _OWN.rest_url,
        )

    def stream_url(self) -> str:
        """Return the address of combined streams."""
        base = self.url.rstrip("/")
        return base if base.endswith("/stream") else base.removesuffix("/ws") + "/stream"

    def origin(self) -> str:
        """Return the REST address without a path: the paths begin with /api/v3."""
        return self.rest_url.rstrip("/").removesuffix("/api")


def check_own_authority(endpoints: Endpoints) -> None:
    """Refuse to let anybody but this machine's authorities vouch for the venue itself.

    Raises:
      ForeignHost: an address is the venue's own; says what to write instead.
    """
    for url in (endpoints.url, endpoints.rest_url, endpoints.ws_api_url):
        host = (urlsplit(url).hostname or "").rstrip(".")
        if host in _OWN.hosts:
            raise ForeignHost(
                f"{host} is Binance itself, which needs no ca_file: remove it, or give "
                "other addresses"
            )


def check_keys_may_go(endpoints: Endpoints, *, allow_foreign_host: bool) -> None:
    """Refuse to send a key anywhere but to the venue, and anywhere in the clear.

    Raises:
      ForeignHost: names the address and what to write in the configuration.
    """
    if allow_foreign_host:
        return
    for url, scheme in ((endpoints.rest_url, "https"), (endpoints.ws_api_url, "wss")):
        parts = urlsplit(url)
        if parts.hostname not in _OWN.hosts:
            raise ForeignHost(
                f"{parts.hostname} is not a host of Binance: keys are sent there only "
                "with send_keys_to_this_host = true"
            )
        if parts.scheme != scheme:
            raise ForeignHost(f"{url} is not {scheme}: keys are never sent in the clear")
