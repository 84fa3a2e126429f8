"""A simulation that finds no planted bug proves nothing: these seeds find each of them.

Any change of the engine changes what a seed means: where the seeds recorded here find a bug
no more, all up to SEEDS_MAX are tried. `just simulate --gate --seeds 200` finds new ones.
"""

from __future__ import annotations

import pytest

from tests.simulation.planted import PLANTS, planted
from tests.simulation.schedule import draw
from tests.simulation.simulation import simulate

SEEDS_MAX = 200
FOUND_BY = {
    "send_before_journal": ("I-2", [1]),
    "no_fsync": ("I-2", [1]),
    "new_id_on_timeout": ("I-2", [1, 2, 3]),
    "blind_resend": ("I-1", [1, 2, 3]),
    "one_not_found_is_failure": ("I-10", [1, 2, 3]),
    "no_dedupe": ("I-5", [1]),
    "unknown_is_a_no": ("I-8", [1, 2, 3]),
    "exits_flip": ("I-15", [1, 2, 3]),
    "stale_command": ("I-16", [39, 60, 70]),
    "cancel_assumed_done": ("I-", [24, 128]),
    "two_incarnations": ("I-24", [2]),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_the_planted_bug_is_found(plant: str) -> None:
    invariant, seeds = FOUND_BY[plant]
    with planted(plant):
        found = (
            any(said.startswith(invariant) for said in simulate(draw(seed)).violations)
            for seed in (*seeds, *range(1, SEEDS_MAX + 1))
        )
        assert any(found), f"{plant} stays hidden in {SEEDS_MAX} seeds"
