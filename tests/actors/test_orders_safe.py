"""SAFE mode: the ledger takes nothing, exits leave by the emergency file (D-2, I-12)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.journal_watch import JournalWatch
from actors.messages import (
    Acknowledged,
    Attempted,
    Ended,
    ExitReason,
    Fact,
    Intended,
    LedgerState,
    OrderRequest,
    OrderStatus,
    OutcomeUnknown,
    PositionClosed,
    Refused,
    Side,
    VenueReject,
)
from actors.pure.fact_record import pack, unpack
from tests.actors.ledger_room import settle
from tests.actors.orders_house import House, open_house
from tests.words import SYMBOL, attempted, exit_intended, intended

FULL = OSError(28, "No space left on device")
HALF = Decimal("0.5")
ENTERED = [intended(), attempted()]  # what dawn holds was bought so


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as made:
        await made.hold()
        yield made


@attrs.frozen
class Room:
    """So much room on the disk, whenever somebody looks."""

    megabytes: int

    async def free_bytes(self) -> int:
        await trio.lowlevel.checkpoint()
        return self.megabytes * 1_000_000


def in_the_file(house: House) -> list[Fact]:
    return [fact for record in house.emergency.file.read() for fact in unpack(record)]


def sold(house: House) -> list[Decimal]:
    return [each.base for each in house.trading.placed if each.side is Side.SELL]


async def test_an_exit_on_a_full_disk_leaves_and_the_file_holds_it_first(
    house: House, autojump_clock: MockClock
) -> None:
    seen: list[type[Fact]] = []

    async def look(_: OrderRequest) -> None:
        await trio.lowlevel.checkpoint()
        seen.extend(type(fact) for fact in in_the_file(house))

    house.trading.on_place = look
    house.room.disk.error = FULL
    await house.start()
    await house.exit()
    assert (sold(house), seen) == ([Decimal(1)], [Intended, Attempted])


def note_leaving(house: House) -> list[float]:
    """Return a list that takes when each order leaves."""
    left_s: list[float] = []

    async def look(_: OrderRequest) -> None:
        await trio.lowlevel.checkpoint()
        left_s.append(trio.current_time())

    house.trading.on_place = look
    return left_s


async def test_an_exit_waits_half_a_second_for_a_disk_that_hangs_and_then_not_at_all(
    house: House, autojump_clock: MockClock
) -> None:
    left_s = note_leaving(house)
    house.room.disk.slow_s = 1000.0
    await house.start()
    begun_s = trio.current_time()
    await house.exit("x1", "0.6")
    await trio.sleep(0.6)
    await house.exit("x2", "0.4")
    assert [at_s - begun_s for at_s in left_s] == pytest.approx([0.5, 0.6], abs=0.05)


async def test_refused_entries_hold_up_no_exit_behind_them(
    house: House, autojump_clock: MockClock
) -> None:
    """I-12: a refusal is a row, and on a slow disk nobody waits for it."""
    left_s = note_leaving(house)
    await house.start(lease_s=0)
    house.room.disk.slow_s = 0.2
    begun_s = trio.current_time()
    for number in range(20):
        await house.post_entry(f"e{number}")
    await house.exit()
    await trio.sleep(10)
    assert [at_s - begun_s <= 0.6 for at_s in left_s] == [True]
    assert len(await house.room.recorded(Refused)) == 20


async def test_a_dead_journal_holds_up_no_exit(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.room.journal_scope.cancel()
    await settle()
    await house.exit()
    await trio.sleep(0.6)
    assert sold(house) == [Decimal(1)]


async def test_entries_are_refused_with_the_reason_and_exits_are_not(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.mailbox.latest(LedgerState, LedgerState("12 MB are free"))
    await house.approve("i2")
    await house.exit()
    (refused,) = await house.room.recorded(Refused)
    assert (refused.code, refused.reasons) == ("safe_mode", ("12 MB are free",))
    assert [request.side for request in house.trading.placed] == [Side.SELL]


async def test_a_second_exit_is_not_sent_while_the_first_cannot_be_recorded(
    house: House, autojump_clock: MockClock
) -> None:
    """I-13, I-15."""
    house.room.disk.error = FULL
    await house.start()
    await house.exit("x1")
    await trio.sleep(8)
    await house.exit("x2")
    assert sold(house) == [Decimal(1)]


async def test_an_exit_that_the_venue_refused_may_be_asked_for_again(
    house: House, autojump_clock: MockClock
) -> None:
    house.trading.answers = [VenueReject("", "-2010", "insufficient balance")]
    house.room.disk.error = FULL
    await house.start()
    await house.exit("x1")
    await trio.sleep(1)
    await house.exit("x2")
    assert sold(house) == [Decimal(1), Decimal(1)]


async def test_the_ledger_gets_it_all_in_order_and_once_when_it_takes_rows(
    house: House, autojump_clock: MockClock
) -> None:
    house.room.disk.error = FULL
    await house.start()
    await house.exit()
    await trio.sleep(3)
    assert await house.room.recorded(Intended, Attempted, Acknowledged) == ENTERED
    house.room.disk.error = None
    await trio.sleep(3)
    told = await house.room.recorded(Intended, Attempted, Acknowledged)
    assert [type(fact) for fact in told[2:]] == [Intended, Attempted, Acknowledged]
    assert in_the_file(house) == []


async def test_safe_mode_is_over_when_the_file_is_empty_and_not_before(
    house: House, autojump_clock: MockClock
) -> None:
    house.room.disk.error = FULL
    await house.start()
    await house.exit("x1", "0.5")
    house.room.disk.error = None
    house.emergency.error = OSError(5, "Input/output error")
    await trio.sleep(10)
    await house.lease()
    await house.approve("i2", bot="dusk")
    house.emergency.error = None
    await trio.sleep(3)
    await house.lease()
    await house.approve("i3", bot="dusk")
    assert [fact.code for fact in await house.room.recorded(Refused)] == ["safe_mode"]
    assert house.alarms()[-1].is_over
    assert house.trading.placed[-1].side is Side.BUY


async def test_what_neither_takes_is_not_sent_and_that_is_said_loudly(
    house: House, autojump_clock: MockClock
) -> None:
    """I-2: nothing leaves that is not durable."""
    house.room.disk.error = FULL
    await house.start()
    house.emergency.error = OSError(5, "Input/output error")
    await house.exit()
    assert sold(house) == []
    alarms = {alarm.code: alarm for alarm in house.alarms()}
    assert "exit of dawn on BTC/USDT was NOT SENT" in alarms["exit_not_sent"].text
    house.emergency.error = None
    await house.exit("x2")
    assert sold(house) == [Decimal(1)]
    assert {a.code: a.is_over for a in house.alarms()}["exit_not_sent"]


async def test_an_exit_that_was_not_sent_is_forgotten_with_its_position(
    house: House, autojump_clock: MockClock
) -> None:
    """Its stop may have sold it at the exchange: nobody asks for the exit again."""
    house.room.disk.error = FULL
    await house.start()
    house.emergency.error = OSError(5, "Input/output error")
    await house.exit()
    assert not {a.code: a.is_over for a in house.alarms()}["exit_not_sent"]
    house.room.disk.error = None
    zero = Decimal(0)
    gone = PositionClosed(
        "dawn", "main", SYMBOL, "c1", ExitReason.STOP_LOSS, Decimal(90), zero, zero, ""
    )
    await house.room.record(gone)
    assert {a.code: a.is_over for a in house.alarms()}["exit_not_sent"]


async def test_a_file_that_hangs_costs_half_a_second(
    house: House, autojump_clock: MockClock
) -> None:
    house.room.disk.error = FULL
    await house.start()
    house.emergency.slow_s = 1000.0
    await house.exit()
    await trio.sleep(0.4)
    assert house.mailbox.is_work_due
    await trio.sleep(0.2)
    assert (sold(house), house.mailbox.is_work_due) == ([], False)


async def test_an_attempt_that_a_hanging_file_took_late_was_never_sent(
    house: House, autojump_clock: MockClock
) -> None:
    house.room.disk.error = FULL
    await house.start()
    house.emergency.slow_s = 1000.0
    await house.exit()
    await trio.sleep(1)
    house.emergency.file.append(pack([exit_intended(), attempted("x1", "late")]))
    house.emergency.slow_s, house.room.disk.error = 0.0, None
    await trio.sleep(8)
    (told,) = (f for f in await house.room.recorded(Ended) if f.client_order_id == "late")
    assert told.status is OrderStatus.NOT_PLACED


async def test_the_next_life_takes_the_file_first_and_never_sends_again(
    house: House, autojump_clock: MockClock
) -> None:
    """It was put there, and perhaps sent, by a life that crashed."""
    house.emergency.file.append(pack([exit_intended(), attempted("x1", "cx")]))
    await house.start()
    await house.exit("x1")
    await house.exit("x2")
    assert house.trading.placed == []
    assert [f.client_order_id for f in await house.room.recorded(OutcomeUnknown)] == ["cx"]
    assert in_the_file(house) == []


async def test_a_start_whose_ledger_refuses_counts_what_the_file_holds(
    house: House, autojump_clock: MockClock
) -> None:
    house.emergency.file.append(pack([exit_intended(base=HALF), attempted("x1", "cx")]))
    house.room.disk.error = FULL
    await house.start()
    await house.exit("x2")
    assert sold(house) == [HALF]
    house.room.disk.error = None
    await trio.sleep(3)
    ids = [fact.client_order_id for fact in await house.room.recorded(Attempted)]
    assert ids == ["c1", "cx", house.trading.placed[0].client_order_id]


async def test_a_crash_between_record_and_clear_is_harmless(
    house: House, autojump_clock: MockClock
) -> None:
    facts = exit_intended(), attempted("x1", "cx")
    house.emergency.file.append(pack(facts))
    await house.room.record(*facts)
    await house.start()
    await trio.sleep(3)
    assert len(await house.room.recorded(Attempted)) == 2
    assert (in_the_file(house), house.trading.placed) == ([], [])


async def test_people_see_safe_mode_begin_with_its_reason_and_end_once(
    house: House, autojump_clock: MockClock
) -> None:
    await house.start()
    house.mailbox.latest(LedgerState, LedgerState("12 MB are free"))
    await settle()
    (begun,) = house.alarms()
    house.mailbox.latest(LedgerState, LedgerState())
    await settle()
    (over,) = house.alarms()
    assert (begun.code, begun.is_over, over.is_over) == ("safe_mode", False, True)
    assert "12 MB are free" in begun.text


async def test_a_life_that_begins_while_the_disk_is_short_begins_in_safe_mode(
    house: House, autojump_clock: MockClock
) -> None:
    """What the journal told of its disk was told to the life before (D-2)."""
    room, orders = house.room, [house.mailbox]
    room.watch = partial(JournalWatch, "journal", Room(40), orders=orders)
    room.journal_scope.cancel()
    await room.start_journal()
    life = await house.start()
    await trio.sleep(6)
    life.cancel()
    await settle()
    house.alarms()
    await house.start()
    await house.approve("i2")
    (refused,) = await room.recorded(Refused)
    assert refused.reasons == ("40 MB are free where the ledger is, below 50 MB",)
    assert not [alarm for alarm in house.alarms() if alarm.is_over]
