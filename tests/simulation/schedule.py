"""What one seed draws: the bots, and everything that will go wrong, and when."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, get_args

import attrs

from adapters.simulator.faults import Fault, Kind
from tests.simulation.desk import ACCOUNT, Command
from tests.simulation.disk import DiskFault, DiskKind
from tests.simulation.events import (
    ClockStep,
    Crash,
    Death,
    Event,
    Suspend,
    VenueFault,
    VenueRestart,
)
from tests.simulation.extras import draw_extras
from tests.simulation.network import NetFault, NetKind
from tests.simulation.small_limits import with_limits

CHAOS_S: Final = 100.0
CONNECTIONS: Final = ("", "stream", "ws_api", "rest")


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


Drawer = Callable[[random.Random, float], Event]


@attrs.frozen
class Focus:
    """What a search for one kind of bug draws: these faults for sure, and such bots."""

    drawers: tuple[Drawer, ...] = ()
    count: int = 3  # of each
    orders: tuple[str, ...] = ("market", "market", "limit", "stop_loss_limit")
    exposures: tuple[int, ...] = (100, 100, 30, 8)  # percent
    sizes: tuple[int, ...] = (2, 10, 40)  # percent


ANYTHING: Final = Focus()


def draw(
    seed: int,
    *,
    chaos_s: float = CHAOS_S,
    is_calm: bool = False,
    focus: Focus = ANYTHING,
    exchange: str = "binance",
) -> Schedule:
    """Return the schedule of a seed: some classes of faults, more or less of each."""
    chance = random.Random(f"{seed}/schedule")
    is_whole = exchange == "coinbase" and seed % 2 == 1  # the Exchange's own orders, too
    config = draw_config(chance, focus, exchange, has_passphrase=is_whole)
    if not is_calm and focus is ANYTHING:
        config = with_limits(seed, config)
    skew_ms = chance.choice([0, 0, chance.randint(-30_000, 30_000)])
    drift_percent = chance.choice([0.0, 0.5, 1.5, 3.0])
    events = () if is_calm else draw_events(chance, 0.0, chaos_s, focus, exchange)
    if not is_calm and focus is ANYTHING:
        events = in_time((*events, *draw_extras(str(seed), chaos_s)))
    return Schedule(seed, config, events, chaos_s, skew_ms, drift_percent)


def _lasts_too_long(event: Event, exchange: str) -> bool:
    """Tell of Kraken's lockout: a quarter of an hour, in which nobody can be guarded."""
    is_ban = isinstance(event, VenueFault) and event.fault.kind == "ban"
    return is_ban and exchange == "kraken"


def draw_events(
    chance: random.Random,
    at_s: float,
    length_s: float,
    focus: Focus = ANYTHING,
    exchange: str = "binance",
) -> tuple[Event, ...]:
    """Return what goes wrong in one stretch of time: of each class a few, or none."""
    events: list[Event] = []
    for draw_one in focus.drawers:
        times_s = (at_s + chance.uniform(0, length_s) for _ in range(focus.count))
        events += [draw_one(chance, each_s) for each_s in times_s]
    for draw_one in _SWARM if focus is ANYTHING else ():
        if chance.random() < 0.5:
            count = chance.randint(1, max(1, round(length_s / 15)))
            events += [
                draw_one(chance, at_s + chance.uniform(0, length_s)) for _ in range(count)
            ]
    return in_time(event for event in events if not _lasts_too_long(event, exchange))


def in_time(events: Iterable[Event]) -> tuple[Event, ...]:
    """Return events in the order of their times."""
    return tuple(sorted(events, key=lambda event: event.at_s))


def draw_config(
    chance: random.Random,
    focus: Focus = ANYTHING,
    exchange: str = "binance",
    *,
    has_passphrase: bool = False,
) -> str:
    """Return a bots.toml for a fleet of a few bots on one account."""
    passphrase = 'passphrase = "env:PASSPHRASE"' if has_passphrase else ""
    attempts = chance.choice([2, 5])
    exposure_percent = chance.choice(focus.exposures)
    text = f"""
mode = "live"
state = "unused"

[exchanges.{exchange}]
reconnect.attempts = {attempts}
reconnect.initial_s = 0.5
reconnect.max_s = 4
connect_s = 5
clock_offset_ms_max = 60_000

[accounts.main]
exchange = "{exchange}"
key = "env:KEY"
secret = "env:SECRET"
{passphrase}
risk.exposure_percent_max = {exposure_percent}
risk.daily_turnover_quote_max = 1_000_000_000
risk.daily_fees_quote_max = 1_000_000_000

[journal]
price_every_s = 60
"""
    bots = [_bot(chance, n, focus) for n in range(chance.randint(2, 4))]
    if exposure_percent == 8 and focus is ANYTHING:  # somebody should be able to trade
        bots[0] = re.sub(r"position_percent = \d+", "position_percent = 2", bots[0])
    return text + "".join(bots)


def _bot(chance: random.Random, number: int, focus: Focus) -> str:
    symbol = chance.choice(["BTC/USDT", "ETH/USDT"])
    order = chance.choice(focus.orders)
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
position_percent = {chance.choice(focus.sizes)}
order = "{order}"
{f"limit_offset_percent = {offset}" if order == "limit" else ""}
stop_loss_percent = {stop}
{target}
{trail}
evaluate_s = {evaluate}
check_s = {chance.choice([1, 5])}
"""


def net(chance: random.Random, at_s: float, *kinds: NetKind) -> Event:
    every: tuple[NetKind, ...] = get_args(NetKind)
    kind = chance.choice(kinds or every)
    is_brief = kind in {"cut", "refuse", "hang"}
    return NetFault(
        kind,
        at_s,
        chance.choice([0.2, 2.0, 10.0, 20.0]) if is_brief else chance.uniform(0.5, 20.0),
        1.0 if is_brief else chance.choice([0.02, 0.1, 0.5]),
        chance.choice(CONNECTIONS),
        chance.choice([0.2, 2.0, 8.0]),
    )


_VENUE_KINDS: Final[Sequence[Kind]] = (
    "lost_ack", "late_ack", "server_error", "duplicate", "reorder", "silence", "half_open",
    "garbage", "disconnect", "storm", "server_shutdown", "refuse", "rate_limit", "ban",
    "clock_skew",
)  # fmt: skip


def venue(chance: random.Random, at_s: float, *kinds: Kind) -> Event:
    kind = chance.choice(kinds or _VENUE_KINDS)
    fault = Fault(
        kind,
        duration_s=chance.choice([0.5, 3.0, 10.0, 15.0]),
        connection=chance.choice(["", "", "stream", "ws_api", "rest"]),
        delay_s=chance.choice([0.5, 2.0, 9.0, 12.0]),
        skew_ms=chance.choice([-8000, -900, 800, 9000]),
    )
    return VenueFault(at_s, fault)


def restart(chance: random.Random, at_s: float) -> Event:
    return VenueRestart(at_s, chance.uniform(0.2, 12.0))


def disk(chance: random.Random, at_s: float, *kinds: DiskKind) -> Event:
    every: tuple[DiskKind, ...] = get_args(DiskKind)
    kind = chance.choice(kinds or every)
    return DiskFault(kind, at_s, chance.uniform(0.5, 8.0), chance.choice([0.05, 0.3, 1.0]))


def clock(chance: random.Random, at_s: float) -> Event:
    if chance.random() < 0.5:
        return Suspend(at_s, chance.choice([0.5, 5.0, 600.0]), chance.random() < 0.7)
    return ClockStep(at_s, chance.choice([-60_000, -4000, -300, 300, 4000, 60_000]))


def crash(chance: random.Random, at_s: float) -> Event:
    is_at_order = chance.random() < 0.5
    steps = chance.randrange(400 if is_at_order else 2000)
    return Crash(at_s, steps, is_at_order, chance.random())


def death(chance: random.Random, at_s: float) -> Event:
    is_at_order = chance.random() < 0.6
    steps = chance.randrange(300 if is_at_order else 2000)
    down_s = chance.choice([0.01, 0.5, 3.0, 15.0])
    return Death(at_s, steps, is_at_order, chance.random() < 0.5, down_s)


_VERBS: Final = "pause", "stop", "halt", "flatten", "resume", "resume", "start", "start"


def command(chance: random.Random, at_s: float) -> Event:
    verb = chance.choice(_VERBS)
    is_account = verb in {"halt", "resume", "flatten"} and chance.random() < 0.3
    return Command(at_s, verb, ACCOUNT if is_account else f"bot-{chance.randrange(3)}")


_SWARM: Final[Sequence[Drawer]] = (
    net, net, venue, venue, restart, disk, clock, crash, crash, death, death, command,
)  # fmt: skip
