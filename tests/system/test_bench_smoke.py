"""The bench starts and measures a fleet that trades; figures mean nothing here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench import busy
from tests.bench.processes import exchange, flooder, role
from tests.system.processes import ROOT


def test_the_bench_measures_the_road_of_orders() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--smoke", "orders", "codec", "recall"],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if "tick -> order, WS-API" in line]
    assert len(lines) == 1, done.stdout
    assert lines[0].count(" ms") >= 2, "ours and the probe's, each with its unit"
    assert "24hrTicker decoded" in done.stdout
    assert "recall of `orders`" in done.stdout


@pytest.mark.parametrize("venue", busy.VENUES)
def test_the_bench_reads_a_venues_flood_and_knows_how_old_prices_are(venue: str) -> None:
    with exchange(symbols=3, dialect=venue) as sim, flooder(kind=venue, symbols=3) as url:
        where = {"where": sim.where, "url": url, "venue": venue}
        noted = role("consumer", **where, symbols=3, seconds=1)
    assert noted["decoded"] > 0
    assert 0 < min(noted["ages_us"]) < 10**7


def test_an_unknown_part_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "no-such-part"],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, "fan-out" in done.stderr) == (2, True)
