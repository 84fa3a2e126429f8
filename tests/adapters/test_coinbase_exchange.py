"""Orders of an Exchange key over a scripted venue: yes, no, or nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from actors.messages import OrderStatus, VenueAck, VenueReject, VenueUnknown
from adapters.coinbase import Coinbase
from adapters.coinbase.verdict import EXCHANGE_PLACE
from tests.adapters.coinbase_script import (
    BUY,
    EXCHANGE,
    NEW_ID,
    NOW_MS,
    OUR_ID,
    PASSPHRASE,
    THEIR_ID,
    Asked,
    Said,
    by_path,
    opened,
)


def exchange_order(**changes: object) -> dict[str, Any]:
    return {
        "id": THEIR_ID,
        "size": "0.5",
        "price": "100.25",
        "product_id": "BTC-USD",
        "side": "buy",
        "type": "limit",
        "created_at": "2023-11-14T22:13:20Z",
        "filled_size": "0",
        "status": "open",
        "client_oid": OUR_ID,
        **changes,
    }


async def place(coinbase: Coinbase) -> VenueAck | VenueReject | VenueUnknown:
    return await coinbase.trading(*EXCHANGE).place(BUY)


async def test_an_exchange_order_is_signed_sent_once_and_acknowledged(
    nursery: trio.Nursery,
) -> None:
    script = by_path(post_orders=Said(exchange_order(status="pending")))
    async with opened(nursery, script) as (desk, coinbase):
        ack = await place(coinbase)
        assert isinstance(ack, VenueAck)
        assert (ack.venue_order_id, ack.status) == (THEIR_ID, OrderStatus.OPEN)
        (asked,) = desk.of("POST", "/orders")
        assert asked.headers["cb-access-passphrase"] == PASSPHRASE
        assert asked.body["client_oid"] == OUR_ID


@pytest.mark.parametrize("text", EXCHANGE_PLACE)
async def test_every_text_on_the_list_is_a_definite_no(
    nursery: trio.Nursery, text: str
) -> None:
    script = by_path(post_orders=Said({"message": text.capitalize()}, 400))
    async with opened(nursery, script) as (_, coinbase):
        assert isinstance(await place(coinbase), VenueReject)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Said({"message": "Duplicate client_oid"}, 400), VenueUnknown),
        (Said({"message": "Insufficient funds"}, 500), VenueUnknown),
        (Said(b"<html>", 403), VenueUnknown),
        (Said(b"<html>", 200), VenueUnknown),
        (Said(exchange_order(client_oid=NEW_ID)), VenueUnknown),
        (Said({"message": "Forbidden"}, 403), VenueReject),
        (Said({"message": "invalid signature"}, 401), VenueReject),
        (Said({"message": "Private rate limit exceeded"}, 429), VenueReject),
    ],
)
async def test_the_exchange_says_yes_no_or_nobody_knows(
    nursery: trio.Nursery, said: Said, expected: type
) -> None:
    async with opened(nursery, by_path(post_orders=said)) as (_, coinbase):
        assert isinstance(await place(coinbase), expected)


async def test_an_exchange_order_that_is_gone_was_cancelled_once_its_cancel_was_taken(
    nursery: trio.Nursery,
) -> None:
    script = by_path(
        post_orders=Said(exchange_order()),
        delete_client=Said(THEIR_ID),
        get_orders=Said([]),
        get_fills=Said([]),
    )
    async with opened(nursery, script) as (_, coinbase):
        trading = coinbase.trading(*EXCHANGE)
        await trading.place(BUY)
        assert await trading.order("BTC/USD", OUR_ID) is None  # it may only be very new
        assert isinstance(await trading.cancel("BTC/USD", OUR_ID), VenueAck)
        found = await trading.order("BTC/USD", OUR_ID)
        assert found is not None
        assert (found.status, found.filled_base) == (OrderStatus.CANCELED, 0)


FILL = {
    "trade_id": 1,
    "product_id": "BTC-USD",
    "order_id": THEIR_ID,
    "side": "buy",
    "price": "1",
    "size": "0.1",
    "fee": "0.1",
    "liquidity": "T",
    "created_at": "2023-11-14T22:13:20Z",
}


@pytest.mark.parametrize(
    "answers",
    [
        {"get_fills": Said([FILL]), "get_orders": Said([])},
        {"get_fills": Said([]), "get_orders": Said([exchange_order(client_oid=None)])},
    ],
)
async def test_an_exchange_order_that_left_a_trace_is_not_gone(
    nursery: trio.Nursery, answers: dict[str, Said]
) -> None:
    script = by_path(
        post_orders=Said(exchange_order()), delete_client=Said(THEIR_ID), **answers
    )
    async with opened(nursery, script) as (_, coinbase):
        trading = coinbase.trading(*EXCHANGE)
        await trading.place(BUY)
        await trading.cancel("BTC/USD", OUR_ID)
        assert await trading.order("BTC/USD", OUR_ID) is None


async def test_pages_of_the_exchange_are_read_to_the_beginning_of_the_span(
    nursery: trio.Nursery,
) -> None:
    def answer(asked: Asked) -> Said:
        number = int((asked.all("after") or ["9"])[0])
        at = f"2023-11-14T22:0{number}:00Z"
        row = {**FILL, "trade_id": number, "created_at": at}
        return Said([row], headers=f"cb-after: {number - 1}\r\n")

    async with opened(nursery, by_path(get_fills=answer)) as (desk, coinbase):
        since_ms = NOW_MS - 440_000  # 22:06:00
        found = await coinbase.trading(*EXCHANGE).fills("BTC/USD", since_ms=since_ms)
        assert [it.trade_id for it in found] == ["6", "7", "8", "9"]
        assert len(desk.of("GET", "/fills")) == 5
