"""A cancel may be lost on its way: whoever asked for it died, and its order lives on."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from actors.messages import (
    Acknowledged,
    CancelRejected,
    CancelRequested,
    Ended,
    OrderStatus,
)
from tests.actors.account_house import ID, VENUE_ID, House, open_house, venue_order
from tests.words import SYMBOL

ASKED = CancelRequested("dawn", "main", SYMBOL, ID, 1, "the program stops")


async def asked(house: House) -> None:
    """Let a life before have asked for the cancel of an order that is open there."""
    await house.attempt()
    await house.room.record(Acknowledged("dawn", "main", SYMBOL, ID, VENUE_ID), ASKED)
    house.trading.orders[ID] = venue_order(OrderStatus.OPEN)
    await house.start()


async def test_an_order_whose_cancel_was_lost_is_open_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """I-8: said once, by the passes alone, and not while an answer may be on its way."""
    async with open_house(tmp_path) as house:
        await asked(house)
        assert await house.room.recorded(CancelRejected) == []
        await house.wait(130)
        (lost,) = await house.room.recorded(CancelRejected)
        assert (lost.client_order_id, lost.number, lost.code) == (ID, 1, "lost")


async def test_a_cancel_that_was_done_is_no_lost_one(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_house(tmp_path) as house:
        await asked(house)
        house.trading.orders[ID] = venue_order(OrderStatus.CANCELED)
        await house.wait(130)
        assert await house.room.recorded(CancelRejected) == []
        (end,) = await house.room.recorded(Ended)
        assert end.status is OrderStatus.CANCELED
