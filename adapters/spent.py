"""What this machine has asked of a venue: the part of the gate that outlives a process.

Weight is remembered before it is spent, in pieces, so that whoever is killed has never sent
more than is remembered (I-21). Times are `WallClock.awake_s`: a step of the wall clock
neither lifts a ban nor forgets a window, and a suspend only makes both longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import attrs
import msgspec

BAN_S_MAX: Final = 4 * 86_400.0  # the venue's longest is three days

Level = tuple[float, float, float]  # of a counter, when it stood so, what drains a second


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds since boot, as the clock read them at `awake_s`."""

    awake_s: float = 0.0  # when this was written
    wall_ms: int = 0  # the same, for after a reboot
    window_ends_s: float = 0.0  # of the venue's minute
    weight: int = 0  # in that minute, what is set aside included
    weight_limit: int = 0  # as the venue told it last; 0 is never
    closed_until_s: float = 0.0
    reason: str = ""  # of the ban
    connects_s: tuple[float, ...] = ()  # oldest first
    levels: dict[str, Level] = {}  # of counters that drain, where the venue has such
    venue_s: float | None = None  # the venue's time when `awake_s` was 0, as measured
    begun_s: float | None = None  # what was spent before is not known
    is_sure: bool = False  # the venue has told what it counts since this was begun


Change = Callable[[Spent], Spent]


class Memory(Protocol):
    """Where `Spent` is kept, for every process of this user that talks to the venue."""

    def look(self) -> Spent | None:
        """Return what is remembered now; None when that is lost, or never was."""
        ...

    def change(self, how: Change, *, must_last: bool = False) -> Spent:
        """Change it as one step and return it; `must_last`: a power loss keeps it too."""
        ...


@attrs.define(eq=False)
class RamMemory:
    """Forgets with the process: of a venue that does too, as the one inside the fleet."""

    spent: Spent = attrs.Factory(lambda: Spent(is_sure=True))

    def look(self) -> Spent | None:
        return self.spent

    def change(self, how: Change, *, must_last: bool = False) -> Spent:
        self.spent = how(self.spent)
        return self.spent


def as_of(spent: Spent, awake_s: float, wall_ms: int) -> Spent:
    """Return `spent` in the seconds of this boot.

    After a reboot only the wall clock says how long ago it was. Where a later boot looks
    like this one, the times come out later than they are, which only makes us wait.
    """
    if awake_s >= spent.awake_s:
        return spent
    passed_s = max(0.0, (wall_ms - spent.wall_ms) / 1000)
    shift_s = awake_s - passed_s - spent.awake_s
    return msgspec.structs.replace(
        spent,
        awake_s=awake_s,
        wall_ms=wall_ms,
        window_ends_s=spent.window_ends_s + shift_s,
        closed_until_s=spent.closed_until_s + shift_s,
        connects_s=tuple(at_s + shift_s for at_s in spent.connects_s),
        levels={
            name: (level, at_s + shift_s, drain_per_s)
            for name, (level, at_s, drain_per_s) in spent.levels.items()
        },
        venue_s=None,
        begun_s=None if spent.begun_s is None else spent.begun_s + shift_s,
    )
