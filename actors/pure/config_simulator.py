"""What `[simulator]` says: the market of mode "sim", and what goes wrong in it, and when.

Times (`at_s`) are seconds since the fleet was up.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

FAULTS: Mapping[str, str] = {
    "silence": "acks, but no data",
    "half_open": "no bytes any more, in either direction",
    "garbage": "frames that cannot be read",
    "duplicate": "every event twice",
    "reorder": "events in pairs, the second first",
    "lost_ack": "the order is taken, the answer is not sent",
    "late_ack": "the answer comes delay_s later",
    "rate_limit": "429 to every request",
    "ban": "418 to every request",
    "server_error": "the order is taken, the answer is 5xx",
    "clock_skew": "the exchange's clock is skew_ms ahead",
    "disconnect": "every connection is cut once",
    "storm": "connections are accepted, then cut at once",
    "server_shutdown": "announced, then cut delay_s later",
    "refuse": "the port is closed",
    "purge": "every open order is cancelled once, at nobody's request",
    "late_orders": "queries see orders, of all symbols, as they were up to delay_s ago",
    "late_fills": "queries see executions, of all symbols, as they were up to delay_s ago",
}
CONNECTIONS = ("stream", "ws_api", "rest")


@attrs.frozen(kw_only=True)
class PhaseConfig:
    """A stretch of drift on top of the random walk; `symbol` "" is every symbol."""

    at_s: float
    duration_s: float
    percent: Decimal  # over the whole stretch
    symbol: str = ""
    exchange: str = ""  # "" is every simulated exchange


@attrs.frozen(kw_only=True)
class FaultConfig:
    """One fault of the script; its fields are those of the simulator's own script files."""

    kind: str  # of FAULTS
    at_s: float | None = None
    every_s: float = 0.0
    after_orders: int = 0
    duration_s: float = 5.0
    times: int = 0  # 0: as often as it applies
    symbol: str = ""  # "" is all
    exchange: str = ""  # "" is every simulated exchange
    connection: str = ""  # of CONNECTIONS; "" is all
    delay_s: float = 1.0
    skew_ms: int = 5000


@attrs.frozen(kw_only=True)
class CrashConfig:
    """Crash one of our own actors: the documented test hook, scripted."""

    at_s: float
    actor: str


@attrs.frozen(kw_only=True)
class MarketConfig:
    """What one simulated exchange has of its own; None is as for all."""

    prices: Mapping[str, Decimal] | None = None
    balances: Mapping[str, Decimal] | None = None
    fee_percent: Decimal | None = None


@attrs.frozen(kw_only=True)
class SimulatorConfig:
    """The exchanges of mode "sim"."""

    seed: int = 1
    ticks_per_s: float = 10.0  # steps of the synthetic market
    ticker_ms: int = 1000  # 0: a ticker with every step
    fee_percent: Decimal = Decimal("0.1")
    prices: Mapping[str, Decimal] = attrs.Factory(
        lambda: {"BTC/USDT": Decimal(60_000), "ETH/USDT": Decimal(2_500)}
    )
    balances: Mapping[str, Decimal] = attrs.Factory(
        lambda: {"USDT": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(10)}
    )
    phases: tuple[PhaseConfig, ...] = ()
    phases_every_s: float = 0.0  # 0: they play once
    faults: tuple[FaultConfig, ...] = ()
    crash: tuple[CrashConfig, ...] = ()
    exchanges: Mapping[str, MarketConfig] = attrs.Factory(dict[str, MarketConfig])

    def of(self, exchange: str) -> SimulatorConfig:
        """Return what holds for one exchange, without what is another's."""
        own = self.exchanges.get(exchange, MarketConfig())
        return attrs.evolve(
            self,
            prices=self.prices if own.prices is None else own.prices,
            balances=self.balances if own.balances is None else own.balances,
            fee_percent=self.fee_percent if own.fee_percent is None else own.fee_percent,
            phases=tuple(each for each in self.phases if each.exchange in {"", exchange}),
            faults=tuple(each for each in self.faults if each.exchange in {"", exchange}),
            exchanges={},
        )
