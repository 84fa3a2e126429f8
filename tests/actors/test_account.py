"""The account: whatever the venue says of our orders is booked once, in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    Acknowledged,
    Balanced,
    BalancesHeard,
    ClockStepped,
    Ended,
    Filled,
    OrderStatus,
    OutcomeUnknown,
    PrivateStreamEnded,
    VenueBalance,
)
from actors.ports import ConnectionLost, RemoteProtocolError, VenueError
from actors.pure.client_order_id import client_order_id
from actors.reconnecting import AttemptsSpent
from tests.actors.account_house import (
    EPOCH,
    ID,
    TAG,
    House,
    open_house,
    venue_fill,
    venue_order,
)
from tests.actors.ledger_room import settle
from tests.words import SYMBOL, attempted, intended

OPEN, FILLED = OrderStatus.OPEN, OrderStatus.FILLED
LOST = ConnectionLost("the other side went away")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def base_booked(house: House) -> Decimal:
    return sum((f.base for f in await house.room.recorded(Filled)), Decimal(0))


async def test_acks_fills_and_ends_are_facts_of_the_bot_that_owns_the_order(
    house: House, autojump_clock: MockClock
) -> None:
    await house.attempt()
    await house.start()
    house.trading.stream.tell(venue_order(OPEN))
    house.trading.stream.tell(venue_fill("t1", "1"), venue_order(FILLED, "1"))
    await settle()
    facts = await house.room.recorded(Acknowledged, Filled, Ended)
    assert [type(fact) for fact in facts] == [Acknowledged, Filled, Ended]
    assert {fact.bot for fact in facts} == {"dawn"}


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_in_whatever_order_the_venue_tells_the_end_is_the_same(
    house: House, autojump_clock: MockClock, order: tuple[int, ...]
) -> None:
    """R-10, R-11: fill before ack, end before fill, everything twice."""
    said: list[Any] = [
        venue_order(OPEN),
        venue_fill("t1", "0.4"),
        venue_fill("t2", "0.6"),
        venue_order(FILLED, "1"),
    ]
    await house.attempt()
    await house.start()
    for number in (*order, *order):
        house.trading.stream.tell(said[number])
    await settle()
    assert await base_booked(house) == Decimal(1)
    kinds = [type(f) for f in await house.room.recorded(Acknowledged, Filled, Ended)]
    assert sorted(kind.__name__ for kind in kinds) == [
        "Acknowledged",
        "Ended",
        "Filled",
        "Filled",
    ]


async def test_a_fill_may_come_before_the_journal_has_told_us_of_the_order(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.trading.stream.tell(venue_fill("t1", "1"))
    await house.wait(0.5)
    await house.attempt()
    assert await base_booked(house) == Decimal(1)


async def test_foreign_orders_are_counted_and_never_touched(
    house: House, autojump_clock: MockClock
) -> None:
    """R-16."""
    by_hand = venue_order(OPEN, order_id="web_1234")
    house.trading.orders["web_1234"] = by_hand
    await house.start()
    house.trading.stream.tell(by_hand, venue_fill("t9", "1", order_id="web_1234"))
    await settle()
    (found,) = await house.passes()
    assert (found.open_orders, found.foreign_orders, found.drifts) == (0, 1, ())
    assert await house.room.recorded(Acknowledged, Filled, Ended) == []
    assert house.trading.cancelled == []


async def test_an_order_of_ours_that_nobody_recorded_is_a_drift(
    house: House, autojump_clock: MockClock
) -> None:
    """R-17."""
    strange = client_order_id(TAG, EPOCH, "lost", 1)
    house.trading.orders[strange] = venue_order(OPEN, order_id=strange)
    await house.start()
    (found,) = await house.passes()
    assert found.drifts == (f"order {strange} carries our tag, not our record",)


async def test_a_stranger_is_waited_for_once_and_then_costs_the_stream_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    strange = client_order_id(TAG, EPOCH, "lost", 1)
    await house.attempt()
    await house.start()
    for number in range(20):
        house.trading.stream.tell(venue_fill(f"s{number}", "1", order_id=strange))
    house.trading.stream.tell(venue_fill("t1", "1"))
    await house.wait(1.1)
    assert await base_booked(house) == Decimal(1)


async def test_orders_of_another_engine_are_not_waited_for(
    house: House, autojump_clock: MockClock
) -> None:
    """I-19: however many it sends, a fill of ours is heard at once, and so are they."""
    await house.attempt()
    await house.start()
    for number in range(20):
        other = client_order_id(TAG, "fffffff", f"i{number}", 1)
        house.trading.stream.tell(venue_order(FILLED, "1", order_id=other))
    house.trading.stream.tell(venue_fill("t1", "1"))
    await house.wait(0.1)
    assert not house.may_buy()
    assert await base_booked(house) == Decimal(1)


async def test_the_lease_is_given_once_the_stream_stands_and_all_is_known(
    house: House, autojump_clock: MockClock
) -> None:
    """I-20."""
    house.trading.errors["balances"] = VenueError("500")
    await house.start()
    assert not house.may_buy()
    del house.trading.errors["balances"]
    await house.wait(3)
    assert house.may_buy()


async def test_the_lease_is_renewed_and_expires_by_itself(
    house: House, autojump_clock: MockClock
) -> None:
    life = await house.start()
    await house.wait(100)
    assert house.may_buy()
    life.cancel()
    await settle()
    assert not house.may_buy()


async def test_a_lost_stream_takes_the_lease_back_until_the_next_one_has_reconciled(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.trading.errors["open_orders"] = VenueError("500")
    await house.attempt()
    house.trading.stream.pipe.put(LOST)
    await settle()
    assert not house.may_buy()
    await house.wait(5)
    assert (len(house.trading.streams), house.may_buy()) == (2, False)
    del house.trading.errors["open_orders"]
    await house.wait(10)
    assert house.may_buy()


async def test_the_lease_is_taken_back_before_the_goodbyes_of_a_stream(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.goodbye_s = 1.0
    await house.start()
    assert house.may_buy()
    house.trading.stream.pipe.put(LOST)
    await settle()
    assert not house.may_buy()


async def test_a_stream_that_cannot_be_reached_gives_no_lease_though_rest_answers(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.refusals = [LOST] * 4
    await house.start()
    await house.wait(6)
    assert not house.may_buy()


async def test_five_attempts_spent_end_the_life(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.refusals = [LOST] * 6
    with pytest.RaisesGroup(AttemptsSpent, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(house.run)
            await trio.sleep_forever()


async def test_the_venues_end_of_the_subscription_is_an_end_of_the_stream(
    house: House, autojump_clock: MockClock
) -> None:
    """What came before it in the same event is heard."""
    await house.attempt()
    await house.start()
    house.trading.stream.tell(venue_fill("t1", "1"), PrivateStreamEnded("revoked"))
    await house.wait(1.1)
    assert len(house.trading.streams) == 2
    assert await base_booked(house) == Decimal(1)


async def test_an_unreadable_event_asks_the_venue(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.trading.stream.pipe.put(RemoteProtocolError("bad event"))
    await house.wait(1.1)
    assert [found.why for found in await house.passes()] == [
        "the private stream was connected",
        "an event of the private stream was unreadable",
    ]


async def test_balances_on_the_stream_change_nothing_by_themselves(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    heard = BalancesHeard((VenueBalance("BTC", Decimal(1), Decimal(0)),), 0)
    house.trading.stream.tell(heard)
    await house.wait(1)
    assert len(await house.passes()) == 1


async def test_a_step_of_the_clock_reconciles_anew(
    house: House, autojump_clock: MockClock
) -> None:
    """D-6."""
    await house.start()
    house.mailbox.latest("clock", ClockStepped(3_600_000, 0.0, "slept"))
    await settle()
    assert not house.may_buy()
    await house.wait(3)
    assert (len(house.trading.streams), house.may_buy()) == (2, True)


async def test_an_event_that_could_not_be_made_durable_is_found_by_a_pass(
    house: House, autojump_clock: MockClock
) -> None:
    await house.attempt()
    await house.start()
    house.room.disk.error = OSError(28, "No space left on device")
    house.trading.stream.tell(venue_fill("t1", "1"), venue_order(FILLED, "1"))
    house.trading.orders[ID] = venue_order(FILLED, "1")
    house.trading.executed = [venue_fill("t1", "1")]
    await settle()
    assert await base_booked(house) == 0
    house.room.disk.error = None
    await house.wait(10)
    assert await base_booked(house) == Decimal(1)


async def test_a_balance_that_could_not_be_made_durable_is_told_by_the_next_pass(
    house: House, autojump_clock: MockClock
) -> None:
    """R-14: an exit that was refused sells no more than the exchange is known to hold."""
    house.trading.held = [VenueBalance("BTC", Decimal(1), Decimal(0))]
    await house.start()
    house.room.disk.refuses = Balanced
    house.trading.held = [VenueBalance("BTC", Decimal("0.6"), Decimal(0))]
    await house.wait(70)
    told = [each.free for each in await house.room.recorded(Balanced)]
    assert told == [1, Decimal("0.6")]


async def test_a_balance_from_before_a_fill_is_not_told_after_it(
    house: House, autojump_clock: MockClock
) -> None:
    """An exit that is refused sells no more than the balance: it would sell nothing."""
    await house.attempt()
    house.trading.orders[ID] = venue_order(OPEN)
    await house.start()
    house.trading.slow_s = 1.0
    house.trading.held = [VenueBalance("BTC", Decimal("0.1"), Decimal(0))]
    while len(house.trading.asked_for("balances")) < 2:
        await house.wait(0.5)
    house.trading.stream.tell(venue_fill("t1", "1"), venue_order(FILLED, "1"))
    await house.wait(5)
    house.trading.held = [VenueBalance("BTC", Decimal("1.1"), Decimal(0))]
    await house.wait(65)
    assert [each.free for each in await house.room.recorded(Balanced)] == [Decimal("1.1")]


async def test_an_outage_of_a_night_is_survived(
    house: House, autojump_clock: MockClock
) -> None:
    """Ten hours without an answer are more than a thousand failed passes."""
    house.trading.errors["open_orders"] = VenueError("503")
    await house.start()
    await house.wait(36_000)
    del house.trading.errors["open_orders"]
    await house.wait(31)
    assert house.may_buy()


async def test_a_pass_that_hangs_is_ended_and_made_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.hang = "balances"
    await house.start()
    await house.wait(50)
    house.trading.hang = ""
    await house.wait(15)
    assert house.may_buy()


async def test_the_next_life_recalls_its_orders(
    house: House, autojump_clock: MockClock
) -> None:
    await house.attempt()
    life = await house.start()
    life.cancel()
    await settle()
    await house.start()
    house.trading.stream.tell(venue_fill("t1", "1"))
    await settle()
    assert await base_booked(house) == Decimal(1)


async def test_another_engine_on_the_account_takes_the_lease_back(
    house: House, autojump_clock: MockClock
) -> None:
    """I-19: its orders carry our account's tag and another epoch."""
    other = client_order_id(TAG, "fffffff", "i1", 1)
    await house.start()
    house.trading.orders[other] = venue_order(OPEN, order_id=other)
    house.trading.stream.tell(venue_order(OPEN, order_id=other))
    await house.wait(3)
    assert (house.may_buy(), house.alarms()) == (
        False,
        [("second_engine", False), ("drift", False)],
    )
    del house.trading.orders[other]
    await house.wait(290)
    assert (house.may_buy(), house.alarms()) == (False, [("drift", True)])
    await house.wait(72)
    assert (house.may_buy(), house.alarms()) == (True, [("second_engine", True)])


async def test_another_engine_is_seen_though_none_of_its_orders_stays_open(
    house: House, autojump_clock: MockClock
) -> None:
    """I-19: market orders are gone before any pass asks."""
    await house.start()
    for number in range(5):
        other = client_order_id(TAG, "fffffff", f"i{number}", 1)
        house.trading.stream.tell(venue_order(FILLED, "1", order_id=other))
        await house.wait(100)
        assert not house.may_buy()
    assert house.alarms() == [("second_engine", False)]
    await house.wait(300)
    assert (house.may_buy(), house.alarms()) == (True, [("second_engine", True)])


async def test_an_unknown_outcome_is_looked_into_at_once(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.wait(10)
    house.trading.orders[ID] = venue_order(OPEN)
    await house.room.record(intended(), attempted("i1", ID, attempt_ms=10_000))
    await house.room.record(OutcomeUnknown("dawn", "main", SYMBOL, ID, "EOF"))
    await house.wait(0.1)
    assert len(await house.room.recorded(Acknowledged)) == 1
