"""Open an exchange's real adapter on the simulated world, whichever the run trades on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Final

import attrs

from actors.messages import OrderStatus
from actors.ports import Market, Trading
from actors.pure.matching_orders import ZERO, Fill
from adapters.binance.gate import Gate as BinanceGate
from adapters.binance.open import open_binance
from adapters.coinbase.gate import Gate
from adapters.coinbase.open import open_coinbase
from adapters.endpoints import Endpoints
from adapters.http import OpenTransport
from adapters.kraken.nonces import NonceMemory
from adapters.kraken.open import open_kraken
from adapters.secrets import Secret
from adapters.simulator import kraken_papers
from adapters.simulator.coinbase_texts import named_uuid
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.venues import VENUES
from adapters.sockets import Timing
from adapters.streams import Dial
from adapters.websocket_busy import open_busy_websocket
from tests.simulation.clocks import MachineClock
from tests.simulation.limits_memory import SimMemory

HOST: Final = "venue.simulated:9010"
ROUNDED: Final = Decimal("0.00000001")
TIMING: Final = Timing(connect_s=5.0, ping_s=10.0, pong_s=5.0)

Sign = Callable[[Secret, Secret], Trading]


@attrs.frozen(eq=False)
class Reach:
    """How one process reaches the exchange, and what its machine remembers of it."""

    clock: MachineClock
    memory: SimMemory
    nonces: NonceMemory
    dial: Dial
    open_transport: OpenTransport
    passphrase: str = ""  # Coinbase's own: orders go to its Exchange


async def open_simulated(
    opened: AsyncExitStack, exchange: str, reach: Reach
) -> tuple[Market, Sign]:
    """Return the market side, and what gives an account its private side."""
    return await _OPENERS[exchange](opened, reach)


async def _binance(opened: AsyncExitStack, reach: Reach) -> tuple[Market, Sign]:
    binance = await opened.enter_async_context(
        open_binance(
            where("binance"),
            clock=reach.clock,
            allow_foreign_host=True,
            timing=TIMING,
            gate=BinanceGate(reach.clock, reach.memory),
            dial=reach.dial,
            open_transport=reach.open_transport,
            open_socket=open_busy_websocket,
        )
    )
    return binance.market, binance.trading


async def _kraken(opened: AsyncExitStack, reach: Reach) -> tuple[Market, Sign]:
    kraken = await opened.enter_async_context(
        open_kraken(
            where("kraken"),
            clock=reach.clock,
            allow_foreign_host=True,
            timing=TIMING,
            memory=reach.memory,
            dial=reach.dial,
            open_transport=reach.open_transport,
            open_socket=open_busy_websocket,
        )
    )

    def sign(key: Secret, secret: Secret) -> Trading:
        return kraken.trading(key, secret, nonces=reach.nonces)

    return kraken.market, sign


async def _coinbase(opened: AsyncExitStack, reach: Reach) -> tuple[Market, Sign]:
    coinbase = await opened.enter_async_context(
        open_coinbase(
            where("coinbase"),
            clock=reach.clock,
            allow_foreign_host=True,
            timing=TIMING,
            gate=Gate(reach.clock, memory=reach.memory),
            dial=reach.dial,
            open_transport=reach.open_transport,
            open_socket=open_busy_websocket,
        )
    )
    passphrase = Secret(reach.passphrase) if reach.passphrase else None

    def sign(key: Secret, secret: Secret) -> Trading:
        return coinbase.trading(key, secret, passphrase)

    return coinbase.market, sign


def told_trade_id(config: SimulatorConfig, fill: Fill) -> str:
    """Return the id that the exchange tells an account's execution under."""
    if config.dialect == "kraken":
        return kraken_papers.exec_id_of(fill)
    if config.dialect == "coinbase" and not config.keys[0].passphrase:
        names = fill.trade.symbol, str(fill.trade.trade_id), str(fill.order_id)
        return named_uuid("trade", *names)
    return str(fill.trade.trade_id)


def fee_tolerance(config: SimulatorConfig) -> Decimal:
    """Return how far the fee of an execution may be from what it really was.

    The user channel of Coinbase's Exchange tells a rate; what it makes of it is rounded.
    """
    return ROUNDED if config.keys[0].passphrase else ZERO


def is_same_end(
    config: SimulatorConfig, told: OrderStatus | None, status: OrderStatus
) -> bool:
    """Tell whether an end that was told is the one that the matching engine knows.

    Kraken and Coinbase call it cancelled, too, when nobody was there for the rest of a
    market order.
    """
    if config.dialect != "binance" and status is OrderStatus.EXPIRED:
        return told in {OrderStatus.CANCELED, OrderStatus.EXPIRED}
    return told is status


def where(exchange: str) -> Endpoints:
    """Return the addresses of the simulated exchange."""
    url, rest_url, ws_api_url = VENUES[exchange].endpoints("", HOST)  # pyright: ignore[reportArgumentType] -- a config names exchanges as text
    return Endpoints(url, ws_api_url, rest_url, rest_url)


_OPENERS: Final[
    Mapping[str, Callable[[AsyncExitStack, Reach], Awaitable[tuple[Market, Sign]]]]
] = {"binance": _binance, "coinbase": _coinbase, "kraken": _kraken}
