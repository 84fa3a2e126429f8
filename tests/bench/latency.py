"""How long a tick takes to its bot, and to the order that it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.bench.processes import Pace, exchange, role
from tests.bench.table import Figure, Spread, compared, spread

WARM_US = 1_000_000  # after the first sample; connections, caches and candles settle
RATIO_MAX = 1.5
HOP_P99_US = 100
AIM_P50_US, AIM_P99_US = 1_200, 2_000

Road = dict[str, int]  # moment: microseconds of CLOCK_MONOTONIC

STAGES = (  # from, to, what happens between
    ("sent", "received", "socket"),
    ("received", "posted", "decode, fan out"),
    ("posted", "taken", "hop to the bot"),
    ("taken", "wished", "bot, strategy"),
    ("wished", "judged", "hop to risk"),
    ("judged", "approved", "risk"),
    ("approved", "gated", "hop to orders"),
    ("gated", "recorded", "orders: the gate"),
    ("recorded", "appended", "hop to the journal, rows"),
    ("appended", "stored", "the disk (FULL)"),
    ("stored", "placed", "back to orders, its task"),
    ("placed", "parsed", "sign, send, parsed there"),
)
COARSE = (  # as far as the probe can be told apart
    ("sent", "received", "socket"),
    ("received", "recorded", "all that is decided"),
    ("recorded", "placed", "durable (FULL)"),
    ("placed", "parsed", "sign, send, parsed there"),
)


def feed(pace: Pace) -> list[Figure]:
    """Measure socket to bot, and the hop from the feed to the bot."""
    ours: list[Road] = []
    probe: list[Road] = []
    with exchange(symbols=50, frames_per_s=1000) as sim:
        for _ in range(pace.rounds(3)):
            fleet = role(
                "fleet", where=sim.where, seconds=pace.seconds(5), bots=50, symbols=50
            )
            ours += warm(fleet["ticks"])
            bare = role(
                "probe_feed", where=sim.where, seconds=pace.seconds(4), is_timed=True
            )
            probe += warm(bare["ticks"])
    hop = between(ours, "posted", "taken")
    return [
        compared(
            "socket -> bot (strategy is asked)",
            "1,000 ticks/s, 50 bots",
            between(ours, "sent", "evaluated"),
            between(probe, "sent", "taken"),
        ),
        compared(
            "feed -> bot hop",
            "1,000 ticks/s, 50 bots",
            hop,
            between(probe, "posted", "taken"),
            target="p99 <= 100 us",
            is_met=hop.p99_us <= HOP_P99_US,
        ),
    ]


def orders(pace: Pace) -> list[Figure]:
    """Measure tick to order over the WS-API, stage by stage."""
    return _tick_to_order(pace, "WS-API", rounds=3, has_socket=True)


def orders_rest(pace: Pace) -> list[Figure]:
    """Measure tick to order by REST."""
    return _tick_to_order(pace, "REST", rounds=2, has_socket=False)


def _tick_to_order(pace: Pace, road: str, *, rounds: int, has_socket: bool) -> list[Figure]:
    ours: list[Road] = []
    probe: list[Road] = []
    with exchange(symbols=10, frames_per_s=500) as sim:
        common: dict[str, Any] = {
            "where": sim.where,
            "symbols": 10,
            "has_socket": has_socket,
        }
        for _ in range(rounds):
            if pace.is_smoke and ours and probe:  # a busy machine takes more than a round
                break
            seconds = pace.seconds(7)
            fleet = role("fleet", seconds=seconds, bots=10, strategy="flow", **common)
            ours += parsed(fleet["orders"], sim.parsed_us())
            bare = role("probe_orders", seconds=pace.seconds(6), **common)
            probe += parsed(bare["orders"], sim.parsed_us())
    rate = "500 ticks/s, 100 orders/s"
    whole = between(ours, "sent", "parsed")
    bare_whole = between(probe, "sent", "parsed")
    entries = [road for road in ours if road["is_entry"]]
    exits = [road for road in ours if not road["is_entry"]]
    is_near = whole.p50_us <= RATIO_MAX * bare_whole.p50_us
    is_aim = whole.p50_us <= AIM_P50_US and whole.p99_us <= AIM_P99_US
    name = f"tick -> order, {road}"
    target = f"<= {RATIO_MAX} x"
    return [
        compared(name, rate, whole, bare_whole, target=target, is_met=is_near),
        Figure(
            "  the same, in absolute terms",
            rate,
            str(whole),
            target="1.2 / 2.0 ms",
            is_met=is_aim,
        ),
        compared("  entries (through risk)", rate, spread_of(entries), bare_whole),
        compared("  exits", rate, spread_of(exits), bare_whole),
        *(
            compared(f"  {what}", "all", between(ours, *ends), between(probe, *ends))
            for *ends, what in COARSE
        ),
        *(
            Figure(f"    {what}", "entries", str(between(entries, *ends)))
            for *ends, what in STAGES
        ),
    ]


def warm(roads: Sequence[Road]) -> list[Road]:
    """Return the roads that began after everything had settled."""
    if not roads:
        return []
    from_us = min(road["sent"] for road in roads) + WARM_US
    return [road for road in roads if road["sent"] > from_us]


def parsed(roads: dict[str, Road], parsed_us: dict[str, int]) -> list[Road]:
    """Return the roads of those orders that came to the exchange."""
    return warm(
        [
            road | {"parsed": parsed_us[order_id]}
            for order_id, road in roads.items()
            if order_id in parsed_us
        ]
    )


def between(roads: Sequence[Road], begin: str, end: str) -> Spread:
    """Return how long it took from one moment to the other."""
    return spread(
        road[end] - road[begin] for road in roads if begin in road and end in road
    )


def spread_of(roads: Sequence[Road]) -> Spread:
    return between(roads, "sent", "parsed")
