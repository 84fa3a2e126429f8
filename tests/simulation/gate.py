"""The mutation gate: for each planted bug a search that draws what brings it to light.

A plant names the faults that its search switches on and the bots that it needs, so that a
change of the engine, which gives every seed another meaning, costs a few seeds and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from multiprocessing import Pool
from typing import Final

import attrs

from adapters.simulator.faults import Kind
from tests.simulation.disk import DiskKind
from tests.simulation.network import NetKind
from tests.simulation.planted import PLANTS, planted
from tests.simulation.schedule import (
    Drawer,
    Focus,
    command,
    crash,
    death,
    disk,
    draw,
    net,
    venue,
)
from tests.simulation.simulation import simulate

SEEDS_MAX: Final = 200
CHAOS_S: Final = 30.0


def _net(*kinds: NetKind) -> Drawer:
    return lambda chance, at_s: net(chance, at_s, *kinds)


def _venue(*kinds: Kind) -> Drawer:
    return lambda chance, at_s: venue(chance, at_s, *kinds)


def _disk(*kinds: DiskKind) -> Drawer:
    return lambda chance, at_s: disk(chance, at_s, *kinds)


_LOST: Final = _venue("lost_ack"), _net("lost_answer"), death
_LATE: Final = _net("slow"), _net("slow"), _venue("lost_ack"), crash
_NEVER: Final = _net("reset_before", "black_hole"), _venue("lost_ack")
_RESTING: Final = ("limit", "stop_loss_limit")
_CANCELS: Final = Focus((_net("lost_answer", "reset_before"),), 8, _RESTING, sizes=(40,))


@attrs.frozen
class Search:
    """How one planted bug is looked for, and as what it is found."""

    invariants: tuple[str, ...]
    focus: Focus


SEARCHES: Final[Mapping[str, Search]] = {
    "send_before_journal": Search(("I-2",), Focus((death,))),
    "no_fsync": Search(("I-2",), Focus((death,))),
    "new_id_on_timeout": Search(("I-2", "I-3"), Focus(_LOST)),
    "blind_resend": Search(("I-1",), Focus(_LOST)),
    "one_not_found_is_failure": Search(("I-10", "I-6"), Focus(_LATE)),
    "not_found_after_2_s": Search(("I-10", "I-6"), Focus(_LATE)),
    "no_dedupe": Search(("I-5",), Focus((_venue("duplicate"), _net("reset_after")))),
    "unknown_is_a_no": Search(("I-10", "I-6", "I-8"), Focus(_LOST)),
    "exits_flip": Search(("I-13", "I-15"), Focus((crash, death))),
    "stop_not_resized": Search(("I-14",), Focus(orders=("limit",), sizes=(40,))),
    "released_on_unknown": Search(("I-17",), Focus(_NEVER, exposures=(8,), sizes=(10,))),
    "halt_not_durable": Search(("I-11",), Focus((command, crash, death))),
    "cancel_assumed_done": Search(("I-",), _CANCELS),
    "two_incarnations": Search(("I-24",), Focus((crash,))),
    "stale_command": Search(("I-16",), Focus((_disk("disk_slow"), death))),
}


@attrs.frozen
class Found:
    """What the search for one plant found."""

    plant: str
    seed: int  # the first that finds it; 0: none does
    violation: str = ""

    def line(self) -> str:
        """Return it as a row of a table."""
        seed = str(self.seed) if self.seed else "not found"
        return f"| {self.plant} | {seed} | {self.violation} |"


def find(plant: str, seeds_max: int = SEEDS_MAX, chaos_s: float = CHAOS_S) -> Found:
    """Return the first seed that finds a planted bug as what it is."""
    search = SEARCHES[plant]
    with planted(plant):
        for seed in range(1, seeds_max + 1):
            schedule = draw(seed, chaos_s=chaos_s, focus=search.focus)
            for said in simulate(schedule).violations:
                if said.startswith(search.invariants):
                    return Found(plant, seed, said)
    return Found(plant, 0)


def find_all(jobs: int) -> Iterator[Found]:
    """Look for every planted bug."""
    if jobs == 1:
        yield from map(find, PLANTS)
        return
    with Pool(jobs) as pool:
        yield from pool.imap(find, PLANTS)
