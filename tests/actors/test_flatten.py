"""An operator orders a bot flat: one durable fact, and positions and orders do the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from trio.testing import MockClock

from actors.messages import (
    BotFlattened,
    BotResumed,
    Corrected,
    Ended,
    ExitIntent,
    ExitReason,
    OrderStatus,
    PositionClosed,
    PositionOpened,
    Reconciled,
    Refused,
    VenueReject,
    VenueUnknown,
)
from actors.ports import VenueError
from actors.pure.client_order_id import IntentIds
from actors.pure.watch import Watch
from tests.actors.orders_house import House, held, open_house
from tests.words import BTC, SYMBOL, attempted, exit_intended, filled, intended

FLAT = BotFlattened("dawn", "main", "going on holiday")
BOUGHT = (intended(), attempted(), filled(1, 100))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


@pytest.fixture
def watch() -> Watch:
    return Watch("main", {}, {SYMBOL: BTC})


def step_of(watch: Watch, price: str = "100", now_s: float = 0.0) -> object:
    guard = watch.guards["dawn", SYMBOL]
    ids = IntentIds("e", "r", "positions", 1)
    return guard.next_step(Decimal(price), now_s, ids)


def test_what_a_bot_holds_is_sold_out_with_that_reason(watch: Watch) -> None:
    for fact in BOUGHT:
        watch.apply(fact)
    assert watch.apply(FLAT) is watch.guards["dawn", SYMBOL]
    step = step_of(watch)
    assert isinstance(step, ExitIntent)
    assert (step.reason, step.base) == (ExitReason.OPERATOR, 1)


def test_what_fills_later_is_sold_out_too_until_the_bot_is_resumed(watch: Watch) -> None:
    for fact in (FLAT, *BOUGHT):
        watch.apply(fact)
    assert isinstance(step_of(watch), ExitIntent)
    calm = Watch("main", {}, {SYMBOL: BTC})
    for fact in (FLAT, BotResumed("dawn", "main"), *BOUGHT):
        calm.apply(fact)
    assert isinstance(step_of(calm), PositionOpened)


def test_an_adopted_sale_does_not_end_the_position(watch: Watch) -> None:
    """R-16: it rests where its owner put it."""
    adopted = exit_intended(is_adopted=True, base=Decimal("0.5"))
    for fact in (*BOUGHT, adopted, attempted("x1", "cx1")):
        watch.apply(fact)
    assert isinstance(step_of(watch), PositionOpened)


def test_a_position_that_was_written_off_closes_as_the_operator_said(watch: Watch) -> None:
    for fact in BOUGHT:
        watch.apply(fact)
    watch.apply(Corrected("dawn", "main", SYMBOL, Decimal(1), "sold by hand"))
    opened = step_of(watch)
    assert isinstance(opened, PositionOpened)
    watch.apply(opened)
    closed = step_of(watch)
    assert isinstance(closed, PositionClosed)
    assert (closed.exit_reason, closed.pnl, closed.dust_base) == (
        ExitReason.OPERATOR,
        0,
        0,
    )


async def test_its_open_entry_is_cancelled_and_no_other_leaves(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve()
    order_id = house.trading.placed[0].client_order_id
    house.trading.orders[order_id] = held(order_id, OrderStatus.OPEN)
    await house.room.record(FLAT)
    assert house.trading.cancelled == [order_id]
    await house.approve("i2")
    refused = await house.room.recorded(Refused)
    assert [(each.code, each.reasons) for each in refused] == [
        ("paused", ("flattened by the operator",))
    ]


async def test_the_next_life_of_orders_cancels_what_the_last_could_not(
    house: House, autojump_clock: MockClock
) -> None:
    """A crash between the command and the cancel."""
    await house.room.record(intended(), attempted(), FLAT)
    house.trading.orders["c1"] = held("c1", OrderStatus.OPEN)
    await house.start()
    assert set(house.trading.cancelled) == {"c1"}
    assert len(await house.room.recorded(Ended)) == 1


async def test_an_adopted_order_was_sent_by_somebody(
    house: House, autojump_clock: MockClock
) -> None:
    """It is not taken for an attempt of ours that was durable too late."""
    await house.start()
    adopted = attrs.evolve(intended(), is_adopted=True)
    await house.room.record(adopted, attempted())
    assert await house.room.recorded(Ended) == []


@pytest.mark.parametrize("code", ["not_sent", ""])
async def test_a_cancel_that_was_lost_is_asked_for_again_after_each_pass(
    house: House, autojump_clock: MockClock, code: str
) -> None:
    """R-01: the exchange was away as the command came, and the entry still rests there."""
    await house.start()
    await house.approve()
    order_id = house.trading.placed[0].client_order_id
    house.trading.orders[order_id] = held(order_id, OrderStatus.OPEN)
    no = VenueReject(order_id, code, "offline")
    house.trading.cancels = no if code else VenueUnknown(order_id, "no answer")
    house.trading.errors["order"] = VenueError("offline")
    await house.room.record(FLAT)
    house.trading.cancels = None
    del house.trading.errors["order"]
    await house.room.record(Reconciled("main", "routine", 1, 0, 0, (), 0))
    assert house.trading.cancelled == [order_id, order_id]
    assert [end.status for end in await house.room.recorded(Ended)] == [
        OrderStatus.CANCELED
    ]
