"""Coinbase's doors on one port: Exchange's feed, Advanced Trade's, and REST for both.

The venue has a host for each; here each is a path: /ws-feed (or the root), /ws-direct,
/advanced-trade-ws and /advanced-trade-ws-user.
"""

from __future__ import annotations

from typing import Final

import trio

from adapters.simulator.coinbase_advanced_session import AdvancedSession
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.coinbase_feed_session import FeedSession
from adapters.simulator.coinbase_rest import CoinbaseRest
from adapters.simulator.dialect import Opened, Session, Venue, Visit
from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Connection
from adapters.simulator.http_server import HttpAnswer, HttpRequest
from adapters.simulator.outbox import Outbox

PATHS: Final[dict[str, Connection]] = {
    "/": "stream",
    "/ws-feed": "stream",
    "/ws-direct": "ws_api",
    "/advanced-trade-ws": "stream",
    "/advanced-trade-ws-user": "ws_api",
}


class CoinbaseDoors:
    """Where Coinbase's clients come in."""

    is_pinging = False
    connection_s = float("inf")

    def __init__(self, venue: CoinbaseDialect) -> None:
        self._venue = venue
        self._rest = CoinbaseRest(venue)

    def kind_of(self, path: str) -> Connection | None:
        return PATHS.get(path.partition("?")[0])

    async def respond(self, request: HttpRequest) -> HttpAnswer | None:
        return await self._rest.respond(request)

    def session(self, visit: Visit, outbox: Outbox, nursery: trio.Nursery) -> Session:
        path = visit.path.partition("?")[0]
        if path.startswith("/advanced"):
            is_user = visit.kind == "ws_api"
            return AdvancedSession(self._venue, outbox, visit.address, is_user=is_user)
        return FeedSession(self._venue, outbox, visit.address, nursery)

    def refuse(self, visit: Visit) -> HttpAnswer | None:
        """Turn away who connects too often, as the venue's front does."""
        now_ms = self._venue.exchange.now_ms()
        if self._venue.buckets.take("connections", visit.address, now_ms):
            return None
        return HttpAnswer(429, b"error code: 1015", (), "text/plain")


def _open(exchange: Exchange) -> Opened:
    venue = CoinbaseDialect(exchange)
    doors = CoinbaseDoors(venue)
    return Opened(venue, doors, refuse=doors.refuse)


def _endpoints(secure: str, place: str) -> tuple[str, str, str]:
    return (
        f"ws{secure}://{place}/ws-feed",
        f"http{secure}://{place}",
        f"ws{secure}://{place}/advanced-trade-ws-user",
    )


COINBASE: Final = Venue(_open, _endpoints)
