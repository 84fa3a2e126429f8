"""Start from top to bottom, stop from bottom to top, each child in its turn."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.messages.supervision import Event, State
from actors.pure.breaker import Policy
from actors.supervisor import Child, Supervisor
from tests.actors.troupe import Log, actor, breaks_at_once, never_ready, supervisor


def tree(log: Log) -> Supervisor:
    """Return journal, feed, an account group of two, and two bots that start together."""

    def child(name: str, *, ready_after_s: float = 0, goodbye_s: float = 0) -> Child:
        run = actor(log, name, ready_after_s=ready_after_s, goodbye_s=goodbye_s)
        return Child(name, run)

    account = supervisor(log, "account", child("orders"), child("positions"))
    bots = supervisor(log, "bots", child("b1"), child("b2"), start_together=True)
    return supervisor(
        log,
        "",
        child("journal", ready_after_s=0.5, goodbye_s=0.5),
        child("feed", ready_after_s=0.1),
        Child("account", account.run),
        Child("bots", bots.run),
    )


async def test_each_child_starts_when_the_one_above_is_ready(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    with trio.move_on_after(1):
        await tree(log).run()
    births_s = {name: at_s for name, [at_s] in log.births_s.items()}
    assert births_s == {
        "journal": 0.0,
        "feed": 0.5,
        "orders": 0.6,
        "positions": 0.6,
        "b1": 0.6,
        "b2": 0.6,
    }


async def test_a_tree_stops_from_its_last_leaf_to_its_first(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    with trio.move_on_after(1):
        await tree(log).run()
    left = [step for step in log.steps if step.startswith("-")]
    assert left[2:] == ["-positions", "-orders", "-feed", "-journal"]


async def test_siblings_that_start_together_stop_together(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    children = [Child(f"b{n}", actor(log, f"b{n}", goodbye_s=3)) for n in range(50)]
    with trio.move_on_after(1):
        await supervisor(log, "bots", *children, start_together=True).run()
    assert trio.current_time() == pytest.approx(4)


async def test_a_child_is_not_told_to_stop_before_the_one_below_has_ended(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    upper = Child("upper", actor(log, "upper"))
    lower = Child("lower", actor(log, "lower", goodbye_s=4.0))
    with trio.move_on_after(1):
        await supervisor(log, "", upper, lower).run()
    assert [(each.path, each.at_s) for each in log.only(Event.STOPPING)] == [
        ("lower", 1.0),
        ("upper", 5.0),
    ]


async def test_a_child_that_overruns_is_reported_and_the_next_one_is_told(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    upper = Child("upper", actor(log, "upper"))
    stubborn = Child("stubborn", actor(log, "stubborn", goodbye_s=60.0), stop_s=2.0)
    with trio.move_on_after(1):
        await supervisor(log, "", upper, stubborn).run()
    told = [(each.path, each.event, each.at_s) for each in log.told[4:]]
    assert told == [
        ("stubborn", Event.STOPPING, 1.0),
        ("stubborn", Event.OVERRAN, 3.0),
        ("upper", Event.STOPPING, 3.0),
        ("upper", Event.STOPPED, 3.0),
        ("stubborn", Event.STOPPED, 61.0),
    ]


async def test_a_nested_supervisor_has_the_time_its_children_need(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    leaves = [Child(f"l{n}", actor(log, f"l{n}", goodbye_s=4.0)) for n in range(3)]
    inner = supervisor(log, "inner", *leaves)
    with trio.move_on_after(1):
        await supervisor(log, "", Child("inner", inner.run)).run()
    assert log.only(Event.OVERRAN) == []


async def test_a_stop_during_the_boot_stops_what_has_started(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    children = [
        Child("journal", actor(log, "journal")),
        Child("slow", actor(log, "slow", ready_after_s=20)),
        Child("never", actor(log, "never")),
    ]
    with trio.move_on_after(1):
        await supervisor(log, "", *children).run()
    assert log.steps == ["+journal", "+slow", "-slow", "-journal"]


async def test_a_stop_during_a_backoff_starts_nothing_any_more(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    fragile = Child("fragile", actor(log, "fragile", lives_s=[1.0, 1.0, 1.0]))
    with trio.move_on_after(10):
        await supervisor(log, "", fragile).run()
    assert (log.last("fragile").old, log.last("fragile").new) == (
        State.OPEN,
        State.STOPPED,
    )
    assert trio.current_time() == 10


async def test_a_readiness_that_comes_after_the_stop_changes_nothing(
    autojump_clock: MockClock,
) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        try:
            await trio.sleep_forever()
        finally:
            task_status.started()

    log = Log()
    with trio.move_on_after(1):
        await supervisor(log, "", Child("late", run)).run()
    assert log.events("late") == [
        (Event.STARTING, State.STARTING),
        (Event.STOPPING, State.STOPPING),
        (Event.STOPPED, State.STOPPED),
    ]


async def test_an_error_in_a_goodbye_is_told_and_counts_for_nothing(
    autojump_clock: MockClock,
) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            raise RuntimeError("bad goodbye")

    log = Log()
    with trio.move_on_after(1):
        await supervisor(log, "", Child("rude", run)).run()
    last = log.last("rude")
    assert (last.event, last.consecutive) == (Event.STOPPED, 0)
    assert last.error.startswith("RuntimeError: bad goodbye")


@pytest.mark.parametrize(("then", "boot_s"), [("stop", 0.5625), ("retry", 0.5625)])
async def test_a_hopeless_venue_or_bot_holds_up_the_boot_until_its_circuit_opens(
    then: str, boot_s: float, autojump_clock: MockClock
) -> None:
    log = Log()
    policy = Policy(on_exhausted=then)  # pyright: ignore[reportArgumentType] -- a literal
    feed = Child("feed", breaks_at_once, policy=policy)
    with trio.move_on_after(5):
        await supervisor(log, "", feed, Child("bot", actor(log, "bot"))).run()
    assert log.births_s["bot"] == [boot_s]


async def test_whoever_carries_others_holds_up_the_boot_until_it_is_ready(
    autojump_clock: MockClock,
) -> None:
    log = Log()

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        log.born("journal")
        if len(log.births_s["journal"]) <= 4:
            raise RuntimeError("not yet")
        task_status.started()
        await trio.sleep_forever()

    policy = Policy(on_exhausted="escalate", reset_s=5)
    journal = Child("journal", run, policy=policy)
    with trio.move_on_after(60):
        await supervisor(log, "", journal, Child("bot", actor(log, "bot"))).run()
    assert log.births_s["bot"] == [0.1875 + 0.375 + 2 * 5.25]


async def test_a_boot_together_waits_for_nobody_who_is_hopeless(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    stuck = Child("stuck", never_ready, start_s=2.0, policy=Policy(threshold=1))
    calm = Child("calm", actor(log, "calm"))
    bots = supervisor(log, "bots", stuck, calm, start_together=True)
    ready_s = -1.0
    async with trio.open_nursery() as nursery:
        await nursery.start(bots.run)
        ready_s = trio.current_time()
        nursery.cancel_scope.cancel()
    assert ready_s == 2.0


async def test_a_nested_supervisor_may_take_as_long_to_start_as_its_children(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    leaves = [Child(f"l{n}", actor(log, f"l{n}", ready_after_s=20)) for n in range(3)]
    inner = supervisor(log, "inner", *leaves)
    async with trio.open_nursery() as nursery:
        await nursery.start(supervisor(log, "", Child("inner", inner.run)).run)
        ready_s = trio.current_time()
        nursery.cancel_scope.cancel()
    assert (ready_s, log.only(Event.FAILED)) == (60.0, [])


async def test_in_a_hurry_nobody_waits_for_a_neighbours_goodbye(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    leaves = [Child(f"l{n}", actor(log, f"l{n}", goodbye_s=4.0)) for n in range(5)]
    inner = supervisor(log, "inner", *leaves)
    upper = Child("upper", actor(log, "upper", goodbye_s=4.0))
    tree = supervisor(log, "", upper, Child("inner", inner.run))
    async with trio.open_nursery() as nursery:
        await nursery.start(tree.run)
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
            tree.hurry()
    assert (trio.current_time(), len(log.births_s["l0"])) == (5.0, 1)


async def test_a_thousand_children_start_and_stop_together(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    children = [Child(f"b{n}", actor(log, f"b{n}")) for n in range(1000)]
    bots = supervisor(log, "bots", *children, start_together=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(bots.run)
        states = {each.state for each in bots.states()}
        nursery.cancel_scope.cancel()
    assert states == {State.RUNNING}
    assert {each.state for each in bots.states()} == {State.STOPPED}
