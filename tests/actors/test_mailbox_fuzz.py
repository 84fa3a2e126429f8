"""The mailbox under crashing readers and cancelled senders, by seed.

Wishes arrive exactly once (bar the one in hand at a crash, which the script never crashes
on), facts are exact by recall, the last price of each key is never lost, depth is bounded.
"""

from __future__ import annotations

import random
from typing import NamedTuple

import attrs
import pytest
import trio
import trio.testing

from actors.mailbox import Mailbox

WISHES, FACTS, PRICES, KEYS, CRASHES_MAX = 30, 60, 200, 4, 8


class Message(NamedTuple):
    kind: str
    key: int
    number: int


class Crash(Exception):
    pass


@attrs.define
class World:
    """One run: three kinds of senders, and a reader that lives several times."""

    dice: random.Random
    mailbox: Mailbox[Message]
    wishes_max: int
    facts_max: int
    ledger: list[int] = attrs.Factory(list[int])
    sent: set[Message] = attrs.Factory(set[Message])
    heard: list[Message] = attrs.Factory(list[Message])
    last_price: dict[int, int] = attrs.Factory(dict[int, int])
    seen_price: dict[int, int] = attrs.Factory(dict[int, int])
    senders_done: int = 0
    lives: int = 0
    depth_max: int = 0
    recalled: tuple[int, int] | None = None

    async def pause(self, chance: float, longest_s: float) -> None:
        if self.dice.random() < chance:
            await trio.sleep(self.dice.random() * longest_s)

    async def wish(self, base: int) -> None:
        for number in range(WISHES):
            message = Message("wish", 0, base + number)
            with trio.CancelScope() as scope:
                if self.dice.random() < 0.3:
                    scope.deadline = trio.current_time() + self.dice.random() * 0.01
                await self.mailbox.wish(message)
                self.sent.add(message)
            await self.pause(1, 0.01)
        self.senders_done += 1

    async def tell_facts(self) -> None:
        for number in range(FACTS):
            self.ledger.append(number)
            self.mailbox.fact(Message("fact", len(self.ledger), number))
            await self.pause(0.5, 0.01)
        self.senders_done += 1

    async def post_prices(self) -> None:
        for number in range(PRICES):
            key = self.dice.randrange(KEYS)
            self.mailbox.latest(key, Message("price", key, number))
            self.last_price[key] = number
            await self.pause(0.3, 0.003)
        self.senders_done += 1

    async def live(self) -> tuple[int, int]:
        """Recall, then read until nothing comes any more; return the folded facts."""
        await self.pause(0.5, 0.02)
        seq, total = len(self.ledger), sum(self.ledger)
        await self.pause(0.5, 0.02)
        while True:
            with trio.move_on_after(1) as silence:
                message = await self.mailbox.receive()
                seq, total = self.take(message, seq, total)
                await self.pause(0.3, 0.01)
            if silence.cancelled_caught and self.senders_done == 4:
                return seq, total

    def take(self, message: Message, seq: int, total: int) -> tuple[int, int]:
        self.depth_max = max(self.depth_max, self.mailbox.depth)
        if message.kind == "wish":
            self.heard.append(message)
        elif message.kind == "price":
            self.seen_price[message.key] = message.number
            return seq, total
        elif message.key > seq:
            assert message.key == seq + 1, "a gap between facts"
            seq, total = message.key, total + message.number
        if self.lives < CRASHES_MAX and self.dice.random() < 0.05:
            raise Crash
        return seq, total

    async def read(self) -> None:
        """Live again after each crash and each overfull lane, as a supervisor does."""
        while self.recalled is None:
            self.lives += 1
            self.mailbox.rearm()
            try:
                with trio.CancelScope() as self.mailbox.reader:
                    self.recalled = await self.live()
            except Crash:
                await self.pause(1, 0.05)
            self.mailbox.reader = None


@pytest.mark.parametrize("seed", range(100))
async def test_nothing_is_lost_doubled_or_unbounded(
    seed: int, autojump_clock: trio.testing.MockClock
) -> None:
    dice = random.Random(seed)
    wishes_max, facts_max = dice.randint(1, 3), dice.randint(1, 4)
    mailbox = Mailbox[Message]("m", wishes_max=wishes_max, facts_max=facts_max)
    world = World(dice, mailbox, wishes_max, facts_max)
    with trio.fail_after(1000):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.wish, 0)
            nursery.start_soon(world.wish, 1000)
            nursery.start_soon(world.tell_facts)
            nursery.start_soon(world.post_prices)
            nursery.start_soon(world.read)

    assert world.recalled == (len(world.ledger), sum(world.ledger))
    assert sorted(world.heard) == sorted(world.sent)
    assert world.seen_price == world.last_price
    assert world.depth_max <= wishes_max + facts_max + KEYS
    assert mailbox.depth == 0
