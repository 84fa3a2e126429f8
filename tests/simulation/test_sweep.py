"""Crash anywhere: a sample of all places with every run; `just simulate --sweep` is all."""

from __future__ import annotations

import os

import pytest

from tests.simulation.branches import play_cut
from tests.simulation.planted import planted
from tests.simulation.scenarios import PLOTS
from tests.simulation.scene import KINDS, Cut, Scene, play
from tests.simulation.sweep import judge, sweep, sweep_scene
from tests.simulation.time_left import OVER, is_over

SAMPLE = int(os.environ.get("SHOAL_SWEEP", "2000"))
PARTS = 8  # a test each
CORES = os.cpu_count() or 1


@pytest.mark.parametrize("part", range(PARTS))
def test_cut_anywhere_a_scene_ends_as_without_the_cut(part: int) -> None:
    if is_over():
        pytest.skip(OVER)
    total = sweep(list(PLOTS), sample=SAMPLE, part=slice(part, None, PARTS), jobs=CORES)
    assert not total.failed, "\n".join(total.lines())
    assert total.deaths > total.runs / 3
    assert total.crashes > total.runs / 5


@pytest.mark.parametrize("name", PLOTS)
def test_a_scene_ends_well_and_always_the_same(name: str) -> None:
    first, second = play(PLOTS[name]), play(PLOTS[name])
    assert first.outcome.violations == []
    assert first.end == second.end
    assert first.steps == second.steps > 100
    assert first.outcome.digest == second.outcome.digest


@pytest.mark.parametrize("name", PLOTS)
def test_a_branch_does_what_a_run_from_the_start_does(name: str) -> None:
    cuts = [Cut(kind, at) for at, kind in enumerate(KINDS * 4, 40)]
    whole, branches = play_cut(PLOTS[name], cuts, CORES)
    digests = {each.cut: each.outcome.digest for each in branches}
    assert digests == {cut: play(PLOTS[name], cut).outcome.digest for cut in cuts}
    assert whole.outcome.digest == play(PLOTS[name]).outcome.digest


def test_a_branch_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Scene, "_kill", _fail)
    with pytest.raises(ChildProcessError, match="step=7"):
        play_cut(PLOTS["entry_and_exit"], [Cut("death", 7)], 1)
    assert "no way to die" in capfd.readouterr().err


def _fail(scene: Scene, cut: Cut) -> None:
    raise AssertionError("no way to die")


def test_a_sweep_sees_an_order_that_is_sent_before_it_is_durable() -> None:
    cuts = [Cut("power_loss", at) for at in range(0, 60, 6)]
    with planted("send_before_journal"):
        found = list(sweep_scene("entry_and_exit", cuts, CORES))
    assert len(found) == len(cuts)
    assert any(swept.violations for swept in found)


def test_a_sweep_sees_another_end() -> None:
    name = "entry_and_exit"
    end = play(PLOTS[name]).end
    swept = judge(name, play(PLOTS[name], Cut("death", 60)), (*end[:-1], end[-2], end[-1]))
    assert [each.partition(":")[0] for each in swept.violations] == ["I-18"]
