"""The real fleet in mock time: who dies at every start lives as the policy says (I-24).

Everything is real but the exchange, which is in memory, and time, which jumps: the tree,
the journal on its ledger, the mailboxes, risk, orders and the position monitor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest
import trio
from trio.testing import MockClock

from actors.messages import ExitReason, PositionClosed, PositionOpened
from actors.messages.supervision import Event, State, Transition
from tests.system.fleet_desk import only
from tests.system.mock_fleet import MockFleet

T = TypeVar("T")

DAWN, DUSK = "bots/bot:dawn", "bots/bot:dusk"
FROM_S = 10.0
BACKOFF_S = [0.25 * 0.75, 0.5 * 0.75]  # 0.25 s * 2^(n-1), times the middle of U(0.5, 1)
OPEN_S = 60 * 1.05  # reset_s, times the middle of U(1, 1.1)
OPEN_OF_EXITS_S = 5 * 1.05


def in_mock_time(
    fleet: MockFleet, look: Callable[[MockFleet], Awaitable[T]], *, at_s: float
) -> T:
    """Return what is seen of the fleet after so many seconds, which take none."""

    async def main() -> T:
        async with trio.open_nursery() as nursery:
            await nursery.start(fleet.run)
            await trio.sleep(at_s - fleet.now_s())
            seen = await look(fleet)
            nursery.cancel_scope.cancel()
        return seen

    return trio.run(main, clock=MockClock(autojump_threshold=0))


async def nothing(_fleet: MockFleet) -> None:
    await trio.lowlevel.checkpoint()


def predicted(open_s: float, *, failures: int) -> list[tuple[float, State, int]]:
    """Return when each failure comes, the state after it, and its number."""
    at_s, found = FROM_S, [(FROM_S, State.BACKOFF, 1)]
    for number in range(2, failures + 1):
        at_s += BACKOFF_S[number - 2] if number <= 3 else open_s
        state = State.BACKOFF if number < 3 else State.OPEN
        state = State.FAILED if number >= 10 else state
        found.append((round(at_s, 6), state, number))
    return found


def seen(steps: Sequence[Transition]) -> list[tuple[float, State, int]]:
    return [(round(step.at_s, 6), step.new, step.consecutive) for step in steps]


def test_a_bot_fails_ten_times_by_the_clock_and_its_position_stays_guarded(
    tmp_path: Path,
) -> None:
    fleet = MockFleet(tmp_path, victim=DAWN, crash_from_s=FROM_S)

    async def fall(fleet: MockFleet) -> list[PositionClosed]:
        assert fleet.states()[DAWN].state is State.FAILED
        assert len(only(PositionOpened, await fleet.facts())) == 1
        fleet.exchange.price = Decimal(47_000)
        await trio.sleep(10)
        return only(PositionClosed, await fleet.facts())

    (closed,) = in_mock_time(fleet, fall, at_s=480)
    failed = fleet.told_of(DAWN, Event.FAILED)
    assert seen(failed) == predicted(OPEN_S, failures=10)
    assert failed[-1].next.startswith("stopped until an operator starts it")
    starts = [step.new for step in fleet.told_of(DAWN, Event.STARTING)]
    assert starts == [State.STARTING] * 3 + [State.HALF_OPEN] * 7
    assert (closed.bot, closed.exit_reason) == ("dawn", ExitReason.STOP_LOSS)
    entry, stop, exit_ = fleet.exchange.placed
    assert fleet.exchange.replacing == [(stop.client_order_id, exit_)]
    assert entry.base == stop.base == exit_.base


def test_neighbours_keep_their_lives_and_their_message_counts(tmp_path: Path) -> None:
    async def look(fleet: MockFleet) -> dict[str, tuple[int, int]]:
        """Count from 5.4 s on: nothing is due then, and what comes first is chance."""
        before = fleet.states()
        await trio.sleep(475)
        return {
            path: (actor.incarnation, actor.taken - before[path].taken)
            for path, actor in fleet.states().items()
            if path not in {DAWN, "journal", "board"}  # these hear of its deaths
        }

    (tmp_path / "calm").mkdir()
    calm = in_mock_time(MockFleet(tmp_path / "calm"), look, at_s=5.4)
    fleet = MockFleet(tmp_path, victim=DAWN, crash_from_s=FROM_S)
    stormy = in_mock_time(fleet, look, at_s=5.4)
    lives = len(fleet.told_of(DAWN, Event.READY))
    # Each life asks once for prices; the last gives them up, of which the fallback, who
    # takes its mail now and then, sees only the outcome.
    for asked, more in {"feed:binance": lives, "fallback:binance": lives - 1}.items():
        life, taken = stormy[asked]
        stormy[asked] = life, taken - more
    assert stormy == calm
    assert calm[DUSK][1] > 470


def test_an_operator_starts_a_dead_bot_with_its_failures_forgotten(tmp_path: Path) -> None:
    fleet = MockFleet(tmp_path, victim=DAWN, crash_from_s=FROM_S)

    async def start(fleet: MockFleet) -> tuple[State, int]:
        fleet.victim = ""
        assert fleet.fleet.start("bot:dawn")
        await trio.sleep(1)
        actor = fleet.states()[DAWN]
        return actor.state, actor.consecutive

    assert in_mock_time(fleet, start, at_s=480) == (State.RUNNING, 0)


def test_what_exits_need_is_tried_every_five_seconds_and_then_the_fleet_ends(
    tmp_path: Path,
) -> None:
    fleet = MockFleet(tmp_path, victim="orders:main", crash_from_s=FROM_S)
    in_mock_time(fleet, nothing, at_s=600)
    assert seen(fleet.told_of("orders:main", Event.FAILED)) == (
        predicted(OPEN_OF_EXITS_S, failures=9)
    )
    (escalated,) = fleet.told_of("orders:main", Event.ESCALATED)
    assert escalated.at_s == pytest.approx(FROM_S + sum(BACKOFF_S) + 7 * OPEN_OF_EXITS_S)
    assert fleet.escalated is not None
    assert fleet.escalated.path == "orders:main"


def test_a_feed_is_tried_once_a_minute_for_ever(tmp_path: Path) -> None:
    fleet = MockFleet(tmp_path, victim="feed:binance", crash_from_s=FROM_S)
    in_mock_time(fleet, nothing, at_s=900)
    failed = fleet.told_of("feed:binance", Event.FAILED)
    assert seen(failed) == predicted(OPEN_S, failures=len(failed))
    assert len(failed) > 12
    assert failed[-1].next.startswith("one try every 60 s")


def test_sixty_quiet_seconds_of_work_forget_the_failures(tmp_path: Path) -> None:
    fleet = MockFleet(tmp_path)

    async def crash_twice(fleet: MockFleet) -> list[tuple[str, int]]:
        fleet.fleet.crash(DAWN)
        await trio.sleep(70)
        fleet.fleet.crash(DAWN)
        await trio.sleep(1)
        return [
            (step.event.value, step.consecutive)
            for step in fleet.told_of(DAWN, Event.FAILED, Event.HEALTHY)
        ]

    assert in_mock_time(fleet, crash_twice, at_s=5) == [
        ("failed", 1),
        ("healthy", 0),
        ("failed", 1),
    ]
