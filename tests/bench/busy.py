"""How much of a busy feed one core reads, and how old prices are when that is too much.

Rates are frames for each second of CPU that the reader used: what one core does, whoever
else uses the machine. Ages are real time, and want an idle machine.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tests.bench.processes import Pace, exchange, flooder, role, run
from tests.bench.table import Figure, compared, spread

PER_CORE_MIN = 100_000
AGE_MS_MAX = 100
GROWTH_MB_MAX = 2.0
SYMBOLS = 50
CALM_PER_S = 1_000
VENUES = ("binance", "coinbase", "kraken")
CRYPTOFEED = "SHOAL_BENCH_CRYPTOFEED"  # a Python that has it

Noted = dict[str, Any]


def busy(pace: Pace) -> list[Figure]:
    """Measure the busy socket beside trio-websocket: flat out, overloaded, and calm."""
    figures: list[Figure] = []
    with exchange(symbols=SYMBOLS) as sim:

        def reading(url: str, socket: str = "websockets", **how: Any) -> Noted:
            seconds = pace.seconds(5)
            return role(
                "consumer", where=sim.where, url=url, seconds=seconds, socket=socket, **how
            )

        rounds = range(pace.rounds(3))
        with flooder(kind="binance") as url:
            found = [
                (
                    reading(url, is_thinned=False),
                    reading(url, "trio-websocket", is_thinned=False),
                    reading(url),
                )
                for _ in rounds
            ]
        every, probe, thinned = zip(*found, strict=True)
        figures += _flat_out(every, probe, thinned)
        capacity = statistics.median(each["decoded"] / each["seconds"] for each in every)
        with flooder(kind="binance", frames_per_s=2 * capacity) as url:
            figures += _overloaded([reading(url) for _ in rounds], 2 * capacity)
        with flooder(kind="binance", frames_per_s=CALM_PER_S) as url:
            calm = [(reading(url), reading(url, "trio-websocket")) for _ in rounds]
        ours, theirs = zip(*calm, strict=True)
        name, rate = "socket -> reader, busy socket", f"{CALM_PER_S:,} ticks/s, 50 readers"
        figures.append(compared(name, rate, spread(_ages(ours)), spread(_ages(theirs))))
    return figures


def peers(pace: Pace) -> list[Figure]:
    """Measure ccxt.pro and cryptofeed on the same frames, interleaved with ours."""
    figures: list[Figure] = []
    with exchange(symbols=SYMBOLS) as sim:
        spec = {"where": sim.where, "seconds": pace.seconds(5), "symbols": SYMBOLS}
        with flooder(kind="binance") as url:
            rows = [
                (
                    role("consumer", **spec, url=url, is_thinned=False),
                    role("peer_ccxt", **spec, url=url),
                )
                for _ in range(pace.rounds(3))
            ]
        figures.append(_beside("ccxt.pro, 24hrTicker", rows))
        python = os.environ.get(CRYPTOFEED)
        if python is None:
            sys.stderr.write(f"cryptofeed is left out: {CRYPTOFEED} names no Python\n")
            return figures
        with flooder(kind="binance-book-top") as url:
            ours = {"channel": "book_top", "is_thinned": False, "url": url}
            rows = [
                (
                    role("consumer", **spec, **ours),
                    run([python, "tests/bench/peer_cryptofeed.py"], {**spec, "url": url}),
                )
                for _ in range(pace.rounds(3))
            ]
        figures.append(_beside("cryptofeed, bookTicker", rows))
    return figures


def venues(pace: Pace) -> list[Figure]:
    """Measure each exchange's tickers: what a core reads, and socket -> reader, calm."""
    return [figure for name in VENUES for figure in _venue(name, pace)]


def _venue(name: str, pace: Pace) -> list[Figure]:
    with exchange(symbols=SYMBOLS, dialect=name) as sim:
        spec = {"where": sim.where, "seconds": pace.seconds(5), "venue": name}
        found: dict[str, list[Noted]] = {}
        for rate, socket in ((0, "websockets"), (0, "trio-websocket"), (CALM_PER_S, "")):
            with flooder(kind=name, frames_per_s=rate) as url:
                kind = socket or "websockets"
                is_thinned = bool(rate)
                found[socket] = [
                    role("consumer", **spec, url=url, socket=kind, is_thinned=is_thinned)
                    for _ in range(pace.rounds(3))
                ]
    mine, theirs = (
        _median(_decoded, found[kind]) for kind in ("websockets", "trio-websocket")
    )
    flat = "flat out, beside trio-websocket"
    ratio = mine / theirs
    return [
        Figure(f"{name}: ticker", flat, _per_core(mine), _per_core(theirs), ratio),
        Figure(
            "  socket -> reader", f"{CALM_PER_S:,} ticks/s", str(spread(_ages(found[""])))
        ),
    ]


def _flat_out(
    every: Sequence[Noted], probe: Sequence[Noted], thinned: Sequence[Noted]
) -> list[Figure]:
    mine, theirs = _median(_decoded, every), _median(_decoded, probe)
    read = _median(lambda it: _decoded(it) + it["replaced"] / it["cpu_s"], thinned)
    return [
        Figure(
            "24hrTicker, all decoded -> 50 readers",
            "flat out, beside trio-websocket",
            _per_core(mine),
            _per_core(theirs),
            mine / theirs,
            f">= {PER_CORE_MIN:,} a core",
            mine >= PER_CORE_MIN,
        ),
        Figure("  newest only, where many wait", "flat out", f"{_per_core(read)} read"),
    ]


def _overloaded(found: Sequence[Noted], offered: float) -> list[Figure]:
    ages = spread(_ages(found))
    growth = max(each["growth"] for each in found) / 2**20
    rate = f"{offered:,.0f}/s offered"
    replaced = sum(each["replaced"] for each in found)
    total = replaced + sum(each["decoded"] for each in found)
    return [
        Figure(
            "  age of a price at twice of that",
            rate,
            str(ages),
            target=f"p99 <= {AGE_MS_MAX} ms",
            is_met=ages.p99_us <= AGE_MS_MAX * 1000,
        ),
        Figure(
            "  memory meanwhile",
            rate,
            f"{growth:+.1f} MB",
            target=f"<= {GROWTH_MB_MAX:g} MB",
            is_met=growth <= GROWTH_MB_MAX,
        ),
        Figure("  replaced before they were decoded", rate, f"{replaced / total:.0%}"),
    ]


def _beside(name: str, rows: Sequence[tuple[Noted, Noted]]) -> Figure:
    ours = _median(_decoded, [mine for mine, _ in rows])
    theirs = _median(lambda it: it["frames"] / it["cpu_s"], [peer for _, peer in rows])
    rate = "flat out, all decoded"
    return Figure(
        f"ours beside {name}", rate, _per_core(ours), _per_core(theirs), ours / theirs
    )


def _median(rate: Callable[[Noted], float], found: Sequence[Noted]) -> float:
    return statistics.median(map(rate, found))


def _decoded(noted: Noted) -> float:
    return noted["decoded"] / noted["cpu_s"]


def _per_core(rate: float) -> str:
    return f"{rate:,.0f} frames/s"


def _ages(found: Sequence[Noted]) -> list[float]:
    return [age for each in found for age in each["ages_us"]]
