"""The life of an order: monotone, and deaf to what it has heard before."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import (
    Acknowledged,
    CancelRejected,
    CancelRequested,
    Ended,
    Filled,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
)
from actors.pure.order_life import MOVES, TERMINAL, LifeFact, Order, begin, step
from tests.words import SYMBOL, attempted, ended, filled, intended

ACK = Acknowledged("dawn", "main", SYMBOL, "c1", "v1")
LOST = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "EOF")
NEW = begin(intended(), attempted())
ASKED = [CancelRequested("dawn", "main", SYMBOL, "c1", n) for n in (1, 2)]
REFUSED = [CancelRejected("dawn", "main", SYMBOL, "c1", n) for n in (1, 2)]
FILLS = [filled("0.25", 100 + n, trade_id=f"t{n}") for n in range(4)]


def after(*facts: LifeFact) -> Order:
    order = NEW
    for fact in facts:
        order = step(order, fact)
    return order


def test_an_acknowledged_order_is_open() -> None:
    order = after(ACK)
    assert (order.status, order.venue_order_id) == (OrderStatus.OPEN, "v1")


def test_a_fill_is_accepted_before_the_acknowledgement() -> None:
    order = after(FILLS[0], ACK)
    assert (order.status, order.filled_base) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.25"),
    )


def test_a_fill_settles_an_unknown_outcome() -> None:
    assert after(LOST, *FILLS).status is OrderStatus.FILLED


def test_a_late_unknown_does_not_unsettle_an_open_order() -> None:
    assert after(ACK, LOST).status is OrderStatus.OPEN


def test_an_order_that_is_to_be_cancelled_may_still_be_executed() -> None:
    order = after(ACK, ASKED[0], FILLS[0])
    assert (order.status, order.open_base) == (
        OrderStatus.PENDING_CANCEL,
        Decimal("0.75"),
    )


def test_a_cancel_that_is_refused_leaves_the_order_as_it_was() -> None:
    assert after(ACK, ASKED[0], REFUSED[0]).status is OrderStatus.OPEN
    assert after(FILLS[0], ASKED[0], REFUSED[0]).status is OrderStatus.PARTIALLY_FILLED


def test_a_late_refusal_of_the_first_request_leaves_the_second_pending() -> None:
    assert after(ACK, *ASKED, REFUSED[0]).status is OrderStatus.PENDING_CANCEL


def test_to_ask_for_a_cancel_settles_no_unknown_outcome() -> None:
    assert after(LOST, ASKED[0]).status is OrderStatus.UNKNOWN


def test_the_end_of_a_market_order_and_of_a_cancelled_one_is_near() -> None:
    assert NEW.intended.order_type is OrderType.MARKET
    assert [after(*facts).is_ending for facts in ((), (LOST,), (ACK,), (FILLS[0],))] == [
        False, False, True, True,
    ]  # fmt: skip
    limit = begin(intended(order_type=OrderType.LIMIT), attempted())
    assert not step(limit, ACK).is_ending
    assert step(step(limit, ACK), ASKED[0]).is_ending
    assert not after(*FILLS).is_ending


def test_a_fill_told_twice_changes_nothing() -> None:
    order = after(FILLS[0])
    assert step(order, FILLS[0]) is order


def test_a_fill_after_the_cancel_counts() -> None:
    order = after(FILLS[0], ended(OrderStatus.CANCELED, "0.5"))
    assert order.missing_base == Decimal("0.25")
    late = step(order, FILLS[1])
    assert (late.status, late.filled_base, late.missing_base) == (
        OrderStatus.CANCELED,
        Decimal("0.5"),
        Decimal(0),
    )


def test_an_open_order_cannot_turn_out_not_placed() -> None:
    assert after(ACK, ended(OrderStatus.NOT_PLACED)).status is OrderStatus.OPEN


def test_a_fill_of_an_order_said_not_placed_is_a_contradiction() -> None:
    order = after(ended(OrderStatus.NOT_PLACED), FILLS[0])
    assert order.contradiction == "filled 0.25 though not_placed"


def test_more_filled_than_ordered_is_a_contradiction() -> None:
    order = after(*FILLS, filled("0.1", "100", trade_id="more"))
    assert order.contradiction == "filled 1.10 of 1 BTC/USDT"


def test_fees_are_summed_by_asset() -> None:
    order = after(
        filled("0.5", "100", trade_id="a", fee=Decimal("0.1")),
        filled("0.25", "100", trade_id="b", fee=Decimal("0.001"), fee_asset="BTC"),
        filled("0.25", "100", trade_id="c", fee=Decimal("0.2")),
    )
    assert order.fees == (("BTC", Decimal("0.001")), ("USDT", Decimal("0.3")))


def test_an_entry_reserves_what_it_may_still_spend() -> None:
    assert [NEW.reserved_quote, after(FILLS[0]).reserved_quote] == [100, 75]


@pytest.mark.parametrize("status", [status for status in OrderStatus if status in TERMINAL])
def test_nothing_moves_an_order_that_ended(status: OrderStatus) -> None:
    assert MOVES[status] == frozenset()


FACTS = st.lists(
    st.sampled_from(
        [
            ACK,
            LOST,
            *FILLS,
            *ASKED,
            *REFUSED,
            *(ended(status, "0.5") for status in OrderStatus if status in TERMINAL),
        ]
    ),
    max_size=30,
)
PROGRESS = {
    OrderStatus.NEW: 0,
    OrderStatus.UNKNOWN: 1,
    OrderStatus.OPEN: 2,
    OrderStatus.PARTIALLY_FILLED: 3,
    OrderStatus.PENDING_CANCEL: 3,
    **dict.fromkeys(TERMINAL, 4),
}


@given(facts=FACTS)
def test_status_never_goes_back_and_fills_never_shrink_or_overrun(
    facts: list[LifeFact],
) -> None:
    orders = [NEW]
    for fact in facts:
        orders.append(step(orders[-1], fact))
    for before, now in pairwise(orders):
        is_refused = before.status is OrderStatus.PENDING_CANCEL
        assert is_refused or PROGRESS[before.status] <= PROGRESS[now.status]
        assert PROGRESS[now.status] >= PROGRESS[OrderStatus.OPEN] or not is_refused
        assert before.status not in TERMINAL or now.status is before.status
        assert before.filled_base <= now.filled_base <= now.base


@given(facts=FACTS, data=st.data())
def test_any_fact_told_again_later_changes_nothing(
    facts: list[LifeFact], data: st.DataObject
) -> None:
    plain = after(*facts)
    if facts:
        again = data.draw(st.integers(0, len(facts) - 1))
        assert step(plain, facts[again]) == plain


def test_no_asked_cancel_lets_an_order_be_rejected_that_was_partly_filled() -> None:
    order = after(ACK, FILLS[0], *ASKED[:1])
    assert order.status is OrderStatus.PENDING_CANCEL
    assert step(order, ended(OrderStatus.REJECTED, "0.5")) is order


@given(order=st.permutations([ACK, *FILLS, ended(OrderStatus.FILLED, "1")]))
def test_what_happened_decides_and_not_when_we_heard_of_it(order: list[LifeFact]) -> None:
    last = after(*order)
    assert (last.status, last.filled_base, last.filled_quote, last.missing_base) == (
        OrderStatus.FILLED,
        1,
        Decimal("101.5"),
        0,
    )


def test_an_order_is_proven_empty_only_when_it_ended_without_fills() -> None:
    cancelled: list[Filled | Ended] = [ended(OrderStatus.CANCELED)]
    assert after(*cancelled).is_proven_empty
    assert not after(FILLS[0], *cancelled).is_proven_empty
    assert not after(ended(OrderStatus.CANCELED, "0.5")).is_proven_empty
