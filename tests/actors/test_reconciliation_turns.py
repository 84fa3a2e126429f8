"""More orders than a pass has time to ask for: each has its turn, the unheard first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from actors.messages import Acknowledged, Ended, OrderStatus
from tests.actors.account_house import ID, House, open_house, venue_fill, venue_order
from tests.words import SYMBOL, attempted, intended

COUNT = 20  # older orders; at two seconds each the newest one's turn never came


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An exchange that takes two seconds for each question, and orders that rest there."""
    async with open_house(tmp_path) as made:
        made.trading.slow_s = 2.0
        for number in range(COUNT):
            order_id = f"{ID[:-4]}{number + 0x1000:04x}"
            await place(made, f"rest{number}", order_id)
            made.trading.orders[order_id] = venue_order(OrderStatus.OPEN, order_id=order_id)
        await place(made, "i1", ID)
        yield made


async def place(house: House, intent_id: str, order_id: str) -> None:
    """Let the ledger have an order that the exchange has taken."""
    await house.room.record(
        intended(intent_id=intent_id),
        attempted(intent_id, order_id),
        Acknowledged("dawn", "main", SYMBOL, order_id, "v1"),
    )


async def ended(house: House) -> list[str]:
    return [fact.client_order_id for fact in await house.room.recorded(Ended)]


async def test_what_ended_unheard_is_found_behind_many_orders_that_rest(
    house: House, autojump_clock: MockClock
) -> None:
    """R-12, I-14: nobody would ever guard what it bought."""
    house.trading.orders[ID] = venue_order(OrderStatus.FILLED, "1")
    house.trading.executed = [venue_fill("t1", "1")]
    await house.start()
    await house.wait(45)
    assert await ended(house) == [ID]


async def test_all_that_ended_unheard_at_once_are_found_soon(
    house: House, autojump_clock: MockClock
) -> None:
    for order_id in tuple(house.trading.orders):
        cancelled = venue_order(OrderStatus.CANCELED, order_id=order_id)
        house.trading.orders[order_id] = cancelled
    house.trading.orders[ID] = venue_order(OrderStatus.CANCELED)
    await house.start()
    await house.wait(100)
    assert len(await ended(house)) == COUNT + 1
