"""However the fleet ends, no entry is left to fill where nobody guards it (R-39)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from actors.messages.supervision import State
from tests.system.mock_fleet import MockFleet, Resting


async def nothing() -> None:
    await trio.lowlevel.checkpoint()


def run(fleet: MockFleet, end: Callable[[], Awaitable[None]] = nothing) -> None:
    """Run the fleet until it gives up, or until it is told to stop after `end`."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(fleet.run)
            await trio.sleep(5)
            await end()
            if end is not nothing:
                fleet.is_stopping = True
                nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize("given_up", ["journal", "risk:main", "positions:main"])
def test_a_fleet_that_gives_up_takes_back_its_open_entries(
    tmp_path: Path, given_up: str
) -> None:
    exchange = Resting()
    fleet = MockFleet(tmp_path, victim=given_up, exchange=exchange)
    run(fleet)
    assert fleet.escalated is not None
    (entry,) = exchange.placed
    assert exchange.cancelled == [entry.client_order_id]


@pytest.mark.parametrize("crashes", [1, 3])  # then it waits for a moment, or its circuit
def test_a_stop_between_two_lives_of_orders_takes_back_its_open_entries(
    tmp_path: Path, crashes: int
) -> None:
    exchange = Resting()
    fleet = MockFleet(tmp_path, exchange=exchange)

    async def crash() -> None:
        for _ in range(crashes):
            fleet.fleet.crash("orders:main")
            await trio.sleep(0.5 if crashes > 1 else 0.05)
        assert fleet.states()["orders:main"].state in {State.BACKOFF, State.OPEN}

    run(fleet, crash)
    (entry,) = exchange.placed
    assert exchange.cancelled == [entry.client_order_id]
