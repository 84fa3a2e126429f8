"""What no restart can mend goes up the tree, after the neighbours stopped in order."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.errors import BrokenInvariant, Escalated
from actors.messages.supervision import Event, State
from actors.pure.breaker import Policy
from actors.supervisor import Child
from tests.actors.troupe import Log, actor, breaks_at_once, supervisor

ESCALATE = Policy(on_exhausted="escalate", max_consecutive=2)


class CorruptJournal(BrokenInvariant):
    pass


async def test_an_exhausted_child_ends_its_supervisor(autojump_clock: MockClock) -> None:
    log = Log()
    risk = Child("risk", breaks_at_once, policy=ESCALATE)
    with pytest.raises(Escalated, match="risk could not be kept alive"):
        await supervisor(log, "", risk).run()


async def test_the_siblings_stop_in_order_first(autojump_clock: MockClock) -> None:
    log = Log()
    children = [
        Child("journal", actor(log, "journal", goodbye_s=1)),
        Child("risk", actor(log, "risk", lives_s=[9, 9]), policy=ESCALATE),
        Child("bot", actor(log, "bot", goodbye_s=1)),
    ]
    with pytest.raises(Escalated):
        await supervisor(log, "", *children).run()
    assert log.steps[-3:] == ["-risk", "-bot", "-journal"]


async def test_an_escalation_is_told_with_its_reason(autojump_clock: MockClock) -> None:
    log = Log()
    with pytest.raises(Escalated):
        await supervisor(log, "", Child("risk", breaks_at_once, policy=ESCALATE)).run()
    last = log.last("risk")
    assert (last.event, last.new, last.consecutive) == (
        Event.ESCALATED,
        State.FAILED,
        2,
    )
    assert last.error.startswith("RuntimeError: no start")


@pytest.mark.parametrize("policy", [Policy(), Policy(on_exhausted="retry"), ESCALATE])
async def test_a_broken_invariant_is_never_restarted(
    policy: Policy, autojump_clock: MockClock
) -> None:
    log = Log()
    run = actor(log, "journal", lives_s=[1], error=CorruptJournal)
    with pytest.raises(Escalated) as caught:
        await supervisor(log, "", Child("journal", run, policy=policy)).run()
    assert (log.births_s["journal"], type(caught.value.error)) == ([0.0], CorruptJournal)


async def test_a_broken_invariant_in_a_group_is_found(autojump_clock: MockClock) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(break_it)
            await trio.sleep_forever()

    async def break_it() -> None:
        await trio.sleep(1)
        raise BrokenInvariant

    log = Log()
    with pytest.raises(Escalated):
        await supervisor(log, "", Child("orders", run)).run()


async def test_an_escalation_is_one_failure_of_the_supervisor_in_its_parent(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    inner = supervisor(log, "inner", Child("leaf", breaks_at_once, policy=ESCALATE))
    outer = supervisor(log, "", Child("inner", inner.run), Child("calm", actor(log, "c")))
    with trio.move_on_after(0.3):
        await outer.run()
    failure = next(each for each in log.only(Event.FAILED) if each.path == "inner")
    assert (failure.new, failure.consecutive) == (State.BACKOFF, 1)
    assert failure.error.startswith("Escalated: inner/leaf could not be kept alive")


async def test_a_restarted_supervisor_starts_its_children_from_nothing(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    leaf = Child("leaf", actor(log, "leaf", lives_s=[1, 1]), policy=ESCALATE)
    inner = supervisor(log, "inner", leaf)
    with trio.move_on_after(20):
        await supervisor(log, "", Child("inner", inner.run)).run()
    (state,) = inner.states()
    assert (state.consecutive, state.incarnation) == (0, 3)


async def test_a_broken_invariant_rises_to_the_root(autojump_clock: MockClock) -> None:
    log = Log()
    leaf = Child("leaf", actor(log, "leaf", lives_s=[1], error=BrokenInvariant))
    inner = supervisor(log, "inner", leaf)
    middle = supervisor(log, "middle", Child("inner", inner.run))
    with pytest.raises(Escalated, match="middle could not be kept alive"):
        await supervisor(log, "", Child("middle", middle.run)).run()


async def test_an_invariant_broken_in_a_goodbye_still_rises(
    autojump_clock: MockClock,
) -> None:
    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            raise BrokenInvariant("the ledger lies")

    log = Log()
    children = [Child("calm", actor(log, "calm")), Child("journal", run)]
    with pytest.RaisesGroup(Escalated), trio.move_on_after(1):
        await supervisor(log, "", *children).run()
    assert log.steps == ["+calm", "-calm"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
async def test_an_interrupt_passes_after_an_orderly_stop(
    error: type[BaseException], autojump_clock: MockClock
) -> None:
    log = Log()
    children = [
        Child("journal", actor(log, "journal", goodbye_s=1)),
        Child("bot", actor(log, "bot", lives_s=[2], error=error)),
        Child("board", actor(log, "board", goodbye_s=1)),
    ]
    with pytest.RaisesGroup(error):
        await supervisor(log, "", *children).run()
    assert log.steps[-3:] == ["-bot", "-board", "-journal"]


async def test_a_crash_beside_a_cancellation_is_only_the_cancellation(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    with trio.move_on_after(1) as scope:
        await supervisor(log, "", Child("calm", actor(log, "calm"))).run()
    assert (scope.cancelled_caught, log.only(Event.FAILED)) == (True, [])
