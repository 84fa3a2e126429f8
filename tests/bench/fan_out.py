"""How many tickers one connection and one core decode and fan out to fifty bots."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from tests.bench.processes import Pace, exchange, role
from tests.bench.table import Figure

PER_CORE_MIN = 100_000
GROWTH_MB_MAX = 2.0
SETTLE_S = 1.5
BOTS: Mapping[str, Any] = {
    "bots": 50,
    "symbols": 50,
    "strategy": "ema_cross",
    "evaluate": "60",
    "is_marked": False,
}


def fan_out(pace: Pace) -> list[Figure]:
    """Measure flat out beside the bare loop, then at twice what was reached."""
    ours: list[float] = []
    per_core: list[float] = []
    probe: list[float] = []
    with exchange(symbols=50, frames_per_s=0) as sim:
        for _ in range(pace.rounds(3)):
            fleet = role(
                "fleet", where=sim.where, seconds=pace.seconds(6), is_thinned=False, **BOTS
            )
            settled = _settled(fleet["samples"])
            ours.append(_rate(settled, "frames"))
            per_core.append(_rate(settled, "frames", "cpu_s"))
            bare = role("probe_feed", where=sim.where, seconds=pace.seconds(4))
            probe.append(bare["frames"] / bare["cpu_s"])
    mine, bare_rate = statistics.median(per_core), statistics.median(probe)
    flat = Figure(
        "24hrTicker -> Decimal -> 50 bots, all decoded",
        "flat out, a second of CPU",
        f"{mine:,.0f} frames/s",
        f"{bare_rate:,.0f} frames/s",
        mine / bare_rate,
        f">= {PER_CORE_MIN:,} a core",
        mine >= PER_CORE_MIN,
    )
    return [flat, *_overload(pace, statistics.median(ours))]


def _overload(pace: Pace, capacity: float) -> list[Figure]:
    offered = 2 * capacity
    with exchange(symbols=50, frames_per_s=offered) as sim:
        fleet = role("fleet", where=sim.where, seconds=pace.seconds(10), **BOTS)
    samples = _settled(fleet["samples"])
    first, last = samples[len(samples) // 4], samples[-1]
    growth = (last["rss"] - first["rss"]) / 2**20
    rate = f"{offered:,.0f}/s offered"
    end = fleet["samples"][-1]  # read when nothing moved any more
    lost = end["bots_received"] - sum(
        end[f"bots_{what}"] for what in ("taken", "replaced", "merged", "waiting")
    )
    return [
        Figure(
            "  memory at twice of that",
            rate,
            f"{growth:+.1f} MB in {last['at_s'] - first['at_s']:.0f} s",
            target=f"<= {GROWTH_MB_MAX:g} MB",
            is_met=growth <= GROWTH_MB_MAX,
        ),
        Figure(
            "  prices replaced before they were taken",
            rate,
            f"bots {end['bots_replaced']:,.0f}, others {end['others_replaced']:,.0f}"
            f" of {end['bots_received'] + end['others_received']:,.0f}",
            target="counted, none lost",
            is_met=not lost,
        ),
    ]


def _settled(samples: list[dict[str, float]]) -> list[dict[str, float]]:
    busy = [sample for sample in samples if sample["frames"]]
    from_s = busy[0]["at_s"] + SETTLE_S
    return [s for s in busy if s["at_s"] > from_s][:-1] or busy[-2:]  # not the stopping


def _rate(samples: list[dict[str, float]], what: str, per: str = "at_s") -> float:
    first, last = samples[0], samples[-1]
    return (last[what] - first[what]) / (last[per] - first[per])
