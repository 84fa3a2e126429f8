"""Schedules of hours: storms of faults while the bots trade, and long calm between them.

In the calm positions are held under their stops, connections are kept alive, accounts are
compared every minute; what a storm left behind has time to do harm.
"""

from __future__ import annotations

import random
from typing import Final

import attrs

from tests.simulation.events import ClockSet, Event, Mood
from tests.simulation.extras import draw_extras
from tests.simulation.schedule import Schedule, draw, draw_events, in_time

STORM_EVERY_S: Final = 600.0
STORM_S: Final = 60.0
BEFORE_S: Final = 20.0  # in which bots trade before a storm, and after it


def draw_hours(seed: int, hours: float, exchange: str = "binance") -> Schedule:
    """Return the schedule of a seed that is `hours` long: other classes in each storm."""
    chance = random.Random(f"{seed}/hours")
    drawn = draw(seed, is_calm=True, exchange=exchange)
    length_s = hours * 3600
    events: list[Event] = [Mood(0.0, is_quiet=True)]
    for number in range(max(1, round(length_s / STORM_EVERY_S))):
        spare_s = STORM_EVERY_S - STORM_S - 2 * BEFORE_S
        begins_s = number * STORM_EVERY_S + chance.uniform(0, spare_s)
        events.append(Mood(begins_s, is_quiet=False))
        at_s = begins_s + BEFORE_S
        storm = draw_events(chance, at_s, STORM_S, exchange=exchange)
        extras = draw_extras(f"{seed}/{number}", STORM_S, at_s)
        events += in_time((*storm, *extras))
        events.append(ClockSet(at_s + STORM_S))
        events.append(Mood(begins_s + 2 * BEFORE_S + STORM_S, is_quiet=True))
    return attrs.evolve(drawn, events=tuple(events), chaos_s=length_s)
