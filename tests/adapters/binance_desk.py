"""A scripted Binance for the tests of its adapter: REST answers, and WS-API talk."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

import attrs
import trio

from actors.messages import (
    Instrument,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    VenueOrder,
)
from adapters.binance import Binance, Endpoints, open_binance
from adapters.binance.codec import instruments, orders_writer
from adapters.http import HttpTiming
from adapters.sockets import OpenSocket, Timing
from adapters.streams import Dial, dial
from adapters.websocket import open_websocket
from tests.adapters.peers import Desk, http

NOW_MS: Final = 1_700_000_000_000
KEY: Final = "canary-key-6c0b"
SECRET: Final = "canary-secret-93d1"

STEP: Final = Decimal("0.01")
BTC: Final = Instrument(
    exchange="binance", symbol="BTC/USDT", venue_symbol="BTCUSDT", base_asset="BTC",
    quote_asset="USDT", is_trading=True, tick=STEP, lot=STEP, base_min=STEP, base_max=STEP,
    market_base_max=STEP, quote_min=STEP, quote_max=STEP, is_quote_min_for_market=True,
    price_min=STEP, price_max=STEP,
    order_types=frozenset(kind.value for kind in OrderType),
)  # fmt: skip
BUY: Final = OrderRequest(
    "0b1d0c1e-6f2a-4c59-9a6e-3d2f1c7b8a90", "BTC/USDT", Side.BUY, OrderType.LIMIT,
    Decimal("0.5"), Decimal("100.25"),
)  # fmt: skip
OPEN: Final = VenueOrder(
    "binance", "BTC/USDT", BUY.client_order_id, "28", Side.BUY, "LIMIT", OrderStatus.OPEN,
    Decimal("0.50000000"), Decimal("0E-8"), Decimal("100.25000000"), None, NOW_MS,
)  # fmt: skip


@attrs.frozen
class Sealed:
    value: str

    def reveal(self) -> str:
        return self.value


@attrs.define
class StillClock:
    wall_ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.wall_ms

    def awake_s(self) -> float:
        return 0.0

    def elapsed_s(self) -> float:
        return 0.0


Answer = Callable[[str, str], bytes | None]


def info(limit: int = 6000) -> bytes:
    limits = [instruments.RateLimit("REQUEST_WEIGHT", 60, limit)]
    return instruments.encode_exchange_info([BTC], limits, NOW_MS)


def placed(order: VenueOrder = OPEN) -> dict[str, object]:
    """Return the fields of a FULL answer to `BUY`."""
    return orders_writer.placed_fields(
        order, "BTCUSDT", quote_filled=Decimal(0), fills=[], resp_type="FULL"
    )


def with_info(answer: Answer, *, limit: int = 6000) -> Answer:
    """Return `answer`, but exchangeInfo is answered for it."""

    def answered(line: str, headers: str) -> bytes | None:
        if "/exchangeInfo" in line:
            return http(200, info(limit), "X-MBX-USED-WEIGHT-1M: 20\r\n")
        return answer(line, headers)

    return answered


@asynccontextmanager
async def opened(
    nursery: trio.Nursery,
    answer: Answer,
    *,
    dial: Dial = dial,
    limit: int = 6000,
    open_socket: OpenSocket = open_websocket,
) -> AsyncGenerator[tuple[Desk, Binance], None]:
    """Open a Binance against a desk that answers so, its sockets dialled so."""
    desk = Desk(with_info(answer, limit=limit))
    await nursery.start(desk.serve)
    endpoints = Endpoints("ws://venue.test", "ws://venue.test/ws-api/v3", desk.origin)
    async with open_binance(
        endpoints,
        clock=StillClock(),
        allow_foreign_host=True,
        timing=Timing(connect_s=1.0),
        http_timing=HttpTiming(read_s=0.3),
        dial=dial,
        open_socket=open_socket,
    ) as binance:
        yield desk, binance
    nursery.cancel_scope.cancel()
