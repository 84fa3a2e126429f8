"""Orders that the venue does not know: asked for again once its word says something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
from trio.testing import MockClock

from actors.messages import Acknowledged, Ended, OrderStatus, OutcomeUnknown
from actors.ports import Archived
from actors.pure.venue_facts import NOT_REPLACED
from tests.actors.account_house import ID, House, open_house, venue_order
from tests.words import SYMBOL, attempted, ended, exit_intended, intended

OPEN, CANCELED = OrderStatus.OPEN, OrderStatus.CANCELED


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def resting(house: House) -> None:
    """Let an order rest at a venue that forgets what is cancelled."""
    house.trading.forgets_canceled = True
    await house.attempt()
    house.trading.orders[ID] = venue_order(OPEN)
    await house.start()


async def vanished(house: House) -> None:
    """Let a resting order vanish, and an exit say that it could not take its place."""
    await resting(house)
    await house.wait(1)
    del house.trading.orders[ID]
    await not_replaced(house)


async def not_replaced(house: House) -> None:
    """Let an exit say that it could not take the order's place."""
    intent = exit_intended(intent_id="i2", replaces=ID)
    told = attrs.evolve(ended(OrderStatus.REJECTED, "0", "c2"), code=NOT_REPLACED)
    await house.room.record(intent, attempted("i2", "c2"), told)


async def canceled(house: House) -> bool:
    found = await house.room.recorded(Ended)
    return any(it.client_order_id == ID and it.status is CANCELED for it in found)


async def test_an_order_that_could_not_be_replaced_is_asked_for_at_once(
    house: House, autojump_clock: MockClock
) -> None:
    await resting(house)
    await house.wait(30)
    before = len(await house.passes())
    await not_replaced(house)
    await house.wait(2)
    assert len(await house.passes()) == before + 1


async def test_what_a_cancel_made_the_venue_forget_is_cancelled_within_half_a_minute(
    house: House, autojump_clock: MockClock
) -> None:
    """I-14: nothing can be sold, and no stop placed, until its end is known."""
    await vanished(house)
    await house.wait(33)
    assert await canceled(house)


async def test_a_young_order_that_is_not_listed_yet_is_not_taken_for_cancelled(
    house: House, autojump_clock: MockClock
) -> None:
    """R-03: its list may lag."""
    await vanished(house)
    await house.wait(18)
    assert not await canceled(house)
    house.trading.orders[ID] = venue_order(OPEN)
    await house.wait(60)
    assert not await canceled(house)


async def test_passes_are_far_between_again_where_an_order_stays_lost(
    house: House, autojump_clock: MockClock
) -> None:
    await resting(house)
    house.trading.forgets_canceled = False
    house.trading.orders.clear()
    await not_replaced(house)
    await house.wait(300)
    before = len(await house.passes())
    await house.wait(600)
    assert len(await house.passes()) - before <= 10


async def test_an_unknown_order_is_judged_as_soon_as_it_is_old_enough(
    house: House, autojump_clock: MockClock
) -> None:
    """I-14: an UNKNOWN exit bars every other; our clock was a minute ahead as it left."""
    await house.start()
    ahead_ms = house.trading.now_ms() + 60_000
    await house.room.record(intended(), attempted("i1", ID, attempt_ms=ahead_ms))
    await house.room.record(OutcomeUnknown("dawn", "main", SYMBOL, ID, "EOF"))
    await house.wait(79)
    assert await house.room.recorded(Ended) == []
    await house.wait(3)
    (end,) = await house.room.recorded(Ended)
    assert end.status is OrderStatus.NOT_PLACED


async def test_an_order_that_the_stream_tells_of_is_not_judged_by_what_was_asked_before(
    house: House, autojump_clock: MockClock
) -> None:
    """I-10: the exchange's lists lag; one word of an end is kept, so let it be true."""
    await house.attempt()
    await house.room.record(OutcomeUnknown("dawn", "main", SYMBOL, ID, "EOF"))
    house.trading.slow_s = 2.0
    await house.start()
    while not house.trading.asked_for("past_orders"):
        await house.wait(0.5)
    house.trading.stream.tell(venue_order(OPEN))
    await house.wait(30)
    house.trading.stream.tell(venue_order(CANCELED))
    await house.wait(1)
    assert [it.status for it in await house.room.recorded(Ended)] == [CANCELED]


@pytest.mark.parametrize("is_known", [True, False], ids=["it rested", "it is UNKNOWN"])
async def test_an_archived_order_has_ended_unfilled(
    house: House, autojump_clock: MockClock, *, is_known: bool
) -> None:
    """Nobody ran for months: the venue answers for it with an error of its own."""
    await house.attempt()
    if is_known:
        await house.room.record(Acknowledged("dawn", "main", SYMBOL, ID, "v1"))
    else:
        await house.room.record(OutcomeUnknown("dawn", "main", SYMBOL, ID, "EOF"))
    house.trading.errors["order"] = Archived("-2026: archived")
    await house.start()
    await house.wait(1)
    (end,) = await house.room.recorded(Ended)
    assert (end.status, end.filled_base) == (OrderStatus.CANCELED, 0)
    assert (await house.passes())[0].orders_settled == 1
