"""Orders over the WS-API: answers matched by id, and no guess when none comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio
from trio_websocket import WebSocketConnection

from actors.messages import VenueAck, VenueReject, VenueUnknown
from actors.ports import Trading
from adapters.binance.codec import envelope, orders_writer
from adapters.binance.codec.envelope import Request
from adapters.binance.trading import NOT_SENT
from adapters.errors import ConnectionLost
from tests.adapters.binance_desk import (
    BUY,
    KEY,
    NOW_MS,
    OPEN,
    SECRET,
    Sealed,
    opened,
    placed,
)
from tests.adapters.peers import dial_peer, http

KEYS = (Sealed(KEY), Sealed(SECRET))

Reply = Callable[[WebSocketConnection, Request], Awaitable[None]]


def answering(reply: Reply) -> Callable[[WebSocketConnection], Awaitable[None]]:
    async def talk(connection: WebSocketConnection) -> None:
        while True:
            await reply(connection, envelope.decode_request(await connection.get_message()))

    return talk


async def acknowledge(connection: WebSocketConnection, request: Request) -> None:
    order = attrs.evolve(OPEN, client_order_id=str(request.params["newClientOrderId"]))
    await connection.send_message(envelope.encode_answer(request.id, placed(order)))


async def with_socket(
    nursery: trio.Nursery, reply: Reply, body: Callable[[Trading], Awaitable[None]]
) -> list[str]:
    """Run `body` while an orders connection is served; return REST's request lines."""
    peer = dial_peer(nursery, answering(reply))
    said = http(200, orders_writer.encode(placed()))
    async with opened(nursery, lambda _line, _headers: said, dial=peer) as (desk, binance):
        trading = binance.trading(*KEYS)
        async with (
            trading.open_orders_connection() as serve,
            trio.open_nursery() as serving,
        ):

            async def until_lost() -> None:
                with pytest.raises(ConnectionLost):
                    await serve()

            serving.start_soon(until_lost)
            await body(trading)
            serving.cancel_scope.cancel()
        return [line for line in desk.requests if "exchangeInfo" not in line]


async def test_orders_go_by_the_socket_while_it_lives(nursery: trio.Nursery) -> None:
    seen: list[Request] = []

    async def reply(connection: WebSocketConnection, request: Request) -> None:
        seen.append(request)
        await acknowledge(connection, request)

    async def body(trading: Trading) -> None:
        assert type(await trading.place(BUY)) is VenueAck

    assert await with_socket(nursery, reply, body) == []
    assert [request.method for request in seen] == ["order.place"]
    assert seen[0].params["apiKey"] == KEY
    assert seen[0].params["timestamp"] == NOW_MS


async def test_many_orders_at_once_get_their_own_answers(nursery: trio.Nursery) -> None:
    async def reply(connection: WebSocketConnection, request: Request) -> None:
        held.append(request)
        if len(held) == 20:
            for late in reversed(held):
                await acknowledge(connection, late)

    async def body(trading: Trading) -> None:
        async def one(number: int) -> None:
            name = f"order-{number}"
            result = await trading.place(attrs.evolve(BUY, client_order_id=name))
            assert isinstance(result, VenueAck)
            got[name] = result.client_order_id

        async with trio.open_nursery() as placing:
            for number in range(20):
                placing.start_soon(one, number)

    held: list[Request] = []
    got: dict[str, str] = {}
    await with_socket(nursery, reply, body)
    assert got == {f"order-{n}": f"order-{n}" for n in range(20)}


async def test_a_connection_that_ends_leaves_the_order_unknown(
    nursery: trio.Nursery,
) -> None:
    async def reply(connection: WebSocketConnection, _request: Request) -> None:
        await connection.aclose(1001)

    async def body(trading: Trading) -> None:
        with trio.fail_after(2):
            result = await trading.place(BUY)
        assert isinstance(result, VenueUnknown)
        assert "1001" in result.reason
        after = await trading.place(attrs.evolve(BUY, client_order_id="the-next"))
        assert isinstance(after, VenueAck)  # by REST, the second road

    lines = await with_socket(nursery, reply, body)
    assert len(lines) == 1
    assert "newClientOrderId=the-next" in lines[0]


async def test_garbage_for_an_answer_leaves_the_order_unknown(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.binance.order_socket.REPLY_S", 0.2)

    async def reply(connection: WebSocketConnection, request: Request) -> None:
        await connection.send_message("garbage")
        await connection.send_message(envelope.encode_answer("somebody else's", {}))
        await connection.send_message(envelope.encode_answer(request.id, {"half": 1}))

    async def body(trading: Trading) -> None:
        assert isinstance(await trading.place(BUY), VenueUnknown)

    assert await with_socket(nursery, reply, body) == []


async def test_no_answer_leaves_the_order_unknown_and_takes_no_other_road(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.binance.order_socket.REPLY_S", 0.1)

    async def reply(_connection: WebSocketConnection, _request: Request) -> None:
        await trio.lowlevel.checkpoint()

    async def body(trading: Trading) -> None:
        result = await trading.place(BUY)
        assert result == VenueUnknown(BUY.client_order_id, "no answer within 0.1 s")

    assert await with_socket(nursery, reply, body) == []


@pytest.mark.parametrize(
    ("status", "code", "text", "outcome"),
    [
        (400, -2010, "Account has insufficient balance for requested action.", VenueReject),
        (400, -2010, "Duplicate order sent.", VenueUnknown),
        (503, -1013, "Filter failure: LOT_SIZE", VenueUnknown),
        (400, -1007, "Timeout", VenueUnknown),
        (429, -1015, "Too many new orders.", VenueReject),
        (418, -1003, "Way too much request weight used; IP banned", VenueReject),
    ],
)
async def test_the_outcome_over_the_socket_is_what_the_venue_said_or_unknown(
    status: int, code: int, text: str, outcome: type, nursery: trio.Nursery
) -> None:
    async def reply(connection: WebSocketConnection, request: Request) -> None:
        until_ms = NOW_MS + 5000 if status in {418, 429} else None
        await connection.send_message(
            envelope.encode_refusal(
                request.id, status, code, text, retry_after_ms=until_ms, server_ms=NOW_MS
            )
        )

    async def body(trading: Trading) -> None:
        assert type(await trading.place(BUY)) is outcome
        if status == 418:
            later = await trading.place(BUY)
            assert isinstance(later, VenueReject)
            assert later.code == NOT_SENT

    await with_socket(nursery, reply, body)


async def test_too_many_orders_hold_new_orders_back_and_nothing_else(
    nursery: trio.Nursery,
) -> None:
    async def reply(connection: WebSocketConnection, request: Request) -> None:
        methods.append(request.method)
        await connection.send_message(
            envelope.encode_refusal(request.id, 429, -1015, "Too many new orders.")
        )

    async def body(trading: Trading) -> None:
        first, second = await trading.place(BUY), await trading.place(BUY)
        assert isinstance(first, VenueReject)
        assert isinstance(second, VenueReject)
        assert (first.code, second.code) == ("-1015", NOT_SENT)
        await trading.cancel("BTC/USDT", "x")
        assert len(await trading.open_orders([])) == 0

    methods: list[str] = []
    await with_socket(nursery, reply, body)
    assert methods == ["order.place", "order.cancel"]
