"""What a simulated exchange is made of: listings, keys, pace, scenario and limits."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

import attrs

from adapters.simulator.faults import Fault
from adapters.simulator.kraken_limits import KrakenLimits

ZERO = Decimal(0)
DialectName = Literal["binance", "coinbase", "kraken"]
FEES_IN_QUOTE: Final[frozenset[DialectName]] = frozenset({"coinbase", "kraken"})


@attrs.frozen
class Listing:
    """One symbol, its filters, and how its synthetic market behaves."""

    symbol: str  # canonical, "BTC/USDT"
    price: Decimal  # at the start, quote per base
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.00001")
    base_min: Decimal = Decimal("0.00001")
    base_max: Decimal = Decimal(9000)
    market_base_max: Decimal = Decimal(100)
    quote_min: Decimal = Decimal(5)
    quote_max: Decimal = Decimal(9_000_000)
    price_max: Decimal = Decimal(1_000_000)
    orders_max: int = 200  # open orders of one account on this symbol
    volatility: float = 0.0001  # of the log price, per square root of a second
    spread_ticks: int = 1
    levels: int = 20  # on each side
    level_quote: float = 60_000.0  # quote resting at one level, on average
    level_share: float = 0.00005  # distance between levels, of the price at the start
    trade_chance: float = 0.6  # that somebody trades in one step

    @property
    def base_asset(self) -> str:
        return self.symbol.partition("/")[0]

    @property
    def quote_asset(self) -> str:
        return self.symbol.partition("/")[2]

    @property
    def venue_symbol(self) -> str:
        """Return what the exchange keys it by; a dialect with other names translates."""
        return self.symbol.replace("/", "")


BTC = Listing("BTC/USDT", Decimal("60000.00"))
ETH = Listing(
    "ETH/USDT",
    Decimal("2500.00"),
    lot=Decimal("0.0001"),
    base_min=Decimal("0.0001"),
    market_base_max=Decimal(2000),
    volatility=0.00012,
)


@attrs.frozen
class Phase:
    """A stretch of drift on top of the random walk; `symbol` "" means every symbol."""

    at_s: float
    duration_s: float
    percent: float  # over the whole stretch
    symbol: str = ""


# One round of 40 s: a dip, a rise that reaches targets, a fall that reaches stops.
DEMO = (
    Phase(2, 4, -0.4),
    Phase(6, 14, 1.6),
    Phase(22, 5, -2.4),
    Phase(28, 12, 1.2),
)


@attrs.frozen
class ApiKey:
    """Credentials of one account, and what it starts with."""

    name: str
    key: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)
    passphrase: str = attrs.field(default="", repr=False, kw_only=True)  # Coinbase Exchange
    balances: Mapping[str, Decimal] = {
        "USDT": Decimal(100_000),
        "BTC": Decimal(1),
        "ETH": Decimal(10),
    }


@attrs.frozen
class Limits:
    """What the venue allows; the defaults are Binance's own."""

    weight_1m: int = 6000
    orders_10s: int = 50
    orders_1d: int = 160_000
    stream_messages_1s: int = 5
    streams_max: int = 1024
    connection_s: float = 86_400.0
    ping_s: float = 20.0
    pong_s: float = 60.0
    subscribe_s: float = 5.0  # Coinbase: without a subscription a connection ends then
    queue_frames: int = 10_000  # unsent frames, then a slow reader is disconnected


@attrs.frozen
class SimulatorConfig:
    """Everything a simulator needs to know before it starts."""

    dialect: DialectName = "binance"
    listings: tuple[Listing, ...] = (BTC, ETH)
    keys: tuple[ApiKey, ...] = ()
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    ticks_per_s: float = 10.0  # steps of the synthetic market
    ticker_ms: int = 1000  # 0: a 24hrTicker with every step
    scenario: tuple[Phase, ...] = ()
    scenario_every_s: float = 0.0  # 0: the scenario plays once
    faults: tuple[Fault, ...] = ()
    limits: Limits = Limits()
    kraken_limits: KrakenLimits = attrs.field(factory=KrakenLimits)
    replay: tuple[Path, ...] = ()
    replay_speed: float = 1.0  # 0: as fast as the reader takes it
    replay_wait_s: float = 1.0  # from the first subscription to the first frame
    flood_frames_per_s: float | None = None  # ticker frames written flat out; 0: no pause
    host: str = "127.0.0.1"
    port: int = 0


def seeded(seed: int, *purpose: str) -> random.Random:
    """Return a generator of its own for one purpose, so that none disturbs another."""
    return random.Random(":".join([str(seed), *purpose]))  # noqa: S311 -- prices, not secrets
