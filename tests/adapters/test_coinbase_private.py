"""Both private streams over a scripted venue: what is told, fetched, missed and refused."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import jwt
import pytest
import trio
from trio_websocket import WebSocketConnection

from actors.messages import (
    OrderStatus,
    PrivateMessage,
    Side,
    VenueFill,
    VenueOrder,
)
from actors.ports import PrivateStream
from adapters.errors import ConnectionLost, RemoteProtocolError, VenueRefused
from tests.adapters.coinbase_script import (
    ADVANCED,
    EXCHANGE,
    KEY,
    OUR_ID,
    PASSPHRASE,
    PRODUCTS,
    THEIR_ID,
    Answer,
    Asked,
    HttpDesk,
    Said,
    nothing,
    opened,
)
from tests.adapters.peers import dial_peer

AT = "2026-04-07T14:30:06.000000Z"
ACK = {"channel": "subscriptions", "events": [{"subscriptions": {"user": ["merged"]}}]}
GRANTED = {
    "type": "subscriptions",
    "channels": [{"name": "user", "product_ids": ["BTC-USD"]}],
}


@attrs.define
class Line:
    """The venue's side of one private connection."""

    stream: PrivateStream
    desk: HttpDesk
    connection: WebSocketConnection
    asked: list[dict[str, Any]]

    async def say(self, *frames: dict[str, Any]) -> None:
        for frame in frames:
            await self.connection.send_message(json.dumps(frame))

    async def hear(self) -> Sequence[PrivateMessage]:
        with trio.fail_after(5):
            return await self.stream.receive()


@asynccontextmanager
async def line(
    nursery: trio.Nursery, keys: Any, ack: dict[str, Any], answer: Answer = nothing
) -> AsyncGenerator[Line, None]:
    asked: list[dict[str, Any]] = []
    taken: list[WebSocketConnection] = []

    async def talk(connection: WebSocketConnection) -> None:
        taken.append(connection)
        asked.append(json.loads(await connection.get_message()))
        if len(keys) == 2:  # Advanced Trade: one channel in each message
            asked.append(json.loads(await connection.get_message()))
        await connection.send_message(json.dumps(ack))
        await trio.sleep_forever()

    dial = dial_peer(nursery, talk)
    async with (
        opened(nursery, answer, dial=dial) as (desk, coinbase),
        coinbase.trading(*keys).open_private() as stream,
    ):
        yield Line(stream, desk, taken[0], asked)


def user(number: int, kind: str = "update", **changes: object) -> dict[str, Any]:
    row = {
        "order_id": THEIR_ID,
        "client_order_id": OUR_ID,
        "product_id": "BTC-USD",
        "order_side": "BUY",
        "status": "OPEN",
        "cumulative_quantity": "0",
        "leaves_quantity": "0.5",
        **changes,
    }
    return {
        "channel": "user",
        "timestamp": AT,
        "sequence_num": number,
        "events": [{"type": kind, "orders": [row]}],
    }


def fill(trade_id: str, size: str) -> dict[str, Any]:
    return {
        "trade_id": trade_id,
        "order_id": THEIR_ID,
        "product_id": "BTC-USD",
        "side": "BUY",
        "price": "100",
        "size": size,
        "commission": "0.5",
        "trade_time": AT,
        "trade_type": "FILL",
    }


async def test_channels_are_asked_for_one_by_one_each_with_a_token_of_its_own(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, ADVANCED, ACK) as found:
        beats, orders = found.asked
        assert (beats["channel"], orders["channel"]) == ("heartbeats", "user")
        assert beats["jwt"] != orders["jwt"]
        claims = jwt.decode(orders["jwt"], options={"verify_signature": False})
        assert (claims["sub"], "uri" in claims) == (KEY, False)


async def test_a_state_is_told_and_its_executions_are_fetched_once(
    nursery: trio.Nursery,
) -> None:
    rows = [fill("a", "0.1")]

    def answer(asked: Asked) -> Said:
        assert asked.all("order_ids") == [THEIR_ID]
        return Said({"fills": rows, "cursor": ""})

    async with line(nursery, ADVANCED, ACK, answer) as found:
        await found.say(user(0))
        (order,) = await found.hear()
        assert isinstance(order, VenueOrder)
        assert order.status is OrderStatus.OPEN
        await found.say(user(1, cumulative_quantity="0.1", leaves_quantity="0.4"))
        first, order = await found.hear()
        assert isinstance(first, VenueFill)
        assert isinstance(order, VenueOrder)
        assert (first.client_order_id, first.trade_id, first.base) == (
            OUR_ID,
            "a",
            Decimal("0.1"),
        )
        assert order.status is OrderStatus.PARTIALLY_FILLED
        rows.append(fill("b", "0.4"))
        await found.say(
            user(2, cumulative_quantity="0.5", leaves_quantity="0", status="FILLED")
        )
        second, order = await found.hear()
        assert isinstance(second, VenueFill)
        assert isinstance(order, VenueOrder)
        assert (second.trade_id, order.status) == ("b", OrderStatus.FILLED)


async def test_executions_that_lag_are_waited_for(nursery: trio.Nursery) -> None:
    answers = [
        Said({"fills": []}),
        Said({"fills": []}),
        Said({"fills": [fill("a", "0.5")]}),
    ]

    async with line(nursery, ADVANCED, ACK, lambda _: answers.pop(0)) as found:
        await found.say(user(0, cumulative_quantity="0.5", status="FILLED"))
        first, _ = await found.hear()
        assert isinstance(first, VenueFill)


async def test_executions_that_do_not_come_ask_for_reconciliation(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.coinbase.advanced_stream.PAUSES_S", (0.01,))
    async with line(nursery, ADVANCED, ACK, lambda _: Said({"error": "x"}, 500)) as found:
        await found.say(user(0, cumulative_quantity="0.5", status="FILLED"))
        (order,) = await found.hear()
        assert isinstance(order, VenueOrder)
        with pytest.raises(RemoteProtocolError, match="executions"):
            await found.hear()


async def test_a_number_that_is_missing_asks_for_reconciliation(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, ADVANCED, {**ACK, "sequence_num": 0}) as found:
        await found.say({"channel": "heartbeats", "sequence_num": 1, "events": []}, user(3))
        with pytest.raises(RemoteProtocolError, match="frame 3 came after 1"):
            await found.hear()
        assert len(await found.hear()) == 1


async def test_a_snapshot_tells_states_and_fetches_nothing(nursery: trio.Nursery) -> None:
    async with line(nursery, ADVANCED, ACK) as found:
        await found.say(user(0, kind="snapshot", cumulative_quantity="0.1"))
        assert len(await found.hear()) == 1
        assert not found.desk.of("GET", "/api/v3/brokerage/orders/historical/fills")


async def test_orders_told_before_the_acknowledgement_are_not_lost(
    nursery: trio.Nursery,
) -> None:
    async def talk(connection: WebSocketConnection) -> None:
        for frame in (user(0, kind="snapshot"), ACK):
            await connection.send_message(json.dumps(frame))
        await trio.sleep_forever()

    async with (
        opened(nursery, dial=dial_peer(nursery, talk)) as (_, coinbase),
        coinbase.trading(*ADVANCED).open_private() as stream,
    ):
        assert len(await stream.receive()) == 1


async def test_events_of_other_products_and_quiet_frames_are_passed_over(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, ADVANCED, ACK) as found:
        await found.say(
            user(0, product_id="XYZ-USD"),
            {"channel": "heartbeats", "sequence_num": 1, "events": [{}]},
            {"channel": "of_2027", "sequence_num": 2, "events": {"x": 1}},
            user(3),
        )
        (order,) = await found.hear()
        assert isinstance(order, VenueOrder)


@pytest.mark.parametrize("keys", [ADVANCED, EXCHANGE])
async def test_a_subscription_that_is_refused_is_an_error(
    nursery: trio.Nursery, keys: Any
) -> None:
    error = {"type": "error", "message": "authentication failure"}
    with pytest.RaisesGroup(VenueRefused, allow_unwrapped=True, flatten_subgroups=True):
        async with line(nursery, keys, error):
            pass


@pytest.mark.parametrize(
    ("keys", "ack", "module"),
    [
        (ADVANCED, ACK, "advanced_stream"),
        (EXCHANGE, GRANTED, "exchange_stream"),
    ],
)
async def test_a_connection_without_heartbeats_is_lost(
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
    keys: Any,
    ack: dict[str, Any],
    module: str,
) -> None:
    monkeypatch.setattr(f"adapters.coinbase.{module}.SILENT_S", 0.1)
    async with line(nursery, keys, ack) as found:
        with pytest.raises(ConnectionLost, match="no heartbeat"):
            await found.hear()


def event(kind: str, **fields: object) -> dict[str, Any]:
    order_id = {} if kind == "match" else {"order_id": THEIR_ID}
    return {
        "type": kind,
        "product_id": "BTC-USD",
        "side": "buy",
        "time": AT,
        **order_id,
        **fields,
    }


RECEIVED = event(
    "received", order_type="limit", size="0.5", price="100.25", client_oid=OUR_ID
)


def match(trade_id: int, **fields: object) -> dict[str, Any]:
    return event(
        "match",
        trade_id=trade_id,
        side="sell",
        maker_order_id="somebody",
        taker_order_id=THEIR_ID,
        price="100",
        **{"size": "0.2", "taker_user_id": "u", "taker_fee_rate": "0.006", **fields},
    )


async def test_the_user_channel_is_asked_for_with_a_signature(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, EXCHANGE, GRANTED) as found:
        (command,) = found.asked
        channels = {each["name"]: each["product_ids"] for each in command["channels"]}
        assert channels == {"user": ["BTC-USD", "ETH-USD"], "heartbeat": ["BTC-USD"]}
        assert (command["key"], command["passphrase"]) == (KEY, PASSPHRASE)


async def test_a_delisted_product_is_left_out_of_the_subscription_to_all(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is told so is not named; one that is refused since is left out."""

    async def talk(connection: WebSocketConnection) -> None:
        refused = {"type": "error", "message": "Failed to subscribe"}
        refused |= {"reason": "ETH-USD is delisted"}
        for replies in ([refused] * 2, [GRANTED]):  # one for each channel
            (own, _) = json.loads(await connection.get_message())["channels"]
            named.append(own["product_ids"])
            for reply in replies:
                await connection.send_message(json.dumps(reply))
        await trio.sleep_forever()

    named: list[list[str]] = []
    gone = {**PRODUCTS[0], "id": "MIR-USD", "base_currency": "MIR", "status": "delisted"}
    monkeypatch.setattr("tests.adapters.coinbase_script.PRODUCTS", [*PRODUCTS, gone])
    async with (
        opened(nursery, dial=dial_peer(nursery, talk)) as (_, coinbase),
        coinbase.trading(*EXCHANGE).open_private(),
    ):
        assert named == [["BTC-USD", "ETH-USD"], ["BTC-USD"]]


async def test_an_order_lives_from_its_receipt_to_its_end(nursery: trio.Nursery) -> None:
    async with line(nursery, EXCHANGE, GRANTED) as found:
        await found.say(
            RECEIVED,
            match(1),
            event("open", remaining_size="0.3"),
            event("done", reason="canceled", remaining_size="0.3"),
        )
        heard = [(await found.hear())[0] for _ in range(4)]
        first, execution, rests, done = heard
        assert isinstance(execution, VenueFill)
        assert (execution.client_order_id, execution.side, execution.fee) == (
            OUR_ID,
            Side.BUY,
            Decimal("0.2") * 100 * Decimal("0.006"),
        )
        assert (execution.fee_asset, execution.is_maker) == ("USD", False)
        states = [
            (it.status, it.filled_base)
            for it in (first, rests, done)
            if isinstance(it, VenueOrder)
        ]
        assert states == [
            (OrderStatus.OPEN, 0),
            (OrderStatus.PARTIALLY_FILLED, Decimal("0.2")),
            (OrderStatus.CANCELED, Decimal("0.2")),
        ]
        assert found.desk.of("GET", f"/orders/{THEIR_ID}") == []


def known_order(**changes: object) -> dict[str, Any]:
    return {
        "id": THEIR_ID,
        "size": "0.5",
        "product_id": "BTC-USD",
        "side": "buy",
        "type": "limit",
        "created_at": AT,
        "filled_size": "0",
        "status": "open",
        "client_oid": OUR_ID,
        **changes,
    }


async def test_an_order_heard_of_first_by_the_venues_id_is_asked_for_once(
    nursery: trio.Nursery,
) -> None:
    script: Answer = lambda _: Said(known_order())  # noqa: E731 -- a script of one answer
    async with line(nursery, EXCHANGE, GRANTED, script) as found:
        await found.say(match(1), match(2))
        for number in ("1", "2"):
            (execution,) = await found.hear()
            assert isinstance(execution, VenueFill)
            assert (execution.client_order_id, execution.trade_id) == (OUR_ID, number)
        assert len(found.desk.of("GET", f"/orders/{THEIR_ID}")) == 1


async def test_orders_of_somebody_else_are_asked_for_once_and_passed_over(
    nursery: trio.Nursery,
) -> None:
    script: Answer = lambda _: Said(known_order(client_oid=None))  # noqa: E731 -- as above
    async with line(nursery, EXCHANGE, GRANTED, script) as found:
        await found.say(match(1), match(2), {**RECEIVED, "order_id": "ours"})
        (order,) = await found.hear()
        assert isinstance(order, VenueOrder)
        assert order.venue_order_id == "ours"
        assert len(found.desk.of("GET", f"/orders/{THEIR_ID}")) == 1


async def end_of(found: Line, *frames: dict[str, Any]) -> tuple[OrderStatus, Decimal]:
    """Return how the order ends of which these frames tell, and how much was executed."""
    await found.say(*frames)
    heard = [message for _ in frames for message in await found.hear()]
    assert isinstance(heard[-1], VenueOrder)
    assert heard[-1].client_order_id == OUR_ID
    return heard[-1].status, heard[-1].filled_base


DECREMENTED = event("change", reason="STP", old_size="0.5", new_size="0.2")


async def test_an_order_that_self_trade_prevention_made_smaller_ends_with_its_executions(
    nursery: trio.Nursery,
) -> None:
    ended = known_order(status="done", done_reason="filled", filled_size="0.2")
    async with line(nursery, EXCHANGE, GRANTED, lambda _: Said(ended)) as found:
        frames = RECEIVED, DECREMENTED, match(1), event("done", reason="filled")
        end = await end_of(found, *frames)
        assert end == (OrderStatus.CANCELED, Decimal("0.2"))


async def test_a_decremented_size_that_was_canceled_is_no_execution(
    nursery: trio.Nursery,
) -> None:
    ended = known_order(status="done", done_reason="canceled", filled_size="0.1")
    async with line(nursery, EXCHANGE, GRANTED, lambda _: Said(ended)) as found:
        done = event("done", reason="canceled", remaining_size="0.1")
        end = await end_of(found, RECEIVED, DECREMENTED, match(1, size="0.1"), done)
        assert end == (OrderStatus.CANCELED, Decimal("0.1"))


async def test_what_is_left_after_a_decrement_tells_of_no_execution(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, EXCHANGE, GRANTED) as found:
        resting = RECEIVED, DECREMENTED, event("open", remaining_size="0.2")
        assert await end_of(found, *resting) == (OrderStatus.OPEN, 0)


async def test_an_order_whose_executions_were_all_heard_ends_without_a_question(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, EXCHANGE, GRANTED) as found:
        whole = RECEIVED, match(1), match(2, size="0.3"), event("done", reason="filled")
        assert await end_of(found, *whole) == (OrderStatus.FILLED, Decimal("0.5"))
        assert found.desk.of("GET", f"/orders/{THEIR_ID}") == []


async def test_an_order_heard_of_first_as_it_ends_is_asked_for_once(
    nursery: trio.Nursery,
) -> None:
    ended = known_order(status="done", done_reason="filled", filled_size="0.5")
    async with line(nursery, EXCHANGE, GRANTED, lambda _: Said(ended)) as found:
        end = await end_of(found, event("done", reason="filled"))
        assert end == (OrderStatus.FILLED, Decimal("0.5"))
        assert len(found.desk.of("GET", f"/orders/{THEIR_ID}")) == 1


async def test_an_end_that_the_venue_does_not_confirm_asks_for_reconciliation(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, EXCHANGE, GRANTED, lambda _: Said(known_order())) as found:
        await found.say(RECEIVED, event("done", reason="filled"))  # no execution was heard
        await found.hear()
        with pytest.raises(RemoteProtocolError, match="ended"):
            await found.hear()


async def test_the_end_of_an_order_by_funds_is_asked_for(nursery: trio.Nursery) -> None:
    ended = known_order(
        type="market", status="done", done_reason="filled", filled_size="0.5"
    )
    received = {**RECEIVED, "order_type": "market", "size": None, "funds": "50"}
    async with line(nursery, EXCHANGE, GRANTED, lambda _: Said(ended)) as found:
        await found.say(received, event("done", reason="filled"))
        await found.hear()
        (done,) = await found.hear()
        assert isinstance(done, VenueOrder)
        assert (done.status, done.filled_base) == (OrderStatus.FILLED, Decimal("0.5"))


async def test_what_cannot_be_told_from_a_frame_asks_for_reconciliation(
    nursery: trio.Nursery,
) -> None:
    async with line(nursery, EXCHANGE, GRANTED, lambda _: Said({}, 500)) as found:
        await found.say(RECEIVED, match(1, taker_fee_rate=None))
        await found.hear()
        with pytest.raises(RemoteProtocolError, match="fee"):
            await found.hear()
        await found.say(event("done", order_id="another", reason="canceled"))
        with pytest.raises(RemoteProtocolError, match="could not be asked for"):
            await found.hear()
