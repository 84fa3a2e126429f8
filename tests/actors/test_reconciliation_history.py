"""Executions that a pass must find: no more of the past is read than tells of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
from trio.testing import MockClock

from actors.messages import Ended, Filled, OrderStatus, OutcomeUnknown
from actors.ports import RateLimited, VenueError
from tests.actors.account_house import ID, House, open_house, venue_fill, venue_order
from tests.actors.scripted_venue import DAY_MS
from tests.words import SYMBOL, attempted, filled, intended

OTHER = "ETH/USDT"
DAYS = 10
AGO_MS = DAYS * DAY_MS


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An exchange that takes ten seconds to page through a day of executions."""
    async with open_house(tmp_path) as made:
        made.trading.clock_ms, made.trading.day_s = 2 * AGO_MS, 10.0
        placed_ms = made.trading.now_ms() - AGO_MS
        await made.room.record(intended(), attempted("i1", ID, attempt_ms=placed_ms))
        yield made


def executed(house: House, *fills: tuple[str, str, int]) -> None:
    """Let the order have been filled now, by fills that were so many ms ago."""
    now_ms = house.trading.now_ms()
    ended = attrs.evolve(venue_order(OrderStatus.FILLED, "1"), update_ms=now_ms)
    house.trading.orders[ID] = ended
    house.trading.executed = [
        venue_fill(trade_id, base, trade_ms=now_ms - ago_ms)
        for trade_id, base, ago_ms in fills
    ]


async def booked(house: House) -> list[str]:
    return [fill.trade_id for fill in await house.room.recorded(Filled)]


async def test_an_order_that_rested_for_long_is_booked_from_its_last_moments(
    house: House, autojump_clock: MockClock
) -> None:
    """R-12: all since it was placed would take longer than a pass may."""
    executed(house, ("t1", "1", 1_000))
    await house.start()
    await house.wait(10)
    assert await booked(house) == ["t1"]
    assert [end.status for end in await house.room.recorded(Ended)] == [OrderStatus.FILLED]
    assert house.may_buy()


async def test_what_is_booked_already_need_not_be_found_again(
    house: House, autojump_clock: MockClock
) -> None:
    early = filled("0.4", 100, client_order_id=ID, trade_id="t1")
    await house.room.record(early)
    executed(house, ("t1", "0.4", AGO_MS // 2), ("t2", "0.6", 1_000))
    await house.start()
    await house.wait(10)
    assert await booked(house) == ["t1", "t2"]


async def test_what_the_last_moments_do_not_explain_is_looked_for_since_the_attempt(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.day_s = 1.0
    executed(house, ("t1", "0.4", AGO_MS // 2), ("t2", "0.6", 1_000))
    await house.start()
    await house.wait(20)
    assert await booked(house) == ["t2", "t1"]  # what is found is booked at once


async def test_an_open_order_of_which_no_move_is_told_is_booked_from_the_near_past(
    house: House, autojump_clock: MockClock
) -> None:
    """R-12: Kraken tells of an open order only when it was placed."""
    now_ms = house.trading.now_ms()
    house.trading.orders[ID] = attrs.evolve(
        venue_order(OrderStatus.PARTIALLY_FILLED, "0.4"), update_ms=now_ms - AGO_MS
    )
    house.trading.executed = [venue_fill("t1", "0.4", trade_ms=now_ms - 7_200_000)]
    await house.start()
    await house.wait(10)
    assert await booked(house) == ["t1"]
    assert house.may_buy()


async def test_a_past_too_long_to_be_read_bars_nobody_else_and_wants_a_person(
    house: House, autojump_clock: MockClock
) -> None:
    """R-02: it ended every pass, so that nothing could be sold on that account."""
    executed(house, ("t1", "0.4", AGO_MS // 2), ("t2", "0.6", 1_000))
    await house.start()
    await house.wait(60)
    assert await booked(house) == ["t2"]
    assert house.may_buy()
    await house.wait(300)
    assert ("drift", False) in house.alarms()
    house.trading.day_s = 1.0
    await house.wait(200)
    assert await booked(house) == ["t2", "t1"]
    assert ("drift", True) in house.alarms()


async def test_the_long_past_of_one_symbol_leaves_time_for_the_others(
    house: House, autojump_clock: MockClock
) -> None:
    """R-02: what was bought of the other one had no stop."""
    other, trading = f"{ID[:-2]}00", house.trading
    executed(house, ("t1", "0.4", AGO_MS // 2), ("t2", "0.6", 1_000))
    now_ms = trading.now_ms()
    ether = attrs.evolve(intended(), intent_id="i2", symbol=OTHER, bot="dusk")
    attempt = attempted("i2", other, attempt_ms=now_ms, symbol=OTHER, bot="dusk")
    house.bots["dusk"] = OTHER
    await house.room.record(ether, attempt)
    bought = venue_order(OrderStatus.FILLED, "1", other, "v2")
    trading.orders[other] = attrs.evolve(bought, symbol=OTHER, update_ms=now_ms)
    fill = venue_fill("t3", "1", other, venue_order_id="v2", symbol=OTHER)
    trading.executed.append(attrs.evolve(fill, trade_ms=now_ms))
    await house.start()
    await house.wait(120)
    assert set(await booked(house)) == {"t2", "t3"}


@pytest.mark.parametrize(("many", "day_s"), [(1, 2.5), (3, 1.0)])
async def test_pasts_that_fit_into_a_comparison_together_are_read(
    house: House, autojump_clock: MockClock, many: int, day_s: float
) -> None:
    """Equal shares would leave each of them unread, in every comparison."""
    trading = house.trading
    trading.day_s = day_s
    executed(house, ("t0", "1", AGO_MS * 9 // 10))
    for number in range(1, many):
        owner, order_id = f"bot-{number}", f"{ID[:-2]}0{number}"
        names = {"bot": owner, "symbol": f"C{number}/USDT"}
        house.bots[owner] = names["symbol"]
        placed_ms = trading.now_ms() - AGO_MS
        attempt = attempted(f"i{number + 1}", order_id, attempt_ms=placed_ms, **names)
        intent = attrs.evolve(intended(), intent_id=f"i{number + 1}", **names)
        await house.room.record(intent, attempt)
        bought = venue_order(OrderStatus.FILLED, "1", order_id, f"v{number}-")
        changes = {"symbol": names["symbol"], "update_ms": trading.now_ms()}
        trading.orders[order_id] = attrs.evolve(bought, **changes)
        fill = venue_fill(f"t{number}", "1", order_id, venue_order_id=f"v{number}-")
        before_ms = trading.now_ms() - AGO_MS * 9 // 10
        fill = attrs.evolve(fill, symbol=names["symbol"], trade_ms=before_ms)
        trading.executed.append(fill)
    await house.start()
    await house.wait(180)
    assert set(await booked(house)) == {f"t{number}" for number in range(many)}


async def test_a_past_that_the_venue_s_limits_keep_from_being_read_is_such_a_one(
    house: House, autojump_clock: MockClock
) -> None:
    executed(house, ("t1", "1", 1_000))
    house.trading.errors["fills"] = RateLimited("no room", retry_after_s=10)
    await house.start()
    await house.wait(100)
    assert house.may_buy()
    assert await booked(house) == []
    house.trading.errors.clear()
    await house.wait(100)
    assert await booked(house) == ["t1"]


async def test_an_unknown_order_of_too_long_a_past_bars_only_its_own_symbol(
    house: House, autojump_clock: MockClock
) -> None:
    """R-02, R-03: whether it was placed cannot be told yet; the account goes on."""
    lost = OutcomeUnknown("dawn", "main", SYMBOL, ID, "time-out")
    await house.room.record(lost)
    await house.start()
    await house.wait(200)
    assert house.may_buy()
    assert {code for code, _ in house.alarms()} >= {"unknown_order", "drift"}
    assert await house.room.recorded(Ended) == []


async def test_executions_that_are_listed_nowhere_are_still_missed(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.day_s = 1.0
    executed(house, ("t1", "0.4", 1_000))
    await house.start()
    await house.wait(20)
    house.trading.errors["balances"] = VenueError("away")  # what was found stays booked
    executed(house, ("t1", "0.4", 1_000), ("t2", "0.6", 1_000))
    await house.wait(60)
    assert await booked(house) == ["t1", "t2"]


async def test_an_order_whose_fills_were_booked_before_a_crash_gets_its_end(
    house: House, autojump_clock: MockClock
) -> None:
    """Fills and end are two rows: whoever waits for ends must not wait for ever."""
    await house.room.record(filled(1, 100, client_order_id=ID))
    await house.start()
    await house.pass_now()
    (told,) = await house.room.recorded(Ended)
    assert (told.client_order_id, told.status, told.filled_base) == (
        ID,
        OrderStatus.FILLED,
        1,
    )
    assert [found.orders_settled for found in await house.passes()] == [1, 0]
    assert house.trading.asked_for("order") == []
