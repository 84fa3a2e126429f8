"""A tree under random crashes and operators, by seed (I-24, I-25, R-23)."""

from __future__ import annotations

import random

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.mailbox import Mailbox
from actors.messages.supervision import Event, State
from actors.pure.breaker import Policy
from actors.seat import LEAVE_S
from actors.supervisor import Child, Supervisor
from tests.actors.troupe import Log, supervisor

LEAVES = 6
STOP_S = 4.0


@attrs.define
class World:
    """Actors that break anywhere: in their start, their work, their goodbye."""

    dice: random.Random
    log: Log = attrs.Factory(Log)
    alive: dict[str, int] = attrs.Factory(dict[str, int])
    overlaps: int = 0
    stop_s: float = STOP_S
    has_goodbye: bool = False

    async def body(
        self, name: str, mailbox: Mailbox[int], *, task_status: trio.TaskStatus[None]
    ) -> None:
        self.alive[name] = self.alive.get(name, 0) + 1
        self.overlaps += self.alive[name] > 1
        try:
            await self.perhaps_break(0.2, 3.0)
            task_status.started()
            while True:
                await mailbox.receive()
                await self.perhaps_break(0.02, 0.5)
        finally:
            with trio.move_on_after(self.dice.random() * STOP_S, shield=True):
                await trio.sleep_forever()
            self.alive[name] -= 1
            if self.dice.random() < 0.1:
                raise RuntimeError("bad goodbye")

    async def perhaps_break(self, chance: float, longest_s: float) -> None:
        await trio.sleep(self.dice.random() * longest_s)
        if self.dice.random() < chance:
            raise RuntimeError("breaks")

    def leaf(self, name: str) -> Child:
        mailbox = Mailbox[int](name, wishes_max=2, facts_max=12)

        async def run(**readiness: trio.TaskStatus[None]) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.feed, mailbox)
                await self.body(name, mailbox, **readiness)

        then = self.dice.choice(["stop", "retry"])
        policy = Policy(reset_s=5, on_exhausted=then)  # pyright: ignore[reportArgumentType] -- a literal
        return Child(
            name, run, mailbox, policy, stop_s=self.stop_s, has_goodbye=self.has_goodbye
        )

    async def feed(self, mailbox: Mailbox[int]) -> None:
        while True:
            await trio.sleep(self.dice.random())
            mailbox.latest(0, 0)
            mailbox.fact(1)

    async def operate(self, tree: Supervisor) -> None:
        names = [state.path for state in tree.states()]
        for _ in range(100):
            await trio.sleep(self.dice.random() * 5)
            act = self.dice.choice([tree.stop, tree.start, tree.start, tree.crash])
            act(self.dice.choice(names))


@pytest.mark.parametrize("stop_s", [STOP_S, STOP_S + LEAVE_S])
@pytest.mark.parametrize("seed", range(24))
async def test_lives_never_overlap_and_a_stop_ends_everything_in_time(
    seed: int, stop_s: float, autojump_clock: MockClock
) -> None:
    """Half of the trees are of actors that begin a life to say their goodbye."""
    world = World(random.Random(seed), stop_s=stop_s, has_goodbye=stop_s > STOP_S)
    leaves = [world.leaf(f"leaf:{number}") for number in range(LEAVES)]
    inner = supervisor(
        world.log, "inner", *leaves[2:], start_together=world.dice.random() < 0.5
    )
    tree = supervisor(world.log, "", *leaves[:2], Child("inner", inner.run))
    told_s = 0.0
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tree.run)
            await world.operate(tree)
            told_s = trio.current_time()
            scope.cancel()

    assert trio.current_time() - told_s <= LEAVES * stop_s
    assert world.overlaps == 0
    assert not any(world.alive.values())
    assert {each.state for each in tree.states()} <= {State.STOPPED, State.FAILED}
    assert world.log.only(Event.OVERRAN) == []
    assert len(world.log.only(Event.FAILED)) > 10
