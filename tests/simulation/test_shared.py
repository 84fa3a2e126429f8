"""Two owners under faults: orders and money are right for each, and nothing mixes."""

from __future__ import annotations

import os

import pytest

from tests.simulation.schedule import draw
from tests.simulation.shared import simulate_shared

SEEDS = int(os.environ.get("SHOAL_SHARED_SEEDS", "3"))
FIRST = 6


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_whatever_goes_wrong_both_ledgers_are_whole_and_apart(seed: int) -> None:
    outcome = simulate_shared(draw(seed))
    assert outcome.violations == [], "\n".join([
        *outcome.schedule.lines(), *outcome.lines, *outcome.violations,
    ])  # fmt: skip
    assert seed > FIRST or outcome.counts["guest orders"] > 5
