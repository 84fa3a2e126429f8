"""Watch time itself: the venues' offsets, steps of the wall clock, and suspends.

[clock] --ClockStepped (latest)--> feeds, accounts
[clock] --ClockJudged (latest)---> orders
[clock] --Record-----------------> journal
[clock] --Alarmed (latest)-------> board

After a step or a sleep nothing known before is fresh: feeds reconnect, accounts
reconcile, and every offset is measured at once, because requests are signed with it (D-6,
R-29). A venue that does not answer is asked again; that crashes nothing. Orders are told
before they begin, and once a second, what is to be thought of their venue's time, so their
next life knows it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import ClockJudged, ClockMeasured, ClockStepped
from actors.messages.board import Alarmed
from actors.ports import Market, VenueError, WallClock
from actors.pure.clock_trust import ClockLimits, ClockTrust
from actors.records import JournalWish, note

LOOK_S = 1.0
STEP_MS_MAX = 1_000  # wall against monotonic, between two looks
SLEEP_MS_MAX = 1_000  # boot time against monotonic
MEASURE_EVERY_S = 600.0
MEASURE_RETRY_S = 15.0
MEASURE_S = 15.0
NO_LIMITS: Mapping[str, ClockLimits] = {}
NOBODY: Mapping[str, Sequence[Mailbox[Any]]] = {}


async def run_clock(
    wall: WallClock,
    markets: Mapping[str, Market],
    readers: Sequence[Mailbox[Any]],
    journal: Mailbox[JournalWish],
    *,
    limits: Mapping[str, ClockLimits] = NO_LIMITS,  # by exchange
    orders: Mapping[str, Sequence[Mailbox[Any]]] = NOBODY,  # who begins, by exchange
    board: Mailbox[Any] | None = None,
    told: dict[str, str] | None = None,  # alarms by exchange, over all lives
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Compare the clocks every second and measure every venue's offset until cancelled."""
    steps = _Steps()
    trusts = {name: ClockTrust(limits.get(name, ClockLimits())) for name in markets}
    judge = _Judge(trusts, orders, board, {} if told is None else told)
    async with trio.open_nursery() as nursery:
        for exchange, market in markets.items():
            measure = partial(_keep_measured, exchange, market, journal, steps)
            nursery.start_soon(measure, trusts[exchange], judge)
        judge.tell()
        task_status.started()
        seen = Reading.of(wall)
        while True:
            await trio.sleep(LOOK_S)
            now = Reading.of(wall)
            stepped = judge_step(seen, now, trio.current_time())
            seen = now
            if stepped is not None:
                for trust in trusts.values():
                    trust.stepped = stepped.reason
                steps.tell()
                nursery.start_soon(note, journal, stepped)
                for reader in readers:
                    reader.latest("clock", stepped)
            judge.tell()


@attrs.define(eq=False)
class _Steps:
    """Wakes those who must measure again."""

    next: trio.Event = attrs.Factory(trio.Event)

    def tell(self) -> None:
        self.next.set()
        self.next = trio.Event()


@attrs.define(eq=False)
class _Judge:
    """Tells orders, and once a person, whose time is not to be trusted."""

    trusts: Mapping[str, ClockTrust]
    orders: Mapping[str, Sequence[Mailbox[Any]]]
    board: Mailbox[Any] | None
    told: dict[str, str]  # by exchange the alarm's text, over all lives

    def tell(self) -> None:
        for exchange, trust in self.trusts.items():
            doubt = trust.doubt()
            for reader in self.orders.get(exchange, ()):
                reader.latest("clock", ClockJudged(exchange, doubt))
            is_known = trust.measured is not None or trust.stepped
            if is_known and doubt != self.told.get(exchange, ""):
                self._alarm(exchange, doubt)

    def _alarm(self, exchange: str, doubt: str) -> None:
        text = doubt or self.told[exchange]
        self.told[exchange] = doubt
        if self.board is not None:
            code, said = "clock_uncertain", f"{exchange}: {text}; nothing new is begun"
            alarm = Alarmed("clock", code, exchange, said, is_over=not doubt)
            self.board.latest((Alarmed, alarm.actor, code, exchange), alarm)


@attrs.frozen
class Reading:
    """Three clocks read at one moment, in milliseconds."""

    wall_ms: int
    awake_ms: int
    elapsed_ms: int

    @classmethod
    def of(cls, wall: WallClock) -> Reading:
        return cls(wall.now_ms(), int(wall.awake_s() * 1e3), int(wall.elapsed_s() * 1e3))


def judge_step(before: Reading, now: Reading, at_s: float) -> ClockStepped | None:
    """Return the jump between two readings, or None when the clocks agree."""
    awake_ms = now.awake_ms - before.awake_ms
    slept_ms = now.elapsed_ms - before.elapsed_ms - awake_ms
    if slept_ms > SLEEP_MS_MAX:
        return ClockStepped(slept_ms, at_s, f"the machine slept for {slept_ms / 1e3:.1f} s")
    jump_ms = now.wall_ms - before.wall_ms - awake_ms
    if abs(jump_ms) > STEP_MS_MAX:
        return ClockStepped(
            jump_ms, at_s, f"the wall clock jumped by {jump_ms / 1e3:+.1f} s"
        )
    return None


async def _keep_measured(
    exchange: str,
    market: Market,
    journal: Mailbox[JournalWish],
    steps: _Steps,
    trust: ClockTrust,
    judge: _Judge,
) -> None:
    while True:
        next_step = steps.next
        measured = await _measure(exchange, market)
        if measured is not None:
            if steps.next is next_step:  # our clock stood still meanwhile
                trust.measure(measured)
                judge.tell()
            await note(journal, measured)
        is_good = measured is not None and not trust.doubt()
        with trio.move_on_after(MEASURE_EVERY_S if is_good else MEASURE_RETRY_S):
            await next_step.wait()


async def _measure(exchange: str, market: Market) -> ClockMeasured | None:
    """Measure once; without an answer signing goes on with the last offset."""
    with trio.move_on_after(MEASURE_S):
        try:
            return ClockMeasured(exchange, *await market.measure_offset())
        except VenueError:
            await trio.lowlevel.checkpoint()
    return None
