"""The mailbox: wishes wait, facts do not, prices are replaced."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from actors.mailbox import Mailbox, waits_for_a_reader


def joined(early: tuple[int, ...], late: tuple[int, ...]) -> tuple[int, ...]:
    return early + late


async def test_messages_of_all_doors_come_in_the_order_of_their_first_arrival() -> None:
    mailbox = Mailbox[object]("m", wishes_max=2, facts_max=2)
    mailbox.latest("a", 1)
    await mailbox.wish("w1")
    mailbox.fact("f1")
    mailbox.latest("a", 2)
    await mailbox.wish("w2")
    mailbox.fact("f2")
    mailbox.latest("b", 9)
    assert [await mailbox.receive() for _ in range(6)] == [2, "w1", "f1", "w2", "f2", 9]


async def test_a_full_wish_lane_shuts_no_other(nursery: trio.Nursery) -> None:
    mailbox = Mailbox[str]("m", wishes_max=1, facts_max=1)
    await mailbox.wish("w1")
    nursery.start_soon(mailbox.wish, "w2")
    await trio.testing.wait_all_tasks_blocked()
    mailbox.fact("f")
    mailbox.latest("k", "l")
    assert [await mailbox.receive() for _ in range(4)] == ["w1", "f", "l", "w2"]


async def test_a_cancelled_wish_is_not_delivered_and_leaks_no_slot(
    autojump_clock: trio.testing.MockClock,
) -> None:
    mailbox = Mailbox[int]("m", wishes_max=1)
    await mailbox.wish(1)
    with trio.move_on_after(1):
        await mailbox.wish(2)
    taken = await mailbox.receive()
    await mailbox.wish(3)
    assert (taken, await mailbox.receive(), mailbox.depth) == (1, 3, 0)


async def test_waiting_wishes_are_served_first_come_first_served(
    nursery: trio.Nursery,
) -> None:
    mailbox = Mailbox[int]("m", wishes_max=1)
    for number in range(5):
        nursery.start_soon(mailbox.wish, number)
        await trio.testing.wait_all_tasks_blocked()
    assert [await mailbox.receive() for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_a_late_wish_cannot_overtake_a_waiting_one(nursery: trio.Nursery) -> None:
    mailbox = Mailbox[str]("m", wishes_max=1)
    await mailbox.wish("first")
    nursery.start_soon(mailbox.wish, "waited")
    await trio.testing.wait_all_tasks_blocked()
    taken = [mailbox.receive_nowait()]
    nursery.start_soon(mailbox.wish, "late")
    await trio.testing.wait_all_tasks_blocked()
    taken += [mailbox.receive_nowait(), mailbox.receive_nowait()]
    assert taken == ["first", "waited", "late"]


async def test_a_parked_reader_wakes_to_the_freshest_price(nursery: trio.Nursery) -> None:
    mailbox, got = Mailbox[int]("m"), list[int]()

    async def read() -> None:
        while True:
            got.append(await mailbox.receive())

    nursery.start_soon(read)
    await trio.testing.wait_all_tasks_blocked()
    for price in range(100):
        mailbox.latest("k", price)
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    assert got == [99]


async def test_merging_keeps_every_closed_candle() -> None:
    mailbox = Mailbox[tuple[int, ...]]("m")
    for number in range(5):
        mailbox.latest("1m", (number,), joined)
    assert await mailbox.receive() == (0, 1, 2, 3, 4)


async def test_received_is_delivered_plus_merged_plus_replaced() -> None:
    mailbox = Mailbox[tuple[int, ...]]("m")
    for number in range(4):
        mailbox.latest("ticker", (number,))
        mailbox.latest("candle", (number,), joined)
    while mailbox.receive_nowait() is not None:
        pass
    counts = (mailbox.received_latest, mailbox.taken, mailbox.merged, mailbox.replaced)
    assert counts == (8, 2, 3, 3)


async def test_a_price_flood_does_not_starve_a_wish(nursery: trio.Nursery) -> None:
    mailbox, got = Mailbox[object]("m"), list[object]()

    async def flood() -> None:
        while True:
            for key in range(10):
                mailbox.latest(key, key)
            await trio.lowlevel.checkpoint()

    nursery.start_soon(flood)
    await trio.lowlevel.checkpoint()
    await mailbox.wish("w")
    for _ in range(12):
        got.append(await mailbox.receive())
    nursery.cancel_scope.cancel()
    assert "w" in got


async def test_a_full_fact_lane_ends_the_readers_life() -> None:
    mailbox = Mailbox[int]("m", facts_max=2)
    with trio.CancelScope() as mailbox.reader:
        for number in range(3):
            mailbox.fact(number)
        await trio.sleep_forever()
    assert (mailbox.is_overfull, mailbox.overfull.is_set(), mailbox.dropped) == (
        True,
        True,
        1,
    )


async def test_facts_after_a_lost_one_are_not_delivered_either() -> None:
    mailbox = Mailbox[int]("m", facts_max=1)
    mailbox.fact(1)
    mailbox.fact(2)
    first = mailbox.receive_nowait()
    mailbox.fact(3)
    assert (first, mailbox.receive_nowait(), mailbox.dropped) == (1, None, 2)


async def test_a_new_life_forgets_facts_and_keeps_wishes_and_prices() -> None:
    mailbox = Mailbox[str]("m", facts_max=1)
    mailbox.fact("f1")
    await mailbox.wish("w")
    mailbox.fact("f2")
    mailbox.latest("k", "l")
    mailbox.rearm()
    mailbox.latest("k", "newer")
    kept = [mailbox.receive_nowait() for _ in range(3)]
    assert (kept, mailbox.is_overfull, mailbox.depth) == (["w", "newer", None], False, 0)


async def test_asking_again_completes_the_unit_in_hand() -> None:
    mailbox = Mailbox[int]("m")
    mailbox.latest("a", 1)
    mailbox.latest("b", 2)
    completed = [mailbox.completed]
    for _ in range(3):
        mailbox.receive_nowait()
        completed.append(mailbox.completed)
    assert completed == [0, 0, 1, 2]


async def test_a_message_in_hand_at_a_crash_was_no_completed_unit() -> None:
    mailbox = Mailbox[int]("m")
    mailbox.latest("a", 1)
    await mailbox.receive()
    mailbox.rearm()
    mailbox.receive_nowait()
    assert mailbox.completed == 0


async def test_work_from_elsewhere_counts_as_units() -> None:
    mailbox = Mailbox[int]("m")
    mailbox.note_work(500)
    mailbox.note_work()
    assert mailbox.completed == 501


async def test_work_is_due_while_something_waits_or_is_in_hand() -> None:
    mailbox = Mailbox[int]("m")
    due = [mailbox.is_work_due]
    mailbox.latest("a", 1)
    due.append(mailbox.is_work_due)
    mailbox.receive_nowait()
    due.append(mailbox.is_work_due)
    mailbox.receive_nowait()
    due.append(mailbox.is_work_due)
    assert due == [False, True, True, False]


async def test_due_work_that_does_not_move_is_stalled_since_it_was_first_seen() -> None:
    mailbox = Mailbox[int]("m")
    idle_s = mailbox.stalled_s(100.0)
    mailbox.latest("a", 1)
    stalls_s = [mailbox.stalled_s(now_s) for now_s in (103.0, 106.0, 109.0)]
    mailbox.receive_nowait()
    moved_s = mailbox.stalled_s(112.0)
    assert (idle_s, stalls_s, moved_s) == (0.0, [0.0, 3.0, 6.0], 0.0)


async def test_an_idle_reader_never_stalls() -> None:
    mailbox = Mailbox[int]("m")
    assert [mailbox.stalled_s(now_s) for now_s in (0.0, 1e6)] == [0.0, 0.0]


async def test_a_sender_at_a_full_door_is_seen_waiting_for_a_reader(
    nursery: trio.Nursery,
) -> None:
    mailbox, tasks = Mailbox[int]("m", wishes_max=1), list[trio.lowlevel.Task]()

    async def send() -> None:
        tasks.append(trio.lowlevel.current_task())
        await mailbox.wish(2)
        await trio.sleep_forever()

    await mailbox.wish(1)
    nursery.start_soon(send)
    await trio.testing.wait_all_tasks_blocked()
    before = waits_for_a_reader(tasks[0])
    mailbox.receive_nowait()
    await trio.testing.wait_all_tasks_blocked()
    after = waits_for_a_reader(tasks[0])
    nursery.cancel_scope.cancel()
    assert (before, after) == (True, False)


@pytest.mark.parametrize("flood", [10, 10_000])
async def test_depth_is_bounded_whatever_the_flood(flood: int) -> None:
    mailbox = Mailbox[int]("m", wishes_max=2, facts_max=3)
    for number in range(flood):
        mailbox.fact(number)
        mailbox.latest(number % 4, number)
    assert mailbox.depth == 3 + 4


async def test_facts_that_wait_can_be_looked_at_and_stay_where_they_are() -> None:
    mailbox = Mailbox[str]("m")
    assert mailbox.facts_waiting() == []
    mailbox.fact("f1")
    await mailbox.wish("w")
    mailbox.latest("k", "l")
    mailbox.fact("f2")
    assert mailbox.facts_waiting() == ["f1", "f2"]
    assert [mailbox.latest_waiting(key) for key in ("k", "other")] == ["l", None]
    assert [await mailbox.receive() for _ in range(4)] == ["f1", "w", "l", "f2"]
    assert mailbox.depth == 0
