"""The simulated Kraken's private WebSocket: orders by token, executions, balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from adapters.simulator.faults import Fault
from adapters.simulator.kraken_limits import KrakenLimits
from tests.adapters.kraken_simulator_desk import (
    ANN,
    BOB,
    OWN,
    QUIET,
    Rest,
    Talk,
    limit,
    market,
    private_socket,
    private_talk,
    rows,
    settle,
    talking_privately,
)
from tests.adapters.simulator_desk import in_thread, start


async def test_an_order_that_fills_is_told_in_four_steps(nursery: trio.Nursery) -> None:
    def trade(talk: Talk, _: Rest) -> tuple[Any, list[Any]]:
        talk.subscribe("executions")
        answer = market(talk, cl_ord_id=OWN)
        settle(talk)
        return answer, rows(talk)

    answer, told = await talking_privately(nursery, trade)

    assert answer["result"]["cl_ord_id"] == OWN
    assert [(it["exec_type"], it["order_status"]) for it in told] == [
        ("pending_new", "pending_new"),
        ("new", "new"),
        ("trade", "partially_filled"),
        ("filled", "filled"),
    ]
    assert {it["order_id"] for it in told} == {answer["result"]["order_id"]}
    assert {it["cl_ord_id"] for it in told} == {OWN}
    filled = told[2]
    assert (filled["last_price"], filled["last_qty"], filled["liquidity_ind"]) == (
        Decimal("60000.01"), Decimal("0.01"), "t",
    )  # fmt: skip
    assert filled["fees"] == [{"asset": "USDT", "qty": Decimal("0.6000001")}]
    assert (told[3]["cum_qty"], told[3]["avg_price"]) == (
        Decimal("0.01"), Decimal("60000.01"),
    )  # fmt: skip


async def test_only_the_first_event_of_an_order_says_what_it_is(
    nursery: trio.Nursery,
) -> None:
    def live(talk: Talk, _: Rest) -> list[Any]:
        talk.subscribe("executions")
        order_id = limit(talk, order_userref=9)["result"]["order_id"]
        talk.ask("cancel_order", order_id=[order_id])
        settle(talk)
        return rows(talk)

    pending, new, canceled = await talking_privately(nursery, live)

    assert (pending["symbol"], pending["side"], pending["order_qty"]) == (
        "BTC/USDT", "buy", Decimal("0.01"),
    )  # fmt: skip
    assert (pending["limit_price"], pending["time_in_force"]) == (
        Decimal("54000.5"), "GTC",
    )  # fmt: skip
    assert set(new) == {
        "order_id", "order_userref", "order_status", "exec_type", "timestamp",
    }  # fmt: skip
    assert (canceled["reason"], canceled["cum_qty"]) == ("User requested", 0)
    assert not {"symbol", "side", "order_qty"} & set(canceled)


async def test_sequences_count_every_frame_of_their_own_channel(
    nursery: trio.Nursery,
) -> None:
    def trade(talk: Talk, _: Rest) -> tuple[list[int], list[int]]:
        talk.subscribe("executions")
        talk.subscribe("balances")
        for number in range(3):
            market(talk, order_userref=number + 1)
        settle(talk)
        return [it["sequence"] for it in talk.of("executions")], [
            it["sequence"] for it in talk.of("balances")
        ]

    executions, balances = await talking_privately(nursery, trade)

    assert executions == list(range(1, 14))  # an empty snapshot and 3 x 4
    assert balances == list(range(1, 8))  # a snapshot and 3 x 2


async def test_balances_change_by_what_a_fill_moves(nursery: trio.Nursery) -> None:
    def trade(talk: Talk, rest: Rest) -> tuple[Any, list[Any], Any]:
        talk.subscribe("balances")
        market(talk, order_qty=0.02)
        market(talk, order_qty=0.01, side="sell")
        settle(talk)
        return talk.of("balances")[0], rows(talk, "balances"), rest.truth()

    snapshot, told, truth = await talking_privately(nursery, trade)
    balances = {it["asset"]: it["balance"] for it in snapshot["data"]}

    assert balances == {"USDT": 50_000, "BTC": 2}
    for row in told:
        balances[row["asset"]] += row["amount"] - row["fee"]
        assert row["balance"] == balances[row["asset"]]
    wallet = truth["balances"]["ann"]
    assert balances == {asset: Decimal(it["free"]) for asset, it in wallet.items()}
    assert [(it["asset"], it["amount"]) for it in told] == [
        ("BTC", Decimal("0.02")),
        ("USDT", Decimal("-1200.0002")),
        ("BTC", Decimal("-0.01")),
        ("USDT", Decimal("600.00")),
    ]


async def test_a_snapshot_holds_open_orders_and_on_demand_earlier_fills(
    nursery: trio.Nursery,
) -> None:
    def look(talk: Talk, rest: Rest) -> tuple[Any, Any]:
        rest.buy(cl_ord_id=OWN)
        rest.buy(None)
        talk.subscribe("executions", snap_trades=True)
        first = talk.next_of("executions")
        talk.ask("unsubscribe", channel="executions")
        talk.subscribe("executions", snap_orders=False)
        return first, talk.next_of("executions")

    whole, empty = await talking_privately(nursery, look)

    assert (whole["type"], whole["sequence"]) == ("snapshot", 1)
    assert [(it["exec_type"], it["order_status"]) for it in whole["data"]] == [
        ("new", "new"),
        ("trade", "filled"),
    ]
    assert whole["data"][0]["cl_ord_id"] == OWN
    assert whole["data"][0]["symbol"] == "BTC/USDT"
    assert (empty["data"], empty["sequence"]) == ([], 1)


async def test_one_account_hears_nothing_of_another(nursery: trio.Nursery) -> None:
    def trade(talk: Talk, rest: Rest) -> list[Any]:
        talk.subscribe("executions")
        Rest(rest.endpoints, BOB).buy(None)
        settle(talk)
        return rows(talk)

    assert await talking_privately(nursery, trade) == []


async def test_fewer_statuses_and_a_counter_are_told_on_demand(
    nursery: trio.Nursery,
) -> None:
    def live(talk: Talk, _: Rest) -> tuple[Any, list[Any]]:
        ack = talk.subscribe("executions", order_status=False, ratecounter=True)
        order_id = limit(talk)["result"]["order_id"]
        talk.ask("cancel_order", order_id=[order_id])
        settle(talk)
        return ack, rows(talk)

    ack, told = await talking_privately(nursery, live)

    assert (ack["result"]["maxratecount"], ack["success"]) == (125, True)
    assert [(it["exec_type"], it["ratecount"]) for it in told] == [
        ("new", 1),
        ("canceled", 9),
    ]


async def test_a_stop_waits_is_triggered_and_trades(nursery: trio.Nursery) -> None:
    def live(talk: Talk, rest: Rest) -> list[Any]:
        talk.subscribe("executions")
        limit(
            talk,
            order_type="stop-loss-limit",
            side="sell",
            limit_price=59000.5,
            triggers={"reference": "last", "price": 59999.5},
        )
        settle(talk)
        assert [it["exec_type"] for it in rows(talk)] == ["pending_new", "new"]
        sale = {"pair": "XBTUSDT", "type": "sell", "ordertype": "market", "volume": "5"}
        Rest(rest.endpoints, BOB).private("AddOrder", **sale)  # through the best bid
        settle(talk)
        return rows(talk)

    listing = attrs.evolve(QUIET.listings[0], trade_chance=0.0)
    rich = attrs.evolve(BOB, balances={"BTC": Decimal(10)})
    config = attrs.evolve(QUIET, listings=(listing,), keys=(ANN, rich))
    told = await talking_privately(nursery, live, config)

    assert [it["exec_type"] for it in told] == [
        "pending_new", "new", "status", "trade", "filled",
    ]  # fmt: skip
    assert told[0]["triggers"]["status"] == "untriggered"
    assert told[2]["triggers"]["status"] == "triggered"
    assert told[3]["last_price"] < Decimal("59999.5")


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"limit_price": "54000.5"}, "Limit_price field must be a number_float"),
        ({"order_qty": "0.01"}, "Order_qty field must be a number_float"),
        ({"order_userref": "9"}, "Order_userref field must be an integer"),
        ({"price": 1.5}, "Unsupported field: 'price' for the given msg type: add order"),
        ({"symbol": "XBT/USDT"}, "Currency pair not supported XBT/USDT"),
        ({"order_type": "iceberg"}, "EGeneral:Invalid arguments:order_type"),
        ({"order_qty": 3}, "EOrder:Insufficient funds"),
        ({"order_qty": 0.000001}, "EGeneral:Invalid arguments:volume minimum not met"),
        ({"limit_price": 61000, "post_only": True}, "EOrder:Post only order"),
        ({"time_in_force": "gtd"}, "EGeneral:Invalid arguments:expire_time"),
        ({"deadline": "2020-01-01T00:00:00.000Z"}, "EService:Deadline elapsed"),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused(
    nursery: trio.Nursery, more: dict[str, object], error: str
) -> None:
    def ask(talk: Talk, rest: Rest) -> tuple[Any, int]:
        return limit(talk, **more), rest.truth()["orders_taken"]

    answer, taken = await talking_privately(nursery, ask)

    assert (answer["error"], answer["success"], taken) == (error, False, 0)


async def test_each_cancelled_order_is_answered_for(nursery: trio.Nursery) -> None:
    def cancel(talk: Talk, rest: Rest) -> list[Any]:
        del rest
        orders = [limit(talk)["result"]["order_id"] for _ in range(2)]
        names = [orders[0], "OAAAAA-BBBBB-CCCCCC", orders[1]]
        req_id = talk.say("cancel_order", {"order_id": names})
        for _ in names:
            talk.hear_until(lambda it: it.get("req_id") == req_id)
        return [it for it in talk.heard if it.get("req_id") == req_id]

    answers = await talking_privately(nursery, cancel)

    assert [it.get("error") for it in answers] == [None, "EOrder:Unknown order", None]


async def test_orders_are_cancelled_by_the_clients_own_id_and_all_at_once(
    nursery: trio.Nursery,
) -> None:
    def cancel(talk: Talk, _: Rest) -> tuple[Any, ...]:
        limit(talk, cl_ord_id=OWN)
        by_own = talk.ask("cancel_order", cl_ord_id=[OWN])
        again = talk.ask("cancel_order", cl_ord_id=[OWN])
        batch = [limit(talk)["result"]["order_id"] for _ in range(2)]
        several = talk.ask("batch_cancel", orders=batch)
        limit(talk)
        return by_own, again, several, talk.ask("cancel_all")

    by_own, again, several, everything = await talking_privately(nursery, cancel)

    assert by_own["result"]["cl_ord_id"] == OWN
    assert again["error"] == "EOrder:Unknown order"
    assert several["orders_cancelled"] == 2
    assert everything["result"] == {"count": 1}


async def test_the_dead_mans_switch_is_set_here_too(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)

    def arm(talk: Talk, _: Rest) -> Any:
        limit(talk)
        return talk.ask("cancel_all_orders_after", timeout=1)

    answer = await in_thread(lambda: private_talk(simulator, arm))
    await trio.sleep(2.2)
    left = await in_thread(lambda: Rest(simulator.endpoints).result("OpenOrders"))

    assert (answer["success"], set(answer["result"])) == (
        True, {"currentTime", "triggerTime"},
    )  # fmt: skip
    assert left == {"open": {}}


async def test_who_has_no_token_or_a_wrong_one_is_refused(nursery: trio.Nursery) -> None:
    def ask(talk: Talk, _: Rest) -> list[Any]:
        talk.token = "not one"
        wrong = [limit(talk)["error"], talk.subscribe("balances")["error"]]
        talk.token = ""
        return [*wrong, limit(talk)["error"]]

    assert await talking_privately(nursery, ask) == [
        "ESession:Invalid session",
        "ESession:Invalid session",
        "Token(s) not found",
    ]


async def test_a_token_outlives_its_time_where_a_subscription_keeps_it(
    nursery: trio.Nursery,
) -> None:
    config = attrs.evolve(QUIET, kraken_limits=KrakenLimits(token_s=1))
    simulator = await start(nursery, config)

    def wait(talk: Talk, rest: Rest) -> tuple[bool, Any]:
        talk.subscribe("executions")
        for _ in range(3):
            talk.next_of("heartbeat")
        kept = limit(talk)["success"]
        with private_socket(rest.endpoints) as other:
            return kept, limit(Talk(other, talk.token)).get("error")

    assert await in_thread(lambda: private_talk(simulator, wait)) == (
        True,
        "ESession:Invalid session",
    )


async def test_market_data_is_not_served_here(nursery: trio.Nursery) -> None:
    answer = await talking_privately(
        nursery, lambda it, _: it.subscribe("trade", "BTC/USDT")
    )

    assert answer["error"] == (
        "Public market data subscriptions are unavailable on this endpoint"
    )


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("server_error", {"error": "EService:Unavailable"}), ("late_ack", {"success": True})],
)
async def test_an_answer_may_lie_or_be_late_though_the_order_was_taken(
    nursery: trio.Nursery, kind: Any, answer: dict[str, object]
) -> None:
    def place(talk: Talk, rest: Rest) -> tuple[Any, int]:
        found = limit(talk)
        return found, rest.truth()["orders_taken"]

    fault = Fault(kind, times=1, delay_s=0.2, connection="ws_api")
    found, taken = await talking_privately(nursery, place, fault=fault)

    assert ({name: found[name] for name in answer}, taken) == (answer, 1)


async def test_a_lost_answer_is_resolved_by_the_clients_own_id(
    nursery: trio.Nursery,
) -> None:
    def place(talk: Talk, rest: Rest) -> tuple[bool, Any]:
        req_id = talk.say(
            "add_order",
            {
                "order_type": "limit",
                "side": "buy",
                "symbol": "BTC/USDT",
                "order_qty": 0.01,
                "limit_price": 54000.5,
                "cl_ord_id": OWN,
            },
        )
        settle(talk)
        is_answered = any(it.get("req_id") == req_id for it in talk.heard)
        return is_answered, rest.result("QueryOrders", cl_ord_id=OWN)

    fault = Fault("lost_ack", times=1, connection="ws_api")
    is_answered, found = await talking_privately(nursery, place, fault=fault)

    assert not is_answered
    assert [it["status"] for it in found.values()] == ["open"]


async def test_a_duplicated_event_repeats_its_sequence(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)

    def trade(talk: Talk, _: Rest) -> list[int]:
        talk.subscribe("executions")
        talk.next_of("executions")
        Rest(simulator.endpoints).ask(
            "POST", "/simulator/faults", json={"kind": "duplicate", "connection": "ws_api"}
        )
        limit(talk)
        settle(talk)
        return [it["sequence"] for it in talk.of("executions")]

    assert await in_thread(lambda: private_talk(simulator, trade)) == [1, 2, 2, 3, 3]
