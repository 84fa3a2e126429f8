"""What a venue says of our orders, as facts: only what it adds, ids as we know them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.messages import (
    Acknowledged,
    Ended,
    Filled,
    OrderStatus,
    OutcomeUnknown,
    Side,
    VenueAck,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from actors.pure.order_life import Order, begin, step
from actors.pure.venue_facts import (
    fact_of_fill,
    facts_of_answer,
    facts_of_order,
    not_placed,
)
from tests.words import SYMBOL, attempted, intended

ONE, ZERO = Decimal(1), Decimal(0)


def order() -> Order:
    return begin(intended(), attempted())


def venue_order(status: OrderStatus, filled_base: Decimal = ZERO, **changes: Any) -> Any:
    plain = VenueOrder(
        "binance",
        SYMBOL,
        "c1",
        "v1",
        Side.BUY,
        "MARKET",
        status,
        ONE,
        filled_base,
        None,
        None,
        0,
        "reason",
    )
    return attrs.evolve(plain, **changes)


def venue_fill(**changes: Any) -> VenueFill:
    plain = VenueFill(
        "binance", SYMBOL, "", "v1", "t1", Side.BUY, ONE, ONE, ZERO, "USDT", False, 5
    )
    return attrs.evolve(plain, **changes)


ACKNOWLEDGED = Acknowledged("dawn", "main", SYMBOL, "c1", "v1")


@pytest.mark.parametrize("status", [OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED])
def test_a_live_order_is_acknowledged_once(status: OrderStatus) -> None:
    known = step(order(), ACKNOWLEDGED)
    assert facts_of_order(order(), venue_order(status)) == (ACKNOWLEDGED,)
    assert facts_of_order(known, venue_order(status)) == ()


@pytest.mark.parametrize(
    "status", [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED]
)
def test_an_ended_order_is_acknowledged_and_ended(status: OrderStatus) -> None:
    facts = facts_of_order(order(), venue_order(status, ONE))
    assert facts == (
        ACKNOWLEDGED,
        Ended("dawn", "main", SYMBOL, "c1", status, ONE, "", "reason"),
    )


def test_a_rejected_order_was_never_acknowledged() -> None:
    (told,) = facts_of_order(order(), venue_order(OrderStatus.REJECTED))
    assert isinstance(told, Ended)


def test_a_fill_is_the_owners_whatever_id_the_venue_names() -> None:
    told = fact_of_fill(order(), venue_fill(), "main")
    assert (told.bot, told.account, told.client_order_id, told.trade_id) == (
        "dawn",
        "main",
        "c1",
        "t1",
    )


def test_an_answer_with_fills_tells_them_before_the_end() -> None:
    answer = VenueAck("c1", "v1", OrderStatus.FILLED, ONE, 0, (venue_fill(),))
    kinds = [type(fact) for fact in facts_of_answer(order(), answer)]
    assert kinds == [Acknowledged, Filled, Ended]


def test_a_definite_no_ends_the_order_with_its_code() -> None:
    (told,) = facts_of_answer(order(), VenueReject("c1", "-2010", "no money"))
    assert isinstance(told, Ended)
    assert (told.status, told.code, told.reason) == (
        OrderStatus.REJECTED,
        "-2010",
        "no money",
    )


def test_no_answer_ends_nothing() -> None:
    """R-01: time-outs, EOF, 5xx and unreadable answers change no state but to UNKNOWN."""
    (told,) = facts_of_answer(order(), VenueUnknown("c1", "EOF"))
    assert told == OutcomeUnknown("dawn", "main", SYMBOL, "c1", "EOF")


def test_the_proof_that_it_was_never_placed_keeps_what_was_filled() -> None:
    told = not_placed(order(), "nobody knows it")
    assert (told.status, told.filled_base) == (OrderStatus.NOT_PLACED, ZERO)
