"""The whole fleet under faults on each exchange that it can trade on (I-1 … I-25).

Coinbase's odd seeds have a passphrase: orders go to its Exchange, else to Advanced Trade.
`just simulate --exchange kraken --seeds 200` runs more.
"""

from __future__ import annotations

import os

import pytest

from adapters.simulator.venues import VENUES
from tests.simulation.schedule import draw
from tests.simulation.simulation import simulate

SEEDS = int(os.environ.get("SHOAL_VENUE_SEEDS", "12"))  # of each exchange
CHAOS_S = 60.0
OTHERS = sorted(VENUES.keys() - {"binance"})  # its seeds are in test_seeds.py


@pytest.mark.parametrize("exchange", OTHERS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_whatever_goes_wrong_no_invariant_breaks(seed: int, exchange: str) -> None:
    outcome = simulate(draw(seed, chaos_s=CHAOS_S, exchange=exchange))
    again = f"just simulate --exchange {exchange} --seed {seed} --chaos {CHAOS_S:g} --trace"
    lines = [again, *outcome.schedule.lines(), *outcome.lines, *outcome.violations]
    assert outcome.violations == [], "\n".join(lines)


@pytest.mark.parametrize("exchange", OTHERS)
@pytest.mark.parametrize("seed", [3, 4])
def test_a_calm_run_fills_orders_and_is_always_the_same(seed: int, exchange: str) -> None:
    schedule = draw(seed, chaos_s=CHAOS_S, is_calm=True, exchange=exchange)
    first, second = simulate(schedule), simulate(schedule)
    assert first.violations == []
    assert first.counts["fills"] > 10
    assert not first.failures
    assert first.digest == second.digest
