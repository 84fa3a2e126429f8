"""The long run goes on where it was, and only with the code it began with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation import long
from tests.simulation.runs import Runs

BRIEF = Runs(chaos_s=1.0)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "KEPT", tmp_path / "var" / "kept.json")


def test_what_was_run_is_not_run_again() -> None:
    long.Kept.read().run("seeds", BRIEF, 2, jobs=1)
    again = long.Kept.read()
    assert again.totals["seeds"].seeds == 2
    before = dict(again.totals["seeds"].counts)
    again.run("seeds", BRIEF, 3, jobs=1)
    assert long.Kept.read().totals["seeds"].seeds == 3
    assert again.totals["seeds"].counts["rows"] > before["rows"]


def test_other_code_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    long.Kept.read().finish("gate", ["found"], is_well=False)
    assert long.Kept.read().said == {"gate": ["found"]}
    assert not long.Kept.read().is_well
    monkeypatch.setattr(long, "source_id", lambda: "other")
    assert long.Kept.read().said == {}
