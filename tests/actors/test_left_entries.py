"""Entries that rest at the exchange for a bot that `bots.toml` does not have any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from actors.messages import (
    Acknowledged,
    CancelRequested,
    Ended,
    Intended,
    OrderStatus,
    Reconciled,
)
from actors.ports import VenueError
from tests.actors.orders_house import House, held, open_house
from tests.words import SYMBOL, attempted, exit_intended, filled, intended


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def cancelled(house: House, entry: Intended, symbols: dict[str, str]) -> list[str]:
    """Return what is cancelled by a run with these bots, of an entry that rests there."""
    is_there = Acknowledged("dawn", "main", SYMBOL, "c1", "v-c1")
    await house.room.record(entry, attempted(), is_there)
    house.trading.orders["c1"] = held("c1", OrderStatus.OPEN)
    house.symbols = symbols
    await house.start()
    return house.trading.cancelled


@pytest.mark.parametrize("symbols", [{}, {"dusk": SYMBOL}, {"dawn": "ETH/USDT"}])
async def test_an_entry_that_no_bot_trades_is_cancelled_at_the_start(
    house: House, autojump_clock: MockClock, symbols: dict[str, str]
) -> None:
    """Nobody would sell what it buys but its levels."""
    assert await cancelled(house, intended(), symbols) == ["c1"]
    (asked,) = await house.room.recorded(CancelRequested)
    assert asked.reason == "no bot of this run trades it"
    assert [end.status for end in await house.room.recorded(Ended)] == [
        OrderStatus.CANCELED
    ]


async def test_an_entry_of_a_configured_bot_rests_on(
    house: House, autojump_clock: MockClock
) -> None:
    assert await cancelled(house, intended(), {"dawn": SYMBOL}) == []


async def test_an_adopted_entry_rests_where_its_owner_put_it(
    house: House, autojump_clock: MockClock
) -> None:
    """R-16."""
    assert await cancelled(house, intended(is_adopted=True), {}) == []


async def test_a_stop_of_a_bot_that_left_rests_on(
    house: House, autojump_clock: MockClock
) -> None:
    await house.room.record(exit_intended(stop_price=98), attempted("x1", "cx1"))
    assert await cancelled(house, intended(), {}) == ["c1"]


async def test_it_is_cancelled_again_after_each_pass_until_it_is_gone(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.errors["order"] = VenueError("offline")
    assert await cancelled(house, intended(), {}) == ["c1"]
    await house.room.record(filled("0.4", 100))
    del house.trading.errors["order"]
    await house.room.record(Reconciled("main", "routine", 1, 0, 0, (), 0))
    assert house.trading.cancelled == ["c1", "c1"]
