"""The supervisor keeps actors alive by the policy, in mock time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.mailbox import Mailbox
from actors.messages.supervision import Event, State
from actors.pure.breaker import Policy
from actors.supervisor import Child
from tests.actors.troupe import Log, actor, breaks_at_once, never_ready, supervisor

# The middle of the jitter: 0.75 of a back-off, 1.05 of an open circuit.
SHORT_WAITS_S = [0.25 * 0.75, 0.5 * 0.75]
OPEN_S = 60 * 1.05


async def test_the_timeline_is_the_one_the_policy_predicts(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    fragile = Child("fragile", actor(log, "fragile", lives_s=[1.0] * 100))
    with trio.move_on_after(10_000):
        await supervisor(log, "", fragile).run()
    births_s = [0.0]
    for wait_s in [*SHORT_WAITS_S, *[OPEN_S] * 7]:
        births_s.append(births_s[-1] + 1.0 + wait_s)
    assert log.births_s["fragile"] == pytest.approx(births_s)


async def test_the_tenth_failure_is_shown_as_failed(autojump_clock: MockClock) -> None:
    log = Log()
    fragile = Child("fragile", actor(log, "fragile", lives_s=[1.0] * 100))
    with trio.move_on_after(10_000):
        await supervisor(log, "", fragile).run()
    assert log.last("fragile").new is State.FAILED


async def test_a_crash_is_told_step_by_step(autojump_clock: MockClock) -> None:
    log = Log()
    fragile = Child("fragile", actor(log, "fragile", lives_s=[1.0]))
    with trio.move_on_after(5):
        await supervisor(log, "", fragile).run()
    assert log.events("fragile") == [
        (Event.STARTING, State.STARTING),
        (Event.READY, State.RUNNING),
        (Event.FAILED, State.BACKOFF),
        (Event.STARTING, State.STARTING),
        (Event.READY, State.RUNNING),
        (Event.STOPPING, State.STOPPING),
        (Event.STOPPED, State.STOPPED),
    ]


async def test_a_failure_says_what_when_where_and_what_next(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    run = actor(log, "fragile", lives_s=[1.5])
    mailbox = Mailbox[int]("fragile")
    mailbox.latest("k", 1)
    with trio.move_on_after(5):
        await supervisor(log, "desk", Child("fragile", run, mailbox)).run()
    (crash,) = log.only(Event.FAILED)
    assert crash.error.startswith("RuntimeError: fragile breaks in actors/troupe.py:")
    assert (crash.path, crash.incarnation, crash.consecutive) == ("desk/fragile", 1, 1)
    assert (crash.old, crash.uptime_s, crash.mailbox_depth) == (State.RUNNING, 1.5, 1)
    assert (crash.delay_s, crash.next) == (0.1875, "starts again in 0.19 s")


async def test_an_open_circuit_gives_one_half_open_start(autojump_clock: MockClock) -> None:
    log = Log()
    with trio.move_on_after(SHORT_WAITS_S[0] + SHORT_WAITS_S[1] + OPEN_S + 1):
        await supervisor(log, "", Child("hopeless", breaks_at_once)).run()
    states = [state for _, state in log.events("hopeless")]
    assert states[4:] == [
        State.STARTING,
        State.OPEN,
        State.HALF_OPEN,
        State.OPEN,
        State.STOPPED,
    ]


async def test_a_probe_that_is_not_ready_in_time_opens_the_circuit_again(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    stuck = Child("stuck", never_ready, start_s=7.0, policy=Policy(threshold=1))
    with trio.move_on_after(7 + OPEN_S + 7 + 1):
        await supervisor(log, "", stuck).run()
    assert [(each.at_s, each.new) for each in log.only(Event.FAILED)] == [
        (7.0, State.OPEN),
        (14.0 + OPEN_S, State.OPEN),
    ]


async def test_a_start_beyond_its_deadline_is_a_failure_with_that_reason(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    with trio.move_on_after(30.1):
        await supervisor(log, "", Child("stuck", never_ready)).run()
    (failure,) = log.only(Event.FAILED)
    assert (failure.at_s, failure.error) == (30.0, "NotReady: not ready in 30 s")


async def test_a_permanent_actor_that_returns_has_failed(autojump_clock: MockClock) -> None:
    async def leave(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(1)

    log = Log()
    with trio.move_on_after(1.1):
        await supervisor(log, "", Child("leaver", leave)).run()
    assert "ActorReturned" in log.only(Event.FAILED)[0].error


async def test_an_actor_that_may_return_is_finished(autojump_clock: MockClock) -> None:
    async def leave(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(1)

    log = Log()
    with trio.move_on_after(100):
        await supervisor(log, "", Child("job", leave, is_permanent=False)).run()
    assert log.events("job")[-1] == (Event.FINISHED, State.STOPPED)


async def test_a_healthy_minute_without_work_forgets_nothing(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    idle = Child("idle", actor(log, "idle", lives_s=[1, 1, 500]), Mailbox[int]("idle"))
    with trio.move_on_after(600):
        await supervisor(log, "", idle).run()
    assert log.last("idle").consecutive == 3


@pytest.mark.parametrize(("health_s", "consecutive"), [(59.9, 3), (60.0, 1)])
async def test_a_healthy_minute_with_three_units_forgets_the_failures(
    health_s: float, consecutive: int, autojump_clock: MockClock
) -> None:
    log = Log()
    mailbox = Mailbox[int]("busy")

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        log.born("busy")
        task_status.started()
        mailbox.note_work(3)
        await trio.sleep(health_s if len(log.births_s["busy"]) == 3 else 1.0)
        raise RuntimeError

    with trio.move_on_after(2 + sum(SHORT_WAITS_S) + health_s + 0.01):
        await supervisor(log, "", Child("busy", run, mailbox)).run()
    assert log.only(Event.FAILED)[2].consecutive == consecutive


async def test_work_of_an_earlier_life_does_not_prove_this_one(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    mailbox = Mailbox[int]("m")

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        log.born("m")
        task_status.started()
        if len(log.births_s["m"]) == 1:
            mailbox.note_work(100)
        await trio.sleep(1.0 if len(log.births_s["m"]) == 1 else 61.0)
        raise RuntimeError

    with trio.move_on_after(63):
        await supervisor(log, "", Child("m", run, mailbox)).run()
    assert log.only(Event.FAILED)[1].consecutive == 2


async def test_health_is_told_while_the_actor_lives(autojump_clock: MockClock) -> None:
    log = Log()
    child = Child("calm", actor(log, "calm", lives_s=[1]))  # no mailbox: nothing to count
    with trio.move_on_after(100):
        await supervisor(log, "", child).run()
    (healthy,) = log.only(Event.HEALTHY)
    assert (60 <= healthy.uptime_s <= 63, healthy.consecutive) == (True, 0)


async def test_neighbours_of_a_crash_keep_their_message_counts(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    log, counts = Log(), dict[str, int]()
    boxes = {name: Mailbox[int](name) for name in ("left", "victim", "right")}

    def reader(name: str, *, breaks_on: int) -> Child:
        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            log.born(name)
            task_status.started()
            while True:
                number = await boxes[name].receive()
                counts[name] = counts.get(name, 0) + 1
                if number == breaks_on:
                    raise RuntimeError

        return Child(name, run, boxes[name])

    children = [reader(name, breaks_on=20 if name == "victim" else -1) for name in boxes]
    await nursery.start(supervisor(log, "", *children).run)
    for number in range(100):
        for box in boxes.values():
            await box.wish(number)
        await trio.sleep(0.01)
    await trio.sleep(1)
    births = {name: len(log.births_s[name]) for name in boxes}
    nursery.cancel_scope.cancel()
    assert counts == {"left": 100, "victim": 100, "right": 100}
    assert births == {"left": 1, "victim": 2, "right": 1}


async def test_two_lives_of_one_actor_never_overlap(autojump_clock: MockClock) -> None:
    log = Log()
    slow = Child("slow", actor(log, "slow", lives_s=[1.0] * 5, goodbye_s=3.0))
    with trio.move_on_after(300):
        await supervisor(log, "", slow).run()
    assert log.steps == ["+slow", "-slow"] * 6


async def test_being_ready_twice_is_the_actors_mistake(autojump_clock: MockClock) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        task_status.started()
        await trio.sleep_forever()

    log = Log()
    with trio.move_on_after(0.1):
        await supervisor(log, "", Child("eager", run)).run()
    assert "eager called started() twice" in log.only(Event.FAILED)[0].error


def test_two_children_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="have one name"):
        supervisor(Log(), "", Child("a", never_ready), Child("a", never_ready))


async def test_an_error_that_cannot_say_what_it_is_ends_one_life_only(
    autojump_clock: MockClock,
) -> None:
    class Coded(Exception):
        def __str__(self) -> str:
            return self.args[0]

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(1)
        raise Coded(42)

    log = Log()
    children = Child("odd", run), Child("calm", actor(log, "calm"))
    with trio.move_on_after(10):
        await supervisor(log, "", *children).run()
    assert log.births_s["calm"] == [0.0]
    assert log.only(Event.FAILED)[0].error.startswith("Coded: <exception str() failed>")
