"""What is said of a fleet at rest in which something is not over."""

from __future__ import annotations

from decimal import Decimal

import attrs

from actors.messages import (
    CancelRejected,
    CancelRequested,
    ExitReason,
    ExitTriggered,
    Fact,
    OrderStatus,
    PositionClosed,
    Reconciled,
)
from actors.messages.board import Alarmed
from actors.messages.supervision import State
from tests.simulation.assassin import Assassin
from tests.simulation.at_rest import TOO_LITTLE, AtRest, restless
from tests.simulation.book_keeping import BookKeeping
from tests.simulation.schedule import draw
from tests.simulation.seeding import run_seeded
from tests.simulation.simulation import Simulation
from tests.words import SYMBOL, attempted, ended, filled, intended

PASSED = Reconciled("main", "routine", 0, 0, 0, (), 0)
BEGUN = PASSED, intended(), attempted()
ASKED = CancelRequested("dawn", "main", SYMBOL, "c1", 1)
REFUSED = CancelRejected("dawn", "main", SYMBOL, "c1", 1)
STOP, NOTHING = ExitReason.STOP_LOSS, Decimal(0)
HIT = ExitTriggered("dawn", "main", SYMBOL, "c1", STOP, Decimal(90), NOTHING)
CLOSED = PositionClosed(
    "dawn", "main", SYMBOL, "c1", STOP, Decimal(90), NOTHING, NOTHING, ""
)


def judged(*facts: Fact) -> list[str]:
    rest, books = AtRest(), BookKeeping({"c1": 0.0})
    for fact in facts:
        rest.take(fact)
        books.take(fact, 60_000)
    return [each.partition(":")[0] for each in rest.unsettled(books)]


def test_a_cancel_that_nobody_answered_is_seen() -> None:
    assert judged(*BEGUN, ASKED) == ["I-8"]
    assert judged(*BEGUN, ASKED, ended(OrderStatus.CANCELED)) == []
    assert judged(*BEGUN, ASKED, REFUSED) == judged(*BEGUN, REFUSED, ASKED) == []


def test_an_end_with_other_fills_than_were_told_is_seen() -> None:
    end = ended(OrderStatus.FILLED, "1")
    assert judged(*BEGUN, end) == ["I-7"]
    assert judged(*BEGUN, end, filled(1, 100)) == []


def test_an_exit_that_was_triggered_and_not_done_is_seen() -> None:
    assert judged(PASSED, HIT) == ["R-41"]
    assert judged(PASSED, HIT, CLOSED) == judged(PASSED, CLOSED, HIT) == []


def test_a_drift_of_the_last_pass_is_seen() -> None:
    drifted = Reconciled("main", "routine", 0, 0, 0, ("BTC: too little",), 0)
    assert judged(drifted) == ["R-17"]
    assert judged(drifted, PASSED) == []
    assert judged() == ["R-17"]


class Restless(Simulation):
    """Once all is settled, alarms are up and an actor is down."""

    async def _settle(self) -> None:
        await super()._settle()
        process = self.process
        assert process is not None
        assert process.fleet is not None
        assert list(restless(process)) == []
        for code, text in (("clock_uncertain", "why"), ("unprotected", TOO_LITTLE)):
            process.alarms["clock", code, ""] = Alarmed("clock", code, "", text)
        _, seat = next(process.fleet.root.seats())
        before = seat.breaker
        seat.breaker = attrs.evolve(before, state=State.OPEN)
        self.said += restless(process)
        seat.breaker = before


def test_an_alarm_that_is_up_and_an_actor_that_is_down_are_seen() -> None:
    schedule, watcher = draw(1, is_calm=True), Assassin()

    async def main() -> list[str]:
        return (await Restless(schedule, watcher, keeps_all=False).run()).violations

    said = run_seeded(main, schedule.seed, [watcher])
    assert [each.partition(":")[0] for each in said] == ["R-33", "I-24"]
