"""Schedules that once broke something are played with every run, and stay whole."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from tests.simulation.gate import SEARCHES
from tests.simulation.schedule import CHAOS_S, draw
from tests.simulation.shrinking import FOLDER, broken, from_json, shrink, to_json
from tests.simulation.simulation import simulate

KEPT = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", KEPT, ids=[path.stem for path in KEPT])
def test_what_was_found_once_stays_mended(path: Path) -> None:
    outcome = simulate(from_json(path.read_text()))
    assert outcome.violations == [], "\n".join([*outcome.lines, *outcome.violations])


def test_a_schedule_is_kept_as_it_is() -> None:
    for seed in range(1, 60):
        schedule = draw(seed, chaos_s=CHAOS_S)
        assert from_json(to_json(schedule, "nothing")) == schedule


def test_a_schedule_shrinks_to_the_faults_that_are_needed() -> None:
    """Two of these events are needed; it does not matter which invariant they break."""
    schedule = next(it for it in map(draw, range(1, 99)) if len(it.events) > 12)
    needed = {schedule.events[3], schedule.events[9]}
    small = shrink(schedule, lambda it: needed <= set(it.events), note=lambda _: None)
    assert set(small.events) == needed
    assert attrs.evolve(small, events=schedule.events) == schedule


def test_a_planted_bug_is_shrunk_to_fewer_faults_and_still_found() -> None:
    plant = "blind_resend"
    draws = (draw(it, chaos_s=20.0, focus=SEARCHES[plant].focus) for it in range(1, 30))
    schedule = next(it for it in draws if broken(it, plant) == "I-1")
    small = shrink(schedule, lambda it: broken(it, plant) == "I-1", note=lambda _: None)
    assert 0 < len(small.events) < len(schedule.events)
    assert broken(from_json(to_json(small, "I-1")), plant) == "I-1"
    assert broken(small) == ""
