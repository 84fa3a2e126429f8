"""A group that is a bulkhead ends alone, whatever it dies of; the last one goes up."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.errors import BrokenInvariant, Escalated
from actors.messages.supervision import Event, State
from actors.pure.breaker import Policy
from actors.supervisor import BULKHEADS_S, Child, Supervisor
from tests.actors.troupe import Log, actor, breaks_at_once, never_ready, supervisor

ESCALATE = Policy(on_exhausted="escalate", max_consecutive=2)


def group(log: Log, name: str, *children: Child) -> Child:
    inner = supervisor(log, f"owners/{name}", *children)
    return Child(name, inner.run, is_bulkhead=True)


def owners(log: Log, *groups: Child) -> Supervisor:
    inner = supervisor(log, "owners", *groups, start_together=True)
    calm = Child("board", actor(log, "board"))
    return supervisor(log, "", Child("owners", inner.run, policy=ESCALATE), calm)


@pytest.mark.parametrize("error", [RuntimeError, BrokenInvariant])
async def test_a_group_that_gives_up_fails_alone(
    error: type[Exception], autojump_clock: MockClock
) -> None:
    log = Log()
    fragile = Child(
        "risk", actor(log, "risk", lives_s=[5] * 9, error=error), None, ESCALATE
    )
    ann = group(log, "ann", Child("journal", actor(log, "journal:ann")), fragile)
    bob = group(log, "bob", Child("journal", actor(log, "journal:bob")))
    tree = owners(log, ann, bob)
    with trio.move_on_after(60):
        await tree.run()
    failed = [step for step in log.only(Event.FAILED) if step.path == "owners/ann"]
    assert [(step.new, step.delay_s) for step in failed] == [(State.FAILED, None)]
    assert "owners/ann/risk could not be kept alive" in failed[0].error
    assert log.steps.index("-journal:ann") < log.steps.index("-journal:bob")
    assert len(log.births_s["journal:bob"]) == len(log.births_s["board"]) == 1


@pytest.mark.parametrize("error", [RuntimeError, BrokenInvariant])
async def test_when_the_last_group_fails_the_tree_ends_at_once(
    error: type[Exception], autojump_clock: MockClock
) -> None:
    log = Log()
    policy = Policy(on_exhausted="escalate", max_consecutive=1, threshold=1)
    one = Child("one", actor(log, "one", lives_s=[1], error=error), None, policy)
    two = Child("two", actor(log, "two", lives_s=[2], error=error), None, policy)
    with pytest.raises(Escalated) as caught:
        await owners(log, group(log, "ann", one), group(log, "bob", two)).run()
    assert (trio.current_time(), caught.value.path) == (pytest.approx(2), "owners")
    assert is_named(caught.value, "bob was the last that could trade")
    assert log.last("ann").new is State.FAILED


def is_named(error: BaseException | None, words: str) -> bool:
    while error is not None and words not in str(error):
        error = error.__cause__
    return error is not None


async def test_a_failed_group_starts_again_when_an_operator_says_so(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    one = Child("one", actor(log, "one", lives_s=[1, 1]), None, ESCALATE)
    tree = owners(
        log, group(log, "ann", one), group(log, "bob", Child("two", actor(log, "two")))
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree.run)
        await trio.sleep(20)
        assert {state.path: state.state for state in tree.states()}["owners/ann"] is (
            State.FAILED
        )
        assert tree.start("ann")
        await trio.sleep(1)
        states = {state.path: state.state for state in tree.states()}
        assert states["owners/ann"] is states["owners/ann/one"] is State.RUNNING
        nursery.cancel_scope.cancel()


async def test_a_group_is_stopped_in_order_before_it_has_failed(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    broken = actor(log, "risk", lives_s=[1], error=BrokenInvariant)
    ann = group(
        log,
        "ann",
        Child("journal", actor(log, "journal", goodbye_s=1)),
        Child("risk", broken),
        Child("orders", actor(log, "orders", goodbye_s=1)),
    )
    bob = group(log, "bob", Child("two", actor(log, "two")))
    with trio.move_on_after(10):
        await owners(log, ann, bob).run()
    ended = [step for step in log.steps if step.startswith("-")]
    assert ended == ["-risk", "-orders", "-journal", "-board", "-two"]


async def test_a_group_that_hangs_at_its_start_holds_up_the_others_for_a_while_only(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    ann = group(log, "ann", Child("journal", never_ready))
    bob = group(log, "bob", Child("two", actor(log, "two")))
    with trio.move_on_after(BULKHEADS_S + 1):
        await owners(log, ann, bob).run()
    assert log.births_s == {"two": [0.0], "board": [BULKHEADS_S]}


async def test_a_crash_of_the_group_itself_is_an_ordinary_failure(
    autojump_clock: MockClock,
) -> None:
    log = Log()
    ann = group(log, "ann", Child("one", actor(log, "one")))
    bob = group(log, "bob", Child("two", actor(log, "two")))
    tree = owners(log, ann, bob)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tree.run)
        await trio.sleep(1)
        assert tree.crash("ann")
        await trio.sleep(1)
        assert len(log.births_s["one"]) == 2
        nursery.cancel_scope.cancel()


async def test_without_bulkheads_nothing_is_contained(autojump_clock: MockClock) -> None:
    log = Log()
    inner = supervisor(log, "a", Child("b", breaks_at_once, None, ESCALATE))
    with pytest.raises(Escalated):
        await supervisor(log, "", Child("a", inner.run, None, ESCALATE)).run()
