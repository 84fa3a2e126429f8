"""An hour in which nothing that is said of one order arrives: it stays UNKNOWN (R-02).

Every acknowledgement, private event and answer about the order is lost on the way; the
rest of the exchange goes on. Once the order was taken, once it never arrived there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
import trio

from actors.messages import Fact, Filled, OrderStatus, OutcomeUnknown
from tests.simulation.network import SimStream
from tests.system.steered import Steered, bot, steer

LENGTH_S = float(os.environ.get("SHOAL_UNKNOWN_S", "600"))  # `just outages`: 3,600
UNSURE, SAME_SYMBOL, OTHER_SYMBOL = "unsure", "same-symbol", "other-symbol"
CONFIG = (
    bot(UNSURE, "BTC/USDT", evaluate_s=15)
    + bot(SAME_SYMBOL, "BTC/USDT", evaluate_s=15)
    + bot(OTHER_SYMBOL, "ETH/USDT", evaluate_s=15)
)


@attrs.define(eq=False)
class Censor:
    """Stands on the wire and takes away whatever the exchange says of one order."""

    world: Steered
    order_id: bytes = b""
    takes_request: bool = False  # the order itself, too: it never arrives
    lost: int = 0
    is_over: bool = False
    _muted: set[int] = attrs.Factory(set[int])  # connections asked about the order
    _carry: Any = None

    def begin(self, order_id: str) -> None:
        """Begin when the order is about to leave."""
        self.order_id = order_id.encode()
        network: Any = self.world.machine.network
        self._carry = network.carry
        network.carry = self.carry

    def carry(self, sender: SimStream, data: bytes) -> None:
        is_order = self.takes_request and sender.is_client and sender.kind == "ws_api"
        if is_order:
            self.takes_request = False
            return
        if sender.is_client and self.order_id in data:
            self._muted.add(sender.number)
        is_answer = not sender.is_client and (
            self.order_id in data or sender.number in self._muted
        )
        if is_answer and not self.is_over:
            self.lost += 1
            return
        self._carry(sender, data)


@attrs.define(eq=False)
class Hour:
    """What was seen of an order that nobody hears of."""

    is_taken: bool
    order_id: str = ""
    lost: int = 0
    told: list[Fact] = attrs.Factory(list[Fact])  # of the order, in the hour
    statuses: set[OrderStatus] = attrs.Factory(set[OrderStatus])
    outcomes: set[str] = attrs.Factory(set[str])  # of the bot's evaluations
    alarms: list[str] = attrs.Factory(list[str])
    others: dict[str, int] = attrs.Factory(dict[str, int])  # fills in the last part
    at_exchange: bool = False
    after: OrderStatus | None = None
    trades_after: int = 0  # of the bot, once it was settled

    async def lose_it(self, world: Steered) -> Censor:
        """Begin to hear nothing of the next entry of the bot."""
        censor = Censor(world, takes_request=not self.is_taken)
        await trio.sleep(20)
        world.on_order = lambda order_id: self.begin(world, censor, order_id)
        await world.wait_until(lambda: bool(self.order_id), within_s=30)
        return censor

    async def run(self, world: Steered) -> None:
        censor = await self.lose_it(world)
        rows = len(world.facts())
        await trio.sleep(60)
        for _ in range(int(LENGTH_S // 60) - 1):
            await trio.sleep(60)
            await self.look(world)
        facts = world.facts()
        self.told = [it for it in facts[rows:] if is_about(it, self.order_id)]
        self.lost = censor.lost
        self.at_exchange = world.at_exchange(self.order_id) is not None
        for fact in facts[-len(facts) // 6 :]:
            if isinstance(fact, Filled):
                self.others[fact.bot] = self.others.get(fact.bot, 0) + 1
        censor.is_over = True
        await trio.sleep(90)
        order = world.orders().get(self.order_id)
        self.after = order.status if order is not None else None
        self.trades_after = sum(
            isinstance(fact, Filled) and fact.bot == UNSURE for fact in world.facts()[rows:]
        )

    def begin(self, world: Steered, censor: Censor, order_id: str) -> None:
        """Choose the first entry of the bot that leaves."""
        is_ours = order_id in world.attempts(UNSURE) and world.is_entry(order_id)
        if is_ours and not self.order_id:
            self.order_id = order_id
            censor.begin(order_id)

    async def look(self, world: Steered) -> None:
        order = world.orders().get(self.order_id)
        assert order is not None
        self.statuses.add(order.status)
        status: Mapping[str, Any] = await world.ask("status")
        self.outcomes.add(status["bots"][UNSURE]["outcome"])
        self.alarms += status["alarms"] or ["none"]


def is_about(fact: Fact, order_id: str) -> bool:
    return getattr(fact, "client_order_id", "") == order_id


@pytest.mark.parametrize("is_taken", [True, False], ids=["taken", "never arrived"])
def test_an_order_that_nobody_hears_of_stays_unknown_and_bars_its_bot_only(
    is_taken: bool,
) -> None:
    seen = Hour(is_taken)
    outcome = steer(CONFIG, seen.run)

    assert outcome.violations == []
    assert seen.at_exchange is is_taken
    assert seen.lost > LENGTH_S / 80
    assert [type(fact) for fact in seen.told] == [OutcomeUnknown]
    assert seen.statuses == {OrderStatus.UNKNOWN}
    assert seen.others.keys() == {SAME_SYMBOL, OTHER_SYMBOL}
    assert min(seen.others.values()) > LENGTH_S / 200
    assert seen.outcomes == {
        f"refused unknown_order: the outcome of {seen.order_id} is unknown"
    }
    assert set(seen.alarms) == {
        f"nobody knows what became of {seen.order_id}: {UNSURE} begins nothing new on "
        "BTC/USDT until the venue says, or `shoal settle` does"
    }
    assert seen.after is (OrderStatus.FILLED if is_taken else OrderStatus.NOT_PLACED)
    assert seen.trades_after > 2


@attrs.define(eq=False)
class Operator:
    """Somebody who has looked at the exchange's own page, and found no such order."""

    hour: Hour = attrs.Factory(lambda: Hour(is_taken=False))
    answers: list[str] = attrs.Factory(list[str])
    after: OrderStatus | None = None
    alarms: list[str] = attrs.Factory(list[str])
    fills: int = 0  # of the bot, once it was settled, in the same silence

    async def run(self, world: Steered) -> None:
        await self.hour.lose_it(world)
        await trio.sleep(5)
        await self.settle(world, is_blind=True)
        await trio.sleep(115)
        await self.settle(world)
        await self.settle(world, is_blind=True)
        rows = len(world.facts())
        await self.settle(world, is_blind=True)
        await trio.sleep(120)
        order = world.orders().get(self.hour.order_id)
        self.after = order.status if order is not None else None
        self.alarms = (await world.ask("status"))["alarms"]
        told = world.facts()[rows:]
        self.fills = sum(isinstance(it, Filled) and it.bot == UNSURE for it in told)

    async def settle(self, world: Steered, *, is_blind: bool = False) -> None:
        order_id = self.hour.order_id
        answer = await world.ask(
            "settle", order_id, reason="seen", outcome="not-placed", is_blind=is_blind
        )
        text = str(answer.get("error") or answer.get("said"))
        self.answers.append(text.replace(order_id, "ORDER"))


def test_an_operator_may_settle_it_while_the_exchange_is_silent() -> None:
    operator = Operator()
    outcome = steer(CONFIG, operator.run)

    assert outcome.violations == []
    early, unasked, done, again = operator.answers
    assert early.startswith("ORDER may still be on its way to the exchange; ask again in ")
    assert unasked.startswith("the exchange does not answer (")
    assert unasked.endswith("): nothing was done; --blind settles it unasked")
    assert done == f"ORDER of {UNSURE} is settled as not-placed: unasked"
    assert again == "ORDER has ended already: not_placed"
    assert operator.after is OrderStatus.NOT_PLACED
    assert operator.alarms == []
    assert operator.fills > 2
