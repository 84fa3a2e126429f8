"""When the program stops: what was sent is heard of, and what stays open is told (R-39)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from actors.messages import OrderStatus, OrderType, Told
from actors.orders_road import GOODBYE_S, Road
from actors.orders_safe import SafeMode
from actors.pure.order_gate import Gate
from actors.pure.order_life import begin
from actors.pure.reconnect import ReconnectPolicy
from tests.actors.ledger_room import settle
from tests.actors.orders_house import House, open_house
from tests.actors.scripted_venue import Middle
from tests.words import attempted, ended, exit_intended, sold


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def sell(house: House) -> tuple[trio.CancelScope, str]:
    """Let dawn hold one bitcoin, and send its exit; return the life and the order's id."""
    await house.hold()
    life = await house.start()
    await house.exit()
    return life, house.trading.placed[-1].client_order_id


async def stop(house: House, life: trio.CancelScope, for_s: float) -> None:
    """Let the program stop, and look after a while."""
    house.is_stopping = True
    life.cancel()
    await trio.sleep(for_s)


async def execute(house: House, order_id: str) -> None:
    """Let the account tell that an exit was executed."""
    fill = sold(1, 100, client_order_id=order_id)
    await house.room.record(fill, ended(OrderStatus.FILLED, "1", order_id))


async def test_the_fill_of_an_exit_that_was_taken_is_waited_for(
    house: House, autojump_clock: MockClock
) -> None:
    life, order_id = await sell(house)
    await stop(house, life, 1.0)
    assert house.left == []
    await execute(house, order_id)
    await trio.sleep(0.1)
    assert house.left == [""]


async def test_it_is_waited_for_no_longer_than_the_goodbye_takes(
    house: House, autojump_clock: MockClock
) -> None:
    life, _ = await sell(house)
    await stop(house, life, 2.1)
    assert house.left == [
        "1 position stays open · exits sent, to be booked at the next start: dawn BTC/USDT"
    ]


async def test_a_stop_that_was_taken_in_the_last_moment_is_told_as_a_guard(
    house: House, autojump_clock: MockClock
) -> None:
    await house.hold()
    life = await house.start()
    house.trading.answer_s = 0.5
    await house.post_stop()
    await stop(house, life, 0.6)
    assert house.left == [
        "1 position stays open · guarded by a stop at the exchange: dawn BTC/USDT 98"
    ]


async def test_a_wish_that_comes_too_late_is_not_sent(
    house: House, autojump_clock: MockClock
) -> None:
    life, order_id = await sell(house)
    await stop(house, life, 0.1)
    await house.approve("i9", base=Decimal("0.5"))
    await execute(house, order_id)
    await trio.sleep(0.1)
    assert house.left == [""]
    assert [each.client_order_id for each in house.trading.placed] == [order_id]


async def test_where_facts_were_lost_nothing_more_is_waited_for(
    house: House, autojump_clock: MockClock
) -> None:
    life, _ = await sell(house)
    for _ in range(house.mailbox.facts_max + 1):
        house.mailbox.fact(Told(0, 0, ended(OrderStatus.FILLED)))
    await stop(house, life, 0.1)
    assert house.left == [
        "1 position stays open · exits sent, to be booked at the next start: dawn BTC/USDT"
    ]


async def test_a_second_signal_ends_the_waiting(
    house: House, autojump_clock: MockClock
) -> None:
    life, _ = await sell(house)
    await stop(house, life, 0.5)
    assert house.left == []
    house.is_stopping = False  # goodbyes are to be skipped
    await trio.sleep(0.2)
    assert len(house.left) == 1


async def test_a_ledger_that_is_stuck_holds_up_no_cancel(
    house: House, autojump_clock: MockClock
) -> None:
    """I-12: an attempt is on its way to the disk while another bot's entry rests."""
    life = await house.start()
    await house.approve("i1", order_type=OrderType.LIMIT, limit_price=Decimal(90))
    (resting,) = house.trading.placed
    house.room.disk.slow_s = 60
    await house.post_entry("i2", bot="dusk")
    await settle()
    await stop(house, life, 0.1)
    assert house.trading.cancelled == [resting.client_order_id]
    assert house.trading.placed == [resting]


async def test_an_order_that_only_begins_to_leave_has_no_more_time_than_the_others(
    house: House, autojump_clock: MockClock
) -> None:
    gate = Gate()
    safe = SafeMode("orders:main", "main", house.room.journal, gate, house.emergency)
    road = Road(house.trading, safe, gate, ReconnectPolicy(), Middle())
    house.trading.answer_s = 14
    road.end_soon()
    begun_s = trio.current_time()
    await road.send(begin(exit_intended(), attempted("x1", "s1")), begun_s + 60)
    assert trio.current_time() - begun_s == GOODBYE_S
