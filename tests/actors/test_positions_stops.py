"""The position monitor and the stop at the exchange: asked for, missed, found again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.messages import (
    Acknowledged,
    Alarmed,
    ExitIntent,
    ExitReason,
    ExitTriggered,
    OrderStatus,
    PositionClosed,
    PositionSeen,
    Protection,
    Purpose,
    Reconciled,
    Refused,
)
from actors.positions import run_positions
from actors.pure.guard_steps import Ward
from actors.pure.order_gate import exit_of
from actors.pure.price_trust import PriceLimits
from tests.actors.trading_floor import Floor, open_floor
from tests.words import (
    BTC,
    SYMBOL,
    attempted,
    ended,
    filled,
    intended,
    sold,
    ticker,
)

ENTRY = (intended(), attempted(), filled(1, 100))


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    async with open_floor(tmp_path) as made:
        yield made


async def start(floor: Floor) -> trio.CancelScope:
    protection = Protection(Decimal(2), Decimal(5))
    ward = Ward("dawn", "main", "binance", SYMBOL, protection, 60.0, 10.0, Decimal("0.5"))
    run = partial(
        run_positions,
        floor.positions,
        floor.orders,
        floor.journal,
        floor.board,
        account="main",
        wards={"dawn": ward},
        instruments={SYMBOL: BTC},
        ids=floor.ids("positions:main"),
        want=floor.wanted.append,
        price_limits=PriceLimits(),
    )
    return await floor.start(floor.positions, run)


async def price(floor: Floor, last: str) -> None:
    floor.positions.latest("ticker", ticker(last, trio.current_time()))
    await wait_all_tasks_blocked()


async def rest(floor: Floor, wish: ExitIntent, order_id: str = "s1") -> None:
    await floor.record(
        exit_of(wish, wish.base),
        attempted(wish.intent_id, order_id),
        Acknowledged("dawn", "main", SYMBOL, order_id, f"v-{order_id}"),
    )


def asked(floor: Floor) -> list[ExitIntent]:
    wishes = floor.taken(floor.orders)
    return [wish for wish in wishes if isinstance(wish, ExitIntent)]


def alarms(floor: Floor, code: str = "unprotected") -> list[tuple[str, bool]]:
    shown = [each for each in floor.taken(floor.board) if isinstance(each, Alarmed)]
    return [(each.text, each.is_over) for each in shown if each.code == code]


async def test_the_first_fill_asks_for_a_stop_without_a_single_price(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    await floor.record(intended(), attempted(), filled("0.4", 100))
    (wish,) = asked(floor)
    assert (wish.stop_price, wish.limit_price) == (Decimal(98), Decimal("97.51"))


async def test_a_later_fill_resizes_it_without_a_single_price(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """`check_s` is a minute, and nothing else happens."""
    await start(floor)
    await floor.record(intended(), attempted(), filled("0.4", 100))
    await rest(floor, asked(floor)[0])
    await floor.record(filled("0.6", 100, trade_id="t2"))
    await trio.sleep(2.1)
    assert [wish.base for wish in asked(floor)] == [Decimal(1)]


async def test_a_refused_stop_is_an_alarm_until_one_rests(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """I-14: within seconds, and taken back."""
    await start(floor)
    await floor.record(*ENTRY)
    (wish,) = asked(floor)
    await floor.record(exit_of(wish, wish.base), attempted(wish.intent_id, "s1"))
    no = attrs.evolve(ended(OrderStatus.REJECTED, order_id="s1"), reason="Filter failure")
    await floor.record(no)
    again = asked(floor)
    await trio.sleep(1.5)
    text = "dawn's BTC/USDT has no stop at the exchange, only here: Filter failure"
    assert alarms(floor) == [(text, False)]
    await rest(floor, again[0], "s2")
    await trio.sleep(2)
    assert [is_over for _, is_over in alarms(floor)] == [True]


async def test_a_stop_that_never_rests_is_an_alarm_after_ten_seconds(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    await trio.sleep(9)
    assert alarms(floor) == []
    await trio.sleep(3)
    assert [is_over for _, is_over in alarms(floor)] == [False]


async def test_what_was_refused_too_early_is_asked_for_after_the_first_pass(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """I-20, and not a second later."""
    await floor.record(*ENTRY)
    await start(floor)
    for _ in range(6):
        (wish, *_) = asked(floor) or [None]
        if wish is not None:
            no = Refused(
                "dawn",
                "main",
                SYMBOL,
                wish.intent_id,
                Purpose.EXIT,
                "not_reconciled",
                ("not yet",),
            )
            await floor.record(no)
        await trio.sleep(1.1)
    asked(floor)
    await floor.record(Reconciled("main", "start", 0, 0, 0, (), 0))
    assert len(asked(floor)) == 1


async def test_a_stop_executed_at_the_exchange_is_one_hit_and_one_closed_position(
    floor: Floor, autojump_clock: MockClock
) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    await rest(floor, asked(floor)[0])
    stop = {"client_order_id": "s1"}
    await floor.record(
        sold("0.4", "97.9", **stop),
        sold("0.6", "97.8", trade_id="x2", **stop),
        ended(OrderStatus.FILLED, "1", "s1"),
    )
    await price(floor, "97.5")
    (hit,) = await floor.recorded(ExitTriggered)
    (closed,) = await floor.recorded(PositionClosed)
    assert (hit.reason, closed.exit_reason) == (ExitReason.STOP_LOSS, ExitReason.STOP_LOSS)
    assert asked(floor) == []


async def test_a_hit_stop_is_replaced_in_time_without_another_price(
    floor: Floor, autojump_clock: MockClock
) -> None:
    """R-41: `check_s` is a minute, G is ten seconds."""
    await start(floor)
    await floor.record(*ENTRY)
    await rest(floor, asked(floor)[0])
    await price(floor, "97.9")
    await trio.sleep(9)
    assert asked(floor) == []
    await trio.sleep(3)
    assert [wish.is_protective for wish in asked(floor)] == [False]


async def test_a_resting_stop_is_no_sale(floor: Floor, autojump_clock: MockClock) -> None:
    await start(floor)
    await floor.record(*ENTRY)
    await rest(floor, asked(floor)[0])
    await price(floor, "101")
    await trio.sleep(61)
    seen = [each for each in floor.taken(floor.board) if isinstance(each, PositionSeen)]
    assert not seen[-1].is_exiting


async def test_the_next_life_takes_an_alarm_back(
    floor: Floor, autojump_clock: MockClock
) -> None:
    first = await start(floor)
    await floor.record(*ENTRY)
    wish = asked(floor)[0]
    await trio.sleep(12)
    assert [is_over for _, is_over in alarms(floor)] == [False]
    first.cancel()
    await wait_all_tasks_blocked()
    await rest(floor, wish)
    await start(floor)
    await trio.sleep(61)
    assert [is_over for _, is_over in alarms(floor)] == [True]


async def test_a_crash_leaves_one_stop(floor: Floor, autojump_clock: MockClock) -> None:
    """R-15."""
    first = await start(floor)
    await floor.record(*ENTRY)
    await rest(floor, asked(floor)[0])
    first.cancel()
    await wait_all_tasks_blocked()
    await start(floor)
    await price(floor, "101")
    await trio.sleep(120)
    assert asked(floor) == []
