"""The stop that rests at the exchange: asked for, resized, raised, hit, and replaced."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from actors.messages import (
    Balanced,
    CancelIntent,
    ExitIntent,
    ExitReason,
    ExitTriggered,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    PositionClosed,
    PositionOpened,
    Protection,
    Purpose,
    Refused,
    StopMoved,
)
from tests.pure.guard_scene import BOTH, ENTRY, HALF, TRAILING, Scene, scene
from tests.words import BTC, SYMBOL, attempted, ended, exit_intended, filled, intended, sold


def guarded(protection: Protection = BOTH) -> Scene:
    """Return a position whose stop rests at the exchange, and is recorded."""
    on = scene(protection, limit_percent=HALF)
    on.look("100", 0.0)
    on.rest()
    on.look("100", 0.1)
    return on


def part(base: str, price: str, trade_id: str = "x1", order_id: str = "s1") -> object:
    return sold(base, price, client_order_id=order_id, trade_id=trade_id)


def test_a_stop_is_asked_for_with_the_first_fill() -> None:
    """I-14: before anything else is, and before the entry is done."""
    on = scene(BOTH, intended(), attempted(), filled("0.4", 100), limit_percent=HALF)
    on.guard.due_s = 5.0
    assert on.look("100", 0.0) == [ExitIntent]
    begun = on.rest()
    assert (begun.order_type, begun.base) == (OrderType.STOP_LOSS_LIMIT, Decimal("0.4"))
    assert (begun.stop_price, begun.limit_price) == (Decimal(98), Decimal("97.51"))
    assert (begun.exit_reason, begun.replaces) == (ExitReason.STOP_LOSS, "")


def test_a_stop_does_not_make_the_position_one_that_is_being_sold() -> None:
    on = guarded()
    assert on.guard.triggered is None
    assert on.look("101", 1.0) == []


def test_no_stop_is_asked_for_without_a_level_or_where_its_owner_wants_none() -> None:
    target = scene(Protection(None, Decimal(5)), limit_percent=HALF)
    assert target.look("100", 0.0) == [PositionOpened]
    assert scene(BOTH, limit_percent=None).look("100", 0.0) == [PositionOpened]


def test_an_exchange_that_takes_no_stops_is_asked_for_none_and_that_is_told() -> None:
    no_stops = attrs.evolve(BTC, order_types=frozenset({"market", "limit"}))
    on = scene(BOTH, limit_percent=HALF, instrument=no_stops)
    assert on.look("100", 0.0) == [PositionOpened]
    assert on.guard.is_restless(0.0)
    assert on.guard.stop.trouble(0.0) == "binance takes no BTC/USDT stops"


def test_a_further_fill_makes_the_stop_larger_by_replacing_it() -> None:
    on = scene(BOTH, intended(), attempted(), filled("0.4", 100), limit_percent=HALF)
    on.look("100", 0.0)
    on.rest("s1")
    on.tell(filled("0.6", 100, trade_id="t2"))
    assert (on.look("100", 0.5), on.look("100", 1.0)) == ([], [ExitIntent])
    begun = on.rest("s2")
    assert (begun.base, begun.replaces) == (Decimal(1), "s1")
    on.tell(ended(OrderStatus.CANCELED, order_id="s1"))
    assert [order.client_order_id for order in on.stops()] == ["s2"]
    assert on.look("100", 60.0) == []


def test_a_fee_in_the_base_leaves_a_stop_for_what_is_there() -> None:
    fee = {"fee": Decimal("0.001"), "fee_asset": "BTC"}
    on = scene(BOTH, intended(), attempted(), filled(1, 100, **fee), limit_percent=HALF)
    on.look("100", 0.0)
    assert on.rest().base == Decimal("0.999")


def test_a_trailing_stop_raises_the_resting_one_at_most_every_ten_seconds() -> None:
    on = guarded(TRAILING)
    raised: list[tuple[float, Decimal | None]] = []
    for n in range(1, 31):
        if ExitIntent in on.look(str(100 + n), float(n)):
            begun = on.rest(f"r{n}")
            on.tell(ended(OrderStatus.CANCELED, order_id=begun.replaces))
            raised.append((float(n), begun.stop_price))
    assert raised == [
        (10.0, Decimal("107.37")),
        (20.0, Decimal("117.22")),
        (30.0, Decimal("127.07")),
    ]


def test_a_stop_is_not_raised_while_there_is_no_price() -> None:
    """R-25: what the market is below would be refused, and the old stop be gone."""
    on = guarded(TRAILING)
    on.look("104", 1.0)
    assert on.look(None, 20.0) == []
    on.tell(filled("0.5", 100, trade_id="t2"))
    assert on.look(None, 21.0) == [ExitIntent]
    assert (on.exits()[-1].base, on.exits()[-1].stop_price) == (
        Decimal("1.5"),
        on.stops()[0].intended.stop_price,
    )


def test_a_stop_is_never_asked_for_lower_than_the_one_that_rests() -> None:
    """R-15: settings that became looser loosen nothing."""
    on = guarded(Protection(Decimal(2)))
    again = scene(Protection(Decimal(9)), *ENTRY, limit_percent=HALF)
    for order in on.stops():
        again.tell(order.intended, attempted(order.intended.intent_id, "s1"))
    again.tell(filled("0.5", 100, trade_id="t2"))
    again.look("100", 0.0)
    assert again.stops()[0].intended.stop_price == Decimal(98)
    assert all(wish.stop_price == Decimal(98) for wish in again.exits())


def test_a_refused_stop_is_asked_for_ever_more_slowly_and_told_until_one_rests() -> None:
    """Never a spin, never a silence."""
    on, at_s, now_s = scene(BOTH, limit_percent=HALF), list[float](), 0.0
    on.look("100", now_s)
    for n in range(6):
        on.send(f"s{n}")
        no = ended(OrderStatus.REJECTED, order_id=f"s{n}")
        on.tell(attrs.evolve(no, code="-1013", reason="Filter failure: NOTIONAL"))
        while ExitIntent not in on.look("100", now_s):
            now_s += 0.25
        at_s.append(now_s)
    assert at_s == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]
    assert on.guard.is_restless(now_s)
    assert on.guard.stop.trouble(now_s) == "Filter failure: NOTIONAL"
    on.rest("s9")
    assert (on.guard.is_restless(now_s), on.guard.stop.trouble(now_s)) == (False, "")


def test_a_position_without_its_stop_for_ten_seconds_is_told() -> None:
    """I-14."""
    on = scene(BOTH, limit_percent=HALF)
    on.look("100", 0.0)
    told = [
        (on.guard.is_restless(at_s), on.guard.stop.trouble(at_s))
        for at_s in (0.0, 9.0, 10.0)
    ]
    assert told == [(True, ""), (True, ""), (True, "none rests there")]


def test_a_stop_nobody_answers_for_is_asked_for_again_once_it_has_expired() -> None:
    on = scene(BOTH, limit_percent=HALF)
    on.look("100", 0.0)
    assert (on.look("100", 6.9), on.look("100", 7.1)) == ([], [ExitIntent])


def test_an_unknown_stop_is_neither_doubled_nor_resized() -> None:
    on = scene(BOTH, limit_percent=HALF)
    on.look("100", 0.0)
    on.send("s1")
    on.tell(OutcomeUnknown("dawn", "main", SYMBOL, "s1", "EOF"))
    on.tell(filled("0.5", 100, trade_id="t2"))
    assert [on.look("100", at_s) for at_s in (1.0, 60.0)] == [[], []]


def test_what_was_asked_for_too_early_is_asked_for_when_the_account_is_known() -> None:
    """I-20 delays protection by not a moment more than the first pass takes."""
    on = scene(BOTH, limit_percent=HALF)
    for n in range(5):
        on.look("100", float(n * n))
        no = Refused(
            "dawn",
            "main",
            SYMBOL,
            on.exits()[-1].intent_id,
            Purpose.EXIT,
            "not_reconciled",
            ("not yet",),
        )
        on.tell(no)
    asked = len(on.exits())
    assert on.look("100", 16.1) == []
    on.watch.reconciled()
    assert on.look("100", 16.2) == [ExitIntent]
    assert len(on.exits()) == asked + 1


# The market comes to it


def test_a_stop_that_the_exchange_executes_is_told_once_and_closes_the_position() -> None:
    on = guarded()
    on.tell(part("0.4", "97.9"))
    assert on.look(None, 5.0) == [ExitTriggered]
    on.tell(part("0.6", "97.8", "x2"), ended(OrderStatus.FILLED, "1", "s1"))
    assert on.look("97.8", 5.1) == [PositionClosed]
    hit, closed = on.steps[-2:]
    assert isinstance(hit, ExitTriggered)
    assert (hit.reason, hit.exit_price, hit.pnl) == (
        ExitReason.STOP_LOSS,
        Decimal("97.9"),
        Decimal("-2.1"),
    )
    assert isinstance(closed, PositionClosed)
    assert (closed.exit_reason, closed.pnl) == (ExitReason.STOP_LOSS, Decimal("-2.16"))
    assert closed.notes == "Closed at the exchange: Stop loss hit"


def test_a_stop_executed_in_one_piece_is_told_before_the_position_is_closed() -> None:
    on = guarded(TRAILING)
    on.tell(part("1", "98"), ended(OrderStatus.FILLED, "1", "s1"))
    assert on.look(None, 5.0) == [ExitTriggered, PositionClosed]


def test_a_hit_stop_is_given_time_before_it_is_replaced_exactly_once() -> None:
    """R-41."""
    on = guarded()
    assert on.look("97.9", 5.0) == [ExitTriggered]
    assert [on.look(price, at_s) for price, at_s in (("98.5", 9.0), ("97.9", 14.9))] == [
        [],
        [],
    ]
    assert on.look("97.9", 15.0) == [ExitIntent]
    begun = on.send("m1")
    assert (begun.order_type, begun.base, begun.replaces) == (
        OrderType.MARKET,
        Decimal(1),
        "s1",
    )
    assert [on.look("97.9", at_s) for at_s in (16.0, 17.0)] == [[], []]


def test_a_market_that_jumped_past_the_limit_is_not_waited_for() -> None:
    on = guarded()
    on.look("90", 5.0)
    assert (on.look("90", 5.9), on.look("90", 6.1)) == ([], [ExitIntent])


def test_a_stop_that_lies_lower_than_ours_is_replaced_at_once() -> None:
    on = guarded(TRAILING)
    assert on.look("104", 1.0) == [StopMoved]
    assert on.look("102.4", 2.0) == [ExitTriggered, ExitIntent]
    assert on.send("m1").replaces == "s1"


@pytest.mark.parametrize("reason", [ExitReason.SIGNAL, ExitReason.OPERATOR])
def test_an_exit_that_somebody_asks_for_replaces_the_stop(reason: ExitReason) -> None:
    on = guarded()
    on.tell(exit_intended(exit_reason=reason, replaces="s1"), attempted("x1", "cx1"))
    assert on.look("100", 1.0) == []
    on.tell(ended(OrderStatus.CANCELED, order_id="s1"), sold(1, 100))
    assert on.look("100", 2.0) == [PositionClosed]


def test_a_target_replaces_the_stop_at_once() -> None:
    on = guarded()
    assert on.look("105", 1.0) == [ExitTriggered, ExitIntent]
    begun = on.send("m1")
    assert (begun.base, begun.replaces, begun.exit_reason) == (
        Decimal(1),
        "s1",
        ExitReason.TAKE_PROFIT,
    )


def test_an_exit_waits_a_moment_for_the_stop_that_is_on_its_way() -> None:
    on = scene(BOTH, limit_percent=HALF)
    on.look("100", 0.0)
    assert on.look("105", 0.1) == [ExitTriggered]
    on.rest()
    assert on.look("105", 0.2) == [ExitIntent]
    assert on.send("m1").replaces == "s1"


def test_an_unknown_stop_may_be_replaced_by_an_exit() -> None:
    """The venue places nothing unless it cancelled."""
    on = scene(BOTH, limit_percent=HALF)
    on.look("100", 0.0)
    on.send("s1")
    on.tell(OutcomeUnknown("dawn", "main", SYMBOL, "s1", "EOF"))
    assert ExitIntent in on.look("97.9", 1.0)
    assert on.send("m1").replaces == "s1"


def test_an_exit_that_could_not_replace_the_stop_is_asked_for_again() -> None:
    on = guarded()
    on.look("105", 1.0)
    on.send("m1")
    on.tell(attrs.evolve(ended(OrderStatus.REJECTED, order_id="m1"), code="not_replaced"))
    assert (on.look("105", 1.5), on.look("105", 2.0)) == ([], [ExitIntent])


def test_a_cancelled_stop_whose_successor_was_refused_is_asked_for_at_once() -> None:
    on = guarded(TRAILING)
    on.look("120", 11.0)
    assert ExitIntent in on.look("120", 12.0) or on.exits()[-1].stop_price != Decimal(98)
    on.send("r1")
    on.tell(
        ended(OrderStatus.CANCELED, order_id="s1"),
        ended(OrderStatus.REJECTED, order_id="r1"),
    )
    assert on.look("120", 12.1) == [ExitIntent]
    assert on.rest("r2").replaces == ""


def test_a_stop_executed_in_part_is_cancelled_soon_where_the_market_has_left_it() -> None:
    on = guarded()
    on.tell(part("0.4", "97.9"))
    on.look("97.9", 1.0)
    assert on.look("97.6", 5.0) == []  # still above the limit: it may fill
    assert on.look("97.4", 5.1) == [CancelIntent]


@pytest.mark.parametrize("changes", [{"base_min": Decimal(2)}, {"lot": Decimal(2)}])
def test_a_stop_goes_on_where_the_exchange_raises_its_minimum_above_the_position(
    changes: dict[str, Decimal],
) -> None:
    """R-42, I-14: nothing else can sell it any more; that is no reason to write it off."""
    on = guarded()
    on.guard.relisted(attrs.evolve(BTC, **changes))
    assert (on.look("100", 20.0), on.look("100", 60.0), len(on.stops())) == ([], [], 1)
    on.tell(part("1", "97.9"), ended(OrderStatus.FILLED, "1", "s1"))
    assert on.look("97.9", 70.0) == [ExitTriggered, PositionClosed]


def test_a_flattened_position_waits_for_no_stop_that_could_sell_it_yet() -> None:
    on = guarded()
    on.guard.relisted(attrs.evolve(BTC, base_min=Decimal(2)))
    on.guard.trigger(ExitReason.OPERATOR)
    assert (on.look("100", 20.0), on.look("100", 60.0)) == ([], [CancelIntent])
    on.tell(ended(OrderStatus.CANCELED, "0", "s1"))
    assert on.look("100", 61.0) == [PositionClosed]


def test_a_stop_that_somebody_cancels_at_the_exchange_is_asked_for_again_at_once() -> None:
    """So whoever wants to sell there by hand stops the fleet first."""
    on = guarded()
    on.tell(ended(OrderStatus.CANCELED, order_id="s1"))
    assert on.look("100", 1.0) == [ExitIntent]
    assert on.exits()[-1].stop_price == Decimal(98)


@pytest.mark.parametrize("status", [OrderStatus.CANCELED, OrderStatus.REJECTED])
def test_a_stop_that_the_exchange_takes_and_ends_is_asked_for_ever_more_slowly(
    status: OrderStatus,
) -> None:
    """R-28: orders without end would close the gate, also to the exit."""
    on = guarded()
    asked: list[float] = []
    for tenth in range(1_000, 2_600):
        for stop in on.stops():
            on.tell(ended(status, order_id=stop.client_order_id))
        if ExitIntent in on.look("100", tenth / 10):
            on.rest(f"s{tenth}")
            asked.append(tenth / 10)
    assert asked == [100.0, 101.0, 103.0, 107.0, 115.0, 131.0, 163.0, 223.0]


def test_a_stop_that_stayed_is_asked_for_at_once_when_it_is_gone() -> None:
    on = guarded()
    for minute in range(1, 6):
        (stop,) = on.stops()
        on.tell(ended(OrderStatus.CANCELED, order_id=stop.client_order_id))
        assert on.look("100", minute * 61.0) == [ExitIntent]
        on.rest(f"s{minute + 1}")


def test_a_stop_executed_in_part_is_cancelled_in_time_and_the_rest_is_sold() -> None:
    on = guarded()
    on.tell(part("0.4", "97.9"))
    assert on.look("97.6", 5.0) == [ExitTriggered]
    assert [on.look("97.6", at_s) for at_s in (14.9, 15.0, 16.0)] == [
        [],
        [CancelIntent],
        [],
    ]
    on.tell(ended(OrderStatus.CANCELED, "0.4", "s1"))
    assert on.look("97.6", 17.0) == [ExitIntent]
    begun = on.send("m1")
    assert (begun.base, begun.replaces, begun.exit_reason) == (
        Decimal("0.6"),
        "",
        ExitReason.STOP_LOSS,
    )


def test_a_cancel_of_a_stop_that_was_lost_is_asked_for_again() -> None:
    on = guarded()
    on.tell(part("0.4", "97.9"))
    on.look("97.6", 5.0)
    on.look("97.6", 15.0)
    assert (on.look("97.6", 44.0), on.look("97.6", 45.0)) == ([], [CancelIntent])


def test_a_stop_executed_while_the_entry_still_rests_ends_the_entry() -> None:
    on = scene(BOTH, intended(), attempted(), filled("0.4", 100), limit_percent=HALF)
    on.guard.due_s = 5.0
    on.look("100", 0.0)
    on.rest()
    on.tell(part("0.4", "97.9"), ended(OrderStatus.FILLED, "0.4", "s1"))
    assert on.look("97.9", 1.0) == [ExitTriggered, CancelIntent]
    cancel = on.steps[-1]
    assert isinstance(cancel, CancelIntent)
    assert cancel.client_order_id == "c1"
    on.tell(ended(OrderStatus.CANCELED, "0.4"))
    assert on.look("97.9", 2.0) == [PositionOpened, PositionClosed]


# The venue has less than the ledger says


def short(there: str) -> Balanced:
    return Balanced("main", "BTC", Decimal(there), Decimal(0))


def refuse(on: Scene, order_id: str) -> None:
    on.send(order_id)
    no = ended(OrderStatus.REJECTED, order_id=order_id)
    on.tell(attrs.evolve(no, reason="Account has insufficient balance"))


def test_a_stop_refused_is_asked_for_what_the_venue_has() -> None:
    on = scene(BOTH, limit_percent=HALF)
    on.look("100", 0.0)
    refuse(on, "s1")
    on.tell(short("0.7"))
    assert on.look("100", 0.1) == [ExitIntent]
    assert on.rest("s2").base == Decimal("0.7")
    assert [on.look("100", at_s) for at_s in (5.0, 60.0)] == [[], []]
    assert not on.guard.is_restless(60.0)
    on.tell(short("1"))
    assert on.look("100", 61.0) == [ExitIntent]
    assert on.rest("s3").base == Decimal(1)


def test_an_exit_refused_sells_what_the_venue_has() -> None:
    on = scene(BOTH, limit_percent=None)
    on.look("97", 0.0)
    refuse(on, "m1")
    on.tell(short("0.7"))
    on.look("97", 1.0)
    assert on.send("m2").base == Decimal("0.7")


def test_a_balance_told_before_the_last_fill_limits_nothing() -> None:
    on = scene(BOTH, intended(), attempted(), limit_percent=HALF)
    on.tell(short("0"), filled(1, 100))
    on.look("100", 0.0)
    refuse(on, "s1")
    assert on.look("100", 0.1) == [ExitIntent]
    assert on.send("s2").base == Decimal(1)


# Restarts


def recalled(before: Scene, facts: tuple[object, ...], protection: Protection) -> Scene:
    """Return the next life: told what the ledger holds."""
    return scene(protection, *facts, limit_percent=HALF)


@pytest.mark.parametrize("told", range(1, 5))
def test_a_restart_anywhere_finds_the_stop_and_asks_for_no_second(told: int) -> None:
    """R-15, I-18."""
    on = scene(BOTH, limit_percent=HALF)
    on.look("100", 0.0)
    wish = on.exits()[0]
    begun = on.rest()
    facts = (
        begun,
        attempted(wish.intent_id, "s1"),
        on.steps[-1],
        part("0.4", "97.9"),
    )
    again = scene(BOTH, *ENTRY, *facts[:told], limit_percent=HALF)
    kinds = again.look("100", 0.0)
    stops = [each for each in again.exits() if each.is_protective]
    assert len(stops) == (1 if told == 1 else 0), kinds
    assert (ExitTriggered in kinds) == (told == 4)
