"""What a seed draws beside its swarm, each from a chance of its own.

So all else that a seed draws stays as it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

import attrs

from adapters.simulator.faults import Fault, Kind
from tests.simulation.events import Event, Leaving, Relisting, Stall, Stop, VenueFault

STALL_SHARE: Final = 0.5  # of the seeds, as of any class of faults
STALL_EVERY_S: Final = 15.0
STOP_SHARE: Final = 1 / 3
PURGE_SHARE: Final = 0.25
PURGES_MAX: Final = 3
RELISTING_SHARE: Final = 0.25
RELISTINGS_MAX: Final = 3
LEAVING_SHARE: Final = 0.25
LEAVINGS_MAX: Final = 3
MOVED_SHARE: Final = 1 / 3  # of those that leave
LAG_SHARE: Final = 0.5
LAG_EVERY_S: Final = 20.0
LAGS: Final[tuple[Kind, ...]] = ("late_orders", "late_fills")


def draw_extras(name: str, length_s: float, at_s: float = 0.0) -> Iterator[Event]:
    """Return the stalls of one stretch of time, its stop, and what the exchange adds.

    The exchange cancels what rests there; its store of orders lags; it changes a lot or a
    tick; a bot leaves. `name` is the seed's, with more behind it where a run has several
    stretches.
    """
    for event in _extras(name, length_s):
        yield attrs.evolve(event, at_s=at_s + event.at_s)


def _extras(name: str, length_s: float) -> Iterator[Event]:
    yield from _stalls(random.Random(f"{name}/stalls"), length_s)
    yield from _purges(random.Random(f"{name}/purges"), length_s)
    yield from _lags(random.Random(f"{name}/lags"), length_s)
    yield from _relistings(random.Random(f"{name}/relistings"), length_s)
    yield from _leavings(name, length_s)
    chance = random.Random(f"{name}/stop")
    if chance.random() < STOP_SHARE:
        yield Stop(chance.uniform(0, length_s), chance.choice([0.01, 0.5, 3.0, 15.0]))


def _stalls(chance: random.Random, length_s: float) -> Iterator[Event]:
    if chance.random() < STALL_SHARE:
        for _ in range(chance.randint(1, max(1, round(length_s / STALL_EVERY_S)))):
            at_s, lasts_s = (
                chance.uniform(0, length_s),
                chance.choice([0.2, 1.0, 5.0, 20.0]),
            )
            yield Stall(at_s, lasts_s, chance.random())


def _purges(chance: random.Random, length_s: float) -> Iterator[Event]:
    if chance.random() < PURGE_SHARE:
        for _ in range(chance.randint(1, PURGES_MAX)):
            yield VenueFault(chance.uniform(0, length_s), Fault("purge"))


def _relistings(chance: random.Random, length_s: float) -> Iterator[Event]:
    if chance.random() < RELISTING_SHARE:
        for _ in range(chance.randint(1, RELISTINGS_MAX)):
            lot_by, tick_by = chance.choice([(1, 1), (10, 1), (1, 10)])
            at_s = chance.uniform(0, length_s)
            yield Relisting(at_s, lot_by, tick_by, chance.random())


def _leavings(name: str, length_s: float) -> Iterator[Event]:
    chance, other = random.Random(f"{name}/leavings"), random.Random(f"{name}/moved")
    if chance.random() < LEAVING_SHARE:
        for _ in range(chance.randint(1, LEAVINGS_MAX)):
            at_s, down_s = chance.uniform(0, length_s), chance.choice([0.01, 3.0, 15.0])
            yield Leaving(at_s, chance.random(), other.random() < MOVED_SHARE, down_s)


def _lags(chance: random.Random, length_s: float) -> Iterator[Event]:
    if chance.random() < LAG_SHARE:
        for _ in range(chance.randint(1, max(1, round(length_s / LAG_EVERY_S)))):
            fault = Fault(
                chance.choice(LAGS),
                duration_s=chance.choice([3.0, 10.0, 20.0]),
                delay_s=chance.choice([0.5, 2.0, 9.0, 12.0]),
            )
            yield VenueFault(chance.uniform(0, length_s), fault)
