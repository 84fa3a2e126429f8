"""Kraken's private side: lost updates, one call at a time, budgets, pages, the clock."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from trio_websocket import WebSocketConnection

from actors.messages import (
    OrderStatus,
    Side,
    VenueAck,
    VenueOrder,
    VenueReject,
    VenueUnknown,
)
from actors.ports import (
    ConnectionLost,
    NotListed,
    RateLimited,
    RemoteProtocolError,
    VenueError,
    VenueRefused,
)
from adapters.http import HttpTiming
from adapters.kraken import Endpoints, Kraken, open_kraken
from adapters.kraken.trading import KrakenTrading
from adapters.simulator.kraken_limits import KrakenLimits
from tests.adapters.binance_desk import StillClock
from tests.adapters.kraken_desk import (
    CONFIG,
    IDS,
    KEYS,
    by_socket,
    fault,
    market,
    opened,
    order,
)
from tests.adapters.peers import Desk, Talk, dial_peer, http

BTC = "BTC/USDT"
PAIRS = {
    BTC: {
        "altname": "XBTUSDT",
        "base": "BTC",
        "quote": "USDT",
        "pair_decimals": 1,
        "lot_decimals": 8,
    }
}
Answer = Callable[[str], object]


def answer(result: object = None, *errors: str) -> bytes:
    return http(200, json.dumps({"error": list(errors), "result": result or {}}))


@asynccontextmanager
async def scripted(
    nursery: trio.Nursery,
    private: Callable[[str], bytes | None],
    *,
    talk: Talk | None = None,
    wall_ms: int = 1_700_000_000_000,
) -> AsyncGenerator[tuple[Desk, Kraken, StillClock], None]:
    """Open a Kraken whose private calls are answered by `private`, by their path."""

    def answered(line: str, _headers: str) -> bytes | None:
        path = line.split(" ")[1].partition("?")[0]
        if path == "/0/public/AssetPairs":
            return answer(PAIRS)
        if path == "/0/public/Ticker":
            return answer(None, "EQuery:Unknown asset pair")
        if path == "/0/private/GetWebSocketsToken":
            return answer({"token": "canary-token", "expires": 900})
        return private(path)

    async def silent(peer: WebSocketConnection) -> None:
        await peer.get_message()

    desk, clock = Desk(answered), StillClock(wall_ms)
    await nursery.start(desk.serve)
    async with open_kraken(
        Endpoints("ws://venue.test/v2", "ws://venue.test/auth", desk.origin),
        clock=clock,
        allow_foreign_host=True,
        http_timing=HttpTiming(read_s=0.3),
        dial=dial_peer(nursery, talk or silent),
    ) as kraken:
        yield desk, kraken, clock


def frame(sequence: int, *rows: object, channel: str = "executions") -> str:
    return json.dumps(
        {"channel": channel, "type": "update", "data": rows, "sequence": sequence}
    )


def row(order_id: str, kind: str, **more: object) -> dict[str, object]:
    return {
        "order_id": order_id,
        "exec_type": kind,
        "timestamp": "2026-01-01T00:00:00Z",
        **more,
    }


BEGUN = {
    "symbol": BTC,
    "side": "buy",
    "order_type": "limit",
    "order_qty": 2.0,
    "limit_price": 100.0,
    "order_status": "pending_new",
}


async def accept(peer: WebSocketConnection) -> list[dict[str, Any]]:
    """Acknowledge both subscriptions, and return them."""
    asked: list[dict[str, Any]] = []
    for _ in range(2):
        asked.append(json.loads(await peer.get_message()))
        ack = {"method": "subscribe", "success": True, "req_id": asked[-1]["req_id"]}
        await peer.send_message(json.dumps({**ack, "result": {"maxratecount": 180}}))
    return asked


async def test_a_lost_update_asks_for_reconciliation_and_the_next_is_heard(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        asked.extend(await accept(peer))
        await peer.send_message(frame(1))
        await peer.send_message(frame(2, row("O1", "pending_new", **BEGUN)))
        await peer.send_message(frame(4, row("O1", "new", order_status="new")))
        await peer.send_message(frame(5, row("O9", "new", order_status="new")))
        end = row("O1", "canceled", order_status="canceled")
        await peer.send_message(frame(6, end))  # of what was executed, who knows?
        await peer.send_message(frame(7, {**end, "cum_qty": 0.5}))
        await trio.sleep(1)

    asked: list[dict[str, Any]] = []
    said: list[str] = []
    async with scripted(nursery, lambda _path: answer(), talk=talk) as (_, kraken, _):
        trading = kraken.trading(*KEYS)
        async with trading.open_private() as stream:
            (begun,) = await stream.receive()
            for _ in range(3):
                with pytest.raises(RemoteProtocolError) as caught:
                    await stream.receive()
                said.append(str(caught.value))
            (ended,) = await stream.receive()
    assert isinstance(begun, VenueOrder)
    assert isinstance(ended, VenueOrder)
    assert "executions jumped from 2 to 4" in said[0]
    assert "never told: O9" in said[1]
    assert "executed" in said[2]
    assert (ended.status, str(ended.filled_base)) == (OrderStatus.CANCELED, "0.5")
    assert {each["params"]["token"] for each in asked} == {"canary-token"}
    assert [each["params"]["channel"] for each in asked] == ["executions", "balances"]


async def test_a_refused_subscription_is_the_venue_s_word_without_the_token(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await peer.get_message()
        await peer.send_message(
            '{"error":"ESession:Invalid session","method":"subscribe","success":false}'
        )
        await trio.sleep(1)

    async with scripted(nursery, lambda _path: answer(), talk=talk) as (_, kraken, _):
        connecting = kraken.trading(*KEYS).open_private()
        with pytest.raises(VenueRefused, match="Invalid session") as caught:
            await connecting.__aenter__()
    assert "canary" not in str(caught.value)


async def test_calls_of_one_key_go_one_at_a_time_with_rising_nonces(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery) as (simulator, kraken):
        trading = kraken.trading(*KEYS)
        await kraken.market.instruments()
        async with trio.open_nursery() as asking:
            for number in range(8):
                asking.start_soon(trading.place, order(number))
                asking.start_soon(trading.balances)
        found = await trading.open_orders([BTC])
        requests = simulator.exchange.requests
    assert len(found) == 8  # no nonce came too late
    assert (requests["AddOrder"], requests["BalanceEx"]) == (8, 8)


async def test_a_nonce_that_is_too_low_is_refused_and_the_next_is_higher(
    nursery: trio.Nursery,
) -> None:
    def private(path: str) -> bytes:
        bodies.append(path)
        if len(bodies) == 1:
            return answer(None, "EAPI:Invalid nonce")
        return answer({"txid": ["O1"]})

    bodies: list[str] = []
    async with scripted(nursery, private) as (_, kraken, _):
        trading = kraken.trading(*KEYS)
        refused = await trading.place(order(1))
        taken = await trading.place(order(2))
    assert isinstance(refused, VenueReject)
    assert refused.code == "EAPI:Invalid nonce"
    assert isinstance(taken, VenueAck)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (lambda: http(502, "<html>"), VenueUnknown),
        (lambda: None, VenueUnknown),
        (lambda: http(200, "<html>"), VenueUnknown),
        (lambda: http(200, '{"error":[]}'), VenueUnknown),
        (lambda: answer({"txid": []}), VenueUnknown),
        (lambda: answer(None, "EService:Busy"), VenueUnknown),
        (lambda: answer(None, "EOrder:Insufficient funds"), VenueReject),
        (lambda: answer(None, "EOrder: Insufficient funds"), VenueReject),
        (lambda: http(429, "error code: 1015"), VenueReject),
        (lambda: answer({"txid": ["O1"]}, "WGeneral:something new"), VenueAck),
    ],
)
async def test_what_an_answer_means_for_an_order(
    nursery: trio.Nursery, reply: Callable[[], bytes | None], kind: type
) -> None:
    """R-01: what is not a documented refusal leaves the outcome unknown."""
    async with scripted(nursery, lambda _path: reply()) as (desk, kraken, _):
        outcome = await kraken.trading(*KEYS).place(order(1))
    assert isinstance(outcome, kind)
    assert sum("AddOrder" in line for line in desk.requests) == 1  # sent once


@pytest.mark.parametrize(
    ("text", "wait_s", "is_for_all"),
    [
        ("EService: Throttled: 1700000120", 120, True),
        ("EGeneral:Temporary lockout", 900, False),
    ],
)
async def test_some_words_of_the_venue_close_the_gate(
    nursery: trio.Nursery, text: str, wait_s: float, is_for_all: bool
) -> None:
    """R-28: nothing is asked before the time that the venue gave. A lockout is a key's."""
    async with scripted(nursery, lambda _path: answer(None, text)) as (desk, kraken, _):
        trading = kraken.trading(*KEYS)
        with pytest.raises(RateLimited) as caught:
            await trading.balances()
        asked = len(desk.requests)
        with pytest.raises(RateLimited):
            await trading.balances()
        with pytest.raises(RateLimited if is_for_all else NotListed):
            await kraken.market.ticker(BTC)
        placed = await trading.place(order(1))
        cancelled = await trading.cancel(BTC, IDS[1])
    assert caught.value.retry_after_s == wait_s
    assert isinstance(placed, VenueReject)
    assert isinstance(cancelled, VenueReject)
    assert len(desk.requests) == asked + (not is_for_all)


async def test_orders_and_cancels_are_counted_as_the_engine_counts_them(
    nursery: trio.Nursery,
) -> None:
    """The venue never has to refuse for the rate (I-21); no cancel is held back (I-12)."""
    tight = KrakenLimits(orders_max=60, orders_1s=1, open_max=1000)
    config = attrs.evolve(CONFIG, kraken_limits=tight)
    async with opened(nursery, config) as (_, kraken):
        trading = kraken.trading(*KEYS)
        async with by_socket(trading):
            placed = [await trading.place(order(number)) for number in range(60)]
            sold = await trading.place(market(60, Side.SELL))
            cancelled = [await trading.cancel(BTC, IDS[0])]
    taken = sum(isinstance(each, VenueAck) for each in placed)
    refused = {each.code for each in placed if isinstance(each, VenueReject)}
    assert 36 <= taken < 48
    assert refused == {"not_sent"}
    assert isinstance(sold, VenueAck)  # entries leave room for exits (I-12)
    assert len(cancelled) == 1  # it left, whatever the engine says
    assert not (isinstance(cancelled[0], VenueReject) and cancelled[0].code == "not_sent")


async def test_a_long_history_is_paged_to_its_end_and_each_fill_told_once(
    nursery: trio.Nursery,
) -> None:
    generous = KrakenLimits(orders_max=125, orders_1s=50)
    config = attrs.evolve(CONFIG, kraken_limits=generous)
    async with opened(nursery, config) as (simulator, kraken):
        trading = kraken.trading(*KEYS)
        since_ms = trading.now_ms() - 60_000
        async with by_socket(trading):
            for number in range(55):
                await trading.place(market(number, Side.SELL))
        fills = await trading.fills(BTC, since_ms=since_ms)
        nothing = await trading.fills("ETH/USDT", since_ms=since_ms)
        past = await trading.past_orders(BTC, since_ms=since_ms)
        asked = dict(simulator.exchange.requests)
        again = await trading.fills(BTC, since_ms=since_ms)
        asked_again = simulator.exchange.requests["TradesHistory"]
        truth = simulator.truth()["orders"]
    assert isinstance(truth, dict)
    told = [fill for each in truth["ann"].values() for fill in each["fills"]]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- JSON
    assert len(fills) == len(told) >= 55  # pyright: ignore[reportUnknownArgumentType] -- JSON
    assert len({each.trade_id for each in fills}) == len(fills)
    assert [each.trade_ms for each in fills] == sorted(each.trade_ms for each in fills)
    assert len(past) == 55
    assert nothing == []
    assert asked["TradesHistory"] == 2  # two pages, and the second symbol asks nothing
    assert asked_again == 4  # who asks twice about one symbol wants news
    assert again == fills


TRADE = {
    "ordertxid": "O1",
    "pair": "XBTUSDT",
    "time": 1688583840.8648,
    "type": "buy",
    "price": "100",
    "vol": "1",
    "fee": "0.1",
}


@pytest.mark.parametrize(
    ("second", "error"),
    [({}, "no more rows after 1 of 3"), ({"T2": TRADE}, "more than 2 pages")],
)
async def test_a_history_that_was_not_read_to_its_end_is_an_error(
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
    second: dict[str, object],
    error: str,
) -> None:
    monkeypatch.setattr("adapters.kraken.history.PAGES_MAX", 2)
    pages: list[object] = [{"T1": TRADE}, second]

    def page(_path: str) -> bytes:
        return answer({"trades": pages.pop(0), "count": 3})

    async with scripted(nursery, page) as (_, kraken, _clock):
        with pytest.raises(VenueError, match=error):
            await kraken.trading(*KEYS).fills(BTC, since_ms=0)
        assert pages == []


async def test_a_pass_asks_once_for_what_is_open_until_something_happens(
    nursery: trio.Nursery,
) -> None:
    async with opened(nursery) as (simulator, kraken):
        trading, asked_of = kraken.trading(*KEYS), simulator.exchange.requests
        for number in range(3):
            await trading.place(order(number))
        await trading.open_orders([BTC])
        found = [await trading.order(BTC, IDS[number]) for number in range(3)]
        asked = asked_of.get("QueryOrders", 0)
        await trading.cancel(BTC, IDS[0])
        ended = await trading.order(BTC, IDS[0])  # it is old news what was open
    assert [each and each.status for each in found] == [OrderStatus.OPEN] * 3
    assert asked == 0
    assert ended is not None
    assert ended.status is OrderStatus.CANCELED


async def test_the_offset_is_found_from_whole_seconds(nursery: trio.Nursery) -> None:
    async with opened(nursery) as (simulator, kraken):
        near_ms, _ = await kraken.market.measure_offset()
        simulator.inject(fault("clock_skew", skew_ms=5000))
        far_ms, trip_ms = await kraken.market.measure_offset()
        trading = kraken.trading(*KEYS)
        placed = await trading.place(order(1))  # its deadline is by the venue's clock
    assert abs(near_ms) < 500
    assert abs(far_ms - 5000) < 500
    assert trip_ms < 1000
    assert isinstance(placed, VenueAck)


@pytest.mark.parametrize("is_by_socket", [True, False])
async def test_a_clock_that_went_astray_costs_one_order(
    nursery: trio.Nursery, is_by_socket: bool
) -> None:
    """R-29: the offset is measured while the venue's clock is off, and it comes back."""
    async with opened(nursery) as (simulator, kraken):
        simulator.inject(fault("clock_skew", skew_ms=-9000, duration_s=1.5))
        astray_ms, _ = await kraken.market.measure_offset()
        await trio.sleep(1.5)
        trading = kraken.trading(*KEYS)
        if is_by_socket:
            async with by_socket(trading):
                placed = [await trading.place(order(number)) for number in range(2)]
        else:
            placed = [await trading.place(order(number)) for number in range(2)]
    late, taken = placed
    assert astray_ms < -8000
    assert isinstance(late, VenueReject)
    assert late.code == "EService:Deadline elapsed"
    assert isinstance(taken, VenueAck)


async def test_a_connection_that_ends_leaves_the_outcome_unknown_at_once(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await peer.get_message()  # the subscription that keeps the token
        await peer.get_message()  # the order

    async with scripted(nursery, lambda _path: answer(), talk=talk) as (_, kraken, _):
        trading = kraken.trading(*KEYS)
        outcome: list[object] = []

        async def place() -> None:
            outcome.append(await trading.place(order(1)))

        async def use() -> None:
            async with trading.open_orders_connection() as serve:
                nursery.start_soon(place)
                await serve()

        with trio.fail_after(3), pytest.raises(ConnectionLost):
            await use()
        await trio.testing.wait_all_tasks_blocked(0.05)
    assert [type(each) for each in outcome] == [VenueUnknown]


async def test_a_token_that_died_sends_the_next_order_over_rest(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await peer.get_message()
        asked = json.loads(await peer.get_message())
        refusal = {"method": "add_order", "success": False, "req_id": asked["req_id"]}
        text = json.dumps({**refusal, "error": "ESession:Invalid session"})
        await peer.send_message(text)
        await trio.sleep(1)

    async def place_two(trading: KrakenTrading) -> None:
        told.append(await trading.place(order(1)))
        told.append(await trading.place(order(2)))

    async def use(trading: KrakenTrading) -> None:
        async with trading.open_orders_connection() as serve:
            nursery.start_soon(place_two, trading)
            await serve()

    told: list[object] = []
    private = {"/0/private/AddOrder": answer({"txid": ["O2"]})}
    async with scripted(nursery, lambda path: private[path], talk=talk) as opened_:
        desk, kraken, _ = opened_
        with pytest.raises(ConnectionLost, match="Invalid session"):
            await use(kraken.trading(*KEYS))
        with trio.fail_after(3):
            await trio.lowlevel.checkpoint()
            while len(told) < 2:  # noqa: ASYNC110 -- a test looks from outside
                await trio.sleep(0.05)
    assert [type(each) for each in told] == [VenueReject, VenueAck]
    assert sum("AddOrder" in line for line in desk.requests) == 1


async def test_a_switch_that_is_refused_is_not_believed_in(nursery: trio.Nursery) -> None:
    """Who asks for a dead man's switch and has none is told, and enters nothing."""

    async def talk(peer: WebSocketConnection) -> None:
        while True:
            asked = json.loads(await peer.get_message())
            is_switch = asked["method"] == "cancel_all_orders_after"
            reply = {"method": asked["method"], "req_id": asked["req_id"]}
            if is_switch:
                reply |= {"success": False, "error": "EGeneral:Permission denied"}
            else:
                reply |= {"success": True, "result": {}}
            await peer.send_message(json.dumps(reply))
            if is_switch:
                switched.set()

    switched = trio.Event()
    async with scripted(nursery, lambda _path: answer(), talk=talk) as (_, kraken, _):
        trading = kraken.trading(*KEYS, dead_man_s=60)
        assert await trading.balances() == ()
        async with by_socket(trading):
            with trio.fail_after(3):
                await switched.wait()
            await trio.sleep(0.1)
            with pytest.raises(VenueRefused, match="switch is refused: EGeneral:Perm"):
                await trading.balances()
            assert "canary" not in repr(trading)
