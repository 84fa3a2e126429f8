"""What can go wrong in a run, each with its time; and what an operator does meanwhile."""

from __future__ import annotations

import attrs

from adapters.simulator.faults import Fault
from tests.simulation.desk import Command
from tests.simulation.disk import DiskFault
from tests.simulation.network import NetFault


@attrs.frozen
class VenueFault:
    """The exchange misbehaves, as its own fault script knows it."""

    at_s: float
    fault: Fault


@attrs.frozen
class VenueRestart:
    """The exchange goes down; its orders and balances survive."""

    at_s: float
    down_s: float


@attrs.frozen
class Relisting:
    """The exchange lists a symbol with another lot and tick, so many times the first."""

    at_s: float
    lot_by: int = 1
    tick_by: int = 1
    pick: float = 0.0  # which symbol, as a share of all


@attrs.frozen
class ClockStep:
    """The wall clock of the engine's machine jumps."""

    at_s: float
    by_ms: int


@attrs.frozen
class ClockSet:
    """Whoever keeps the machine's clock sets it right, if it is far off."""

    at_s: float


@attrs.frozen
class Suspend:
    """The machine slept; its wall clock has gone on with the world's, or stood still."""

    at_s: float
    slept_s: float
    is_clock_right: bool = True


@attrs.frozen
class Crash:
    """One task of one actor raises at its cancel point, some engine steps later."""

    at_s: float
    steps: int
    is_at_order: bool = False  # the steps count from the next order that leaves
    pick: float = 0.0  # which of the tasks, as a share of all


@attrs.frozen
class Death:
    """The process dies, some engine steps later, and is started again."""

    at_s: float
    steps: int
    is_at_order: bool = False
    is_power_lost: bool = False
    down_s: float = 1.0


@attrs.frozen
class Mood:
    """From here on the strategies hold, or act again."""

    at_s: float
    is_quiet: bool


@attrs.frozen
class Stall:
    """One bot has no turn for a while."""

    at_s: float
    duration_s: float
    pick: float = 0.0  # which of the bots, as a share of all


@attrs.frozen
class Stop:
    """The process is told to stop, as by SIGTERM, and is started again."""

    at_s: float
    down_s: float = 1.0


@attrs.frozen
class Leaving:
    """The process dies, and bots.toml has one bot less, or all again, as it is started.

    A bot that is moved trades another symbol of the run, where there is one.
    """

    at_s: float
    pick: float = 0.0  # which of the bots, as a share of all
    is_moved: bool = False
    down_s: float = 1.0


Event = (
    NetFault
    | DiskFault
    | VenueFault
    | VenueRestart
    | Relisting
    | ClockStep
    | ClockSet
    | Suspend
    | Crash
    | Death
    | Command
    | Mood
    | Stall
    | Stop
    | Leaving
)
