"""An hour of prices with an outage leaves nothing behind; `just soak` is a whole day."""

from __future__ import annotations

from tests.simulation.soak import GROWTH_MAX, soak


def test_an_hour_with_an_outage_leaves_nothing_behind() -> None:
    soaked = soak(0.75, warm_s=600.0, bots=6, trades=False)
    assert soaked.outcome.violations == []
    assert soaked.overfull == []
    assert len(soaked.samples) == 4
    assert soaked.growth_of_objects <= GROWTH_MAX
    assert soaked.outcome.failures["feed"] > 0  # the outage was felt
