"""The simulated Kraken's private REST: who may ask, how much, and what orders may be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import httpx
import pytest
import trio

from adapters.simulator.config import SimulatorConfig
from adapters.simulator.faults import Fault
from adapters.simulator.kraken_keys import signature
from adapters.simulator.kraken_limits import KrakenLimits, cancel_cost
from adapters.simulator.server import Simulator
from tests.adapters.kraken_simulator_desk import ANN, BOB, CONFIG, QUIET, UUID, Rest, signed
from tests.adapters.simulator_desk import in_thread, start

T = TypeVar("T")


async def asking(
    nursery: trio.Nursery, work: Callable[[Rest], T], config: SimulatorConfig = QUIET
) -> T:
    """Let a client ask a new simulated Kraken."""
    simulator = await start(nursery, config)
    return await in_thread(lambda: work(Rest(simulator.endpoints)))


def test_the_published_signature_is_ours() -> None:
    """docs.kraken.com, "Spot REST Authentication"."""
    secret = (
        "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6"
        "F1huXg=="
    )
    body = (
        b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    )
    assert signature(secret, "/0/private/AddOrder", "1616492376594", body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8"
        "ndwLUQ=="
    )


async def test_a_nonce_must_rise_for_each_key_alone(nursery: trio.Nursery) -> None:
    def ask(rest: Rest) -> list[Any]:
        bob = Rest(rest.endpoints, BOB)
        asked = [(rest, 10**18), (rest, 10**18), (rest, 5), (bob, 5), (rest, 10**18 + 1)]
        found = [it.private("Balance", nonce=nonce)["error"] for it, nonce in asked]
        return [*found, rest.private("Balance", nonce="1e30")["error"]]

    assert await asking(nursery, ask) == [
        [],
        ["EAPI:Invalid nonce"],
        ["EAPI:Invalid nonce"],
        [],
        [],
        ["EAPI:Invalid nonce"],
    ]


async def test_a_body_changed_after_signing_is_refused(nursery: trio.Nursery) -> None:
    def ask(rest: Rest) -> Any:
        path, body = "/0/private/AddOrder", "nonce=7&volume=1"
        headers = {"API-Key": ANN.key, "API-Sign": signed(ANN.secret, path, 7, body)}
        return rest.ask("POST", path, content="nonce=7&volume=9", headers=headers).json()

    assert (await asking(nursery, ask))["error"] == ["EAPI:Invalid signature"]


async def test_a_json_body_is_read_and_signed_as_it_is(nursery: trio.Nursery) -> None:
    def ask(rest: Rest) -> Any:
        order = {"pair": "XBTUSDT", "type": "buy", "ordertype": "limit", "price": "59000.5"}
        return rest.json("AddOrder", volume="0.5", **order)

    answer = await asking(nursery, ask)

    assert answer["result"]["descr"]["order"] == "buy 0.50000 XBTUSDT @ limit 59000.50"


async def test_what_is_not_served_is_refused_inside_an_answer_that_is_fine(
    nursery: trio.Nursery,
) -> None:
    def ask(rest: Rest) -> list[tuple[int, Any]]:
        answers = [
            rest.raw("WithdrawEverything"),
            rest.ask("GET", "/0/private/Balance"),
            rest.ask("GET", "/elsewhere"),
        ]
        return [(it.status_code, it.json()["error"]) for it in answers]

    assert await asking(nursery, ask) == [(200, ["EGeneral:Unknown method"])] * 3


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"pair": "ABCUSD"}, "EQuery:Unknown asset pair"),
        ({"volume": "0.000001"}, "EGeneral:Invalid arguments:volume minimum not met"),
        ({"volume": "0.000015"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "-1"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.00001"}, "EOrder:Cost minimum not met"),
        (
            {"price": "54000.555"},
            "EOrder:Invalid price:BTC/USDT price can only be specified up to 2 decimals.",
        ),
        ({"price": ""}, "EGeneral:Invalid arguments:price"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": "iceberg"}, "EGeneral:Invalid arguments:ordertype"),
        ({"volume": "3"}, "EOrder:Insufficient funds"),
        ({"price": "61000", "oflags": "post"}, "EOrder:Post only order"),
        ({"oflags": "post,never"}, "EGeneral:Invalid arguments:oflags"),
        ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "XYZ"}, "EGeneral:Invalid arguments:timeinforce"),
        (
            {"cl_ord_id": "far too long for free text"},
            "EGeneral:Invalid arguments:cl_ord_id",
        ),
        ({"leverage": "5"}, "EGeneral:Invalid arguments:leverage"),
        ({"deadline": "2020-01-01T00:00:00Z"}, "EService:Deadline elapsed"),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused(
    nursery: trio.Nursery, more: dict[str, str], error: str
) -> None:
    order = {"pair": "XBTUSDT", "type": "buy", "ordertype": "limit", "volume": "0.01"}
    wanted = order | {"price": "54000.5"} | more

    def ask(rest: Rest) -> tuple[Any, Any]:
        return rest.private("AddOrder", **wanted), rest.truth()

    answer, truth = await asking(nursery, ask)

    assert answer == {"error": [error]}
    assert truth["orders_taken"] == 0


async def test_a_tick_that_is_no_power_of_ten_is_checked(nursery: trio.Nursery) -> None:
    listing = attrs.evolve(QUIET.listings[0], tick=Decimal("0.05"))
    config = attrs.evolve(QUIET, listings=(listing,))

    answer = await asking(nursery, lambda it: it.buy("54000.03"), config)

    assert answer == {"error": ["EOrder:Tick size check failed"]}


async def test_a_validated_order_is_judged_and_not_placed(nursery: trio.Nursery) -> None:
    def ask(rest: Rest) -> tuple[Any, Any, int]:
        good, bad = rest.buy(validate="true"), rest.buy(volume="3", validate="true")
        return good, bad, rest.truth()["orders_taken"]

    good, bad, taken = await asking(nursery, ask)

    assert (list(good["result"]), bad["error"], taken) == (
        ["descr"], ["EOrder:Insufficient funds"], 0,
    )  # fmt: skip


async def test_a_client_id_is_unique_among_open_orders_and_finds_every_order(
    nursery: trio.Nursery,
) -> None:
    own = UUID.format(1)

    def ask(rest: Rest) -> tuple[Any, ...]:
        rest.buy(cl_ord_id=own)
        again = rest.buy(cl_ord_id=own)
        by_id = rest.result("QueryOrders", cl_ord_id=own)
        canceled = rest.result("CancelOrder", cl_ord_id=own)
        rest.buy(cl_ord_id=own)
        both = rest.result("QueryOrders", cl_ord_id=own)
        closed = rest.result("ClosedOrders", cl_ord_id=own)
        opened = rest.result("OpenOrders", cl_ord_id=own)
        return again, by_id, canceled, both, closed, opened, rest.truth()

    again, by_id, canceled, both, closed, opened, truth = await asking(nursery, ask)

    assert again["error"] == ["EGeneral:Invalid arguments:cl_ord_id not unique"]
    assert [it["cl_ord_id"] for it in by_id.values()] == [own]
    assert (canceled, len(both)) == ({"count": 1}, 2)
    assert (closed["count"], len(opened["open"])) == (1, 1)
    row = truth["orders"]["ann"][own]
    assert (row["placed"], row["asked"], truth["placed_twice"]) == (2, 3, [own])


async def test_a_batch_is_refused_whole_by_a_rule_and_in_part_by_the_engine(
    nursery: trio.Nursery,
) -> None:
    good = {"type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01"}

    def ask(rest: Rest) -> tuple[Any, int, Any]:
        broken, dear = good | {"volume": "0"}, good | {"volume": "3"}
        whole = rest.json("AddOrderBatch", pair="XBTUSDT", orders=[good, broken])
        taken = rest.truth()["orders_taken"]
        part = rest.json("AddOrderBatch", pair="XBTUSDT", orders=[good, dear])
        return whole, taken, part["result"]["orders"]

    whole, taken, part = await asking(nursery, ask)

    assert (whole["error"], taken) == (["EGeneral:Invalid arguments:volume"], 0)
    assert [("txid" in it, it.get("error")) for it in part] == [
        (True, None),
        (False, "EOrder:Insufficient funds"),
    ]


async def test_userrefs_name_several_orders(nursery: trio.Nursery) -> None:
    def ask(rest: Rest) -> tuple[Any, Any, Any]:
        for _ in range(2):
            rest.buy(userref=77)
        found = rest.result("OpenOrders", userref=77)["open"]
        return found, rest.result("CancelOrder", txid=77), rest.result("OpenOrders")

    found, canceled, left = await asking(nursery, ask)

    assert (len(found), canceled, left) == (2, {"count": 2}, {"open": {}})


async def test_history_comes_fifty_at_a_time_the_newest_first(
    nursery: trio.Nursery,
) -> None:
    limits = KrakenLimits(calls_max=1000, orders_max=1000)
    config = attrs.evolve(QUIET, kraken_limits=limits)

    def ask(rest: Rest) -> tuple[Any, ...]:
        for _ in range(53):
            rest.buy(None, "0.0002")
        pages = [rest.result("TradesHistory", ofs=offset) for offset in (0, 50)]
        closed = [rest.result("ClosedOrders", ofs=offset) for offset in (0, 50)]
        return pages, closed

    pages, closed = await asking(nursery, ask, config)
    ids = [it["trade_id"] for page in pages for it in page["trades"].values()]

    assert [(len(it["trades"]), it["count"]) for it in pages] == [(50, 53), (3, 53)]
    assert [(len(it["closed"]), it["count"]) for it in closed] == [(50, 53), (3, 53)]
    assert ids == sorted(ids, reverse=True)
    assert {it["pair"] for it in pages[0]["trades"].values()} == {"XBTUSDT"}


async def test_a_market_order_may_be_sized_in_quote(nursery: trio.Nursery) -> None:
    def ask(rest: Rest) -> tuple[Any, Any, Any]:
        placed = rest.buy(None, "600", oflags="viqc")["result"]["txid"][0]
        order = rest.result("QueryOrders", txid=placed, trades="true")[placed]
        return order, rest.result("QueryTrades", txid=order["trades"][0]), rest.truth()

    order, trades, truth = await asking(nursery, ask)
    trade = next(iter(trades.values()))

    assert (order["status"], order["vol_exec"]) == ("closed", "0.00999")
    assert (trade["vol"], trade["maker"]) == ("0.00999", False)
    spent = 50_000 - Decimal(truth["balances"]["ann"]["USDT"]["free"])
    assert spent == Decimal(order["cost"]) + Decimal(order["fee"])


async def test_holds_are_shown_beside_the_balance(nursery: trio.Nursery) -> None:
    def ask(rest: Rest) -> tuple[Any, Any]:
        rest.buy("50000", "0.1")
        return rest.result("BalanceEx"), rest.result("Balance")

    extended, plain = await asking(nursery, ask)

    assert extended["USDT"] == {
        "balance": "50000.0000000000",
        "hold_trade": "5005.0000000000",  # with the fee that it may cost
    }
    assert plain == {"USDT": "50000.0000000000", "XXBT": "2.0000000000"}


async def test_calls_are_counted_per_key_and_the_counter_goes_down(
    nursery: trio.Nursery,
) -> None:
    config = attrs.evolve(QUIET, kraken_limits=KrakenLimits(calls_max=3, calls_1s=4))

    def ask(rest: Rest) -> list[Any]:
        found = [rest.private("Balance")["error"] for _ in range(4)]
        bob = Rest(rest.endpoints, BOB).private("Balance")["error"]
        return [*found, bob, rest.buy()["error"]]

    simulator = await start(nursery, config)
    rest = Rest(simulator.endpoints)
    errors = await in_thread(lambda: ask(rest))
    await trio.sleep(0.6)
    later = await in_thread(lambda: rest.private("Balance")["error"])

    truth = await in_thread(rest.truth)

    assert errors == [[], [], [], ["EAPI:Rate limit exceeded"], [], []]
    assert (later, truth["limits"]["refused"]) == ([], {"calls": 1})


@pytest.mark.parametrize(
    ("age_s", "cost"),
    [(0, 8), (4.9, 8), (5, 6), (12, 5), (44, 4), (60, 2), (299, 1), (300, 0)],
)
def test_a_young_order_is_dear_to_cancel(age_s: float, cost: int) -> None:
    assert cancel_cost(int(age_s * 1000)) == cost


async def test_orders_and_cancels_of_one_symbol_are_counted(nursery: trio.Nursery) -> None:
    limits = KrakenLimits(orders_max=10, orders_1s=0.0001)
    config = attrs.evolve(QUIET, kraken_limits=limits)

    def ask(rest: Rest) -> list[Any]:
        first = rest.buy()["result"]["txid"][0]
        second = rest.buy()["result"]["txid"][0]
        cancelled = [
            rest.private("CancelOrder", txid=it)["error"] for it in (first, second)
        ]
        return [*cancelled, rest.buy()["error"]]

    assert await asking(nursery, ask, config) == [[], [], ["EOrder:Rate limit exceeded"]]


async def test_open_orders_of_one_symbol_have_an_end(nursery: trio.Nursery) -> None:
    config = attrs.evolve(QUIET, kraken_limits=KrakenLimits(open_max=2))

    errors = await asking(nursery, lambda it: [it.buy()["error"] for _ in range(3)], config)

    assert errors == [[], [], ["EOrder:Orders limit exceeded"]]


async def test_the_dead_mans_switch_cancels_everything_unless_it_is_renewed(
    nursery: trio.Nursery,
) -> None:
    def ask(rest: Rest) -> tuple[Any, Any]:
        rest.buy()
        first = rest.result("CancelAllOrdersAfter", timeout=60)
        rest.result("CancelAllOrdersAfter", timeout=0)
        rest.result("CancelAllOrdersAfter", timeout=1)
        return first, rest.result("OpenOrders")["open"]

    simulator = await start(nursery, QUIET)
    rest = Rest(simulator.endpoints)
    first, resting = await in_thread(lambda: ask(rest))
    await trio.sleep(2.2)
    closed = await in_thread(lambda: rest.result("ClosedOrders")["closed"])

    span = [datetime.fromisoformat(first[it]) for it in ("currentTime", "triggerTime")]
    assert span[1] - span[0] == timedelta(seconds=60)
    assert len(resting) == 1
    assert [it["status"] for it in closed.values()] == ["canceled"]


async def test_an_order_that_is_good_till_a_date_expires(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)
    rest = Rest(simulator.endpoints)
    answer = await in_thread(lambda: rest.buy(timeinforce="GTD", expiretm="+1"))
    await trio.sleep(2.2)
    closed = await in_thread(lambda: rest.result("ClosedOrders")["closed"])

    assert [(txid, it["status"]) for txid, it in closed.items()] == [
        (answer["result"]["txid"][0], "expired")
    ]


async def test_an_order_that_may_not_rest_is_cancelled_at_once(
    nursery: trio.Nursery,
) -> None:
    def ask(rest: Rest) -> Any:
        txid = rest.buy("59000", timeinforce="IOC")["result"]["txid"][0]
        return rest.result("QueryOrders", txid=txid)[txid]

    order = await asking(nursery, ask)

    assert (order["status"], order["vol_exec"]) == ("canceled", "0.00000")


def stricken(simulator: Simulator, fault: Fault) -> tuple[Rest, Fault]:
    simulator.inject(fault)
    return Rest(simulator.endpoints), fault


async def test_a_lost_acknowledgement_leaves_the_order_taken(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)
    rest, _ = stricken(simulator, Fault("lost_ack", times=1))

    def ask() -> Any:
        with pytest.raises(httpx.RemoteProtocolError):
            rest.buy(cl_ord_id=UUID.format(2))
        return rest.result("QueryOrders", cl_ord_id=UUID.format(2))

    assert [it["status"] for it in (await in_thread(ask)).values()] == ["open"]


async def test_a_gateway_error_hides_that_the_order_was_taken(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery, QUIET)
    rest, _ = stricken(simulator, Fault("server_error", times=1))

    def ask() -> tuple[httpx.Response, int]:
        order = {"pair": "XBTUSDT", "type": "buy", "ordertype": "market", "volume": "0.01"}
        return rest.raw("AddOrder", **order), rest.truth()["orders_taken"]

    answer, taken = await in_thread(ask)

    assert (answer.status_code, answer.text[:6], taken) == (502, "<html>", 1)


@pytest.mark.parametrize(
    ("kind", "error"),
    [("rate_limit", "EAPI:Rate limit exceeded"), ("ban", "EGeneral:Temporary lockout")],
)
async def test_a_venue_that_limits_refuses_everything(
    nursery: trio.Nursery, kind: Any, error: str
) -> None:
    simulator = await start(nursery, QUIET)
    rest, _ = stricken(simulator, Fault(kind, times=2))

    errors = await in_thread(
        lambda: [rest.public("Time")["error"], rest.buy()["error"], rest.buy()["error"]]
    )

    assert errors == [[error], [error], []]


async def test_time_is_what_the_venue_claims_it_is(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, CONFIG, unix_ms=1_700_000_000_000)
    simulator.inject(Fault("clock_skew", skew_ms=90_000))

    result = await in_thread(lambda: Rest(simulator.endpoints).public("Time")["result"])

    assert result["unixtime"] - 1_700_000_090 in {0, 1}
    assert result["rfc1123"].startswith("Tue, 14 Nov 23 22:14:")
    assert datetime.fromtimestamp(result["unixtime"], UTC).year == 2023
