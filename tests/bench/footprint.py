"""What the fleet costs: memory and CPU for each bot, and what a start takes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.exchange import KEY, SECRET
from tests.bench.fleet import Spec, written
from tests.bench.processes import ROOT, Pace, exchange, role
from tests.bench.table import Figure

MANY = 10_000
BOT_KB_MAX = 16
FLEET_MB_MAX = 250
BASE_MB_MAX = 64
FIRST_TICK_S_MAX = 0.6
IDLE_S = 5.0
WAIT_S = 20.0

FIRST_TICK = '''
"""Writes down when the first price was looked at."""
import os
import time

from actors.messages import Signal, SignalType


class First:
    candles_min = 0

    def __init__(self):
        self.is_first = True

    def evaluate(self, view):
        if self.is_first:
            self.is_first = False
            with open(os.environ["SHOAL_BENCH_FIRST"], "w") as file:
                file.write(str(time.monotonic()))
        return Signal(SignalType.HOLD, 0.0, 1.0, ("looking",))
'''


def memory(pace: Pace) -> list[Figure]:
    """Measure what one idle supervised bot costs, by having very many."""
    many = pace.bots(MANY)
    idle: dict[str, Any] = {
        "strategy": "ema_cross",
        "evaluate": '"candle"',
        "is_marked": False,
        "is_counted": False,
        "symbols": 10,
    }
    with exchange(symbols=10, frames_per_s=2) as sim:
        one = role("fleet", where=sim.where, bots=1, seconds=pace.seconds(6), **idle)
        seconds = pace.seconds(30)
        all_ = role("fleet", where=sim.where, bots=many, seconds=seconds, **idle)
    base, samples = one["samples"][-2]["rss"], _up(all_["samples"], many)
    total = samples[-1]["rss"]
    each_kb = (total - base) / (many - 1) / 1024
    cpu = _cpu(samples) / many
    rate = f"{many:,} bots, 10 symbols, idle"
    return [
        Figure(
            "memory per idle supervised bot",
            rate,
            f"{each_kb:.1f} KB",
            target=f"<= {BOT_KB_MAX} KB",
            is_met=each_kb <= BOT_KB_MAX,
        ),
        Figure(
            "memory of that process",
            rate,
            f"{total / 2**20:.0f} MB",
            target=f"<= {FLEET_MB_MAX} MB",
            is_met=total / 2**20 <= FLEET_MB_MAX,
        ),
        Figure("CPU per idle bot", "a price every 5 s", f"{cpu * 1e6:.1f} us/s of a core"),
    ]


def cpu(pace: Pace) -> list[Figure]:
    """Measure what one bot more costs at 100 ticks/s, taken or evaluated."""
    used: dict[tuple[int, str], float] = {}
    cases = [(1, '"tick"'), (51, '"tick"'), (51, "60")]
    with exchange(symbols=1, frames_per_s=100) as sim:
        for bots, evaluate in cases:
            fleet = role(
                "fleet",
                where=sim.where,
                seconds=pace.seconds(7),
                bots=bots,
                strategy="ema_cross",
                evaluate=evaluate,
                is_marked=False,
                is_counted=False,
            )
            used[bots, evaluate] = _cpu(_up(fleet["samples"], bots))
    each = {
        evaluate: (used[51, evaluate] - used[1, '"tick"']) / 50 for _, evaluate in cases[1:]
    }
    rate = "100 ticks/s to each of 51"
    return [
        Figure("CPU of the fleet with one bot", "100 ticks/s", _percent(used[1, '"tick"'])),
        Figure("CPU per bot that evaluates each tick", rate, _percent(each['"tick"'])),
        Figure("CPU per bot that only takes the price", rate, _percent(each["60"])),
    ]


def start(pace: Pace) -> list[Figure]:
    """Measure from `exec` to the first evaluated tick, and what the imports cost."""
    firsts: list[float] = []
    sizes: list[float] = []
    with exchange(symbols=1, frames_per_s=100) as sim:
        for _ in range(pace.rounds(5)):
            first_s, size = _start_once(Spec(where=sim.where, seconds=0))
            firsts.append(first_s)
            sizes.append(size / 2**20)
    first_s, size = statistics.median(firsts), statistics.median(sizes)
    return [
        Figure(
            "start to first tick, `shoal run`",
            f"median of {len(firsts)}",
            f"{first_s:.2f} s",
            target=f"<= {FIRST_TICK_S_MAX} s",
            is_met=first_s <= FIRST_TICK_S_MAX,
        ),
        Figure(
            "base memory, one bot",
            f"median of {len(sizes)}",
            f"{size:.0f} MB",
            target=f"<= {BASE_MB_MAX} MB",
            is_met=size <= BASE_MB_MAX,
        ),
        *_imports(pace.rounds(3)),
    ]


def _start_once(spec: Spec) -> tuple[float, float]:
    """Return seconds from exec to the first tick, and bytes resident two seconds later."""
    with tempfile.TemporaryDirectory() as folder:
        home, first = Path(folder), Path(folder) / "first"
        strategies = home / "strategies"
        strategies.mkdir(mode=0o700)
        (strategies / "first.py").write_text(FIRST_TICK)
        (strategies / "first.py").chmod(0o600)
        text = written(spec, home / "var").replace('"ema_cross"', '"first:First"')
        text = text.replace("params = { fast = 12, slow = 26 }\n", "")
        (home / "bots.toml").write_text(text)
        environment = os.environ | {
            "SHOAL_BENCH_KEY": KEY,
            "SHOAL_BENCH_SECRET": SECRET,
            "SHOAL_BENCH_FIRST": str(first),
        }
        begun_s = time.monotonic()
        fleet = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "actors", "run", "--live", str(home / "bots.toml")],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with fleet:
            try:
                while not (first.exists() and first.read_text()):
                    if time.monotonic() > begun_s + WAIT_S or fleet.poll() is not None:
                        raise SystemExit("the fleet did not start")
                    time.sleep(0.01)
                time.sleep(2)
                statm = Path(f"/proc/{fleet.pid}/statm").read_text("ascii")
                size = int(statm.split()[1]) * os.sysconf("SC_PAGESIZE")
                return float(first.read_text()) - begun_s, size
            finally:
                fleet.terminate()


def _imports(rounds: int) -> list[Figure]:
    runs: list[dict[str, list[float]]] = [role("imports") for _ in range(rounds)]
    names = runs[0]
    return [
        Figure(
            f"  import {name}",
            f"median of {rounds}",
            f"{statistics.median(run[name][0] for run in runs) * 1000:.0f} ms,"
            f" {statistics.median(run[name][1] for run in runs) / 2**20:.1f} MB",
        )
        for name in names
    ]


def _up(samples: Sequence[dict[str, float]], bots: int) -> Sequence[dict[str, float]]:
    """Return the samples since all bots were ready, less what is stopping."""
    ready = [each for each in samples if each["readers"] >= bots]
    if not ready:
        raise SystemExit(f"{samples[-1]['readers']:.0f} of {bots} bots were ready in time")
    settled = [each for each in ready if each["at_s"] > ready[0]["at_s"] + 1.0]
    return settled[:-1] or ready[-2:]


def _cpu(samples: Sequence[dict[str, float]]) -> float:
    """Return the share of one core, over the newest seconds."""
    last = samples[-1]
    first = next(s for s in samples if s["at_s"] > last["at_s"] - IDLE_S)
    return (last["cpu_s"] - first["cpu_s"]) / max(last["at_s"] - first["at_s"], 1e-9)


def _percent(share: float) -> str:
    return f"{share * 100:.2f} % of a core"
