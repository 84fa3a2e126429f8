"""What the venue holds too little of, judged only where nothing of ours is moving."""

from __future__ import annotations

from decimal import Decimal

from actors.messages import Fact, OrderStatus
from actors.pure.books import Books
from actors.pure.drift import Shortage, settled_base
from tests.words import SYMBOL, attempted, ended, exit_intended, filled, intended, sold

BOUGHT = (intended(), attempted(), filled(1, 100), ended(OrderStatus.FILLED, "1"))
ONE = {"BTC": Decimal(1)}
HALF = {"BTC": Decimal("0.5")}


def books(*facts: Fact) -> Books:
    made = Books()
    for fact in facts:
        made.apply(fact)
    return made


def test_what_is_held_is_settled_when_no_order_can_change_it() -> None:
    assert settled_base(books(*BOUGHT)) == ONE


def test_an_order_that_may_still_be_executed_unsettles_its_asset() -> None:
    assert settled_base(books(*BOUGHT, exit_intended(), attempted("x1", "cx1"))) == {}


def test_an_end_whose_fills_are_not_booked_unsettles_its_asset() -> None:
    late = (intended(), attempted(), filled("0.5", 100), ended(OrderStatus.FILLED, "1"))
    assert settled_base(books(*late)) == {}


def test_too_little_freezes_the_symbol_and_enough_thaws_it() -> None:
    shortage, held = Shortage(), books(*BOUGHT)
    shortage.weigh(held, ONE, HALF)
    assert shortage.frozen == {SYMBOL}
    assert shortage.lines() == ("BTC: the ledger holds 1, the venue 0.5",)
    shortage.weigh(held, ONE, ONE)
    assert (shortage.frozen, shortage.lines()) == (frozenset(), ())


def test_what_changed_while_the_venue_was_asked_is_not_judged() -> None:
    """Bought while the balances were on their way: they were told before the fill."""
    shortage = Shortage()
    shortage.weigh(books(*BOUGHT), {}, {})
    assert shortage.frozen == frozenset()


def test_a_frozen_symbol_stays_frozen_while_its_exit_is_under_way() -> None:
    shortage = Shortage()
    shortage.weigh(books(*BOUGHT), ONE, HALF)
    selling = books(*BOUGHT, exit_intended(), attempted("x1", "cx1"))
    shortage.weigh(selling, settled_base(selling), {})
    assert shortage.frozen == {SYMBOL}


def test_a_stop_that_rests_unmoved_does_not_keep_its_asset_from_being_judged() -> None:
    """R-13: a position always has one."""
    stop = exit_intended(stop_price=Decimal(98), limit_price=Decimal("97.5"))
    resting = books(*BOUGHT, stop, attempted("x1", "cx1"))
    shortage = Shortage()
    shortage.weigh(resting, ONE, HALF)
    assert shortage.frozen == frozenset()
    shortage.weigh(resting, ONE, HALF, {"cx1"})
    assert shortage.frozen == {SYMBOL}


def test_what_is_no_longer_held_is_no_longer_short() -> None:
    shortage = Shortage()
    shortage.weigh(books(*BOUGHT), ONE, HALF)
    end = ended(OrderStatus.FILLED, "1", "cx1")
    flat = books(*BOUGHT, exit_intended(), attempted("x1", "cx1"), sold(1, 99), end)
    shortage.weigh(flat, settled_base(flat), {})
    assert shortage.lines() == ()
