"""Kraken's doors: REST, the public WebSocket and the private one.

The venue has a host for each WebSocket; here they are two paths, /v2 and /private/v2.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from adapters.simulator.dialect import Opened, Session, Venue, Visit
from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Connection
from adapters.simulator.http_server import HttpAnswer, HttpRequest
from adapters.simulator.kraken_dialect import KrakenDialect
from adapters.simulator.kraken_limits import Connects
from adapters.simulator.kraken_private_socket import PrivateSocket
from adapters.simulator.kraken_public_socket import PublicSocket
from adapters.simulator.kraken_rest import KrakenRest
from adapters.simulator.outbox import Outbox

PATHS: Final[dict[str, Connection]] = {"/v2": "stream", "/private/v2": "ws_api"}


class KrakenDoors:
    """Where Kraken's clients come in."""

    is_pinging = False
    connection_s = math.inf  # the venue documents no age

    def __init__(self, dialect: KrakenDialect) -> None:
        self._dialect = dialect
        self._rest = KrakenRest(dialect)
        self._connects = Connects(dialect.desk.limits)

    def kind_of(self, path: str) -> Connection | None:
        return PATHS.get(path.partition("?")[0])

    async def respond(self, request: HttpRequest) -> HttpAnswer | None:
        return await self._rest.respond(request)

    def session(self, visit: Visit, outbox: Outbox, nursery: trio.Nursery) -> Session:
        if visit.kind == "ws_api":
            return PrivateSocket(self._dialect, outbox, visit.address, nursery)
        return PublicSocket(self._dialect, outbox, nursery)

    def refuse(self, visit: Visit) -> HttpAnswer | None:
        """Turn away who connects too often, as the venue's front does."""
        now_ms = self._dialect.exchange.now_ms()
        if self._connects.is_welcome(visit.address, now_ms):
            return None
        self._dialect.exchange.limits.refuse("connects")
        return HttpAnswer(429, b"error code: 1015", (), "text/plain")


def _open(exchange: Exchange) -> Opened:
    dialect = KrakenDialect(exchange)
    doors = KrakenDoors(dialect)
    return Opened(dialect, doors, refuse=doors.refuse)


def _endpoints(secure: str, place: str) -> tuple[str, str, str]:
    return (
        f"ws{secure}://{place}/v2",
        f"http{secure}://{place}",
        f"ws{secure}://{place}/private/v2",
    )


KRAKEN: Final = Venue(_open, _endpoints)
