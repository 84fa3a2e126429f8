"""What an operator may do while the tree runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from actors.mailbox import Mailbox
from actors.messages.supervision import ActorState, Event, State
from actors.pure.breaker import Policy
from actors.supervisor import Child, Supervisor
from tests.actors.troupe import Log, actor, breaks_at_once, supervisor


@asynccontextmanager
async def running(tree: Supervisor) -> AsyncGenerator[Supervisor, None]:
    async with trio.open_nursery() as nursery:
        await nursery.start(tree.run)
        yield tree
        nursery.cancel_scope.cancel()


def bots(log: Log) -> Supervisor:
    children = [Child(name, actor(log, name)) for name in ("bot:a", "bot:b")]
    inner = supervisor(log, "bots", *children, start_together=True)
    return supervisor(
        log, "", Child("board", actor(log, "board")), Child("bots", inner.run)
    )


def state_of(tree: Supervisor, path: str) -> ActorState:
    (state,) = [each for each in tree.states() if each.path == path]
    return state


async def test_the_states_tell_the_tree_from_top_to_bottom(
    autojump_clock: MockClock,
) -> None:
    async with running(bots(Log())) as tree:
        paths = [each.path for each in tree.states()]
    assert paths == ["board", "bots", "bots/bot:a", "bots/bot:b"]


async def test_a_stopped_actor_stays_stopped(autojump_clock: MockClock) -> None:
    async with running(bots(Log())) as tree:
        granted = tree.stop("bot:a")
        await trio.sleep(1000)
        state = state_of(tree, "bots/bot:a").state
    assert (granted, state) == (True, State.STOPPED)


async def test_a_stopped_actor_starts_again_when_told(autojump_clock: MockClock) -> None:
    async with running(bots(Log())) as tree:
        tree.stop("bots/bot:a")
        await trio.sleep(1)
        granted = tree.start("bots/bot:a")
        await trio.sleep(1)
        state = state_of(tree, "bots/bot:a")
    assert (granted, state.state, state.incarnation) == (True, State.RUNNING, 2)


async def test_an_operators_stop_survives_a_restart_of_the_supervisor(
    autojump_clock: MockClock,
) -> None:
    async with running(bots(Log())) as tree:
        tree.stop("bot:a")
        await trio.sleep(1)
        tree.crash("bots")
        await trio.sleep(1)
        states = [state_of(tree, f"bots/bot:{name}").state for name in "ab"]
    assert states == [State.STOPPED, State.RUNNING]


async def test_an_injected_crash_is_a_failure_like_any_other(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    async with running(bots(log)) as tree:
        tree.crash("bot:a")
        await trio.sleep(1)
        states = [state_of(tree, f"bots/bot:{name}") for name in "ab"]
    assert [(each.incarnation, each.consecutive) for each in states] == [(2, 1), (1, 0)]
    assert log.only(Event.FAILED)[0].error.startswith("CrashInjected")


async def test_crashing_every_actor_leaves_every_actor_running(
    autojump_clock: MockClock,
) -> None:
    async with running(bots(Log())) as tree:
        for path in ("board", "bots/bot:a", "bots/bot:b", "bots"):
            tree.crash(path)
            await trio.sleep(1)
        states = {each.state for each in tree.states()}
    assert states == {State.RUNNING}


async def test_an_operators_start_forgives_an_exhausted_actor(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    run = actor(log, "bot", lives_s=[1, 1])
    child = Child("bot", run, policy=Policy(max_consecutive=2))
    async with running(supervisor(log, "", child)) as tree:
        await trio.sleep(5)
        failed = state_of(tree, "bot")
        tree.start("bot")
        await trio.sleep(5)
        started = state_of(tree, "bot")
    assert (failed.state, failed.consecutive) == (State.FAILED, 2)
    assert (started.state, started.consecutive) == (State.RUNNING, 0)


async def test_an_operators_start_does_not_wait_for_an_open_circuit(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    child = Child("bot", actor(log, "bot", lives_s=[1]), policy=Policy(threshold=1))
    async with running(supervisor(log, "", child)) as tree:
        await trio.sleep(5)
        tree.start("bot")
        await trio.sleep(1)
    assert log.births_s["bot"] == [0.0, 5.0]


async def test_a_stop_ends_an_open_circuits_wait(autojump_clock: MockClock) -> None:
    log = Log()
    child = Child("bot", breaks_at_once, policy=Policy(threshold=1))
    async with running(supervisor(log, "", child)) as tree:
        await trio.sleep(5)
        tree.stop("bot")
        await trio.sleep(500)
        state = state_of(tree, "bot")
    assert (state.state, state.incarnation, state.next_try_s) == (State.STOPPED, 1, None)


async def test_a_start_during_a_long_goodbye_begins_a_life_after_it(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    child = Child("bot", actor(log, "bot", goodbye_s=3))
    async with running(supervisor(log, "", child)) as tree:
        tree.stop("bot")
        await trio.sleep(1)
        tree.start("bot")
        await trio.sleep(10)
        births_s = list(log.births_s["bot"])
    assert births_s == [0.0, 3.0]


async def test_two_starts_at_once_give_one_life(autojump_clock: MockClock) -> None:
    log = Log()
    child = Child("bot", actor(log, "bot"), is_enabled=False)
    async with running(supervisor(log, "", child)) as tree:
        tree.start("bot")
        tree.start("bot")
        await trio.sleep(1)
        births = len(log.births_s["bot"])
    assert births == 1


async def test_a_start_that_overtakes_the_boot_gives_one_life(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    children = [
        Child("slow", actor(log, "slow", ready_after_s=10)),
        Child("early", actor(log, "early")),
        Child("last", actor(log, "last")),
    ]
    tree = supervisor(log, "", *children)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree.run)
        await trio.sleep(1)
        tree.start("early")
        await trio.sleep(20)
        nursery.cancel_scope.cancel()
    assert log.births_s == {"slow": [0.0], "early": [1.0], "last": [10.0]}


async def test_an_actor_that_is_not_enabled_waits_for_an_operator(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    child = Child("bot", actor(log, "bot"), is_enabled=False)
    async with running(supervisor(log, "", child)) as tree:
        await trio.sleep(100)
        before = state_of(tree, "bot")
        tree.start("bot")
        await trio.sleep(1)
        after = state_of(tree, "bot")
    assert (before.state, before.incarnation) == (State.STOPPED, 0)
    assert (after.state, after.incarnation) == (State.RUNNING, 1)


async def test_a_running_actor_is_left_alone_by_a_start(autojump_clock: MockClock) -> None:
    async with running(bots(Log())) as tree:
        granted = tree.start("bot:a")
    assert granted is False


async def test_a_dead_actor_cannot_be_crashed(autojump_clock: MockClock) -> None:
    async with running(bots(Log())) as tree:
        tree.stop("bot:a")
        await trio.sleep(1)
        granted = tree.crash("bot:a")
    assert granted is False


async def test_nothing_starts_in_a_tree_that_does_not_run(
    autojump_clock: MockClock,
) -> None:
    await trio.lowlevel.checkpoint()
    assert bots(Log()).start("bot:a") is False


async def test_an_unknown_name_is_refused(autojump_clock: MockClock) -> None:
    async with running(bots(Log())) as tree:
        with pytest.raises(LookupError, match="no actors are called 'bot:z'"):
            tree.stop("bot:z")


async def test_a_state_carries_the_mailboxs_counts_and_the_next_try(
    autojump_clock: MockClock,
) -> None:
    log, mailbox = Log(), Mailbox[int]("bot")
    child = Child("bot", actor(log, "bot", lives_s=[1]), mailbox, Policy(threshold=1))
    async with running(supervisor(log, "", child)) as tree:
        mailbox.latest("k", 1)
        mailbox.latest("k", 2)
        mailbox.receive_nowait()
        mailbox.latest("k", 3)
        await trio.sleep(2)
        state = state_of(tree, "bot")
    assert (state.depth, state.taken, state.replaced) == (1, 1, 1)
    assert (state.uptime_s, state.next_try_s) == (0.0, pytest.approx(62.0))
    assert state.error.startswith("RuntimeError: bot breaks")
