"""What `[simulator]` says: the market of mode "sim", and what goes wrong in it, and when.

Times (`at_s`) are seconds since the fleet was up.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import attrs


class Fault(Enum):
    """The ways in which the simulated exchange can misbehave."""

    SILENCE = "silence"  # connected, pings answered, no data
    HALF_OPEN = "half_open"  # nothing at all, and no close
    GARBAGE = "garbage"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    LOST_ACK = "lost_ack"  # the order is taken, the answer never leaves
    LATE_ACK = "late_ack"
    RATE_LIMIT = "rate_limit"  # 429
    BAN = "ban"  # 418
    ERROR_AFTER_ACCEPTANCE = "error_after_acceptance"  # 5xx, and the order is taken
    CLOCK_SKEW = "clock_skew"
    DISCONNECT = "disconnect"
    DISCONNECT_STORM = "disconnect_storm"
    SERVER_SHUTDOWN = "server_shutdown"  # the serverShutdown event, then the close


@attrs.frozen(kw_only=True)
class PhaseConfig:
    """From `at_s` on, the synthetic market of `symbol` ("" is all) moves like this."""

    at_s: float
    symbol: str = ""
    drift_percent_per_minute: Decimal = Decimal(0)
    volatility_percent: Decimal = Decimal("0.02")  # standard deviation of one second


@attrs.frozen(kw_only=True)
class FaultConfig:
    """One fault of the script."""

    at_s: float
    kind: Fault
    for_s: float = 0.0  # 0 is once
    chance: float = 1.0  # of each frame, request or connection while it lasts
    amount_ms: int = 0  # the delay of a late ack, the skew of a clock
    symbol: str = ""  # "" is all


@attrs.frozen(kw_only=True)
class CrashConfig:
    """Crash one of our own actors: the documented test hook, scripted."""

    at_s: float
    actor: str


@attrs.frozen(kw_only=True)
class SimulatorConfig:
    """The exchange of mode "sim"."""

    seed: int = 1
    ticker_ms: int = 1000
    fee_percent: Decimal = Decimal("0.1")
    prices: Mapping[str, Decimal] = attrs.Factory(
        lambda: {"BTC/USDT": Decimal(60_000), "ETH/USDT": Decimal(3_000)}
    )
    balances: Mapping[str, Decimal] = attrs.Factory(lambda: {"USDT": Decimal(100_000)})
    phases: tuple[PhaseConfig, ...] = ()
    faults: tuple[FaultConfig, ...] = ()
    crash: tuple[CrashConfig, ...] = ()
