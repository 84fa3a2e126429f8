"""The orders actor: durable first, sent once, and loud about what it did not send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.messages import (
    Acknowledged,
    Attempted,
    BotPaused,
    CancelIntent,
    CancelRejected,
    CancelRequested,
    Ended,
    Filled,
    Intended,
    OrderRequest,
    OrderStatus,
    OutcomeUnknown,
    Refused,
    Side,
    VenueReject,
    VenueUnknown,
)
from actors.pure.client_order_id import client_order_id
from tests.actors.ledger_room import settle
from tests.actors.orders_house import EPOCH, TAG, House, held, open_house
from tests.words import SYMBOL, attempted, ended, filled, intended

FULL = OSError(28, "No space left on device")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        yield made


async def refusals(house: House) -> list[str]:
    return [fact.code for fact in await house.room.recorded(Refused)]


async def test_intent_and_attempt_are_durable_before_the_order_leaves(
    house: House, autojump_clock: MockClock
) -> None:
    """R-06, I-2."""
    seen: list[type[Any]] = []

    async def look(_: OrderRequest) -> None:
        seen.extend(type(f) for f in await house.room.recorded(Intended, Attempted))

    house.trading.on_place = look
    await house.start()
    await house.approve()
    assert seen == [Intended, Attempted]


async def test_the_order_is_the_one_that_was_approved(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve(base=Decimal("0.25"))
    (request,) = house.trading.placed
    assert (request.base, request.client_order_id) == (
        Decimal("0.25"),
        client_order_id(TAG, EPOCH, "i1", 1),
    )


async def test_an_acknowledgement_is_a_fact(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve()
    (told,) = await house.room.recorded(Acknowledged)
    assert told.client_order_id == house.trading.placed[0].client_order_id


async def test_a_disk_that_fails_lets_no_order_out_and_says_so(
    house: House, autojump_clock: MockClock
) -> None:
    house.room.disk.error = FULL
    await house.start()
    await house.approve()
    assert house.trading.placed == []
    (alarm,) = house.alarms()
    assert (alarm.code, alarm.is_over) == ("safe_mode", False)
    assert "No space left on device" in alarm.text


async def test_the_alarm_is_over_when_the_ledger_takes_an_order_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.room.disk.error = FULL
    await house.start()
    await house.approve()
    house.room.disk.error = None
    await trio.sleep(6)
    await house.lease()
    await house.approve(intent_id="i2")
    assert [alarm.is_over for alarm in house.alarms()] == [True]
    assert len(house.trading.placed) == 1


async def test_entries_wait_for_a_dead_journal_once_and_exits_behind_them_do_not(
    house: House, autojump_clock: MockClock
) -> None:
    await house.hold()
    await house.start()
    house.room.journal_scope.cancel()
    await settle()
    for number in range(2, 12):
        await house.post_entry(f"i{number}")
    await house.post_exit()
    await trio.sleep(0.9)
    assert (house.mailbox.depth, house.trading.placed) == (10, [])
    await trio.sleep(0.2)
    assert house.mailbox.depth == 0
    assert [request.side for request in house.trading.placed] == [Side.SELL]


async def test_an_attempt_that_became_durable_too_late_is_told_as_never_sent(
    house: House, autojump_clock: MockClock
) -> None:
    """Its record waited for the journal's next life; nobody else would ever send it."""
    await house.start()
    house.room.journal_scope.cancel()
    await settle()
    await house.approve()
    await trio.sleep(6)  # JournalDown
    await house.room.start_journal()
    await settle()
    assert [f.status for f in await house.room.recorded(Ended)] == [OrderStatus.NOT_PLACED]
    assert house.trading.placed == []
    await house.lease()
    await house.approve(intent_id="i2")
    assert len(house.trading.placed) == 1


async def test_a_slow_disk_makes_an_order_too_late_to_send(
    house: House, autojump_clock: MockClock
) -> None:
    """I-16."""
    house.room.disk.slow_s = 0.4
    await house.start()
    await house.approve(valid_until_s=trio.current_time() + 0.3)
    await trio.sleep(10)
    assert house.trading.placed == []
    assert [f.code for f in await house.room.recorded(Ended)] == ["expired"]


async def test_nobody_waits_long_for_an_entry_to_be_durable(
    house: House, autojump_clock: MockClock
) -> None:
    """The bound on which reconciliation counts (I-10)."""
    house.room.disk.slow_s = 2.5
    await house.start()
    await house.approve(valid_until_s=trio.current_time() + 60)
    await trio.sleep(10)
    assert house.trading.placed == []
    (told,) = await house.room.recorded(Ended)
    assert told.status is OrderStatus.NOT_PLACED


async def test_the_same_decision_twice_is_one_order(
    house: House, autojump_clock: MockClock
) -> None:
    """I-1, I-9."""
    await house.start()
    await house.approve()
    await house.approve()
    assert len(house.trading.placed) == 1
    assert await refusals(house) == []


async def test_the_same_decision_in_the_next_life_is_still_one_order(
    house: House, autojump_clock: MockClock
) -> None:
    life = await house.start()
    await house.approve()
    life.cancel()
    await settle()
    await house.start()
    await house.approve()
    assert len(house.trading.placed) == 1


async def test_an_expired_entry_is_never_sent(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve(valid_until_s=trio.current_time() - 0.001)
    assert (house.trading.placed, await refusals(house)) == ([], ["expired"])


async def test_without_a_lease_nothing_is_bought(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start(lease_s=0.0)
    await house.approve()
    await house.lease(5.0)
    await trio.sleep(5.1)
    await house.approve(intent_id="i2", valid_until_s=trio.current_time() + 5)
    assert await refusals(house) == ["not_reconciled", "not_reconciled"]


async def test_a_paused_bot_buys_nothing_and_sells(
    house: House, autojump_clock: MockClock
) -> None:
    await house.hold()
    await house.start()
    await house.room.record(BotPaused("dawn", "main", "holiday"))
    await house.approve(intent_id="i2")
    await house.exit()
    assert await refusals(house) == ["paused"]
    assert [request.base for request in house.trading.placed] == [Decimal(1)]


async def test_one_open_entry_for_each_bot_and_symbol(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve()
    await house.approve(intent_id="i2")
    await house.approve(intent_id="i3", bot="dusk")
    assert await refusals(house) == ["open_entry"]
    assert len(house.trading.placed) == 2


async def test_an_unknown_outcome_blocks_new_risk_until_it_is_settled(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.answers = [VenueUnknown("", "time-out")]
    await house.start()
    await house.approve()
    await house.approve(intent_id="i2")
    assert await refusals(house) == ["unknown_order"]
    order_id = house.trading.placed[0].client_order_id
    await house.room.record(ended(OrderStatus.NOT_PLACED, order_id=order_id))
    await house.approve(intent_id="i3")
    assert len(house.trading.placed) == 2


async def test_a_lost_answer_says_nothing_when_the_stream_was_faster(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.answers, house.trading.answer_s = [VenueUnknown("", "time-out")], 10.0
    await house.start()
    await house.approve()
    order_id = house.trading.placed[0].client_order_id
    await house.room.record(filled(1, 100, client_order_id=order_id))
    await trio.sleep(11)
    assert await house.room.recorded(OutcomeUnknown) == []


async def test_a_transport_that_breaks_its_promise_leaves_an_unknown(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.answers = [None]  # never answers, though ports.py says that it does
    await house.start()
    await house.approve()
    await trio.sleep(16)
    assert len(await house.room.recorded(OutcomeUnknown)) == 1


async def test_a_definite_no_frees_the_bot(house: House, autojump_clock: MockClock) -> None:
    house.trading.answers = [VenueReject("", "-2010", "insufficient balance")]
    await house.start()
    await house.approve()
    await house.approve(intent_id="i2")
    assert len(house.trading.placed) == 2
    assert [f.code for f in await house.room.recorded(Ended)] == ["-2010"]


async def test_the_limits_are_judged_once_more(
    house: House, autojump_clock: MockClock
) -> None:
    house.limit = ("capital", "too much")
    await house.start()
    await house.approve()
    assert (house.trading.placed, await refusals(house)) == ([], ["capital"])


async def test_a_symbol_that_is_not_listed_is_refused(
    house: House, autojump_clock: MockClock
) -> None:
    house.instruments.clear()
    await house.hold()
    await house.start()
    await house.approve(intent_id="i2")
    await house.exit()
    assert await refusals(house) == ["unknown_symbol", "unknown_symbol"]


async def test_exits_together_never_sell_more_than_is_held(
    house: House, autojump_clock: MockClock
) -> None:
    """I-13, I-15: two monitors, one position."""
    await house.hold()
    await house.start()
    await house.exit("x1", "0.6")
    await house.exit("x2", "0.6")
    await house.exit("x3", "0.6")
    assert [request.base for request in house.trading.placed] == [
        Decimal("0.6"),
        Decimal("0.4"),
    ]
    assert await refusals(house) == ["exit_in_flight"]


async def test_an_exit_needs_no_lease(house: House, autojump_clock: MockClock) -> None:
    await house.hold()
    await house.start(lease_s=0.0)
    await house.exit()
    assert len(house.trading.placed) == 1


async def test_an_exit_that_waited_too_long_is_asked_for_anew(
    house: House, autojump_clock: MockClock
) -> None:
    await house.hold()
    await house.start()
    await house.exit(valid_until_s=trio.current_time() - 1)
    assert (house.trading.placed, await refusals(house)) == ([], ["expired"])


async def test_an_exit_cancels_the_entry_that_is_still_open(
    house: House, autojump_clock: MockClock
) -> None:
    await house.hold()
    await house.start()
    await house.approve(intent_id="i2")
    entry_id = house.trading.placed[0].client_order_id
    await house.exit()
    assert house.trading.cancelled == [entry_id]


async def test_a_cancel_is_read_back_whatever_its_answer_was(
    house: House, autojump_clock: MockClock
) -> None:
    """R-08: the venue filled it before the cancel came."""
    await house.start()
    await house.approve()
    order_id = house.trading.placed[0].client_order_id
    house.trading.orders[order_id] = held(order_id, OrderStatus.FILLED, "0.01")
    await house.cancel(order_id)
    (told,) = await house.room.recorded(Ended)
    assert (told.status, told.filled_base) == (OrderStatus.FILLED, Decimal("0.01"))


async def test_a_cancel_is_in_the_ledger_with_its_reason_and_its_refusal(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve()
    order_id = house.trading.placed[0].client_order_id
    house.trading.orders[order_id] = held(order_id, OrderStatus.OPEN)
    house.trading.cancels = VenueReject(order_id, "-2011", "not today")
    await house.cancel(order_id)
    (asked,) = await house.room.recorded(CancelRequested)
    (refused,) = await house.room.recorded(CancelRejected)
    assert (asked.number, refused.number, refused.reason) == (1, 1, "not today")


async def test_what_is_not_ours_or_has_ended_is_not_cancelled(
    house: House, autojump_clock: MockClock
) -> None:
    """R-16."""
    await house.room.record(intended(), attempted(), ended(OrderStatus.CANCELED))
    await house.start()
    await house.cancel("c1")
    await house.cancel("somebody-else")
    assert house.trading.cancelled == []


async def test_an_attempt_without_an_answer_is_unknown_to_the_next_life(
    house: House, autojump_clock: MockClock
) -> None:
    """R-07: the process died between the commit and the answer."""
    await house.room.record(intended(), attempted())
    await house.start()
    await house.approve(intent_id="i2")
    assert [f.client_order_id for f in await house.room.recorded(OutcomeUnknown)] == ["c1"]
    assert (house.trading.placed, await refusals(house)) == ([], ["unknown_order"])


async def test_a_crash_in_the_middle_of_a_send_never_sends_again(
    house: House, autojump_clock: MockClock
) -> None:
    """R-05: the answer of the first life is lost; the venue may have the order."""
    house.trading.answers = [RuntimeError("a defect in the adapter")]
    with pytest.RaisesGroup(RuntimeError, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            await nursery.start(house.run)
            await house.lease()
            await house.post_entry("i1")
    await house.start()
    await house.approve()
    assert len(house.trading.placed) == 1
    assert len(await house.room.recorded(OutcomeUnknown)) == 1


async def test_a_stop_waits_for_the_answer_in_flight(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.answer_s = 1.5
    life = await house.start()
    await house.approve()
    life.cancel()
    await trio.sleep(2)
    assert len(await house.room.recorded(Acknowledged)) == 1


async def test_a_stop_waits_two_seconds_and_no_longer(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.answer_s = 10.0
    begun_s = trio.current_time()
    with trio.CancelScope() as life:
        async with trio.open_nursery() as nursery:
            await nursery.start(house.run)
            await house.lease()
            await house.post_entry("i1")
            await settle()
            life.cancel()
    assert trio.current_time() - begun_s == pytest.approx(2.0)
    assert len(await house.room.recorded(OutcomeUnknown)) == 1


@pytest.mark.parametrize("is_stopping", [True, False])
async def test_entries_are_cancelled_only_when_the_program_stops(
    house: House, autojump_clock: MockClock, is_stopping: bool
) -> None:
    """R-39: a restart of the actor cancels nothing; exits stay in any case."""
    await house.hold()
    life = await house.start()
    await house.approve(intent_id="i2", base=Decimal("0.5"))
    await house.exit("x1")
    entry_id, exit_id = (request.client_order_id for request in house.trading.placed)
    house.trading.cancelled.clear()
    for order_id in (entry_id, exit_id):
        house.trading.orders[order_id] = held(order_id, OrderStatus.OPEN)
    house.is_stopping = is_stopping
    life.cancel()
    await trio.sleep(3)
    assert house.trading.cancelled == ([entry_id] if is_stopping else [])
    assert len(await house.room.recorded(Ended)) == 1 + is_stopping


async def test_a_fill_before_the_acknowledgement_is_held_at_once(
    house: House, autojump_clock: MockClock
) -> None:
    """R-10."""
    house.trading.answer_s = 5.0
    await house.start()
    await house.approve(base=Decimal(1))
    order_id = house.trading.placed[0].client_order_id
    await house.room.record(filled(1, 100, client_order_id=order_id))
    await house.exit("x1")
    assert house.trading.placed[1].base == Decimal(1)
    assert len(await house.room.recorded(Filled)) == 1


async def test_a_cancel_wish_reaches_the_venue(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    await house.approve()
    order_id = house.trading.placed[0].client_order_id
    house.trading.orders[order_id] = held(order_id, OrderStatus.OPEN)
    await house.mailbox.wish(CancelIntent("main", "dawn", SYMBOL, order_id, "overdue"))
    await settle()
    assert [f.status for f in await house.room.recorded(Ended)] == [OrderStatus.CANCELED]
