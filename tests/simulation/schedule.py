"""What one seed draws: the bots, and everything that will go wrong, and when."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, get_args

import attrs

from adapters.simulator.faults import Fault
from tests.simulation.desk import ACCOUNT, Command
from tests.simulation.disk import DiskFault, DiskKind
from tests.simulation.network import NetFault, NetKind

CHAOS_S: Final = 100.0
CONNECTIONS: Final = ("", "stream", "ws_api", "rest")


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
class ClockStep:
    """The wall clock of the engine's machine jumps."""

    at_s: float
    by_ms: int


@attrs.frozen
class Suspend:
    """The machine slept, says its clock of time since boot."""

    at_s: float
    slept_s: float


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


Event = (
    NetFault
    | DiskFault
    | VenueFault
    | VenueRestart
    | ClockStep
    | Suspend
    | Crash
    | Death
    | Command
)


@attrs.frozen
class Schedule:
    """One run, as its seed has it."""

    seed: int
    config: str  # bots.toml
    events: tuple[Event, ...]
    chaos_s: float
    skew_ms: int
    drift_percent: float  # of the prices, in each phase

    def lines(self) -> Sequence[str]:
        """Return the fault schedule for people, in order of time."""
        return [f"{event.at_s:8.2f} s  {event}" for event in self.events]


def draw(seed: int, *, chaos_s: float = CHAOS_S, is_calm: bool = False) -> Schedule:
    """Return the schedule of a seed: some classes of faults, more or less of each."""
    chance = random.Random(f"{seed}/schedule")
    config = draw_config(chance)
    skew_ms = chance.choice([0, 0, chance.randint(-30_000, 30_000)])
    drift_percent = chance.choice([0.0, 0.5, 1.5, 3.0])
    events: list[Event] = []
    for draw_one in () if is_calm else _SWARM:
        if chance.random() < 0.5:
            count = chance.randint(1, max(1, round(chaos_s / 15)))
            events += [draw_one(chance, chance.uniform(0, chaos_s)) for _ in range(count)]
    events.sort(key=lambda event: event.at_s)
    return Schedule(seed, config, tuple(events), chaos_s, skew_ms, drift_percent)


def draw_config(chance: random.Random) -> str:
    """Return a bots.toml for a fleet of a few bots on one account."""
    attempts = chance.choice([2, 5])
    exposure_percent = chance.choice([100, 100, 30, 8])
    text = f"""
mode = "live"
state = "unused"

[exchanges.binance]
reconnect.attempts = {attempts}
reconnect.initial_s = 0.5
reconnect.max_s = 4
connect_s = 5

[accounts.main]
exchange = "binance"
key = "env:KEY"
secret = "env:SECRET"
risk.exposure_percent_max = {exposure_percent}
risk.daily_turnover_quote_max = 1_000_000_000
risk.daily_fees_quote_max = 1_000_000_000

[journal]
price_every_s = 60
"""
    return text + "".join(_bot(chance, n) for n in range(chance.randint(2, 4)))


def _bot(chance: random.Random, number: int) -> str:
    symbol = chance.choice(["BTC/USDT", "ETH/USDT"])
    order = chance.choice(["market", "market", "limit", "stop_loss_limit"])
    is_churn = chance.random() < 0.75
    strategy = "churn:Churn" if is_churn else "ema_cross"
    params = "" if is_churn else "params = { fast = 2, slow = 4 }"
    evaluate = chance.choice(["1", "2", "5"]) if is_churn else '"candle"'
    stop = chance.choice(["0.2", "1", "5"])
    target = chance.choice(["", f"take_profit_percent = {chance.choice(['0.2', '2'])}"])
    offset = chance.choice(["0", "0.01", "0.05"])
    trail = chance.choice(["", "", "trailing_stop_percent = 0.3"])
    return f"""
[[bots]]
name = "bot-{number}"
account = "main"
symbol = "{symbol}"
strategy = "{strategy}"
{params}
timeframe = "1s"
capital = 10_000
position_percent = {chance.choice([2, 10, 40])}
order = "{order}"
{f"limit_offset_percent = {offset}" if order == "limit" else ""}
stop_loss_percent = {stop}
{target}
{trail}
evaluate_s = {evaluate}
check_s = {chance.choice([1, 5])}
"""


def _net(chance: random.Random, at_s: float) -> Event:
    kind: NetKind = chance.choice(get_args(NetKind))
    is_brief = kind in {"cut", "refuse", "hang"}
    return NetFault(
        kind,
        at_s,
        chance.choice([0.2, 2.0, 10.0, 20.0]) if is_brief else chance.uniform(0.5, 20.0),
        1.0 if is_brief else chance.choice([0.02, 0.1, 0.5]),
        chance.choice(CONNECTIONS),
        chance.choice([0.2, 2.0, 8.0]),
    )


_VENUE_KINDS: Final = (
    "lost_ack", "late_ack", "server_error", "duplicate", "reorder", "silence", "half_open",
    "garbage", "disconnect", "storm", "server_shutdown", "refuse", "rate_limit", "ban",
    "clock_skew",
)  # fmt: skip


def _venue(chance: random.Random, at_s: float) -> Event:
    kind = chance.choice(_VENUE_KINDS)
    fault = Fault(
        kind,
        duration_s=chance.choice([0.5, 3.0, 10.0, 15.0]),
        connection=chance.choice(["", "", "stream", "ws_api", "rest"]),
        delay_s=chance.choice([0.5, 2.0, 9.0, 12.0]),
        skew_ms=chance.choice([-8000, -900, 800, 9000]),
    )
    return VenueFault(at_s, fault)


def _restart(chance: random.Random, at_s: float) -> Event:
    return VenueRestart(at_s, chance.uniform(0.2, 12.0))


def _disk(chance: random.Random, at_s: float) -> Event:
    kind: DiskKind = chance.choice(get_args(DiskKind))
    return DiskFault(kind, at_s, chance.uniform(0.5, 8.0), chance.choice([0.05, 0.3, 1.0]))


def _clock(chance: random.Random, at_s: float) -> Event:
    if chance.random() < 0.5:
        return Suspend(at_s, chance.choice([0.5, 5.0, 600.0]))
    return ClockStep(at_s, chance.choice([-60_000, -4000, -300, 300, 4000, 60_000]))


def _crash(chance: random.Random, at_s: float) -> Event:
    is_at_order = chance.random() < 0.5
    steps = chance.randrange(400 if is_at_order else 2000)
    return Crash(at_s, steps, is_at_order, chance.random())


def _death(chance: random.Random, at_s: float) -> Event:
    is_at_order = chance.random() < 0.6
    steps = chance.randrange(300 if is_at_order else 2000)
    down_s = chance.choice([0.01, 0.5, 3.0, 15.0])
    return Death(at_s, steps, is_at_order, chance.random() < 0.5, down_s)


def _command(chance: random.Random, at_s: float) -> Event:
    verb = chance.choice(["pause", "stop", "halt", "resume", "resume", "start", "start"])
    is_account = verb in {"halt", "resume"} and chance.random() < 0.3
    return Command(at_s, verb, ACCOUNT if is_account else f"bot-{chance.randrange(3)}")


_SWARM: Final[Sequence[Callable[[random.Random, float], Event]]] = (
    _net, _net, _venue, _venue, _restart, _disk, _clock, _crash, _crash, _death, _death,
    _command,
)  # fmt: skip
