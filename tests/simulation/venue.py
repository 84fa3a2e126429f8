"""The simulated exchange of a run: two markets, one account, no script of its own."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

import attrs

from adapters.simulator.config import (
    BTC,
    ETH,
    ApiKey,
    DialectName,
    Listing,
    Phase,
    SimulatorConfig,
)
from adapters.simulator.past import Past, draw_past
from adapters.simulator.venues import VENUES
from tests.simulation.process import KEY, PASSPHRASE, SECRET
from tests.simulation.schedule import Schedule

# More of everything than the fleet trades, so that what it sells too much is not refused.
BALANCES: Final = {"USDT": Decimal(1_000_000), "BTC": Decimal(5), "ETH": Decimal(100)}
PASTS: Final = 4


def venue_config(schedule: Schedule) -> SimulatorConfig:
    """Return the exchange of one run."""
    drift = schedule.drift_percent
    return SimulatorConfig(
        dialect=dialect_of(schedule),
        listings=tuple(_thin(it) for it in (BTC, ETH) if it.symbol in schedule.config),
        keys=(_key(schedule),),
        ticks_per_s=2.0,
        scenario=(Phase(2, 6, drift), Phase(9, 8, -1.5 * drift), Phase(18, 6, drift)),
        scenario_every_s=25.0,
        ticker_ms=1000,
    )


def _thin(listing: Listing) -> Listing:
    """Return the market with little at each level, so that orders fill in many parts."""
    return attrs.evolve(listing, levels=6, level_quote=1500.0, level_share=0.0002)


@lru_cache(maxsize=2 * PASTS)
def _shared(listing: Listing, number: int, end_ms: int) -> Past:
    return draw_past(listing, number, end_ms)


def past_of(listing: Listing, seed: int, end_ms: int) -> Past:
    """Return what was before the run: one of a few, because drawing one takes long."""
    return _shared(listing, seed % PASTS, end_ms)


def _key(schedule: Schedule) -> ApiKey:
    passphrase = PASSPHRASE if "passphrase" in schedule.config else ""
    return ApiKey("main", KEY, SECRET, balances=BALANCES, passphrase=passphrase)


def dialect_of(schedule: Schedule) -> DialectName:
    """Return what the exchange speaks that the run trades on."""
    for name in VENUES:
        if f'exchange = "{name}"' in schedule.config:
            return name
    raise ValueError("the run's config names no exchange")
