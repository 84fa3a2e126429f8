"""Symbols that the exchange does not list, for a while or for good, in the passes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
from trio.testing import MockClock

from actors.messages import OrderStatus
from tests.actors.account_house import ID, House, open_house, venue_order
from tests.words import attempted, intended


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Two bots; the exchange has the symbol of one."""
    async with open_house(tmp_path) as made:
        made.bots["noon"] = "NO/USDT"
        made.trading.unlisted = frozenset({"NO/USDT"})
        yield made


async def test_a_symbol_that_is_not_listed_does_not_keep_the_others_from_trading(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.wait(5)
    assert house.may_buy()
    await house.wait(3600)
    assert len(await house.passes()) == 61


async def test_a_symbol_that_is_listed_again_is_compared_again(
    house: House, autojump_clock: MockClock
) -> None:
    """R-17: maintenance of an hour must not hide its orders for good."""
    await house.start()
    await house.wait(600)
    house.trading.unlisted = frozenset()
    web = attrs.evolve(venue_order(OrderStatus.OPEN, order_id="web_1"), symbol="NO/USDT")
    house.trading.orders["web_1"] = web
    await house.wait(700)
    assert (await house.passes())[-1].foreign == ("web_1 buy 1 NO/USDT limit",)


@pytest.mark.parametrize("is_filled", [True, False])
async def test_an_order_of_a_symbol_that_is_gone_bars_no_other(
    house: House, autojump_clock: MockClock, is_filled: bool
) -> None:
    """R-02: nobody can say what became of it; the account trades on."""
    owner = {"bot": "noon", "symbol": "NO/USDT"}
    await house.room.record(intended(**owner), attempted("i1", ID, **owner))
    if is_filled:
        filled = venue_order(OrderStatus.FILLED, "1")
        house.trading.orders[ID] = attrs.evolve(filled, symbol="NO/USDT")
    await house.start()
    await house.wait(300)
    assert house.may_buy()
