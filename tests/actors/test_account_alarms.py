"""The account says when it is cut off from its exchange, and when that is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from trio.testing import MockClock

from actors.messages import VenueBalance
from actors.ports import ConnectionLost, VenueError
from tests.actors.account_house import House, open_house
from tests.actors.ledger_room import settle
from tests.words import attempted, filled, intended

LOST = ConnectionLost("the other side went away")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def test_a_refused_key_is_an_alarm(house: House, autojump_clock: MockClock) -> None:
    house.trading.refusals = [VenueError("-1022: Signature is not valid")]
    await house.start()
    assert house.alarms() == [("unreconciled", False)]


async def test_the_alarm_is_over_when_the_account_is_reconciled(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.trading.stream.pipe.put(LOST)
    await settle()
    assert house.alarms() == [("unreconciled", False)]
    await house.wait(5)
    assert house.alarms() == [("unreconciled", True)]


async def test_a_failed_pass_is_an_alarm(house: House, autojump_clock: MockClock) -> None:
    house.trading.errors["open_orders"] = LOST
    await house.start()
    await house.wait(5)
    assert house.alarms() == [("unreconciled", False)]


async def test_an_order_that_filled_more_than_it_was_for_is_an_alarm(
    house: House, autojump_clock: MockClock
) -> None:
    """I-4: of whoever books fills."""
    house.trading.held = [VenueBalance("BTC", Decimal(2), Decimal(0))]
    await house.start()
    await house.room.record(intended(), attempted(), filled("0.6", 100))
    assert house.alarms() == []
    await house.room.record(filled("0.6", 100, trade_id="t2"))
    assert house.alarms() == [("contradiction", False)]


async def test_a_new_life_finds_such_an_order_in_the_ledger(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.held = [VenueBalance("BTC", Decimal(2), Decimal(0))]
    await house.room.record(intended(), attempted(), filled("1.2", 100))
    await house.start()
    assert house.alarms() == [("contradiction", False)]


async def test_the_next_life_takes_the_alarm_back(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.refusals = [LOST]
    life = await house.start()
    life.cancel()
    await settle()
    assert house.alarms() == [("unreconciled", False)]
    await house.start()
    await house.wait(5)
    assert house.alarms() == [("unreconciled", True)]


async def test_the_next_life_takes_back_whatever_is_over(
    house: House, autojump_clock: MockClock
) -> None:
    """And only once it has looked: until then what the life before said stands."""
    await house.room.record(intended(), attempted(), filled(1, 100))
    house.trading.held = [VenueBalance("BTC", Decimal("0.5"), Decimal(0))]
    await house.start()
    assert house.alarms() == [("frozen", False)]
    await house.end()
    house.trading.held = [VenueBalance("BTC", Decimal(1), Decimal(0))]
    house.trading.errors["balances"] = LOST
    await house.start()
    assert house.alarms() == [("unreconciled", False)]
    del house.trading.errors["balances"]
    await house.wait(5)
    assert house.alarms() == [("frozen", True), ("unreconciled", True)]
