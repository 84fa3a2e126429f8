"""The position monitor: from a price to an exit, through crashes and silences."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.messages import (
    Alarmed,
    CancelIntent,
    ClockStepped,
    ExitIntent,
    ExitReason,
    ExitTriggered,
    Instrument,
    OrderStatus,
    PositionClosed,
    PositionOpened,
    PositionSeen,
    Protection,
    Source,
    StopMoved,
)
from actors.positions import run_positions
from actors.pure.guard_steps import Ward
from actors.pure.price_trust import PriceLimits
from tests.actors.trading_floor import Floor, open_floor
from tests.words import (
    BTC,
    SYMBOL,
    attempted,
    ended,
    exit_intended,
    filled,
    intended,
    sold,
    ticker,
)

BOTH = Protection(Decimal(2), Decimal(5))
TRAILING = Protection(None, None, Decimal(1))
ENTRY = (intended(), attempted(), filled(1, 100))


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with open_floor(tmp_path) as made:
        yield made


async def start(
    floor: Floor,
    protection: Protection = BOTH,
    instruments: Mapping[str, Instrument] | None = None,
) -> trio.CancelScope:
    ward = Ward("dawn", "main", "binance", SYMBOL, protection, check_s=5.0)
    run = partial(
        run_positions,
        floor.positions,
        floor.orders,
        floor.journal,
        floor.board,
        account="main",
        wards={"dawn": ward},
        instruments={SYMBOL: BTC} if instruments is None else instruments,
        ids=floor.ids("positions:main"),
        want=floor.wanted.append,
        price_limits=PriceLimits(),
    )
    return await floor.start(floor.positions, run)


async def price(floor: Floor, last: str, **changes: Any) -> None:
    floor.positions.latest("ticker", ticker(last, trio.current_time(), **changes))
    await wait_all_tasks_blocked()


async def begin_exit(floor: Floor, wish: ExitIntent, order_id: str = "cx1") -> None:
    await floor.record(
        exit_intended(intent_id=wish.intent_id, exit_reason=wish.reason, notes=wish.notes),
        attempted(wish.intent_id, order_id),
    )


async def test_a_stop_is_durable_before_the_exit_is_asked_for(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "97.5")
    (wish,) = floor.taken(floor.orders)
    assert isinstance(wish, ExitIntent)
    assert (wish.base, wish.reason, wish.price) == (
        1,
        ExitReason.STOP_LOSS,
        Decimal("97.5"),
    )
    assert [hit.pnl for hit in await floor.recorded(ExitTriggered)] == [Decimal("-2.5")]


async def test_a_position_lives_from_entry_to_exit_in_the_ledger(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    assert [opened.stop_loss for opened in await floor.recorded(PositionOpened)] == [98]
    await price(floor, "105.3")
    (wish,) = floor.taken(floor.orders)
    await begin_exit(floor, wish)
    await floor.record(sold(1, "105.2", fee=Decimal("0.1")))
    (closed,) = await floor.recorded(PositionClosed)
    assert (closed.exit_reason, closed.exit_price, closed.pnl) == (
        ExitReason.TAKE_PROFIT,
        Decimal("105.2"),
        Decimal("5.1"),
    )


async def test_it_wants_prices_only_of_what_is_held(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    assert floor.wanted == []
    await floor.record(*ENTRY)
    await price(floor, "97")
    (wish,) = floor.taken(floor.orders)
    await begin_exit(floor, wish)
    await floor.record(sold(1, 97))
    assert [len(wanted.subscriptions) for wanted in floor.wanted] == [1, 0]


async def test_one_absurd_price_sells_nothing(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-43."""
    await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "100")
    await price(floor, "1")
    await price(floor, "100.1")
    assert floor.taken(floor.orders) == []


async def test_a_crash_that_a_second_price_confirms_is_sold(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "100")
    for _ in range(2):
        await trio.sleep(0.5)
        await price(floor, "80")
    assert [wish.price for wish in floor.taken(floor.orders)] == [80]


async def test_an_exit_goes_out_though_the_journal_is_silent(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """I-12: a record is late, an exit is not."""
    await start(floor)
    await floor.record(*ENTRY)
    floor.journal_scope.cancel()
    await price(floor, "97")
    await trio.sleep(1.5)
    assert [type(wish) for wish in floor.taken(floor.orders)] == [ExitIntent]


async def test_a_hit_that_could_not_be_recorded_is_recorded_later(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor, TRAILING)
    await floor.record(*ENTRY)
    floor.journal_scope.cancel()
    await price(floor, "104")  # the moved stop finds the journal silent
    await trio.sleep(2)
    await price(floor, "98")
    assert len(floor.taken(floor.orders)) == 1
    await floor.start_journal()
    assert await floor.recorded(ExitTriggered) == []
    await trio.sleep(20)
    assert [hit.exit_price for hit in await floor.recorded(ExitTriggered)] == [98]


async def test_a_stop_that_could_not_be_recorded_does_not_count(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-15: a restart would find a looser one."""
    await start(floor, TRAILING)
    await floor.record(*ENTRY)
    floor.journal_scope.cancel()
    for last in ("104", "102"):
        await price(floor, last)
        await trio.sleep(2)
    assert floor.taken(floor.orders) == []
    await floor.start_journal()  # which finds the record still waiting, and writes it
    await trio.sleep(1)
    assert [type(wish) for wish in floor.taken(floor.orders)] == [ExitIntent]


async def test_without_fresh_prices_it_alarms_once_and_rest_prices_end_it(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-25."""
    await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "100")
    await trio.sleep(30)
    alarms = [each for each in floor.taken(floor.board) if isinstance(each, Alarmed)]
    assert [(alarm.code, alarm.is_over) for alarm in alarms] == [("unguarded", False)]
    await trio.sleep(30)
    assert not any(isinstance(each, Alarmed) for each in floor.taken(floor.board))
    await price(floor, "99", source=Source.REST)
    await trio.sleep(6)
    alarms = [each for each in floor.taken(floor.board) if isinstance(each, Alarmed)]
    assert [(alarm.code, alarm.is_over) for alarm in alarms] == [("unguarded", True)]
    await price(floor, "97", source=Source.REST)
    assert len(floor.taken(floor.orders)) == 1


async def test_a_position_without_a_price_is_told_beside_one_that_has_a_price(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-25: the bot's symbol was changed while it held the other."""
    other = attrs.evolve(BTC, symbol="ETH/USDT", base_asset="ETH")
    await start(floor, instruments={SYMBOL: BTC, other.symbol: other})
    old = {"symbol": other.symbol, "client_order_id": "e1", "trade_id": "e1"}
    await floor.record(filled(1, 100, **old), *ENTRY)
    for _ in range(20):
        await price(floor, "100")
        await trio.sleep(1)
    alarms = [each for each in floor.taken(floor.board) if isinstance(each, Alarmed)]
    text = "dawn holds ETH/USDT without a fresh price"
    assert [(alarm.text, alarm.is_over) for alarm in alarms] == [(text, False)]


async def test_a_step_of_the_clock_makes_every_price_old(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """D-6."""
    await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "100")
    floor.positions.latest("clock", ClockStepped(60_000, trio.current_time(), "suspend"))
    await trio.sleep(6)
    seen = [each for each in floor.taken(floor.board) if isinstance(each, PositionSeen)]
    assert seen[-1].price is None


async def test_each_check_shows_the_position_and_its_unrealized_result(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "101.5")
    await trio.sleep(5.1)
    (seen,) = [each for each in floor.taken(floor.board) if isinstance(each, PositionSeen)]
    assert (seen.price, seen.unrealized_pnl, seen.stop_loss, seen.is_exiting) == (
        Decimal("101.5"),
        Decimal("1.5"),
        98,
        False,
    )


def alarms(floor: Floor) -> dict[str, bool]:
    """Return which alarms were posted, and whether as over."""
    told = [each for each in floor.taken(floor.board) if isinstance(each, Alarmed)]
    return {each.code: each.is_over for each in told}


async def test_busy_orders_are_asked_again(floor: Floor, autojump_clock: MockClock) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    for _ in range(4):
        await floor.orders.wish("full")
    floor.positions.latest("ticker", ticker("97", trio.current_time()))
    await trio.sleep(2)
    assert alarms(floor)["orders_busy"] is False
    assert floor.taken(floor.orders) == ["full"] * 4
    await trio.sleep(5)
    assert [type(wish) for wish in floor.taken(floor.orders)] == [ExitIntent]
    assert alarms(floor)["orders_busy"] is True


async def test_an_exit_that_rests_is_cancelled_and_asked_for_again(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-41, without a single price in between."""
    await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "97")
    (wish,) = floor.taken(floor.orders)
    await begin_exit(floor, wish)
    await trio.sleep(35)
    asked = floor.taken(floor.orders)
    assert [type(each) for each in asked] == [CancelIntent]
    await floor.record(ended(OrderStatus.CANCELED, order_id="cx1"))
    assert [type(each) for each in floor.taken(floor.orders)] == [ExitIntent]


async def test_a_moved_stop_is_durable_before_it_counts(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-15: what a crash would forget has never protected anybody."""
    first = await start(floor, TRAILING)
    await floor.record(*ENTRY)
    for last in ("104", "108"):
        await price(floor, last)
        await trio.sleep(1.1)
    stops = [moved.stop_loss for moved in await floor.recorded(StopMoved)]
    assert stops == [Decimal("102.96"), Decimal("106.92")]
    first.cancel()
    await wait_all_tasks_blocked()
    await start(floor, Protection())
    for _ in range(2):
        await trio.sleep(0.1)
        await price(floor, "106.9")
    assert [wish.reason for wish in floor.taken(floor.orders)] == [ExitReason.TRAILING_STOP]


@pytest.mark.parametrize("told", range(5))
async def test_a_crash_anywhere_in_an_exit_sells_exactly_once(
    floor: Floor, autojump_clock: MockClock, told: int
) -> None:
    """The life ends after so many facts of the exit; the next one goes on (I-15, I-18)."""
    first = await start(floor)
    await floor.record(*ENTRY)
    await price(floor, "97")
    (wish,) = floor.taken(floor.orders)
    life_of_the_exit = [
        (
            exit_intended(intent_id=wish.intent_id, exit_reason=wish.reason),
            attempted(wish.intent_id, "cx1"),
        ),
        (sold("0.4", 97),),
        (sold("0.6", 97, trade_id="x2"),),
        (ended(OrderStatus.FILLED, "1", "cx1"),),
    ]
    for facts in life_of_the_exit[:told]:
        await floor.record(*facts)
    first.cancel()
    await wait_all_tasks_blocked()
    await start(floor)
    asked = floor.taken(floor.orders)
    if told == 0:  # nobody began the exit: it is asked for again, as another intent
        assert [each.intent_id == wish.intent_id for each in asked] == [False]
        return
    for facts in life_of_the_exit[told:]:
        await floor.record(*facts)
    await trio.sleep(120)
    assert (asked, floor.taken(floor.orders)) == ([], [])
    assert len(await floor.recorded(PositionClosed)) == 1
    assert len(await floor.recorded(ExitTriggered)) == 1


async def test_a_position_is_guarded_once_its_exchange_lists_the_symbol(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """The exchange could not be reached at the start: later is not never (R-14)."""
    listed: dict[str, Instrument] = {}
    await floor.record(*ENTRY)
    await start(floor, instruments=listed)
    assert floor.wanted == []
    listed[SYMBOL] = BTC
    await trio.sleep(6)
    await price(floor, "97.5")
    assert [wish.reason for wish in floor.taken(floor.orders)] == [ExitReason.STOP_LOSS]


async def test_a_position_in_a_symbol_that_is_not_listed_is_told_until_it_is(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-14: nothing guards it, and no other alarm would say so."""
    listed: dict[str, Instrument] = {}
    await floor.record(*ENTRY)
    await start(floor, instruments=listed)
    await trio.sleep(20)
    alarms = [each for each in floor.taken(floor.board) if isinstance(each, Alarmed)]
    text = "dawn holds BTC/USDT, which the exchange does not list: nothing here guards it"
    assert [(alarm.text, alarm.is_over) for alarm in alarms] == [(text, False)]
    listed[SYMBOL] = BTC
    await trio.sleep(6)
    alarms = [each for each in floor.taken(floor.board) if isinstance(each, Alarmed)]
    over = [alarm.is_over for alarm in alarms if alarm.code == "unlisted"]
    assert over == [True]


async def test_a_position_bought_before_its_symbol_is_listed_is_guarded_once_it_is(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """An order of unknown outcome may be found filled before the exchange lists (R-14)."""
    listed: dict[str, Instrument] = {}
    await start(floor, instruments=listed)
    await floor.record(*ENTRY)
    listed[SYMBOL] = BTC
    await trio.sleep(6)
    await price(floor, "97.5")
    assert [wish.reason for wish in floor.taken(floor.orders)] == [ExitReason.STOP_LOSS]
