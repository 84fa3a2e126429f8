"""Orders that have ended here and are open at the exchange all the same (R-12, R-17)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
from trio.testing import MockClock

from actors.messages import Ended, Filled, OrderStatus, OutcomeUnknown
from actors.ports import VenueError
from tests.actors.account_house import ID, House, open_house, venue_fill, venue_order
from tests.words import SYMBOL, attempted, intended

OPEN = venue_order(OrderStatus.OPEN)
CANCELED = Ended("dawn", "main", SYMBOL, ID, OrderStatus.CANCELED, OPEN.filled_base)
LINE = f"order {ID} is canceled here and open at the exchange: cancel it there"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The ledger has the end of an order that the exchange lists as open."""
    async with open_house(tmp_path) as made:
        await made.start()
        await made.attempt()
        await made.room.record(OutcomeUnknown("dawn", "main", SYMBOL, ID, "time-out"))
        await made.room.record(CANCELED)
        made.trading.orders[ID] = OPEN
        yield made


async def test_it_is_told_and_nothing_new_is_begun_on_its_symbol(
    house: House, autojump_clock: MockClock
) -> None:
    assert (await house.pass_now()).drifts == ()  # a list may lag behind
    assert (await house.pass_now()).drifts == (LINE,)
    assert ("drift", False) in house.alarms()
    assert house.lease().frozen == {SYMBOL}


async def test_once_it_ends_there_all_is_well(
    house: House, autojump_clock: MockClock
) -> None:
    await house.pass_now()
    await house.pass_now()
    house.alarms()
    house.trading.orders[ID] = attrs.evolve(OPEN, status=OrderStatus.CANCELED)
    assert (await house.pass_now()).drifts == ()
    assert ("drift", True) in house.alarms()
    assert house.lease().frozen == frozenset()


async def test_a_list_that_lags_for_a_while_makes_no_alarm(
    house: House, autojump_clock: MockClock
) -> None:
    await house.pass_now()
    del house.trading.orders[ID]
    await house.pass_now()
    house.trading.orders[ID] = OPEN
    assert (await house.pass_now()).drifts == ()


@pytest.mark.parametrize("is_open", [True, False])
async def test_what_it_executes_is_booked(
    house: House, autojump_clock: MockClock, is_open: bool
) -> None:
    """Though the private stream never told, and it may be gone by the next look."""
    await house.pass_now()
    await house.pass_now()
    status = OrderStatus.PARTIALLY_FILLED if is_open else OrderStatus.FILLED
    base = "0.4" if is_open else "1"
    house.trading.orders[ID] = venue_order(status, base)
    now_ms = house.trading.now_ms()
    house.trading.executed.append(venue_fill("t1", base, trade_ms=now_ms))
    await house.pass_now()
    await house.pass_now()
    assert [fill.trade_id for fill in await house.room.recorded(Filled)] == ["t1"]


@pytest.mark.parametrize("lag", ["fills", "order", "list"])
async def test_what_it_executes_is_booked_also_where_the_exchange_is_behind(
    house: House, autojump_clock: MockClock, lag: str
) -> None:
    """Its end, or its executions, are told later than that it is not open any more."""
    trading = house.trading
    await house.pass_now()
    if lag != "list":  # it was seen but once
        await house.pass_now()
    trading.unlisted_open.add(ID)
    if lag == "fills":
        trading.orders[ID] = venue_order(OrderStatus.FILLED, "1")
    await house.pass_now()
    trading.orders[ID] = venue_order(OrderStatus.FILLED, "1")
    trading.executed.append(venue_fill("t1", "1", trade_ms=trading.now_ms()))
    await house.pass_now()
    await house.pass_now()
    assert [fill.trade_id for fill in await house.room.recorded(Filled)] == ["t1"]
    asked = len(trading.asked_for("order"))
    await house.pass_now()
    assert len(trading.asked_for("order")) == asked  # it has ended, and all is told


async def test_asking_for_many_that_are_gone_ends_no_comparison(
    house: House, autojump_clock: MockClock
) -> None:
    await house.pass_now()
    house.trading.unlisted_open.add(ID)
    house.trading.hang = "order"
    before = len(await house.passes())
    await house.wait(140)
    assert len(await house.passes()) == before + 2
    assert house.may_buy()


async def test_one_that_cannot_be_asked_for_keeps_no_other_from_being_asked(
    house: House, autojump_clock: MockClock
) -> None:
    """R-02: its symbol is not listed any more, say."""
    other, trading = f"{ID[:-2]}00", house.trading
    attempt = attempted("i2", other, attempt_ms=trading.now_ms())
    await house.room.record(attrs.evolve(intended(), intent_id="i2"), attempt)
    await house.room.record(attrs.evolve(CANCELED, client_order_id=other))
    trading.orders[other] = venue_order(OrderStatus.OPEN, "0", other, "v2")
    await house.pass_now()
    trading.unlisted_open |= {ID, other}
    trading.refused[ID] = VenueError("Invalid symbol.")
    trading.orders[other] = venue_order(OrderStatus.FILLED, "1", other, "v2")
    fill = venue_fill("t2", "1", other, venue_order_id="v2", trade_ms=trading.now_ms())
    trading.executed.append(fill)
    await house.pass_now()
    assert [fill.trade_id for fill in await house.room.recorded(Filled)] == ["t2"]


async def test_one_that_no_list_has_and_that_is_open_is_told(
    house: House, autojump_clock: MockClock
) -> None:
    await house.pass_now()
    house.trading.unlisted_open.add(ID)
    await house.pass_now()
    assert (await house.pass_now()).drifts == (LINE,)
    assert house.lease().frozen == {SYMBOL}
