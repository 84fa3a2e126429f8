"""What is said of ledgers whose positions are not what their fills make of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.messages import ExitReason, Fact, PositionClosed, PositionOpened, StopMoved
from tests.simulation.position_rules import PositionRules
from tests.words import SYMBOL, filled, sold

D = Decimal
BOUGHT = filled(1, 100, fee=D("0.001"), fee_asset="BTC"), filled(1, 102, trade_id="t2")
OPENED = PositionOpened(
    "dawn", "main", "binance", SYMBOL, "c1", D(101), D("1.999"), D("98.98"), None, None
)
SALE = sold("1.99", 110, fee=D("0.1"), fee_asset="USDT")
CLOSED = PositionClosed(
    "dawn",
    "main",
    SYMBOL,
    "c1",
    ExitReason.SIGNAL,
    exit_price=D(110),
    pnl=D("1.99") * 110 - D("0.1") - 202,
    dust_base=D("0.009"),
    notes="",
)
WHOLE = *BOUGHT, OPENED, SALE, CLOSED
LATE = filled(1, 90, trade_id="t3")  # told while the end was decided


def judge(*facts: Fact) -> PositionRules:
    rules = PositionRules({"dawn": D(2)})
    for fact in facts:
        rules.take(fact)
    return rules


def judged(*facts: Fact) -> list[str]:
    return [each.partition(":")[0] for each in judge(*facts).said]


def moved(stop_loss: int) -> StopMoved:
    return StopMoved("dawn", "main", SYMBOL, "c1", D(stop_loss), D(110))


def test_a_position_in_order_is_not_blamed() -> None:
    assert judged(*WHOLE) == []
    assert judge(*WHOLE).unsettled() == []


def test_the_dust_of_a_position_goes_out_with_the_next() -> None:
    again = filled(1, 50, client_order_id="c2", trade_id="t4")
    opened = attrs.evolve(OPENED, position_id="c2", entry=D(50), base=D("1.009"))
    opened = attrs.evolve(opened, stop_loss=D(49))
    sale = sold("1.009", 60, trade_id="x2")
    pnl, nothing = D("1.009") * 60 - 50, D(0)
    closed = attrs.evolve(CLOSED, position_id="c2", exit_price=D(60), pnl=pnl)
    closed = attrs.evolve(closed, dust_base=nothing)
    assert judged(*WHOLE, again, opened, sale, closed) == []


def test_a_fill_told_while_the_end_was_decided_begins_another_position() -> None:
    facts = *BOUGHT, OPENED, SALE, LATE, CLOSED
    assert judged(*facts) == []
    assert len(judge(*facts).unsettled()) == 1
    opened = attrs.evolve(OPENED, position_id="c1/t3", entry=D(90), base=D("1.009"))
    rules = judge(*facts, attrs.evolve(opened, stop_loss=D("88.2")))
    assert (rules.said, rules.unsettled()) == ([], [])


@pytest.mark.parametrize(
    "wrong", [{"pnl": D(1)}, {"exit_price": D(109)}, {"dust_base": D(0)}]
)
def test_an_end_that_the_fills_do_not_make_is_seen(wrong: dict[str, Any]) -> None:
    assert judged(*WHOLE[:-1], attrs.evolve(CLOSED, **wrong)) == ["R-18"]


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"entry": D(100)}, "R-18"),
        ({"base": D(2)}, "R-18"),
        ({"position_id": "c7"}, "R-09"),
        ({"stop_loss": D("98.7")}, "R-15"),
        ({"stop_loss": None}, "R-15"),
    ],
)
def test_a_beginning_that_the_fills_do_not_make_is_seen(
    wrong: dict[str, Any], number: str
) -> None:
    assert judged(*BOUGHT, attrs.evolve(OPENED, **wrong)) == [number]


def test_two_positions_at_once_and_an_end_without_a_beginning_are_seen() -> None:
    assert judged(*BOUGHT, OPENED, OPENED) == ["R-18"]
    assert judged(*BOUGHT, SALE, CLOSED) == ["R-18"]


def test_a_stop_that_loosens_is_seen() -> None:
    assert judged(*BOUGHT, OPENED, moved(100), moved(100), moved(105)) == []
    assert judged(*BOUGHT, OPENED, moved(105), moved(100)) == []
    assert judged(*BOUGHT, OPENED, moved(98)) == ["R-15"]


def test_at_rest_a_holding_without_a_row_is_seen_and_so_is_the_reverse() -> None:
    assert len(judge(*BOUGHT).unsettled()) == 1
    assert judge(*BOUGHT, OPENED).unsettled() == []
    assert len(judge(*BOUGHT, OPENED, sold("1.999", 110)).unsettled()) == 1
