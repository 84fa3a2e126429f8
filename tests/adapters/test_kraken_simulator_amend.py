"""Amended orders on the simulated Kraken: same ids, another size or price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from adapters.simulator.kraken_limits import amend_cost
from tests.adapters.kraken_simulator_desk import (
    OWN,
    UUID,
    Rest,
    Talk,
    limit,
    rows,
    settle,
    talking_privately,
)


async def test_an_amended_order_keeps_its_ids_and_its_events_say_what_changed(
    nursery: trio.Nursery,
) -> None:
    def amend(talk: Talk, rest: Rest) -> tuple[Any, list[Any], Any]:
        talk.subscribe("executions")
        limit(talk, cl_ord_id=OWN)
        answer = talk.ask("amend_order", cl_ord_id=OWN, order_qty=0.02, limit_price=53000)
        settle(talk)
        return answer, rows(talk), rest.truth()

    answer, told, truth = await talking_privately(nursery, amend)

    assert set(answer["result"]) == {"amend_id", "order_id", "cl_ord_id"}
    assert [it["exec_type"] for it in told] == ["pending_new", "new", "amended"]
    assert (told[2]["order_qty"], told[2]["limit_price"], told[2]["amended"]) == (
        Decimal("0.02"), 53_000, True,
    )  # fmt: skip
    assert told[2]["order_id"] == told[0]["order_id"]
    locked = Decimal(truth["balances"]["ann"]["USDT"]["locked"])
    assert locked == 1060 * Decimal("1.001")
    assert truth["orders_taken"] == 1


async def test_an_amended_price_that_crosses_takes_unless_it_must_not(
    nursery: trio.Nursery,
) -> None:
    def amend(talk: Talk, _: Rest) -> tuple[Any, Any, list[Any]]:
        talk.subscribe("executions")
        limit(talk, cl_ord_id=OWN)
        high: dict[str, object] = {"cl_ord_id": OWN, "limit_price": 60500}
        refused = talk.ask("amend_order", **high, post_only=True)
        taken = talk.ask("amend_order", **high)
        settle(talk)
        return refused, taken, [it["exec_type"] for it in rows(talk)]

    refused, taken, told = await talking_privately(nursery, amend)

    assert (refused["error"], taken["success"]) == ("EOrder:Post only order", True)
    assert told == ["pending_new", "new", "amended", "trade", "filled"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"cl_ord_id": UUID.format(99)}, "EOrder:Unknown order"),
        ({"order_qty": 3}, "EOrder:Insufficient funds"),
        ({"order_qty": 0.000001}, "EGeneral:Invalid arguments:volume minimum not met"),
        ({}, "EGeneral:Invalid arguments:order_qty"),
    ],
)
async def test_an_amendment_that_cannot_be_changes_nothing(
    nursery: trio.Nursery, more: dict[str, object], error: str
) -> None:
    def amend(talk: Talk, rest: Rest) -> tuple[Any, Any]:
        limit(talk, cl_ord_id=OWN)
        answer = talk.ask("amend_order", **({"cl_ord_id": OWN} | more))
        return answer["error"], next(iter(rest.result("OpenOrders")["open"].values()))

    found, order = await talking_privately(nursery, amend)

    assert found == error
    assert (order["vol"], order["descr"]["price"]) == ("0.01000", "54000.50")


@pytest.mark.parametrize(("age_s", "cost"), [(0, 4), (5, 3), (14, 2), (15, 1)])
def test_a_young_order_is_dear_to_amend(age_s: int, cost: int) -> None:
    assert amend_cost(age_s * 1000) == cost
