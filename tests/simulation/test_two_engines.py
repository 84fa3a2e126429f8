"""Two engines on one account: each notices the other and begins nothing new (I-19)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.account_passes import Passes
from tests.simulation.gate import SEARCHES
from tests.simulation.schedule import Schedule, draw
from tests.simulation.two_engines import simulate_two

CALM = [1, 2, 3]
UNHEARD = [4, 5, 6]


def calm(seed: int) -> Schedule:
    return draw(seed, chaos_s=30.0, is_calm=True)


def unheard(seed: int) -> Schedule:
    return draw(seed, chaos_s=30.0, focus=SEARCHES["new_id_on_timeout"].focus)


@pytest.mark.parametrize(
    ("drawn", "seed"),
    [*((calm, seed) for seed in CALM), *((unheard, seed) for seed in UNHEARD)],
)
def test_two_engines_notice_each_other_and_begin_nothing(
    drawn: Callable[[int], Schedule], seed: int
) -> None:
    outcome = simulate_two(drawn(seed))
    assert outcome.violations == [], "\n".join([*outcome.lines, *outcome.violations])


def test_one_of_them_says_that_there_is_another() -> None:
    outcome = simulate_two(calm(2))
    assert outcome.counts["second engines noticed"] >= 1
    assert outcome.counts["orders"] > 0


def test_an_engine_that_does_not_fence_itself_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Passes, "_foreign_epoch", _nobody)
    said = [each for seed in (1, 2, 3) for each in simulate_two(calm(seed)).violations]
    assert any(each.startswith("I-19") for each in said)


def _nobody(_passes: Passes) -> str:
    return ""
