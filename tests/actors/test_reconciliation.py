"""Passes of an account: evidence only, nothing missed, nothing concluded too early."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from trio.testing import MockClock

from actors.messages import (
    Acknowledged,
    Balanced,
    Ended,
    Filled,
    Lease,
    OrderStatus,
    OutcomeUnknown,
    Side,
    VenueBalance,
    VenueFill,
)
from actors.ports import RemoteProtocolError, VenueError
from tests.actors.account_house import (
    ID,
    VENUE_ID,
    House,
    open_house,
    venue_fill,
    venue_order,
)
from tests.words import SYMBOL, attempted, ended, exit_intended, filled, intended, sold

OPEN, FILLED, CANCELED = OrderStatus.OPEN, OrderStatus.FILLED, OrderStatus.CANCELED
UNKNOWN = OutcomeUnknown("dawn", "main", SYMBOL, ID, "EOF")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


def bitcoin(free: str, locked: str = "0") -> list[VenueBalance]:
    return [VenueBalance("BTC", Decimal(free), Decimal(locked))]


async def statuses(house: House) -> list[OrderStatus]:
    return [fact.status for fact in await house.room.recorded(Ended)]


async def unknown(house: House) -> None:
    """Let one order have been sent now, and nobody know what became of it."""
    await house.attempt()
    await house.room.record(UNKNOWN)


def anonymous(trade_id: str, house: House, **changes: Any) -> VenueFill:
    """An execution as exchanges list it: it names no id of ours."""
    now_ms = house.trading.now_ms()
    return venue_fill(trade_id, "1", "", trade_ms=now_ms, **changes)


async def test_fills_that_no_stream_told_are_booked_by_a_pass(
    house: House, autojump_clock: MockClock
) -> None:
    """R-12: within the routine, without any event."""
    await house.attempt()
    house.trading.orders[ID] = venue_order(OPEN)
    await house.start()
    house.trading.orders[ID] = venue_order(OrderStatus.PARTIALLY_FILLED, "0.4")
    house.trading.executed = [venue_fill("t1", "0.1"), venue_fill("t2", "0.3")]
    found = await house.pass_now()
    assert (found.fills_booked, found.open_orders) == (2, 1)
    assert [f.trade_id for f in await house.room.recorded(Filled)] == ["t1", "t2"]


async def test_executions_are_asked_for_only_where_some_are_missing(
    house: House, autojump_clock: MockClock
) -> None:
    await house.attempt()
    house.trading.orders[ID] = venue_order(OPEN)
    await house.start()
    await house.wait(600)
    assert house.trading.asked_for("fills") == []


async def test_an_order_that_ended_unheard_is_ended_after_its_fills(
    house: House, autojump_clock: MockClock
) -> None:
    """R-01: six hours without network later, the order is still ours."""
    await house.attempt()
    house.trading.orders[ID] = venue_order(FILLED, "1")
    house.trading.executed = [venue_fill("t1", "1")]
    await house.start()
    facts = await house.room.recorded(Filled, Ended)
    assert [type(fact) for fact in facts] == [Filled, Ended]


async def test_executions_that_lag_behind_the_order_are_asked_for_again_soon(
    house: House, autojump_clock: MockClock
) -> None:
    await house.attempt()
    house.trading.orders[ID] = venue_order(OrderStatus.PARTIALLY_FILLED, "0.5")
    await house.start()
    house.trading.executed = [venue_fill("t1", "0.5")]
    await house.wait(3)
    assert len(await house.room.recorded(Filled)) == 1


async def test_unknown_is_not_placed_only_after_expiry_and_margin(
    house: House, autojump_clock: MockClock
) -> None:
    """I-10."""
    await house.start()
    await unknown(house)
    await house.wait(9.9)
    assert await statuses(house) == []
    assert len(house.trading.asked_for("order")) >= 2
    await house.wait(20)
    assert await statuses(house) == [OrderStatus.NOT_PLACED]


async def test_all_that_is_not_placed_is_judged_by_one_look_at_the_history(
    house: House, autojump_clock: MockClock
) -> None:
    """At Kraken one look is ten seconds of what the key may ask; exits wait meanwhile."""
    await house.start()
    for order_id in (ID[:-1] + digit for digit in "1234"):
        await house.room.record(
            intended(intent_id=order_id),
            attempted(order_id, order_id),
            attrs.evolve(UNKNOWN, client_order_id=order_id),
        )
    await house.wait(60)
    assert await statuses(house) == [OrderStatus.NOT_PLACED] * 4
    looks = house.trading.asked_for("past_orders"), house.trading.asked_for("fills")
    assert [len(it) for it in looks] == [1, 1]


async def test_a_wall_clock_that_was_set_makes_no_order_old(
    house: House, autojump_clock: MockClock
) -> None:
    """I-10: it was a minute slow when this one was sent, and was set right at once."""
    await house.start()
    long_ago_ms = house.trading.now_ms() - 65_000
    await house.room.record(intended(), attempted("i1", ID, attempt_ms=long_ago_ms))
    await house.room.record(UNKNOWN)
    house.trading.stream.pipe.put(RemoteProtocolError("asks for a pass"))
    await house.wait(9.9)
    assert len(await house.passes()) > 2
    assert await statuses(house) == []
    await house.wait(20)
    assert await statuses(house) == [OrderStatus.NOT_PLACED]


async def test_a_request_that_the_venue_s_clock_lets_live_longer_is_not_judged(
    house: House, autojump_clock: MockClock
) -> None:
    """I-10: its clock was ahead when this one was sent, and is right again."""
    await house.start()
    soon_ms = house.trading.now_ms() + 9_000
    await house.room.record(intended(), attempted("i1", ID, attempt_ms=soon_ms))
    await house.room.record(UNKNOWN)
    house.trading.stream.pipe.put(RemoteProtocolError("asks for a pass"))
    await house.wait(18.9)
    assert await statuses(house) == []
    await house.wait(20)
    assert await statuses(house) == [OrderStatus.NOT_PLACED]


async def test_no_conclusion_rests_on_a_query_made_before_the_bound(
    house: House, autojump_clock: MockClock
) -> None:
    """The pass began in time to be too early; its own answers came late."""
    await house.attempt()
    await house.room.record(UNKNOWN)
    await house.wait(9.9)
    house.trading.slow_s = 0.3
    await house.start()
    await house.wait(2)
    begun_s = house.trading.asked_for("past_orders")
    assert all(asked_s > 10.0 for asked_s in begun_s)


@pytest.mark.parametrize("question", ["open_orders", "order", "past_orders", "fills"])
async def test_a_failed_query_concludes_nothing(
    house: House, autojump_clock: MockClock, question: str
) -> None:
    """R-01, R-03: no answer is not the answer no."""
    house.trading.errors[question] = VenueError("500")
    await house.start()
    await unknown(house)
    await house.wait(120)
    assert await statuses(house) == []
    del house.trading.errors[question]
    await house.wait(61)
    assert await statuses(house) == [OrderStatus.NOT_PLACED]


async def test_an_order_that_the_venue_says_nothing_of_bars_nobody_else(
    house: House, autojump_clock: MockClock
) -> None:
    """R-02: its own bot and symbol wait for it, and a person is told."""
    house.trading.errors["order"] = VenueError("500")
    await house.start()
    await unknown(house)
    await house.wait(300)
    assert house.may_buy()
    assert house.alarms() == [("unknown_order", False)]
    del house.trading.errors["order"]
    await house.wait(61)
    assert house.alarms() == [("unknown_order", True)]


async def test_an_order_that_could_not_be_asked_for_is_asked_for_soon(
    house: House, autojump_clock: MockClock
) -> None:
    """I-14: it may have been filled, and nobody guards what it bought."""
    await house.start()
    await house.attempt()
    await house.room.record(Acknowledged("dawn", "main", SYMBOL, ID, "v1"))
    house.trading.errors["order"] = VenueError("500")
    await house.pass_now()
    del house.trading.errors["order"]
    house.trading.orders[ID] = venue_order(FILLED, "1")
    house.trading.executed = [venue_fill("t1", "1")]
    await house.wait(3)
    assert await statuses(house) == [FILLED]


async def test_what_was_not_answered_is_asked_last_and_keeps_no_other_unasked(
    house: House, autojump_clock: MockClock
) -> None:
    await house.attempt()
    other = ID.replace(ID[-4:], "0002")
    await house.room.record(intended(intent_id="i2"), attempted("i2", other))
    house.trading.orders[other] = venue_order(CANCELED, order_id=other)
    house.trading.hang_for = ID
    await house.start()
    await house.wait(70)
    assert await statuses(house) == [CANCELED]
    assert house.may_buy()


async def test_an_order_that_only_history_knows_is_settled_by_it(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await unknown(house)
    house.trading.past = [venue_order(CANCELED)]
    await house.wait(30)
    assert await statuses(house) == [CANCELED]


async def test_an_order_that_only_open_orders_know_is_open(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await unknown(house)
    house.trading.orders[ID] = venue_order(OPEN)
    house.trading.hidden = {ID}
    await house.wait(60)
    assert await statuses(house) == []


async def test_an_order_that_only_executions_know_was_placed(
    house: House, autojump_clock: MockClock
) -> None:
    """R-03: filled in 50 ms and listed only in fills, by the exchange's own order id."""
    await house.start()
    await unknown(house)
    house.trading.executed = [anonymous("t1", house)]
    await house.wait(60)
    found = (await house.passes())[-1]
    assert await statuses(house) == []
    assert found.drifts == (
        f"order {ID}: 1 executed by order {VENUE_ID} of the exchange may be its own",
    )
    house.trading.orders[ID] = venue_order(FILLED, "1")
    await house.wait(62)
    assert await statuses(house) == [FILLED]
    assert len(await house.room.recorded(Filled)) == 1


@pytest.mark.parametrize("is_past", [True, False])
async def test_executions_of_a_foreign_order_say_nothing_of_ours(
    house: House, autojump_clock: MockClock, is_past: bool
) -> None:
    await house.start()
    await unknown(house)
    if is_past:
        house.trading.past = [venue_order(FILLED, "1", "by-hand", "v2")]
    else:
        house.trading.orders["by-hand"] = venue_order(OPEN, "1", "by-hand", "v2")
    house.trading.executed = [anonymous("t1", house, venue_order_id="v2")]
    await house.wait(60)
    assert await statuses(house) == [OrderStatus.NOT_PLACED]


async def test_a_request_that_was_held_back_is_judged_by_when_its_sender_gave_up(
    house: House, autojump_clock: MockClock
) -> None:
    """I-10: what replaces a stop leaves only once the old one is gone."""
    await house.start()
    await house.attempt()
    house.trading.stream.pipe.put(RemoteProtocolError("asks for a pass"))
    await house.wait(8)
    await house.room.record(UNKNOWN)
    house.trading.stream.pipe.put(RemoteProtocolError("asks for a pass"))
    await house.wait(9.9)
    assert await statuses(house) == []
    await house.wait(20)
    assert await statuses(house) == [OrderStatus.NOT_PLACED]


async def test_an_attempt_whose_sender_is_still_at_it_is_not_judged(
    house: House, autojump_clock: MockClock
) -> None:
    """The sender may hold it for a while: only UNKNOWN or a long silence ends it."""
    await house.start()
    await house.attempt()
    for _ in range(5):
        await house.wait(11)
        house.trading.stream.pipe.put(RemoteProtocolError("asks for a pass"))
    await house.wait(1)
    assert len(await house.passes()) > 6
    assert await statuses(house) == []
    await house.wait(62)
    assert await statuses(house) == [OrderStatus.NOT_PLACED]


async def test_an_order_that_the_venue_had_is_never_not_placed(
    house: House, autojump_clock: MockClock
) -> None:
    """Its end would be told once for all: the true one could never follow."""
    await house.attempt()
    house.trading.orders[ID] = venue_order(OPEN)
    await house.start()
    house.trading.orders.clear()
    found = await house.pass_now()
    assert await statuses(house) == []
    assert found.drifts == (f"order {ID}: the venue had it and does not know it",)
    house.trading.past = [venue_order(FILLED, "1")]
    house.trading.executed = [venue_fill("t1", "1")]
    await house.wait(62)
    assert await statuses(house) == [FILLED]


@pytest.mark.parametrize(("executed", "filled_base"), [((), "0"), (("0.4",), "0.4")])
async def test_a_venue_that_forgets_what_was_cancelled_has_cancelled_what_it_forgot(
    house: House, autojump_clock: MockClock, executed: tuple[str, ...], filled_base: str
) -> None:
    house.trading.forgets_canceled = True
    await house.attempt()
    house.trading.orders[ID] = venue_order(OPEN)
    await house.start()
    await house.wait(20)
    del house.trading.orders[ID]
    house.trading.executed = [venue_fill("t1", base) for base in executed]
    house.trading.held = bitcoin(filled_base)
    found = await house.pass_now()
    assert found.drifts == ()
    (end,) = await house.room.recorded(Ended)
    assert (end.status, end.filled_base) == (CANCELED, Decimal(filled_base))
    assert len(await house.room.recorded(Filled)) == len(executed)


async def test_routine_passes_come_every_minute(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.wait(305)
    assert len(await house.passes()) == 6


async def test_passes_keep_a_distance_whoever_asks(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    for number in range(100):
        await house.room.record(
            intended(intent_id=f"n{number}"),
            attempted(f"n{number}", f"c{number}"),
            attrs.evolve(UNKNOWN, client_order_id=f"c{number}"),
        )
    await house.wait(5)
    assert len(await house.passes()) <= 8


async def hold(house: House) -> None:
    await house.room.record(
        intended(),
        attempted("i1", ID),
        filled(1, 100, client_order_id=ID),
        ended(FILLED, "1", ID),
    )


async def test_a_venue_that_holds_less_freezes_the_symbol_to_exits(
    house: House, autojump_clock: MockClock
) -> None:
    """R-13, R-14, I-11: sold by hand, or not all of it was ours."""
    await hold(house)
    house.trading.held = bitcoin("0.6", "0.1")
    await house.start()
    (found,) = await house.passes()
    assert found.drifts == ("BTC: the ledger holds 1, the venue 0.7",)
    lease: Lease = house.lease()
    assert (house.may_buy(), lease.frozen) == (True, frozenset({SYMBOL}))
    assert house.alarms() == [("frozen", False)]


@pytest.mark.parametrize(
    ("executed", "drifts"),
    [("0", ("BTC: the ledger holds 1, the venue 0.7",)), ("0.3", ())],
)
async def test_a_resting_stop_does_not_hide_that_the_venue_holds_less(
    house: House, autojump_clock: MockClock, executed: str, drifts: tuple[str, ...]
) -> None:
    """R-13: unless it was executed, and the fills are on their way."""
    await hold(house)
    intent = exit_intended(stop_price=Decimal(98), limit_price=Decimal("97.5"))
    stop_id = ID[:-1] + ("0" if ID[-1] != "0" else "1")
    await house.room.record(intent, attempted("x1", stop_id))
    known = venue_order(OPEN, executed)
    stop = attrs.evolve(known, client_order_id=stop_id, side=Side.SELL)
    house.trading.orders[stop_id] = stop
    house.trading.held = bitcoin("0", "0.7")
    await house.start()
    assert (await house.passes())[0].drifts == drifts


async def test_a_frozen_symbol_thaws_when_the_venue_holds_enough(
    house: House, autojump_clock: MockClock
) -> None:
    await hold(house)
    await house.start()
    house.trading.held = bitcoin("1")
    house.alarms()
    await house.wait(62)
    assert (house.lease().frozen, house.alarms()) == (frozenset(), [("frozen", True)])


async def test_more_than_we_bought_is_no_drift(
    house: House, autojump_clock: MockClock
) -> None:
    """The account may hold what we did not buy."""
    await hold(house)
    house.trading.held = bitcoin("5")
    await house.start()
    assert (await house.passes())[0].drifts == ()


async def test_an_asset_that_is_being_sold_is_not_judged(
    house: House, autojump_clock: MockClock
) -> None:
    await hold(house)
    house.trading.held = bitcoin("0")  # the venue has sold, and we have not heard it
    exit_id = ID[:-1] + ("0" if ID[-1] != "0" else "1")
    await house.room.record(intended(intent_id="x1"), attempted("x1", exit_id))
    await house.start()
    assert (await house.passes())[0].drifts == ()


async def test_an_asset_that_the_venue_no_longer_names_is_zero(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.held = bitcoin("1")
    await hold(house)
    await house.start()
    house.trading.held = []
    found = await house.pass_now()
    assert found.drifts == ("BTC: the ledger holds 1, the venue 0",)
    assert (await house.room.recorded(Balanced))[-1].free == 0


async def test_only_balances_that_changed_are_recorded(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.held = bitcoin("1")
    await house.start()
    await house.wait(300)
    assert len(await house.room.recorded(Balanced)) == 1


async def test_what_was_sold_is_not_missed(house: House, autojump_clock: MockClock) -> None:
    await hold(house)
    await house.room.record(
        intended(intent_id="x1"),
        attempted("x1", "cx1"),
        sold(1, 110),
        ended(FILLED, "1", "cx1"),
    )
    house.trading.held = bitcoin("0")
    await house.start()
    assert (await house.passes())[0].drifts == ()
