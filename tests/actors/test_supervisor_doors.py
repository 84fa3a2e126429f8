"""While an actor's circuit is open, its mailbox says with which code wishes are refused."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from actors.mailbox import Mailbox
from actors.supervisor import Child
from tests.actors.troupe import Log, actor, supervisor


async def doors(lives_s: list[float], looks_s: list[float]) -> list[str]:
    """Return what the door of a fragile actor says at each of these moments."""
    log, mailbox = Log(), Mailbox[None]("risk")
    run = actor(log, "risk", lives_s=lives_s)
    child = Child("risk", run, mailbox, closed_code="risk_down")
    tree, said, begun_s = supervisor(log, "", child), list[str](), trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree.run)
        for look_s in looks_s:
            await trio.sleep_until(begun_s + look_s)
            said.append(mailbox.closed_because)
        nursery.cancel_scope.cancel()
    return said


async def test_a_short_wait_between_two_lives_closes_no_door(
    autojump_clock: MockClock,
) -> None:
    assert await doors([1.0], [0.5, 1.1]) == ["", ""]


async def test_an_open_circuit_closes_the_door_and_the_next_life_opens_it(
    autojump_clock: MockClock,
) -> None:
    assert await doors([1.0] * 3, [10.0, 60.0, 70.0]) == ["risk_down", "risk_down", ""]
