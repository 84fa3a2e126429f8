"""The watch over an account's positions, before and after the exchange lists a symbol."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.messages import (
    Acknowledged,
    ExitIntent,
    ExitReason,
    ExitTriggered,
    Instrument,
    OrderStatus,
    OrderType,
    PositionClosed,
    PositionOpened,
    Protection,
    StopMoved,
)
from actors.pure.client_order_id import IntentIds
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


def test_a_stop_that_sold_before_its_symbol_was_listed_is_known_to_have() -> None:
    """I-18: the exchange came to it while it did not say yet what it lists."""
    instruments: dict[str, Instrument] = {}
    late, known = watch(instruments), watch({SYMBOL: BTC})
    stop = exit_intended(
        stop_price=Decimal(98), limit_price=Decimal("97.51"), notes="Closed there"
    )
    begun = (intended(), attempted(), filled(1, 100), OPENED, stop, attempted("x1", "s1"))
    for fact in (*begun, sold("0.4", 98, client_order_id="s1")):
        late.apply(fact)
        known.apply(fact)
    instruments[SYMBOL] = BTC
    late.begin_listed()
    ids = IntentIds("e", "r", "positions:main", 1)
    late_step, known_step = (
        each.guards["dawn", SYMBOL].next_step(Decimal(99), 0.0, ids)
        for each in (late, known)
    )
    assert isinstance(known_step, ExitTriggered)
    assert late_step == known_step


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


IDS = IntentIds("e", "r", "positions:main", 1)
COARSE = attrs.evolve(BTC, tick=Decimal("0.1"))


def stopped_at(seen: Watch, price: str, now_s: float) -> tuple[Decimal | None, ...] | None:
    """Return trigger and limit of the stop that is asked for now, if one is."""
    (guard,) = seen.guards.values()
    step = guard.next_step(Decimal(price), now_s, IDS)
    return (step.stop_price, step.limit_price) if isinstance(step, ExitIntent) else None


@pytest.fixture
def held() -> tuple[dict[str, Instrument], Watch]:
    """A position whose stop rests at 99.57, as its trailing stop was recorded."""
    instruments = {SYMBOL: BTC}
    ward = attrs.evolve(WARD, limit_percent=Decimal("0.5"))
    seen = Watch("main", {"dawn": ward}, instruments)
    rests = exit_intended(
        intent_id="p1",
        order_type=OrderType.STOP_LOSS_LIMIT,
        stop_price=Decimal("99.57"),
        limit_price=Decimal("99.07"),
    )
    facts = (intended(), attempted(), filled(1, 100), ended(OrderStatus.FILLED, "1"))
    moved = attrs.evolve(MOVED, stop_loss=Decimal("99.57"), high=Decimal("101.60"))
    for fact in (*facts, OPENED, moved, rests, attempted("p1", "cp1")):
        seen.apply(fact)
    seen.apply(Acknowledged("dawn", "main", SYMBOL, "cp1", "v1"))
    return instruments, seen


def test_a_tick_that_changed_binds_the_next_stop(
    held: tuple[dict[str, Instrument], Watch],
) -> None:
    """R-42: the exchange would refuse it at the old tick, and the old stop be gone."""
    instruments, seen = held
    instruments[SYMBOL] = COARSE
    seen.begin_listed()
    assert stopped_at(seen, "101", 20.0) is None  # what rests there stays good
    seen.apply(ended(OrderStatus.CANCELED, "0", "cp1"))
    assert stopped_at(seen, "101", 40.0) == (Decimal("99.6"), Decimal("99.1"))


def test_a_symbol_that_is_not_listed_any_more_keeps_its_last_filters(
    held: tuple[dict[str, Instrument], Watch],
) -> None:
    instruments, seen = held
    del instruments[SYMBOL]
    seen.begin_listed()
    seen.apply(ended(OrderStatus.CANCELED, "0", "cp1"))
    assert stopped_at(seen, "101", 40.0) == (Decimal("99.57"), Decimal("99.07"))


def test_stops_are_asked_for_once_the_exchange_takes_them_again(
    held: tuple[dict[str, Instrument], Watch],
) -> None:
    """It was post-only as the position began, say."""
    instruments, seen = held
    makers = frozenset({OrderType.LIMIT_MAKER.value})
    instruments[SYMBOL] = attrs.evolve(BTC, order_types=makers)
    seen.begin_listed()
    seen.apply(ended(OrderStatus.CANCELED, "0", "cp1"))
    assert stopped_at(seen, "101", 40.0) is None
    instruments[SYMBOL] = BTC
    seen.begin_listed()
    assert stopped_at(seen, "101", 80.0) == (Decimal("99.57"), Decimal("99.07"))


@pytest.mark.parametrize(
    "changes",
    [{"order_types": frozenset({"limit_maker"})}, {"base_min": Decimal(5)}],
    ids=["no stops are taken", "it is too little for a new one"],
)
def test_a_stop_that_rests_is_not_said_to_be_missing_where_no_other_is_taken(
    held: tuple[dict[str, Instrument], Watch], changes: dict[str, Any]
) -> None:
    """I-14: the exchange keeps what rests there; it takes no new ones."""
    instruments, seen = held
    instruments[SYMBOL] = attrs.evolve(BTC, **changes)
    seen.begin_listed()
    (guard,) = seen.guards.values()
    told = [(guard.is_restless(at_s), guard.stop.trouble(at_s)) for at_s in (20.0, 40.0)]
    assert told == [(False, ""), (False, "")]
    seen.apply(ended(OrderStatus.CANCELED, "0", "cp1"))
    assert guard.is_restless(50.0)
    assert guard.stop.trouble(61.0)


def test_what_was_recorded_while_less_than_a_lot_was_closed_is_guarded() -> None:
    """R-12, I-14: the order had ended before its last fill was told."""
    small = filled("0.00001", 100, fee=Decimal("0.00000001"), fee_asset="BTC")
    known = (intended(), attempted(), small, ended(OrderStatus.CANCELED, "1"))
    decides, reads = watch({SYMBOL: BTC}), watch({SYMBOL: BTC})
    for fact in known:
        decides.apply(fact)
    ids, closed = IntentIds("e", "r", "positions:main", 1), OPENED
    while not isinstance(closed, PositionClosed):
        step = decides.guards["dawn", SYMBOL].next_step(Decimal(100), 0.0, ids)
        assert isinstance(step, (PositionOpened, PositionClosed))
        decides.apply(step)
        closed = step
    for fact in (*known, filled("0.5", 100, trade_id="t2"), closed):
        reads.apply(fact)
    assert reads.guards["dawn", SYMBOL].levels.stop_loss == 98


def test_what_was_bought_late_is_guarded_though_the_dust_was_sold_late_before_it() -> None:
    """R-12, I-14: both orders had ended before their last fills were told."""
    known = (
        *(intended(), attempted(), filled("0.5", 100)),
        ended(OrderStatus.CANCELED, "1"),
        *(exit_intended(base=Decimal("0.5")), attempted("x1", "cx1"), sold("0.46", 100)),
        ended(OrderStatus.FILLED, "0.5", "cx1"),
    )
    decides, reads = watch({SYMBOL: BTC}), watch({SYMBOL: BTC})
    for fact in known:
        decides.apply(fact)
    ids, closed = IntentIds("e", "r", "positions:main", 1), OPENED
    while not isinstance(closed, PositionClosed):
        step = decides.guards["dawn", SYMBOL].next_step(Decimal(100), 0.0, ids)
        assert isinstance(step, (PositionOpened, PositionClosed)), step
        decides.apply(step)
        closed = step
    late = sold("0.04", 100, trade_id="t3"), filled("0.5", 100, trade_id="t2")
    for fact in (*known, *late, closed):
        reads.apply(fact)
    assert reads.guards["dawn", SYMBOL].levels.stop_loss == 98


@pytest.mark.parametrize("wards", [{}, {"dawn": attrs.evolve(WARD, symbol="ETH/USDT")}])
@pytest.mark.parametrize("is_listed_late", [False, True])
def test_what_a_bot_that_left_bought_has_the_levels_of_its_decision(
    wards: dict[str, Ward], *, is_listed_late: bool
) -> None:
    """I-14: nothing of it was recorded before; an adopted order decides nothing."""
    instruments = {} if is_listed_late else {SYMBOL: BTC}
    seen = Watch("main", wards, instruments)
    decided = intended(protection=Protection(Decimal(3), Decimal(5), Decimal(4)))
    adopted = intended(intent_id="i2", is_adopted=True)
    for fact in (decided, attempted(), adopted, attempted("i2", "c2"), filled(1, 100)):
        seen.apply(fact)
    instruments[SYMBOL] = BTC
    seen.begin_listed()
    levels = seen.guards["dawn", SYMBOL].levels
    assert (levels.stop_loss, levels.take_profit, levels.trailing_stop) == (97, 105, 4)


@pytest.mark.parametrize("is_listed_late", [False, True])
def test_the_record_of_a_bot_that_left_counts_more_than_the_decision_before_it(
    *, is_listed_late: bool
) -> None:
    """R-15: its owner had changed the levels before it was executed."""
    instruments = {} if is_listed_late else {SYMBOL: BTC}
    seen = Watch("main", {}, instruments)
    decided = intended(protection=Protection(Decimal(1), Decimal(1)))
    again = filled(1, 100, trade_id="t2")  # of the same entry
    for fact in (decided, attempted(), filled(1, 100), OPENED, again):
        seen.apply(fact)
    instruments[SYMBOL] = BTC
    seen.begin_listed()
    levels = seen.guards["dawn", SYMBOL].levels
    assert (levels.stop_loss, levels.take_profit) == (98, None)


@pytest.mark.parametrize("is_listed_late", [False, True])
def test_what_a_bot_that_left_bought_more_has_the_nearer_levels(
    *, is_listed_late: bool
) -> None:
    instruments = {} if is_listed_late else {SYMBOL: BTC}
    seen = Watch("main", {}, instruments)
    more = intended(intent_id="i2", protection=Protection(Decimal(1)))
    bought = filled(1, 100, client_order_id="c2", trade_id="t2")
    for fact in (intended(), attempted(), filled(1, 100), OPENED):
        seen.apply(fact)
    for fact in (more, attempted("i2", "c2"), bought):
        seen.apply(fact)
    instruments[SYMBOL] = BTC
    seen.begin_listed()
    assert seen.guards["dawn", SYMBOL].levels.stop_loss == 99


def test_the_settings_of_now_guard_what_a_configured_bot_buys() -> None:
    seen = watch({SYMBOL: BTC})
    for fact in (intended(protection=Protection(Decimal(9))), attempted(), filled(1, 100)):
        seen.apply(fact)
    assert seen.guards["dawn", SYMBOL].levels.stop_loss == 98
