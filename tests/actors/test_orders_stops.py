"""The orders actor and the stop that rests at the exchange: placed, and replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    Acknowledged,
    Attempted,
    Ended,
    Intended,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    Refused,
    VenueAck,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from tests.actors.orders_house import House, open_house
from tests.words import filled

REJECT = VenueReject("", "-2010", "Order would trigger immediately.")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def protect(house: House) -> str:
    """Let dawn hold one bitcoin whose stop rests at the exchange; return its id."""
    await house.hold()
    await house.start()
    await house.post_stop()
    order_id = house.trading.placed[-1].client_order_id
    house.resting(order_id)
    return order_id


async def endings(house: House) -> list[tuple[str, OrderStatus, str]]:
    told = await house.room.recorded(Ended)
    return [(fact.client_order_id, fact.status, fact.code) for fact in told[1:]]


async def test_a_protective_stop_is_a_stop_loss_limit_order(
    house: House, autojump_clock: MockClock
) -> None:
    await protect(house)
    (request,) = house.trading.placed
    assert (request.order_type, request.base) == (OrderType.STOP_LOSS_LIMIT, Decimal(1))
    assert (request.stop_price, request.limit_price) == (Decimal(98), Decimal("97.51"))


async def test_a_protective_stop_cancels_no_entry(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve(base=Decimal(2))
    entry = house.trading.placed[0].client_order_id
    await house.room.record(filled("0.5", 100, client_order_id=entry))
    await house.post_stop()
    assert house.trading.cancelled == []
    assert house.trading.placed[-1].base == Decimal("0.5")


async def test_an_exit_takes_the_place_of_the_resting_stop_in_one_request(
    house: House, autojump_clock: MockClock
) -> None:
    """I-13, I-15, R-42: what the stop locks cannot be sold beside it."""
    stop = await protect(house)
    await house.exit()
    ((old, request),) = house.trading.replacing
    assert (old, request.order_type, request.base) == (stop, OrderType.MARKET, Decimal(1))
    intents = await house.room.recorded(Intended)
    assert intents[-1].replaces == stop
    assert await endings(house) == [(stop, OrderStatus.CANCELED, "")]
    acks = {fact.client_order_id for fact in await house.room.recorded(Acknowledged)}
    assert request.client_order_id in acks


async def test_a_stop_that_was_executed_meanwhile_is_not_replaced_and_is_read_back(
    house: House, autojump_clock: MockClock
) -> None:
    """R-08: never a sale of what the stop has sold."""
    stop = await protect(house)
    house.resting(stop, status=OrderStatus.FILLED, filled_base=Decimal(1))
    await house.exit()
    new = house.trading.replacing[0][1].client_order_id
    assert await endings(house) == [
        (new, OrderStatus.REJECTED, "not_replaced"),
        (stop, OrderStatus.FILLED, ""),
    ]


async def test_a_cancelled_stop_whose_successor_was_refused_is_gone(
    house: House, autojump_clock: MockClock
) -> None:
    stop = await protect(house)
    house.trading.answers.append(REJECT)
    await house.exit()
    new = house.trading.replacing[0][1].client_order_id
    assert await endings(house) == [
        (stop, OrderStatus.CANCELED, ""),
        (new, OrderStatus.REJECTED, "-2010"),
    ]
    await house.exit("x2")
    assert house.trading.placed[-1].base == Decimal(1)
    assert len(house.trading.replacing) == 1


async def test_a_replacement_that_nobody_answers_leaves_both_to_the_venue_s_evidence(
    house: House, autojump_clock: MockClock
) -> None:
    """R-01: silence ends neither, and nothing else may sell meanwhile."""
    stop = await protect(house)
    silence = VenueUnknown("", "time-out")
    house.trading.replaced.append(VenueReplaced(silence, silence))
    house.trading.hidden.add(stop)
    await house.exit()
    (unknown,) = await house.room.recorded(OutcomeUnknown)
    assert unknown.client_order_id == house.trading.replacing[0][1].client_order_id
    await house.exit("x2")
    codes = [fact.code for fact in await house.room.recorded(Refused)]
    assert (await endings(house), codes) == ([], ["exit_in_flight"])


async def test_a_placed_successor_of_an_unknown_cancel_has_the_old_one_read_back(
    house: House, autojump_clock: MockClock
) -> None:
    stop = await protect(house)
    new = VenueAck("", "v-new", OrderStatus.OPEN, Decimal(0), 0)
    house.trading.replaced.append(VenueReplaced(VenueUnknown("", "unreadable"), new))
    house.resting(stop, status=OrderStatus.CANCELED)
    await house.exit()
    assert await endings(house) == [(stop, OrderStatus.CANCELED, "")]


async def test_a_stop_on_its_way_is_not_replaced(
    house: House, autojump_clock: MockClock
) -> None:
    await house.hold()
    await house.start()
    house.trading.answer_s = 3.0
    await house.post_stop()
    await house.exit()
    (refused,) = await house.room.recorded(Refused)
    assert (refused.code, house.trading.replacing) == ("exit_in_flight", [])
    await trio.sleep(3.5)
    await house.exit("x2")
    await trio.sleep(3.5)
    assert len(house.trading.replacing) == 1


async def test_only_one_stop_rests(house: House, autojump_clock: MockClock) -> None:
    await protect(house)
    await house.room.record(filled(1, 100, trade_id="t2"))
    await house.post_stop("p2", base="2")
    stop, request = house.trading.replacing[0]
    assert (stop, request.base) == (house.trading.placed[0].client_order_id, Decimal(2))


async def test_a_replacement_that_came_too_late_leaves_the_stop(
    house: House, autojump_clock: MockClock
) -> None:
    """I-16."""
    stop = await protect(house)
    house.room.disk.slow_s = 0.4
    await house.exit(valid_until_s=trio.current_time() + 0.3)
    await trio.sleep(10)
    told = await endings(house)
    assert [code for _, _, code in told] == ["expired"]
    assert house.trading.orders[stop].status is OrderStatus.OPEN
    assert house.trading.replacing == []


async def test_protective_stops_are_left_when_the_program_stops(
    house: House, autojump_clock: MockClock
) -> None:
    """R-39."""
    await house.hold()
    life = await house.start()
    await house.post_stop()
    house.is_stopping = True
    life.cancel()
    await trio.sleep(5)
    assert house.trading.cancelled == []


async def test_what_is_in_hand_when_the_program_stops_is_settled_and_not_sent(
    house: House, autojump_clock: MockClock
) -> None:
    """R-39: a clean stop leaves no attempt of which nobody can say anything."""
    await house.hold()
    life = await house.start()
    house.room.disk.slow_s = 0.5
    await house.post_exit()
    await trio.sleep(0.1)
    house.is_stopping = True
    life.cancel()
    await trio.sleep(5)
    assert [status for _, status, _ in await endings(house)] == [OrderStatus.NOT_PLACED]
    assert house.trading.placed == []
    assert len(await house.room.recorded(Attempted)) == 2
