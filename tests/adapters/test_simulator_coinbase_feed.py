"""Coinbase Exchange's feed on the simulator, read by the `websockets` library."""

from __future__ import annotations

import json
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from actors.messages.instruments import floor_to
from adapters.simulator.coinbase_dialect import CoinbaseDialect
from adapters.simulator.server import Simulator, SimulatorEndpoints
from tests.adapters.coinbase_desk import (
    CONFIG,
    OID,
    QUICK,
    STILL,
    Exchange,
    start,
)
from tests.adapters.simulator_desk import closing, hear, hear_until, in_thread, socket

NEEDS_KEY = "level2, level3, and full channels now require authentication"


def subscribe(ws: ClientConnection, *channels: Any, **more: Any) -> Any:
    """Subscribe to BTC-USD and return the first message, which is the answer."""
    command = {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": list(channels)}
    ws.send(json.dumps(command | more))
    return json.loads(ws.recv(timeout=5))


def channels_of(answer: Any) -> dict[str, list[str]]:
    return {row["name"]: sorted(row["product_ids"]) for row in answer["channels"]}


async def test_an_acknowledgement_lists_all_subscriptions_by_their_old_names(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery)

    def read() -> list[Any]:
        with socket(endpoints.url) as ws:
            one = subscribe(ws, "heartbeat")
            more: Any = {"name": "ticker_batch", "product_ids": ["ETH-USD"]}
            ws.send(json.dumps({"type": "subscribe", "channels": [more, "status"]}))
            two = hear_until(ws, lambda it: it["type"] == "subscriptions")[-1]
            ws.send(json.dumps({"type": "unsubscribe", "channels": ["heartbeat"]}))
            three = hear_until(ws, lambda it: it["type"] == "subscriptions")[-1]
            return [channels_of(it) for it in (one, two, three)]

    assert await in_thread(read) == [
        {"heartbeat": ["BTC-USD"]},
        {"heartbeat": ["BTC-USD"], "ticker_1000": ["ETH-USD"], "status": []},
        {"ticker_1000": ["ETH-USD"], "status": []},
    ]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"channels": ["ticker"]}, "You need to specify at least one product ID"),
        ({"channels": []}, "No channels provided"),
        ({"channels": ["nope"], "product_ids": ["BTC-USD"]}, "nope is not a valid channel"),
        (
            {"channels": ["ticker"], "product_ids": ["GIBBERISH-USD"]},
            "GIBBERISH-USD is not a valid product",
        ),
        ({"channels": ["level2"], "product_ids": ["BTC-USD"]}, NEEDS_KEY),
        ({"channels": ["user"], "product_ids": ["BTC-USD"]}, NEEDS_KEY),
        ({"type": "shout"}, "Type has to be either subscribe or unsubscribe"),
    ],
)
async def test_a_subscription_that_makes_no_sense_gets_an_error_frame(
    nursery: trio.Nursery, command: dict[str, Any], reason: str
) -> None:
    endpoints = await start(nursery)

    def read() -> Any:
        with socket(endpoints.url) as ws:
            ws.send(json.dumps({"type": "subscribe"} | command))
            return json.loads(ws.recv(timeout=5))

    answer = await in_thread(read)
    assert (answer["type"], answer["message"]) == ("error", "Failed to subscribe")
    assert answer["reason"].startswith(reason)


async def test_a_wrong_signature_opens_no_channel(nursery: trio.Nursery) -> None:
    client = Exchange(await start(nursery))

    def read() -> Any:
        with socket(client.endpoints.url) as ws:
            ws.send(client.subscription("user", signature="AAAA"))
            return json.loads(ws.recv(timeout=5))

    answer = await in_thread(read)
    assert answer["message"] == "Authentication Failed"
    assert json.loads(answer["reason"]) == {"message": "invalid signature"}


async def test_who_subscribes_to_nothing_in_time_is_sent_away(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery, QUICK)

    def read() -> Any:
        with socket(endpoints.url) as silent:
            closed = closing(silent)
        with socket(endpoints.url) as ws:
            subscribe(ws, "heartbeat")
            return closed, hear(ws, 1.2)

    closed, heard = await in_thread(read)
    assert closed is not None
    assert closed.rcvd is not None
    assert closed.rcvd.code == 1008
    assert heard


async def test_heartbeats_tell_the_last_trade_once_a_second(nursery: trio.Nursery) -> None:
    endpoints = await start(nursery)

    def read() -> tuple[list[Any], list[Any]]:
        with socket(endpoints.url) as ws:
            subscribe(ws, "heartbeat", "matches")
            heard = hear(ws, 3.2)
        beats = [it for it in heard if it["type"] == "heartbeat"]
        return beats, [it for it in heard if it["type"] == "match"]

    beats, matches = await in_thread(read)
    assert len(beats) >= 2
    ids = {it["trade_id"] for it in matches}
    assert {it["last_trade_id"] for it in beats[1:]} <= ids
    sequences = [it["sequence"] for it in beats]
    assert sequences == sorted(sequences)


async def test_the_first_trade_follows_the_number_that_was_told_before_it(
    nursery: trio.Nursery,
) -> None:
    calm = attrs.evolve(STILL, trade_chance=0.0)
    client = Exchange(await start(nursery, attrs.evolve(CONFIG, listings=(calm,))))

    def read() -> tuple[Any, Any]:
        with socket(client.endpoints.url) as ws:
            subscribe(ws, "heartbeat", "matches")
            beat = json.loads(ws.recv(timeout=5))
            client.place(type="market", size="0.01")
            return beat, hear_until(ws, lambda it: it["type"] == "match")[-1]

    beat, match = await in_thread(read)
    assert match["trade_id"] == beat["last_trade_id"] + 1


async def test_a_match_has_the_makers_side_and_its_ticker_the_takers(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery)

    def read() -> list[Any]:
        with socket(endpoints.url) as ws:
            subscribe(ws, "matches", "ticker")
            return hear(ws, 2.0)

    heard = await in_thread(read)
    matches = {it["trade_id"]: it["side"] for it in heard if it["type"] == "match"}
    tickers = {it["trade_id"]: it["side"] for it in heard if it["type"] == "ticker"}
    pairs = {(matches[it], tickers[it]) for it in matches.keys() & tickers.keys()}
    assert pairs
    assert pairs <= {("buy", "sell"), ("sell", "buy")}


async def test_matches_begin_with_the_last_one_and_their_ids_have_no_gap(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery)

    def read() -> list[Any]:
        with socket(endpoints.url) as ws:
            subscribe(ws, "matches")
            hear_until(ws, lambda it: it["type"] == "match")
        with socket(endpoints.url) as ws:
            subscribe(ws, "matches")
            return hear(ws, 2.0)

    heard = await in_thread(read)
    assert [it["type"] for it in heard[:2]] == ["last_match", "match"]
    ids = [it["trade_id"] for it in heard]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


@pytest.mark.parametrize("channel", ["level2", "level2_batch"])
async def test_a_book_rebuilt_from_the_feed_is_the_book(
    nursery: trio.Nursery, channel: str
) -> None:
    simulator = Simulator(CONFIG)
    await nursery.start(simulator.run)
    client = Exchange(simulator.endpoints)

    def read() -> list[Any]:
        with socket(client.endpoints.url) as ws:
            ws.send(client.subscription(channel))
            return hear(ws, 2.0)[1:]

    heard = await in_thread(read)
    book = rebuilt(heard)
    engine = simulator.exchange.engine.books["BTCUSD"]
    near = {
        side.side.value: dict(side.depth(20)).items() & book[side.side.value].items()
        for side in (engine.bids, engine.asks)
    }
    assert [it["type"] for it in heard[:2]] == ["snapshot", "l2update"]
    assert max(book["buy"]) < min(book["sell"])
    assert all(len(levels) >= 15 for levels in near.values())  # the best moves on


def rebuilt(frames: list[Any]) -> dict[str, dict[Decimal, Decimal]]:
    book: dict[str, dict[Decimal, Decimal]] = {"buy": {}, "sell": {}}
    for side, name in (("buy", "bids"), ("sell", "asks")):
        book[side] = {Decimal(p): Decimal(base) for p, base in frames[0][name]}
    for frame in frames[1:]:
        for side, price, base in frame["changes"]:
            book[side][Decimal(price)] = Decimal(base)
            if not Decimal(base):
                del book[side][Decimal(price)]
    return book


async def test_a_snapshot_may_be_larger_than_a_mebibyte(nursery: trio.Nursery) -> None:
    deep = attrs.evolve(STILL, levels=40_000, level_share=0.00000017)
    config = attrs.evolve(CONFIG, listings=(deep,), ticks_per_s=0.1)
    endpoints = await start(nursery, config)

    def read() -> int:
        with connect(endpoints.url, proxy=None, max_size=None) as ws:
            subscribe(ws, "level2_batch")
            return len(ws.recv(timeout=10))

    assert await in_thread(read) > 2**20


async def test_an_owner_hears_every_step_of_an_orders_life(nursery: trio.Nursery) -> None:
    client = Exchange(await start(nursery, attrs.evolve(CONFIG, listings=(STILL,))))

    def trade() -> list[Any]:
        with socket(client.endpoints.url) as ws:
            ws.send(client.subscription("user"))
            json.loads(ws.recv(timeout=5))
            client.limit("50000", "0.01", client_oid=OID)
            client.signed("DELETE", f"/orders/client:{OID}")
            client.place(type="market", size="0.01")
            return hear(ws, 0.7)

    heard = await in_thread(trade)
    assert [(it["type"], it.get("reason")) for it in heard] == [
        ("received", None),
        ("open", None),
        ("done", "canceled"),
        ("received", None),
        ("match", None),
        ("done", "filled"),
    ]
    assert [it.get("client_oid") for it in heard[:3]] == [OID, None, None]
    assert (heard[1]["remaining_size"], heard[2]["remaining_size"]) == ("0.01", "0.01")
    match = heard[4]
    assert (match["side"], match["price"], match["taker_fee_rate"]) == (
        "sell", "60000.01", "0.006",
    )  # fmt: skip
    assert match["taker_order_id"] == heard[3]["order_id"] == heard[5]["order_id"]
    assert "price" not in heard[5]


async def test_an_order_opens_after_what_it_took_and_before_what_it_gives(
    nursery: trio.Nursery,
) -> None:
    thin = attrs.evolve(STILL, level_quote=6_000.0)
    simulator = Simulator(attrs.evolve(CONFIG, listings=(thin,), ticks_per_s=0.01))
    await nursery.start(simulator.run)
    client = Exchange(simulator.endpoints)
    best, base = simulator.exchange.engine.books["BTCUSD"].asks.top()
    half = floor_to(base / 2, STILL.lot)

    def trade() -> list[Any]:
        with socket(client.endpoints.url) as ws:
            ws.send(client.subscription("user", "matches"))
            json.loads(ws.recv(timeout=5))
            client.limit(f"{best}", f"{half}", side="buy")
            client.limit(f"{best}", f"{base}", side="buy")
            return hear(ws, 0.7)

    heard = [it for it in await in_thread(trade) if "user_id" in it]
    steps = [it["type"] for it in heard]
    assert steps == ["received", "match", "done", "received", "match", "open"]
    assert Decimal(heard[-1]["remaining_size"]) == half


async def test_a_public_match_of_ones_own_names_ones_own_order(
    nursery: trio.Nursery,
) -> None:
    client = Exchange(await start(nursery, attrs.evolve(CONFIG, listings=(STILL,))))

    def trade() -> tuple[Any, list[Any]]:
        with socket(client.endpoints.url) as ws:
            subscribe(ws, "matches")
            placed = client.place(type="market", size="0.01").json()
            return placed["id"], hear(ws, 0.7)

    order_id, heard = await in_thread(trade)
    own = [it for it in heard if it["taker_order_id"] == order_id]
    assert [(it["type"], it["size"]) for it in own] == [("match", "0.01000000")]
    assert "user_id" not in own[0]


@pytest.mark.parametrize(
    ("fault", "counts"),
    [
        ({"kind": "silence"}, {0}),
        ({"kind": "duplicate"}, {2}),
    ],
)
async def test_faults_trouble_the_feed(
    nursery: trio.Nursery, fault: dict[str, Any], counts: set[int]
) -> None:
    client = Exchange(await start(nursery))

    def read() -> list[int]:
        with socket(client.endpoints.url) as ws:
            subscribe(ws, "matches")
            hear_until(ws, lambda it: it["type"] == "match")
            client.ask("POST", "/simulator/faults", content=json.dumps(fault))
            ids = [it["trade_id"] for it in hear(ws, 1.5)][2:]
            return [ids.count(it) for it in sorted(set(ids))][1:-1] or [0]

    assert set(await in_thread(read)) == counts


async def test_ten_connections_of_one_address_may_read_a_channel_of_a_product(
    nursery: trio.Nursery,
) -> None:
    endpoints: SimulatorEndpoints = await start(nursery)

    def read() -> list[str]:
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket(endpoints.url)) for _ in range(11)]
            return [subscribe(ws, "heartbeat")["type"] for ws in sockets]

    assert await in_thread(read) == ["subscriptions"] * 10 + ["error"]


async def test_who_connects_too_often_is_turned_away_at_the_handshake(
    nursery: trio.Nursery,
) -> None:
    simulator = Simulator(CONFIG)
    await nursery.start(simulator.run)
    now_ms = simulator.exchange.now_ms() + 60_000  # nothing fills up meanwhile
    dialect = simulator.dialect
    assert isinstance(dialect, CoinbaseDialect)
    for _ in range(20):
        dialect.buckets.take("connections", "127.0.0.1", now_ms)

    def read() -> int:
        with pytest.raises(InvalidStatus) as refused, socket(simulator.endpoints.url):
            pass
        return refused.value.response.status_code

    assert await in_thread(read) == 429


async def test_tickers_are_written_flat_out_where_that_is_asked_for(
    nursery: trio.Nursery,
) -> None:
    endpoints = await start(nursery, attrs.evolve(CONFIG, flood_frames_per_s=2_000.0))

    def read() -> list[Any]:
        with socket(endpoints.url) as ws:
            subscribe(ws, "ticker")
            return hear(ws, 1.0)

    told = [it["price"] for it in await in_thread(read) if it["type"] == "ticker"]
    assert len(set(told)) >= 64
    assert len(told) > 200
