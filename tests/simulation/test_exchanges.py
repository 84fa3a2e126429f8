"""The whole fleet under faults on each exchange that it can trade on (I-1 … I-25).

Coinbase's odd seeds have a passphrase: orders go to its Exchange, else to Advanced Trade.
`just simulate --exchange kraken --seeds 200` runs more.
"""

from __future__ import annotations

import os

import pytest

from adapters.simulator.venues import VENUES
from tests.simulation.hours import draw_hours
from tests.simulation.runs import Runs
from tests.simulation.schedule import Schedule, VenueFault, draw
from tests.simulation.simulation import simulate
from tests.simulation.venue import dialect_of

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


@pytest.mark.parametrize("exchange", sorted(VENUES))
def test_hours_are_drawn_for_the_exchange_that_is_asked_for(exchange: str) -> None:
    schedule = draw_hours(2, 1.0, exchange)
    assert dialect_of(schedule) == exchange
    assert f"[exchanges.{exchange}]" in schedule.config
    assert Runs(hours=0.01, exchange=exchange).run(2).schedule.config == schedule.config


def test_hours_draw_what_differs_between_exchanges_as_shorter_runs_do() -> None:
    assert "passphrase" in draw_hours(1, 1.0, "coinbase").config
    assert "passphrase" not in draw_hours(2, 1.0, "coinbase").config
    assert any(_has_ban(draw_hours(seed, 1.0)) for seed in range(1, 9))
    assert not any(_has_ban(draw_hours(seed, 1.0, "kraken")) for seed in range(1, 9))


def _has_ban(schedule: Schedule) -> bool:
    return any(
        isinstance(event, VenueFault) and event.fault.kind == "ban"
        for event in schedule.events
    )
