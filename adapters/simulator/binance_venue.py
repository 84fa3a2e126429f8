"""Binance's doors: REST, market streams and WS-API, by the path a client asks for."""

from __future__ import annotations

from typing import Final

import trio

from adapters.simulator.binance_dialect import BinanceDialect
from adapters.simulator.binance_faults import Refused
from adapters.simulator.binance_replay import BinancePlayer, survey
from adapters.simulator.binance_rest import BinanceRest
from adapters.simulator.binance_streams import StreamConnection
from adapters.simulator.binance_ws_api import WsApiConnection
from adapters.simulator.dialect import Opened, Session, Venue, Visit
from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Connection
from adapters.simulator.http_server import HttpAnswer, HttpRequest
from adapters.simulator.outbox import Outbox

CONNECT_WEIGHT: Final = 2  # of a WS-API connection


class BinanceDoors:
    """Where Binance's clients come in."""

    is_pinging = True

    def __init__(self, dialect: BinanceDialect) -> None:
        self._dialect = dialect
        self._rest = BinanceRest(dialect)

    @property
    def connection_s(self) -> float:
        return self._dialect.exchange.config.limits.connection_s

    def kind_of(self, path: str) -> Connection | None:
        if path.startswith("/ws-api/v3"):
            return "ws_api"
        is_market = path.startswith(("/ws/", "/stream")) or path.partition("?")[0] == "/ws"
        return "stream" if is_market else None

    async def respond(self, request: HttpRequest) -> HttpAnswer | None:
        return await self._rest.respond(request)

    def session(self, visit: Visit, outbox: Outbox, nursery: trio.Nursery) -> Session:
        if visit.kind == "ws_api":
            self._charge_connection(visit.address)
            return WsApiConnection(self._dialect, outbox, visit.address, nursery)
        return StreamConnection(self._dialect, outbox, visit.path, nursery)

    def _charge_connection(self, address: str) -> None:
        try:
            self._dialect.charge(address, CONNECT_WEIGHT)
        except Refused:
            return  # the venue lets it connect and refuses its requests


def _open(exchange: Exchange) -> Opened:
    dialect = BinanceDialect(exchange)
    return Opened(
        dialect,
        BinanceDoors(dialect),
        lambda sessions: BinancePlayer(dialect, sessions),
    )


def _endpoints(secure: str, place: str) -> tuple[str, str, str]:
    return (
        f"ws{secure}://{place}/stream",
        f"http{secure}://{place}",
        f"ws{secure}://{place}/ws-api/v3",
    )


BINANCE: Final = Venue(_open, _endpoints, survey)
