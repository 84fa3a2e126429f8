"""Coinbase Exchange's REST on the simulator: signatures, orders, fills, pages, faults."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest
import trio

from adapters.simulator.coinbase_auth import Signed, exchange_key, public_key
from adapters.simulator.coinbase_faults import Refused
from adapters.simulator.coinbase_limits import Buckets
from adapters.simulator.config import ApiKey
from adapters.simulator.server import Simulator
from tests.adapters.coinbase_desk import ANN, BOB, CONFIG, OID, Exchange, start
from tests.adapters.simulator_desk import in_thread

LIMIT: dict[str, Any] = {"type": "limit", "price": "50000", "size": "0.01"}
VECTOR_SECRET = (
    "kv+3DPw2yHWQWkDsmpN4uXWtgtuBrFFLu7zRk9gi"
    "pjdrFpUjwZ0mK6KzGAPFpxOjDLdna20xozy+9fqRU5zJZQ=="
)


@pytest.mark.parametrize(
    ("timestamp", "payload", "signature"),
    [
        (
            "1580066918.897",
            "GET/fills?product_id=BTC-EUR",
            "qGB3X7LOAhNXPpRqV73F08sMU1hKuX+s7vQypcEErV8=",
        ),
        (
            "1700000000",
            "GET/users/self/verify",
            "On7vA+7oELy1/iVbzUHi1HWBa+qQBT5OS49CGdO/AnU=",
        ),
        (
            "1700000000",
            f"DELETE/orders/client:{OID}?product_id=BTC-USD",
            "pwzxRUcNS99J+wiIHYIWOMXwp8uQktnQCPTVAWn0g8Q=",
        ),
    ],
)
def test_the_known_signatures_are_taken(
    timestamp: str, payload: str, signature: str
) -> None:
    key = ApiKey("doc", "DOC", VECTOR_SECRET, passphrase="open")
    signed = Signed("DOC", "open", timestamp, signature, payload)

    found = exchange_key({"DOC": key}, signed, int(float(timestamp) * 1000))

    assert found is key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": "NOBODY"}, "Invalid API Key"),
        ({"key": BOB.key}, "Invalid API Key"),  # an Advanced Trade key opens nothing here
        ({"passphrase": "sesame"}, "Invalid Passphrase"),
        ({"signature": "AAAA"}, "invalid signature"),
        ({"timestamp": "1700000031"}, "request timestamp expired"),
        ({"timestamp": "1699999969"}, "request timestamp expired"),
    ],
)
def test_what_is_not_signed_properly_is_refused(
    change: dict[str, str], message: str
) -> None:
    signed = Signed("ANN-KEY", "open", "1700000000", "AAAA", "GET/orders")
    keys = {key.key: key for key in (ANN, BOB)}

    with pytest.raises(Refused) as refused:
        exchange_key(keys, attrs.evolve(signed, **change), 1_700_000_000_000)

    assert (refused.value.status, refused.value.message) == (401, message)


@pytest.mark.parametrize("secret", ["no base64!", "abc"])
def test_no_signature_fits_a_secret_that_is_no_base64(secret: str) -> None:
    key = ApiKey("odd", "ODD", secret, passphrase="open")
    signed = Signed("ODD", "open", "1700000000", "AAAA", "GET/orders")

    with pytest.raises(Refused, match="invalid signature"):
        exchange_key({"ODD": key}, signed, 1_700_000_000_000)


@pytest.mark.parametrize(
    "secret", ["throw-away", "YWJj", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n"]
)
def test_no_token_fits_a_secret_that_is_no_key(secret: str) -> None:
    assert public_key(secret) is None


async def test_an_order_is_pending_then_open_then_gone_with_its_cancel(
    nursery: trio.Nursery,
) -> None:
    client = Exchange(await start(nursery))

    def trade() -> tuple[Any, ...]:
        placed = client.limit(client_oid=OID)
        found = client.orders(f"/client:{OID}")
        canceled = client.signed("DELETE", f"/orders/client:{OID}").json()
        gone = client.signed("GET", f"/orders/{placed['id']}")
        return placed["status"], found["status"], canceled == placed["id"], gone.status_code

    assert await in_thread(trade) == ("pending", "open", True, 404)


async def test_a_hold_has_room_for_the_fee_and_a_cancel_frees_it(
    nursery: trio.Nursery,
) -> None:
    client = Exchange(await start(nursery))

    def usd() -> tuple[str, str]:
        rows = {row["currency"]: row for row in client.signed("GET", "/accounts").json()}
        return rows["USD"]["available"], rows["USD"]["hold"]

    def trade() -> Any:
        client.limit("50000", "0.01")
        held = usd()
        client.signed("DELETE", "/orders")
        return held, usd()

    assert await in_thread(trade) == (
        ("49497", "503.0000000000000000"),
        ("50000", "0.0000000000000000"),
    )


async def test_a_market_order_by_funds_spends_no_more_than_them_with_its_fee(
    nursery: trio.Nursery,
) -> None:
    client = Exchange(await start(nursery))

    def trade() -> tuple[Any, list[Any]]:
        placed = client.place(type="market", funds="600").json()
        fills = client.signed("GET", f"/fills?order_id={placed['id']}").json()
        return client.orders(f"/{placed['id']}"), fills

    order, fills = await in_thread(trade)
    spent = Decimal(order["executed_value"]) + Decimal(order["fill_fees"])
    assert (order["status"], order["done_reason"]) == ("done", "filled")
    assert Decimal(599) < spent <= Decimal(600)
    assert {fill["liquidity"] for fill in fills} == {"T"}
    assert sum(Decimal(fill["fee"]) for fill in fills) == Decimal(order["fill_fees"])


async def test_a_client_oid_that_is_no_uuid_is_ignored(nursery: trio.Nursery) -> None:
    client = Exchange(await start(nursery))

    def trade() -> tuple[Any, int]:
        placed = client.limit(client_oid="my-order-1")
        return placed, client.signed("GET", "/orders/client:my-order-1").status_code

    placed, status = await in_thread(trade)
    assert ("client_oid" in placed, status) == (False, 404)


async def test_a_post_only_order_that_would_take_is_rejected_in_its_answer(
    nursery: trio.Nursery,
) -> None:
    client = Exchange(await start(nursery))

    def trade() -> Any:
        return client.limit("70000", post_only=True), client.orders()

    placed, listed = await in_thread(trade)
    assert (placed["status"], placed["reject_reason"]) == ("rejected", "post only")
    assert listed == []


async def test_a_late_cancel_of_a_filled_order_is_told_so(nursery: trio.Nursery) -> None:
    client = Exchange(await start(nursery))

    def trade() -> tuple[int, Any]:
        placed = client.limit("70000")
        answer = client.signed("DELETE", f"/orders/{placed['id']}")
        return answer.status_code, answer.json()

    assert await in_thread(trade) == (400, {"message": "Order already done"})


async def test_a_stop_is_active_until_the_last_price_reaches_it(
    nursery: trio.Nursery,
) -> None:
    simulator = Simulator(CONFIG)
    await nursery.start(simulator.run)
    client = Exchange(simulator.endpoints)
    stop = {"side": "sell", "stop": "loss", "stop_price": "59000", "client_oid": OID}

    def place() -> Any:
        client.limit("58000", **stop)
        return client.orders("?status=active")

    resting = await in_thread(place)
    engine = simulator.exchange.engine
    engine.tell_last("BTCUSD", Decimal(58_900), simulator.exchange.now_ms())
    fired = await in_thread(lambda: client.orders(f"/client:{OID}"))

    assert [(it["status"], it["stop"]) for it in resting] == [("active", "loss")]
    assert (fired["status"], fired["done_reason"]) == ("done", "filled")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"product_id": "NOPE-USD"}, "Product not found"),
        ({"side": "up"}, "Invalid side"),
        ({"price": "50000.001"}, "price too precise"),
        ({"size": "0.0000001"}, "size too precise"),
        ({"size": "0.00001"}, "funds is too small"),
        ({"size": 0.01}, "size must be a string"),
        ({"price": "nan"}, "Invalid price"),
        ({"size": "9"}, "Insufficient funds"),
        ({"time_in_force": "GTT"}, "cancel_after goes with GTT"),
        ({"time_in_force": "IOC", "post_only": True}, "post_only is invalid with IOC"),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_by_name(
    nursery: trio.Nursery, fields: dict[str, Any], message: str
) -> None:
    client = Exchange(await start(nursery))

    answer = await in_thread(lambda: client.place(**(LIMIT | fields)))

    assert (answer.status_code, answer.json()) == (400, {"message": message})


async def test_orders_come_in_pages_that_their_cursors_lead_through(
    nursery: trio.Nursery,
) -> None:
    client = Exchange(await start(nursery))

    def read() -> tuple[list[str], list[str]]:
        placed = [client.limit(str(50_000 + n))["id"] for n in range(3)]
        first = client.signed("GET", "/orders?limit=2")
        after = first.headers["CB-AFTER"]
        second = client.signed("GET", f"/orders?limit=2&after={after}")
        return placed, [row["id"] for page in (first, second) for row in page.json()]

    placed, listed = await in_thread(read)
    assert listed == placed[::-1]


async def test_candles_are_rows_of_numbers_newest_first(nursery: trio.Nursery) -> None:
    client = Exchange(await start(nursery))

    rows = await in_thread(lambda: client.get("/products/BTC-USD/candles?granularity=60"))

    assert len(rows) == 300
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert all(low <= min(o, c) <= max(o, c) <= high for _, low, high, o, c, _ in rows)


async def test_more_than_300_candles_are_refused(nursery: trio.Nursery) -> None:
    client = Exchange(await start(nursery))
    target = "/products/BTC-USD/candles?granularity=60&start=1700000000&end=1700018061"

    answer = await in_thread(lambda: client.ask("GET", target))

    assert (answer.status_code, "exceeds 300" in answer.text) == (400, True)


def test_a_bucket_lets_a_burst_through_and_then_so_many_a_second() -> None:
    buckets = Buckets()

    at_once = [buckets.take("public", "ann", 0) for _ in range(16)]
    later = [buckets.take("public", "ann", 200) for _ in range(3)]

    assert at_once == [True] * 15 + [False]
    assert later == [True, True, False]
    assert buckets.take("public", "bob", 200)


async def test_who_asks_too_often_is_told_so_without_a_word_when_to_return(
    nursery: trio.Nursery,
) -> None:
    client = Exchange(await start(nursery))

    def ask() -> Any:
        client.ask("POST", "/simulator/faults", content='{"kind":"rate_limit"}')
        return client.ask("GET", "/time"), client.signed("GET", "/orders")

    public, private = await in_thread(ask)
    assert public.json() == {"message": "Public rate limit exceeded"}
    assert private.json() == {"message": "Private rate limit exceeded"}
    assert {public.status_code, private.status_code} == {429}
    assert "retry-after" not in public.headers


@pytest.mark.parametrize("kind", ["lost_ack", "server_error", "late_ack"])
async def test_an_order_whose_acknowledgement_is_troubled_is_taken_once(
    nursery: trio.Nursery, kind: str
) -> None:
    client = Exchange(await start(nursery))

    def trade() -> tuple[str, Any]:
        fault = json.dumps({"kind": kind, "times": 1, "delay_s": 0.4})
        client.ask("POST", "/simulator/faults", content=fault)
        began_s = time.monotonic()
        try:
            status = str(client.place(**LIMIT, client_oid=OID))
        except httpx.RemoteProtocolError as error:
            status = type(error).__name__
        late = "late " if time.monotonic() - began_s > 0.4 else ""
        return late + status, client.truth()["orders"]["ann"][OID]["placed"]

    seen = {
        "lost_ack": "RemoteProtocolError",
        "server_error": "<Response [500 Internal Server Error]>",
        "late_ack": "late <Response [200 OK]>",
    }
    assert await in_thread(trade) == (seen[kind], 1)


async def test_a_good_till_time_order_ends_with_its_time(nursery: trio.Nursery) -> None:
    simulator = Simulator(CONFIG)
    await nursery.start(simulator.run)
    client = Exchange(simulator.endpoints)
    placed = await in_thread(
        lambda: client.limit(time_in_force="GTT", cancel_after="min", client_oid=OID)
    )

    dialect = simulator.dialect
    dialect.beat(simulator.exchange.now_ms() + 59_000, 0)
    before = await in_thread(client.orders)
    dialect.beat(simulator.exchange.now_ms() + 61_000, 10)
    after = await in_thread(client.orders)

    assert (placed["time_in_force"], len(before), after) == ("GTT", 1, [])
