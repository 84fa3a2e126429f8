"""Liveness is progress: a life whose work is due and does not move is ended (R-33)."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from actors.mailbox import Mailbox
from actors.messages.supervision import Event, State
from actors.supervisor import Child
from tests.actors.troupe import Log, Run, actor, supervisor


def hangs(mailbox: Mailbox[int], *, goodbye_s: float = 0.0) -> Run:
    """Return a body that takes one message and never comes back for another."""

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await mailbox.receive()
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(goodbye_s, shield=True):
                await trio.sleep_forever()

    return run


def reads(mailbox: Mailbox[int], *, pause_s: float) -> Run:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        while True:
            await mailbox.receive()
            await trio.sleep(pause_s)

    return run


async def test_a_message_in_hand_for_too_long_ends_the_life(
    autojump_clock: MockClock,
) -> None:
    log, mailbox = Log(), Mailbox[int]("m")
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor(log, "", Child("m", hangs(mailbox), mailbox)).run)
        await trio.sleep(100)
        mailbox.latest("k", 1)
        await trio.sleep(40)
        nursery.cancel_scope.cancel()
    (failure,) = log.only(Event.FAILED)
    assert failure.error == "NoProgress: no progress for 30 s"
    assert 130 <= failure.at_s <= 133


async def test_a_queue_that_nobody_reads_ends_the_life(autojump_clock: MockClock) -> None:
    log, mailbox = Log(), Mailbox[int]("m")
    mailbox.latest("k", 1)
    child = Child("deaf", actor(log, "deaf"), mailbox, progress_s=5)
    with trio.move_on_after(7):
        await supervisor(log, "", child).run()
    (failure,) = log.only(Event.FAILED)
    assert 5 <= failure.at_s <= 5.5


async def test_an_idle_actor_lives_for_ever(autojump_clock: MockClock) -> None:
    log, mailbox = Log(), Mailbox[int]("m")
    child = Child("idle", reads(mailbox, pause_s=0), mailbox)
    with trio.move_on_after(10_000):
        await supervisor(log, "", child).run()
    assert log.only(Event.FAILED) == []


async def test_a_slow_actor_that_moves_lives_on(autojump_clock: MockClock) -> None:
    log, mailbox = Log(), Mailbox[int]("m")
    for number in range(20):
        mailbox.latest(number, number)
    child = Child("slow", reads(mailbox, pause_s=29), mailbox)
    with trio.move_on_after(500):
        await supervisor(log, "", child).run()
    assert (log.only(Event.FAILED), mailbox.taken) == ([], 18)


async def test_a_sender_that_waits_for_a_dead_reader_is_not_to_blame(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    bot, risk = Mailbox[int]("bot"), Mailbox[int]("risk", wishes_max=1)

    async def run_bot(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        while True:
            number = await bot.receive()
            async with trio.open_nursery() as nursery:  # each wish in a task of its own
                nursery.start_soon(risk.wish, number)
                nursery.start_soon(risk.wish, -number)

    for number in range(4):
        bot.latest(number, number)
    children = [
        Child("risk", hangs(risk), risk),
        Child("bot", run_bot, bot),
    ]
    with trio.move_on_after(60):
        await supervisor(log, "", *children).run()
    assert {each.path for each in log.only(Event.FAILED)} == {"risk"}


async def test_a_full_fact_lane_ends_the_life_at_once(autojump_clock: MockClock) -> None:
    log, mailbox = Log(), Mailbox[int]("m", facts_max=3)
    async with trio.open_nursery() as nursery:
        child = Child("m", actor(log, "m"), mailbox)
        await nursery.start(supervisor(log, "", child).run)
        await trio.sleep(1)
        for number in range(5):
            mailbox.fact(number)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    (failure,) = log.only(Event.FAILED)
    assert (failure.at_s, failure.error) == (
        1.0,
        "MailboxOverfull: more than 3 facts waited",
    )


async def test_the_life_after_an_overfull_lane_begins_with_an_empty_one(
    autojump_clock: MockClock,
) -> None:
    log, mailbox = Log(), Mailbox[int]("m", facts_max=1)
    async with trio.open_nursery() as nursery:
        child = Child("m", actor(log, "m"), mailbox)
        await nursery.start(supervisor(log, "", child).run)
        mailbox.fact(1)
        mailbox.fact(2)
        await trio.sleep(1)
        assert not mailbox.is_overfull
        nursery.cancel_scope.cancel()
    assert (len(log.births_s["m"]), mailbox.depth) == (2, 0)


async def test_a_life_that_does_not_end_when_told_is_reported_once(
    autojump_clock: MockClock,
) -> None:
    log, mailbox = Log(), Mailbox[int]("m")
    mailbox.latest("k", 1)
    child = Child("m", hangs(mailbox, goodbye_s=500), mailbox)
    with trio.move_on_after(300):
        await supervisor(log, "", child).run()
    (late,) = [each for each in log.only(Event.OVERRAN) if each.at_s < 300]
    assert 38 <= late.at_s <= 45


async def test_an_actor_that_ended_for_lack_of_progress_starts_again(
    autojump_clock: MockClock,
) -> None:
    log, mailbox = Log(), Mailbox[int]("m")
    mailbox.latest("k", 1)
    tree = supervisor(log, "", Child("m", hangs(mailbox), mailbox))
    async with trio.open_nursery() as nursery:
        await nursery.start(tree.run)
        await trio.sleep(60)
        (seen,) = tree.states()
        nursery.cancel_scope.cancel()
    assert (seen.state, seen.incarnation) == (State.RUNNING, 2)
