"""Whoever has a goodbye to say lives once more to say it, when its tree stops (R-39)."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from actors.messages.supervision import Event, State
from actors.seat import LEAVE_S
from actors.supervisor import Child
from tests.actors.troupe import Log, Run, actor, supervisor

ONE_LIFE = [Event.STARTING, Event.READY, Event.STOPPING, Event.STOPPED]


def polite(run: Run) -> Child:
    return Child("polite", run, stop_s=12.0, has_goodbye=True)


def events(log: Log, *, after: int) -> list[Event]:
    return [event for event, _ in log.events("polite")][after:]


async def test_a_wait_between_two_lives_ends_in_a_last_one(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    child = polite(actor(log, "polite", lives_s=[1.0, 1.0, 1.0], ready_after_s=0.5))
    with trio.move_on_after(20):
        await supervisor(log, "", child).run()
    assert events(log, after=9) == ONE_LIFE
    assert log.births_s["polite"][3:] == [20.0]
    assert trio.current_time() == 20.5


async def test_whoever_crashes_while_those_below_stop_lives_until_its_turn(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    child = polite(actor(log, "polite", lives_s=[3.0]))
    below = Child("below", actor(log, "below", goodbye_s=4.0))
    with trio.move_on_after(2):
        await supervisor(log, "", child, below).run()
    assert events(log, after=3) == ONE_LIFE
    assert [each.at_s for each in log.only(Event.STOPPED)] == [6.0, 6.0]


async def test_a_life_that_is_only_beginning_is_let_begin(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    child = polite(actor(log, "polite", ready_after_s=3.0))
    with trio.move_on_after(1):
        await supervisor(log, "", child).run()
    assert events(log, after=0) == ONE_LIFE
    assert trio.current_time() == 3.0


async def test_a_last_life_that_is_not_ready_in_time_is_the_last(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    child = polite(actor(log, "polite", ready_after_s=25.0))
    with trio.move_on_after(1):
        await supervisor(log, "", child).run()
    assert trio.current_time() == 1 + LEAVE_S
    assert (log.last("polite").event, log.last("polite").new) == (
        Event.STOPPED,
        State.STOPPED,
    )
    assert len(log.births_s["polite"]) == 1


async def test_a_last_life_that_crashes_is_the_last(autojump_clock: MockClock) -> None:
    log = Log()

    async def run(**_: object) -> None:
        log.born("polite")
        await trio.sleep(1)
        raise RuntimeError("never ready")

    with trio.move_on_after(6):
        await supervisor(log, "", polite(run)).run()
    assert log.births_s["polite"][3:] == [6.0]
    assert trio.current_time() == 7.0


async def test_in_a_hurry_no_last_life_begins(autojump_clock: MockClock) -> None:
    log = Log()
    child = polite(actor(log, "polite", lives_s=[1.0, 1.0, 1.0]))
    below = Child("below", actor(log, "below", goodbye_s=4.0))
    tree = supervisor(log, "", child, below)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree.run)
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
            tree.hurry()
    assert len(log.births_s["polite"]) == 3
    assert log.last("polite").new is State.STOPPED


async def test_a_goodbye_of_one_whom_an_operator_stopped_was_said(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    tree = supervisor(log, "", polite(actor(log, "polite")))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree.run)
        await trio.sleep(1)
        tree.stop("polite")
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert log.births_s["polite"] == [0.0]
