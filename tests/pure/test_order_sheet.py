"""Orders of many bots in one sheet, and the sums over them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import Acknowledged, Fact, OrderStatus, OutcomeUnknown, Purpose
from actors.pure.order_sheet import Orders
from tests.words import SYMBOL, attempted, ended, exit_intended, filled, intended, sold

LOST = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "EOF")


def sheet(*facts: object) -> Orders:
    orders = Orders()
    for fact in facts:
        orders.apply(fact)
    return orders


def test_an_attempt_makes_a_live_order() -> None:
    orders = sheet(intended(), attempted())
    assert [order.client_order_id for order in orders.live_of("dawn", SYMBOL)] == ["c1"]
    assert orders.reserved_by("dawn") == orders.reserved_quote == 100


def test_an_attempt_at_an_untold_intent_is_a_broken_assumption() -> None:
    with pytest.raises(LookupError, match="c1"):
        sheet(attempted())


def test_an_unknown_order_blocks_its_bot_and_symbol_only() -> None:
    orders = sheet(intended(), attempted(), LOST)
    assert orders.unknown("dawn", SYMBOL) is not None
    assert orders.unknown("dusk", SYMBOL) is None


def test_exits_reserve_nothing_and_are_counted_apart() -> None:
    orders = sheet(exit_intended(), attempted("x1", "cx1"))
    assert (orders.reserved_quote, orders.exiting_base("dawn", SYMBOL)) == (0, 1)
    assert orders.live_entry("dawn", SYMBOL) is None


def test_an_ended_order_frees_its_money_and_still_takes_a_late_fill() -> None:
    orders = sheet(intended(), attempted(), ended(OrderStatus.CANCELED))
    assert (orders.reserved_quote, orders.live_of("dawn", SYMBOL)) == (0, ())
    late = orders.apply(filled("0.5", "100"))
    assert late is not None
    assert late.filled_base == Decimal("0.5")


def test_word_is_due_until_an_end_is_told_and_every_fill_of_it() -> None:
    orders = sheet(intended(), attempted(), LOST)
    assert not orders.is_word_due  # nobody knows whether there is anything to tell
    orders.apply(Acknowledged("dawn", "main", SYMBOL, "c1", "v1"))
    assert orders.is_word_due
    orders.apply(ended(OrderStatus.FILLED, "1"))
    assert orders.is_word_due
    orders.apply(filled("1", "100"))
    assert not orders.is_word_due


def test_only_the_newest_ended_orders_are_remembered() -> None:
    orders = Orders(ended_max=2)
    for n in range(5):
        orders.apply(intended(intent_id=f"i{n}"))
        orders.apply(attempted(f"i{n}", f"c{n}"))
        orders.apply(ended(OrderStatus.EXPIRED, order_id=f"c{n}"))
    assert [order.client_order_id for order in orders.ended()] == ["c3", "c4"]
    assert orders.intended("i2") is None
    assert orders.intended("i3") is not None


def test_an_ended_order_is_remembered_until_its_last_fill_is_told() -> None:
    orders = Orders(ended_max=2)
    for n in range(5):
        orders.apply(exit_intended(intent_id=f"x{n}"))
        orders.apply(attempted(f"x{n}", f"c{n}"))
        status, base = (OrderStatus.FILLED, "1") if n == 0 else (OrderStatus.EXPIRED, "0")
        orders.apply(ended(status, base, f"c{n}"))
    assert orders.is_word_due
    assert orders.sold_untold("dawn", SYMBOL) == 1
    orders.apply(sold(1, 100, client_order_id="c0"))
    assert not orders.is_word_due
    assert orders.exiting_base("dawn", SYMBOL) == 0


def test_a_second_attempt_waits_until_the_first_is_proven_empty() -> None:
    orders = sheet(intended(), attempted())
    assert orders.next_attempt("i1") is None
    orders.apply(ended(OrderStatus.NOT_PLACED))
    assert orders.next_attempt("i1") == 2


def test_a_second_attempt_never_follows_a_fill() -> None:
    orders = sheet(intended(), attempted(), filled("0.5", "100"))
    orders.apply(ended(OrderStatus.CANCELED, "0.5"))
    assert orders.next_attempt("i1") is None


def history(bots: int) -> list[Fact]:
    facts: list[Fact] = []
    for n in range(bots):
        bot, order_id = f"bot{n % 2}", f"c{n}"
        purpose = Purpose.EXIT if n % 3 == 2 else Purpose.ENTRY
        facts += [
            intended(bot=bot, intent_id=f"i{n}", purpose=purpose),
            attempted(f"i{n}", order_id, bot=bot),
            OutcomeUnknown(bot, "main", SYMBOL, order_id, "EOF"),
            filled("0.4", "90", bot=bot, client_order_id=order_id, trade_id=f"a{n}"),
            filled("0.6", "95", bot=bot, client_order_id=order_id, trade_id=f"b{n}"),
            ended(OrderStatus.FILLED, "1", order_id),
        ]
    return facts


@given(data=st.data(), count=st.integers(1, 4))
def test_duplicates_anywhere_leave_the_same_sheet(data: st.DataObject, count: int) -> None:
    """Any prefix, with every fact of it told again at any later place (R-11, I-5)."""
    facts = history(count)
    facts = facts[: data.draw(st.integers(0, len(facts)))]
    noisy: list[Fact] = []
    for fact in facts:
        noisy.append(fact)
        noisy += data.draw(st.lists(st.sampled_from(noisy), max_size=3))
    plain, told_again = sheet(*facts), sheet(*noisy)
    assert list(plain.live()) == list(told_again.live())
    assert list(plain.ended()) == list(told_again.ended())
    assert plain.reserved_quote == told_again.reserved_quote
    assert plain.reserved_quote == sum(order.reserved_quote for order in plain.live())
    assert plain.entering.keys() == {(o.bot, o.symbol) for o in plain.live() if o.is_entry}
