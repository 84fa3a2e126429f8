"""Orders of both trading APIs over a scripted venue: yes, no, or nobody knows."""

from __future__ import annotations

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import jwt
import pytest
import trio

from actors.messages import (
    OrderStatus,
    OrderType,
    VenueAck,
    VenueReject,
    VenueUnknown,
)
from adapters.coinbase import Coinbase
from adapters.coinbase.verdict import ADVANCED_PLACE
from adapters.errors import (
    ConnectionLost,
    RemoteProtocolError,
    VenueError,
)
from tests.adapters.coinbase_script import (
    ADVANCED,
    BUY,
    EXCHANGE,
    HMAC_SECRET,
    KEY,
    NEW_ID,
    NOW_MS,
    OUR_ID,
    PASSPHRASE,
    PEM,
    THEIR_ID,
    Asked,
    Said,
    by_path,
    opened,
)

PREFIX = "/api/v3/brokerage"
CREATED: dict[str, Any] = {
    "success": True,
    "success_response": {
        "order_id": THEIR_ID,
        "product_id": "BTC-USD",
        "side": "BUY",
        "client_order_id": OUR_ID,
    },
}


def refusal(error: str, preview: str = "") -> dict[str, Any]:
    return {
        "success": False,
        "error_response": {
            "error": error,
            "message": "no",
            "preview_failure_reason": preview,
        },
    }


def order(**changes: object) -> dict[str, Any]:
    return {
        "order_id": THEIR_ID,
        "product_id": "BTC-USD",
        "side": "BUY",
        "client_order_id": OUR_ID,
        "status": "OPEN",
        "created_time": "2023-11-14T22:13:20Z",
        "filled_size": "0",
        "order_configuration": {"limit_limit_gtc": {"base_size": "0.5"}},
        **changes,
    }


async def place(coinbase: Coinbase, keys: Any) -> VenueAck | VenueReject | VenueUnknown:
    return await coinbase.trading(*keys).place(BUY)


async def test_an_order_of_advanced_trade_is_sent_once_and_acknowledged(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery, by_path(post_orders=Said(CREATED))) as (desk, coinbase):
        ack = await place(coinbase, ADVANCED)
        assert ack == VenueAck(OUR_ID, THEIR_ID, OrderStatus.OPEN, Decimal(0), NOW_MS)
        (asked,) = desk.of("POST", f"{PREFIX}/orders")
        assert asked.body["client_order_id"] == OUR_ID
        token = asked.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        host = desk.origin.removeprefix("http://")
        assert claims["uri"] == f"POST {host}{PREFIX}/orders"


async def test_an_order_expires_before_a_lost_one_is_judged(nursery: trio.Nursery) -> None:
    """What is not there five seconds later never will be (I-10)."""
    script = by_path(post_orders=Said(CREATED))
    async with opened(nursery, script) as (desk, coinbase):
        await place(coinbase, ADVANCED)
        await place(coinbase, EXCHANGE)
        advanced, exchange = desk.asked[-2:]
        token = advanced.headers["authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] == NOW_MS // 1000 + 5
        oldest_s = NOW_MS // 1000 + 5 - 30
        assert Decimal(exchange.headers["cb-access-timestamp"]) == oldest_s


@pytest.mark.parametrize("code", sorted(ADVANCED_PLACE))
async def test_every_reason_on_the_list_is_a_definite_no(
    nursery: trio.Nursery, code: str
) -> None:
    script = by_path(post_orders=Said(refusal(code)))
    async with opened(nursery, script) as (_, coinbase):
        assert await place(coinbase, ADVANCED) == VenueReject(OUR_ID, code, "no")


NOT_SURE = [
    Said(refusal("UNKNOWN_FAILURE_REASON", "UNKNOWN_PREVIEW_FAILURE_REASON")),
    Said(refusal("DUPLICATE_CLIENT_ORDER_ID")),
    Said(refusal("INVALID_REQUEST", "DUPLICATE_CLIENT_ORDER_ID")),
    Said({"success": True}),
    Said({"success": True, "success_response": {"order_id": "o", "client_order_id": "x"}}),
    Said({"error": "INTERNAL", "message": "x"}, 500),
    Said({"error": "INVALID_ARGUMENT", "message": "x"}, 503),
    Said({"error": "RESOURCE_EXHAUSTED", "message": "x"}, 400),
    Said(b"<html>", 403),
    Said(b"<html>", 400),
    Said(b"<html>", 200),
    None,
]


@pytest.mark.parametrize("said", NOT_SURE)
async def test_everything_else_is_unknown(nursery: trio.Nursery, said: Said | None) -> None:
    async with opened(nursery, by_path(post_orders=lambda _: said)) as (_, coinbase):
        assert isinstance(await place(coinbase, ADVANCED), VenueUnknown)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (
            Said(refusal("UNKNOWN_FAILURE_REASON", "PREVIEW_INVALID_STOP_PRICE")),
            "PREVIEW_INVALID_STOP_PRICE",
        ),
        (Said({"error": "INVALID_ARGUMENT", "message": "x"}, 400), "INVALID_ARGUMENT"),
        (Said({"error": "PERMISSION_DENIED", "message": "x"}, 403), "PERMISSION_DENIED"),
        (Said(b"Unauthorized\n", 401), "401"),
        (Said({"message": "too many"}, 429), "rate_limited"),
    ],
)
async def test_requests_that_were_refused_as_such_are_a_definite_no(
    nursery: trio.Nursery, said: Said, code: str
) -> None:
    async with opened(nursery, by_path(post_orders=said)) as (_, coinbase):
        found = await place(coinbase, ADVANCED)
        assert isinstance(found, VenueReject)
        assert found.code == code


async def test_an_order_whose_answer_does_not_come_is_unknown(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery, by_path(post_orders=lambda _: None)) as (desk, coinbase):
        assert isinstance(await place(coinbase, ADVANCED), VenueUnknown)
        assert isinstance(await place(coinbase, EXCHANGE), VenueUnknown)
        assert len(desk.of("POST", f"{PREFIX}/orders")) == 1
        assert len(desk.of("POST", "/orders")) == 1


async def test_an_order_that_cannot_leave_was_never_sent(nursery: trio.Nursery) -> None:
    async with opened(nursery, by_path(post_orders=Said(CREATED))) as (desk, coinbase):
        trading = coinbase.trading(*ADVANCED)
        unlisted = await trading.place(attrs.evolve(BUY, symbol="XYZ/USD"))
        assert isinstance(unlisted, VenueReject)
        assert unlisted.code == "not_sent"
        assert desk.of("POST", f"{PREFIX}/orders") == []


async def test_a_refused_token_measures_the_clock_anew(nursery: trio.Nursery) -> None:
    time = Said({"iso": "x", "epoch": NOW_MS / 1000 + 90})
    script = by_path(post_orders=Said(b"Unauthorized", 401), get_time=time)
    async with opened(nursery, script) as (_, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        assert abs(trading.now_ms() - NOW_MS - 90_000) < 1000


async def test_a_cancel_goes_by_the_venues_id(nursery: trio.Nursery) -> None:
    done = {"results": [{"success": True, "failure_reason": "", "order_id": THEIR_ID}]}
    script = by_path(post_orders=Said(CREATED), post_batch_cancel=Said(done))
    async with opened(nursery, script) as (desk, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        cancelled = await trading.cancel("BTC/USD", OUR_ID)
        assert isinstance(cancelled, VenueAck)
        assert cancelled.status is OrderStatus.PENDING_CANCEL
        (asked,) = desk.of("POST", f"{PREFIX}/orders/batch_cancel")
        assert asked.body == {"order_ids": [THEIR_ID]}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("UNKNOWN_CANCEL_ORDER", VenueReject),
        ("ORDER_IS_FULLY_FILLED", VenueReject),
        ("DUPLICATE_CANCEL_REQUEST", VenueAck),
        ("UNKNOWN_CANCEL_FAILURE_REASON", VenueUnknown),
    ],
)
async def test_a_cancel_that_is_refused_says_why(
    nursery: trio.Nursery, reason: str, expected: type
) -> None:
    row = {"success": False, "failure_reason": reason, "order_id": THEIR_ID}
    script = by_path(post_orders=Said(CREATED), post_batch_cancel=Said({"results": [row]}))
    async with opened(nursery, script) as (_, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        assert isinstance(await trading.cancel("BTC/USD", OUR_ID), expected)


async def test_an_order_nobody_has_is_not_cancelled(nursery: trio.Nursery) -> None:
    script = by_path(get_batch=Said({"orders": [], "has_next": False}))
    async with opened(nursery, script) as (desk, coinbase):
        found = await coinbase.trading(*ADVANCED).cancel("BTC/USD", OUR_ID)
        assert isinstance(found, VenueReject)
        assert found.code == "not_sent"
        assert desk.of("POST", f"{PREFIX}/orders/batch_cancel") == []


def pages(asked: Asked) -> Said:
    """Answer with three pages; ours is on the second, as one that has ended."""
    if asked.all("order_status"):
        return Said({"orders": [], "has_next": False, "cursor": ""})
    number = int((asked.all("cursor") or ["0"])[0])
    ours = OUR_ID if number == 1 else f"other-{number}"
    found = order(client_order_id=ours, status="CANCELLED")
    return Said({"orders": [found], "has_next": number < 2, "cursor": str(number + 1)})


async def test_an_order_is_looked_for_page_by_page_and_no_further(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery, by_path(get_batch=pages)) as (desk, coinbase):
        trading = coinbase.trading(*ADVANCED)
        found = await trading.order("BTC/USD", OUR_ID)
        assert found is not None
        assert found.status is OrderStatus.CANCELED
        asked = desk.of("GET", f"{PREFIX}/orders/historical/batch")
        assert [it.all("product_ids") for it in asked] == [["BTC-USD"]] * 3
        assert [it.all("cursor") for it in asked] == [[], [], ["1"]]
        assert await trading.order("BTC/USD", NEW_ID) is None
        assert len(await trading.past_orders("BTC/USD", since_ms=NOW_MS)) == 3


async def test_a_question_that_fails_says_nothing_of_the_order(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery, by_path(get_batch=Said({"error": "x"}, 500))) as (
        _,
        coinbase,
    ):
        with pytest.raises(ConnectionLost):
            await coinbase.trading(*ADVANCED).order("BTC/USD", OUR_ID)


async def test_pages_that_go_round_are_not_read_for_ever(nursery: trio.Nursery) -> None:
    same = Said({"orders": [order()], "has_next": True, "cursor": "again"})
    async with opened(nursery, by_path(get_batch=same)) as (_, coinbase):
        with pytest.raises(RemoteProtocolError, match="the same page again"):
            await coinbase.trading(*ADVANCED).past_orders("BTC/USD", since_ms=0)


async def test_an_order_that_was_just_placed_is_asked_for_by_the_venues_id(
    nursery: trio.Nursery,
) -> None:
    answers = {f"get_{THEIR_ID}": Said({"order": order(filled_size="0.1")})}
    script = by_path(post_orders=Said(CREATED), **answers)
    async with opened(nursery, script) as (desk, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        found = await trading.order("BTC/USD", OUR_ID)
        assert found is not None
        assert found.status is OrderStatus.PARTIALLY_FILLED
        assert desk.of("GET", f"{PREFIX}/orders/historical/batch") == []


async def test_a_lost_order_is_looked_for_since_just_before_it_was_sent(
    nursery: trio.Nursery,
) -> None:
    script = by_path(
        post_orders=lambda _: None, get_batch=Said({"orders": [], "has_next": False})
    )
    async with opened(nursery, script) as (desk, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        assert await trading.order("BTC/USD", OUR_ID) is None
        last = desk.of("GET", f"{PREFIX}/orders/historical/batch")[-1]
        assert last.all("start_date") == ["2023-11-14T22:12:20.000Z"]


async def test_an_order_of_another_life_is_not_looked_for_in_all_of_a_long_history(
    nursery: trio.Nursery,
) -> None:
    """I-8: else one that never arrived is unknown for ever: no pass reads so much."""

    def answer(asked: Asked) -> Said:
        is_all = not asked.all("start_date") and asked.all("order_status") != ["OPEN"]
        next_page = str(int((asked.all("cursor") or ["0"])[0]) + 1)
        rows = [order(order_id=next_page, client_order_id=next_page)] * is_all
        return Said({"orders": rows, "has_next": is_all, "cursor": next_page})

    async with opened(nursery, by_path(get_batch=answer)) as (desk, coinbase):
        assert await coinbase.trading(*ADVANCED).order("BTC/USD", OUR_ID) is None
        last = desk.of("GET", f"{PREFIX}/orders/historical/batch")[-1]
        assert last.all("start_date") == ["2023-11-13T22:13:20.000Z"]


async def test_balances_of_one_asset_are_told_together(nursery: trio.Nursery) -> None:
    def account(free: str) -> dict[str, Any]:
        money, hold = {"value": free}, {"value": "1"}
        return {"currency": "BTC", "available_balance": money, "hold": hold}

    def answer(asked: Asked) -> Said:
        is_first = not asked.all("cursor")
        rows = [account("2" if is_first else "3")]
        return Said({"accounts": rows, "has_next": is_first, "cursor": "c"})

    async with opened(nursery, by_path(get_accounts=answer)) as (_, coinbase):
        (only,) = await coinbase.trading(*ADVANCED).balances()
        assert (only.asset, only.free, only.locked) == ("BTC", 5, 2)


def replacing(**changes: object) -> Callable[[Asked], Said | None]:
    ended = order(**{"status": "CANCELLED", **changes})
    done = {"results": [{"success": True, "order_id": THEIR_ID}]}
    created = {**CREATED, "success_response": {"order_id": "new"}}

    def answer(asked: Asked) -> Said:
        return Said(CREATED if asked.body["client_order_id"] == OUR_ID else created)

    answers = {f"get_{THEIR_ID}": Said({"order": ended})}
    return by_path(post_orders=answer, post_batch_cancel=Said(done), **answers)


NEW = attrs.evolve(BUY, client_order_id=NEW_ID, order_type=OrderType.LIMIT_MAKER)


async def test_a_replacement_is_placed_once_the_first_has_ended(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery, replacing()) as (_, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        both = await trading.replace(OUR_ID, NEW)
        assert isinstance(both.cancelled, VenueAck)
        assert isinstance(both.placed, VenueAck)
        assert (both.cancelled.status, both.placed.client_order_id) == (
            OrderStatus.CANCELED,
            NEW_ID,
        )


@pytest.mark.parametrize(
    ("changes", "cancelled"),
    [
        ({"filled_size": "0.1"}, VenueAck),
        ({"status": "FILLED", "filled_size": "0.5"}, VenueReject),
    ],
)
async def test_nothing_is_placed_where_something_was_executed(
    nursery: trio.Nursery, changes: dict[str, Any], cancelled: type
) -> None:
    async with opened(nursery, replacing(**changes)) as (desk, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        both = await trading.replace(OUR_ID, NEW)
        assert isinstance(both.cancelled, cancelled)
        assert isinstance(both.placed, VenueReject)
        assert len(desk.of("POST", f"{PREFIX}/orders")) == 1


async def test_nothing_is_placed_while_the_first_may_still_be_there(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.coinbase.replacing.READ_BACK_S", 0.6)
    async with opened(nursery, replacing(status="OPEN")) as (desk, coinbase):
        trading = coinbase.trading(*ADVANCED)
        await trading.place(BUY)
        both = await trading.replace(OUR_ID, NEW)
        assert isinstance(both.cancelled, VenueUnknown)
        assert isinstance(both.placed, VenueReject)
        assert both.placed.code == "not_replaced"
        assert len(desk.of("POST", f"{PREFIX}/orders")) == 1


@pytest.mark.parametrize("keys", [ADVANCED, EXCHANGE])
async def test_no_secret_is_in_what_errors_say(nursery: trio.Nursery, keys: Any) -> None:
    echo = by_path()

    def answer(asked: Asked) -> Said | None:
        if asked.method == "POST":
            return Said({"error": "X", "message": "no"}, 418)
        return echo(asked)

    def told(error: object) -> str:
        return f"{error!r} {error}"

    async with opened(nursery, answer) as (_, coinbase):
        trading = coinbase.trading(*keys)
        said = told(await trading.place(BUY))
        for ask in (trading.balances, lambda: trading.fills("BTC/USD", since_ms=0)):
            with pytest.raises(VenueError) as failed:
                await ask()
            said += told(failed.value)
        said += repr(trading)
    for secret in (KEY, PEM.splitlines()[1], HMAC_SECRET, PASSPHRASE, "Bearer"):
        assert secret not in said
    assert base64.b64decode(HMAC_SECRET).decode() not in said
