"""The watch over an account's positions, before and after the exchange lists a symbol."""

from __future__ import annotations

from decimal import Decimal

import pytest

from actors.messages import (
    ExitIntent,
    ExitReason,
    ExitTriggered,
    Instrument,
    OrderStatus,
    PositionClosed,
    PositionOpened,
    StopMoved,
)
from actors.pure.client_order_id import IntentIds
from actors.pure.exits import Protection
from actors.pure.guard_steps import Ward
from actors.pure.watch import Watch
from tests.words import (
    BTC,
    SYMBOL,
    attempted,
    ended,
    exit_intended,
    filled,
    intended,
    sold,
)

WARD = Ward("dawn", "main", "binance", SYMBOL, Protection(Decimal(2), None, None))
OPENED = PositionOpened(
    "dawn",
    "main",
    "binance",
    SYMBOL,
    "c1",
    Decimal(100),
    Decimal(1),
    Decimal(98),
    None,
    None,
)
MOVED = StopMoved("dawn", "main", SYMBOL, "c1", Decimal(105), Decimal(110))
HIT = ExitTriggered(
    "dawn", "main", SYMBOL, "c1", ExitReason.STOP_LOSS, Decimal(104), Decimal(4)
)


def watch(instruments: dict[str, Instrument]) -> Watch:
    return Watch("main", {"dawn": WARD}, instruments)


def test_a_position_in_a_symbol_not_listed_yet_is_guarded_once_it_is() -> None:
    """The exchange could not be reached when the fleet started (R-14, R-15)."""
    instruments: dict[str, Instrument] = {}
    late, known = watch(instruments), watch({SYMBOL: BTC})
    for fact in (intended(), attempted(), filled(1, 100), OPENED, MOVED, HIT):
        late.apply(fact)
        known.apply(fact)
    assert (late.begin_listed(), late.guards) == (False, {})
    instruments[SYMBOL] = BTC
    assert late.begin_listed()
    guard, expected = late.guards["dawn", SYMBOL], known.guards["dawn", SYMBOL]
    assert (guard.levels, guard.triggered, guard.is_recorded) == (
        expected.levels,
        expected.triggered,
        expected.is_recorded,
    )
    assert (late.symbols(), late.unlisted) == (frozenset({SYMBOL}), {})


def test_what_was_sold_before_its_symbol_was_listed_is_closed_then() -> None:
    instruments: dict[str, Instrument] = {}
    late = watch(instruments)
    for fact in (intended(), attempted(), filled(1, 100), OPENED, sold(1, 99)):
        late.apply(fact)
    instruments[SYMBOL] = BTC
    late.begin_listed()
    guard = late.guards["dawn", SYMBOL]
    step = guard.next_step(None, 0.0, IntentIds("e", "r", "positions:main", 1))
    assert isinstance(step, PositionClosed)
    late.apply(step)
    assert (late.guards, late.unlisted) == ({}, {})


def test_a_sale_by_signal_that_fills_in_part_is_asked_for_again() -> None:
    """SELL closes all: what the exchange did not take is sold by the next exit (R-41)."""
    seen = watch({SYMBOL: BTC})
    for fact in (intended(), attempted(), filled(1, 100), OPENED):
        seen.apply(fact)
    exit_ = exit_intended(exit_reason=ExitReason.SIGNAL, position_id="c1")
    for fact in (exit_, attempted("x1", "cx1"), sold("0.4", 99)):
        seen.apply(fact)
    guard = seen.apply(ended(OrderStatus.EXPIRED, "0.4", "cx1"))
    assert guard is not None
    step = guard.next_step(Decimal(99), 1.0, IntentIds("e", "r", "positions:main", 1))
    assert isinstance(step, ExitIntent)
    assert (step.reason, step.base) == (ExitReason.SIGNAL, Decimal("0.6"))


@pytest.mark.parametrize(
    ("reason", "triggered"),
    [(ExitReason.LEG, None), (ExitReason.SIGNAL, ExitReason.SIGNAL)],
)
def test_a_leg_sells_its_part_and_the_rest_stays_held(
    reason: ExitReason, triggered: ExitReason | None
) -> None:
    """Any other exit that was begun is carried on until nothing is left (R-41)."""
    known = watch({SYMBOL: BTC})
    part = exit_intended(base=Decimal("0.4"), exit_reason=reason)
    for fact in (intended(), attempted(), filled(1, 100), OPENED, part):
        known.apply(fact)
    (guard,) = known.guards.values()
    assert guard.triggered is triggered
