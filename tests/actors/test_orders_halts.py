"""Halts at the order gate: facts alone, first, over restarts; exits pass (R-37, I-12)."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    BotPaused,
    BotStopped,
    ClockJudged,
    Ended,
    Fact,
    Halted,
    HaltLifted,
    Lease,
    OrderStatus,
    Refused,
)
from tests.actors.ledger_room import settle
from tests.actors.orders_house import House, held, open_house

HALTED = Halted("", "main", "daily_loss", "today's result is -5.1 %")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def refusals(house: House) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.code, each.reasons) for each in await house.room.recorded(Refused)]


async def test_after_a_halt_no_entry_leaves_though_risk_approved_it(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.room.record(HALTED)
    await house.approve()
    why = "daily_loss until it is resumed: today's result is -5.1 %"
    assert (house.trading.placed, await refusals(house)) == ([], [("halted", (why,))])


async def test_a_halt_that_was_durable_first_stops_an_entry_on_its_way_to_the_disk(
    house: House, autojump_clock: MockClock
) -> None:
    """R-37: whoever halted was answered before the entry could leave."""
    await house.start()
    house.room.disk.slow_s = 0.4
    house.room.nursery.start_soon(house.room.record, HALTED)
    await settle()
    await house.post_entry("i1")
    await trio.sleep(3)
    assert house.trading.placed == []
    (told,) = await house.room.recorded(Ended)
    assert (told.status, told.code) == (OrderStatus.NOT_PLACED, "halted")
    assert told.reason.startswith("never sent: daily_loss until it is resumed")


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("lease", Lease("main", -math.inf)),  # the private stream is lost
        ("clock", ClockJudged("binance", "the machine slept")),
    ],
)
async def test_a_word_that_bars_entries_stops_one_on_its_way_to_the_disk(
    house: House, autojump_clock: MockClock, kind: str, word: Lease | ClockJudged
) -> None:
    """I-11: it waits behind what was approved."""
    await house.start()
    house.room.disk.slow_s = 0.4
    await house.post_entry("i1")
    await settle()
    house.mailbox.latest(kind, word)
    await trio.sleep(3)
    assert house.trading.placed == []
    (told,) = await house.room.recorded(Ended)
    assert told.status is OrderStatus.NOT_PLACED


async def test_an_exit_on_its_way_to_the_disk_passes_a_halt(
    house: House, autojump_clock: MockClock
) -> None:
    """I-12."""
    await house.hold()
    await house.start()
    house.room.disk.slow_s = 0.2
    house.room.nursery.start_soon(house.room.record, HALTED)
    await settle()
    await house.post_exit()
    await trio.sleep(1)
    assert [request.base for request in house.trading.placed] == [1]


async def test_the_next_life_obeys_a_halt_that_it_recalls(
    house: House, autojump_clock: MockClock
) -> None:
    """R-40."""
    life = await house.start()
    await house.room.record(HALTED)
    life.cancel()
    await house.start()
    await house.approve()
    assert house.trading.placed == []


async def test_exits_pass_a_halt(house: House, autojump_clock: MockClock) -> None:
    await house.hold()
    await house.start()
    await house.room.record(HALTED)
    await house.exit()
    assert [request.base for request in house.trading.placed] == [1]


@pytest.mark.parametrize(
    ("bot", "code", "until_ms", "leaves"),
    [
        ("dawn", "operator", 0, False),
        ("dusk", "operator", 0, True),
        ("", "operator", 0, False),
        ("", "daily_loss", 10_000_000_000_000, False),
        ("", "daily_loss", 1, True),  # its day is over
    ],
)
async def test_a_halt_is_of_a_bot_or_an_account_and_of_its_time(
    house: House,
    autojump_clock: MockClock,
    bot: str,
    code: str,
    until_ms: int,
    leaves: bool,
) -> None:
    await house.start()
    house.trading.clock_ms = 1
    await house.room.record(Halted(bot, "main", code, "", until_ms))
    await house.approve()
    assert bool(house.trading.placed) is leaves


async def test_a_halt_that_was_lifted_stops_nobody(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.room.record(HALTED, HaltLifted("", "main", "daily_loss"))
    await house.approve()
    assert len(house.trading.placed) == 1


@pytest.mark.parametrize(
    "fact", [HALTED, BotPaused("dawn", "main", ""), BotStopped("dawn", "main")]
)
async def test_an_entry_that_rests_at_the_exchange_stays_under_a_halt_a_pause_and_a_stop(
    house: House, autojump_clock: MockClock, fact: Fact
) -> None:
    """docs/operating.md says how it is taken away."""
    await house.start()
    await house.approve()
    order_id = house.trading.placed[0].client_order_id
    house.trading.orders[order_id] = held(order_id, OrderStatus.OPEN)
    await house.room.record(fact)
    await trio.sleep(60)
    assert house.trading.cancelled == []
