"""The account says when it is cut off from its exchange, and when that is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from actors.ports import ConnectionLost, VenueError
from tests.actors.account_house import House, open_house
from tests.actors.ledger_room import settle

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
