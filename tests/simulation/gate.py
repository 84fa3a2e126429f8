"""The mutation gate: for each planted bug a search that draws what brings it to light.

A plant names the faults that its search switches on and the bots that it needs, so that a
change of the engine, which gives every seed another meaning, costs a few seeds and no more.
Every test run tries the seed that found a plant last, and searches where it finds nothing.
A seed counts only where the same schedule, without the plant, breaks nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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

    seed: int  # that found it when they were last looked for: `just simulate --gate`
    invariants: tuple[str, ...]
    focus: Focus

    def told_in(self, violations: Iterable[str]) -> str:
        """Return the first violation that the bug is found as; "": there is none."""
        told = (each for each in violations if each.partition(":")[0] in self.invariants)
        return next(told, "")


SEARCHES: Final[Mapping[str, Search]] = {
    "send_before_journal": Search(2, ("I-2",), Focus((death,))),
    "no_fsync": Search(2, ("I-2",), Focus((death,))),
    "new_id_on_timeout": Search(2, ("I-2", "I-3"), Focus(_LOST)),
    "blind_resend": Search(2, ("I-1",), Focus(_LOST)),
    "one_not_found_is_failure": Search(4, ("I-10", "I-6"), Focus(_LATE)),
    "not_found_after_2_s": Search(21, ("I-10", "I-6"), Focus(_LATE)),
    "no_dedupe": Search(2, ("I-5",), Focus((_venue("duplicate"), _net("reset_after")))),
    "unknown_is_a_no": Search(2, ("I-10", "I-6", "I-8"), Focus(_LOST)),
    "exits_flip": Search(2, ("I-13", "I-15"), Focus((crash, death))),
    "stop_not_resized": Search(12, ("I-14",), Focus(orders=("limit",), sizes=(40,))),
    "released_on_unknown": Search(4, ("I-17",), Focus(_NEVER, exposures=(8,), sizes=(10,))),
    "halt_not_durable": Search(3, ("I-11",), Focus((command, crash, death))),
    "cancel_assumed_done": Search(27, ("I-8",), _CANCELS),
    "two_incarnations": Search(4, ("I-24",), Focus((crash,))),
    "stale_command": Search(6, ("I-16",), Focus((_disk("disk_slow"), death))),
}


@attrs.frozen
class Found:
    """What the search for one plant found."""

    plant: str
    seed: int  # the first that finds it; 0: none does
    violation: str = ""
    false_alarm: str = ""  # of a seed that does not count: it breaks this unplanted

    def line(self) -> str:
        """Return it as a row of a table."""
        seed = str(self.seed) if self.seed else "not found"
        beside = f" without it, too: {self.false_alarm}" if self.false_alarm else ""
        return f"| {self.plant} | {seed} | {self.violation}{beside} |"


def find(plant: str) -> Found:
    """Return the first seed that finds a planted bug as what it is."""
    return _first(plant, range(1, SEEDS_MAX + 1))


def find_again(plant: str) -> Found:
    """Look with the seed that found it last, and only then with others."""
    found = _first(plant, [SEARCHES[plant].seed])
    if found.seed:
        return found
    further = find(plant)
    return attrs.evolve(further, false_alarm=found.false_alarm or further.false_alarm)


def find_all(jobs: int, look: Callable[[str], Found] = find) -> Iterator[Found]:
    """Look for every planted bug, in their order."""
    with Pool(jobs) as pool:
        yield from pool.imap(look, PLANTS)


def _first(plant: str, seeds: Iterable[int]) -> Found:
    search, false_alarm = SEARCHES[plant], ""
    for seed in seeds:
        schedule = draw(seed, chaos_s=CHAOS_S, focus=search.focus)
        with planted(plant):
            said = search.told_in(simulate(schedule).violations)
        if not said:
            continue
        control = simulate(schedule).violations
        if not control:
            return Found(plant, seed, said, false_alarm)
        false_alarm = false_alarm or f"seed {seed}: {control[0]}"
    return Found(plant, 0, "", false_alarm)
