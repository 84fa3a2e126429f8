"""Crash anywhere: a sample of all places with every run; `just simulate --sweep` is all."""

from __future__ import annotations

import os

import pytest

from tests.simulation.planted import planted
from tests.simulation.scenarios import PLOTS
from tests.simulation.scene import Cut, play
from tests.simulation.sweep import Point, run_one, sweep

SAMPLE = int(os.environ.get("SHOAL_SWEEP", "600"))


def test_cut_anywhere_a_scene_ends_as_without_the_cut() -> None:
    total = sweep(list(PLOTS), sample=SAMPLE, jobs=os.cpu_count() or 1)
    assert not total.failed, "\n".join(total.lines())
    assert total.deaths > SAMPLE / 3
    assert total.crashes > SAMPLE / 5


@pytest.mark.parametrize("name", PLOTS)
def test_a_scene_ends_well_and_always_the_same(name: str) -> None:
    first, second = play(PLOTS[name]), play(PLOTS[name])
    assert first.outcome.violations == []
    assert first.end == second.end
    assert first.steps == second.steps > 100
    assert first.outcome.digest == second.outcome.digest


def test_a_sweep_sees_an_order_that_is_sent_before_it_is_durable() -> None:
    name = "entry_and_exit"
    dry = play(PLOTS[name])
    with planted("send_before_journal"):
        found = [
            run_one(Point(name, Cut("power_loss", at), dry.end)) for at in range(0, 60, 6)
        ]
    assert any(swept.violations for swept in found)


def test_a_sweep_sees_another_end() -> None:
    name = "entry_and_exit"
    dry = play(PLOTS[name])
    twice = *dry.end[:-1], dry.end[-2], dry.end[-1]
    swept = run_one(Point(name, Cut("death", 60), twice))
    assert [each.partition(":")[0] for each in swept.violations] == ["I-18"]
