"""Which orders a pass asks for first."""

from __future__ import annotations

from actors.pure.order_life import Order, begin
from actors.pure.turns import Turns
from tests.words import attempted, intended


def order(order_id: str) -> Order:
    return begin(intended(), attempted("i1", order_id))


A, B, C = order("a"), order("b"), order("c")


def ids(orders: list[Order]) -> str:
    return "".join(each.client_order_id for each in orders)


def test_what_is_not_listed_as_open_comes_first() -> None:
    assert ids(Turns().begin([A, B, C], {"a", "b"})) == "cab"


def test_each_has_its_turn_where_a_pass_has_time_for_one_question() -> None:
    turns, first = Turns(), ""
    for _ in range(4):
        first += ids(turns.begin([A, B, C], {"a", "b", "c"}))[0]
        turns.asks(first[-1])
    assert first == "abca"


def test_what_was_asked_for_in_vain_is_last_and_has_its_turn_after_that() -> None:
    turns = Turns()
    assert ids(turns.begin([A, B], ())) == "ab"
    turns.asks("a")
    turns.asked_in_vain("a")
    assert ids(turns.begin([A, B, C], {"b", "c"})) == "bca"
    turns.asks("b")
    turns.asks("c")
    assert ids(turns.begin([A, B, C], {"b", "c"})) == "abc"
