"""The bench starts and measures a fleet that trades; figures mean nothing here."""

from __future__ import annotations

import subprocess
import sys

from tests.system.processes import ROOT


def test_the_bench_measures_the_road_of_orders() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--smoke", "orders", "codec"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if "tick -> order, WS-API" in line]
    assert len(lines) == 1, done.stdout
    assert lines[0].count(" ms") >= 2, "ours and the probe's, each with its unit"
    assert "24hrTicker decoded" in done.stdout


def test_an_unknown_part_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "no-such-part"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, "fan-out" in done.stderr) == (2, True)
