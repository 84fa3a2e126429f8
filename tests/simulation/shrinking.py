"""Make the schedule of a failing run small, and keep it, whatever its seed means later.

A schedule is shrunk by deleting faults, first many at a time, then one by one, as long as
the same invariant breaks (delta debugging). What is left is kept as JSON: the bots, and
each fault with its time. `test_regressions.py` plays all that are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import attrs
import msgspec

from adapters.simulator.faults import Fault
from tests.simulation.planted import planted
from tests.simulation.schedule import Event, Schedule, VenueFault
from tests.simulation.simulation import simulate

FOLDER: Final = Path(__file__).parent / "regressions"
TYPES: Final[Mapping[str, Any]] = {it.__name__: it for it in get_args(Event)}


def broken(schedule: Schedule, plant: str = "") -> str:
    """Return the first invariant that a run breaks, by its number; "" is none."""
    with planted(plant):
        said = simulate(schedule).violations
    return said[0].partition(":")[0] if said else ""


def shrink(
    schedule: Schedule, breaks: Callable[[Schedule], bool], *, note: Callable[[str], None]
) -> Schedule:
    """Return the schedule without every fault that it breaks without."""
    events = list(schedule.events)
    size = max(1, len(events) // 2)
    while events:
        smaller = _without_some(schedule, events, size, breaks)
        if smaller is not None:
            events = smaller
            note(f"{len(events)} faults are enough")
            size = min(size, max(1, len(events) // 2))
        elif size == 1:
            break
        else:
            size = max(1, size // 2)
    return attrs.evolve(schedule, events=tuple(events))


def _without_some(
    schedule: Schedule,
    events: Sequence[Event],
    size: int,
    breaks: Callable[[Schedule], bool],
) -> list[Event] | None:
    """Return the events without the first so many that are not needed, or None."""
    for start in range(0, len(events), size):
        left = [*events[:start], *events[start + size :]]
        if breaks(attrs.evolve(schedule, events=tuple(left))):
            return left
    return None


def to_json(schedule: Schedule, found: str) -> str:
    """Return a schedule as it is kept; `found` says what it broke."""
    kept = {
        "found": found,
        "seed": schedule.seed,
        "chaos_s": schedule.chaos_s,
        "skew_ms": schedule.skew_ms,
        "drift_percent": schedule.drift_percent,
        "events": [_kept(event) for event in schedule.events],
        "config": schedule.config.splitlines(),
    }
    return json.dumps(kept, indent=1) + "\n"


def _kept(event: Event) -> dict[str, Any]:
    fields = attrs.asdict(event)
    if isinstance(event, VenueFault):
        fields["fault"] = msgspec.structs.asdict(event.fault)
    return {"type": type(event).__name__, **fields}


def from_json(text: str) -> Schedule:
    """Return a schedule that was kept."""
    kept = json.loads(text)
    return Schedule(
        kept["seed"],
        "\n".join(kept["config"]) + "\n",
        tuple(_event(each) for each in kept["events"]),
        kept["chaos_s"],
        kept["skew_ms"],
        kept["drift_percent"],
    )


def _event(kept: Mapping[str, Any]) -> Event:
    fields = {name: value for name, value in kept.items() if name != "type"}
    if "fault" in fields:
        fields["fault"] = Fault(**fields["fault"])
    event: Event = TYPES[kept["type"]](**fields)
    return event
