"""The simulated Kraken's market data: its public WebSocket, and public REST beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import pytest
import trio
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.kraken.codec.book import KeptBook
from adapters.kraken.codec.market import BookHeard, decode_market
from adapters.simulator.config import SimulatorConfig
from adapters.simulator.kraken_limits import KrakenLimits
from adapters.simulator.server import Simulator
from tests.adapters.kraken_simulator_desk import (
    CONFIG,
    QUIET,
    Rebuilt,
    Rest,
    Talk,
    public_socket,
)
from tests.adapters.simulator_desk import in_thread, start

FAST = attrs.evolve(CONFIG, ticks_per_s=50.0)
T = TypeVar("T")


async def talking(
    nursery: trio.Nursery, work: Callable[[Talk], T], config: SimulatorConfig = QUIET
) -> T:
    """Let a client talk to a new simulated Kraken on its public socket."""
    simulator = await start(nursery, config)
    return await in_thread(lambda: _talk(simulator, work))


def _talk(simulator: Simulator, work: Callable[[Talk], T]) -> T:
    with public_socket(simulator.endpoints) as ws:
        return work(Talk(ws))


async def test_the_first_frame_is_the_status(nursery: trio.Nursery) -> None:
    status = await talking(nursery, lambda it: it.hear())

    assert (status["channel"], status["data"][0]["system"]) == ("status", "online")
    assert status["data"][0]["connection_id"] > 2**53
    assert status["data"][0]["upcoming_maintenance"] == []


async def test_each_symbol_is_answered_alone_and_a_refusal_leaves_the_socket_open(
    nursery: trio.Nursery,
) -> None:
    def subscribe(talk: Talk) -> list[dict[str, Any]]:
        symbols = ["BTC/USDT", "WWW/USD", "ETH/USDT"]
        req_id = talk.say("subscribe", {"channel": "trade", "symbol": symbols})
        for _ in range(3):
            talk.hear_until(lambda it: it.get("req_id") == req_id)
        talk.next_of("trade")
        return [it for it in talk.heard if it.get("req_id") == req_id]

    answers = await talking(nursery, subscribe, CONFIG)

    assert [it["success"] for it in answers] == [True, False, True]
    assert [it["result"]["symbol"] for it in answers if it["success"]] == [
        "BTC/USDT",
        "ETH/USDT",
    ]
    refused = answers[1]
    assert (refused["error"], refused["symbol"]) == (
        "Currency pair not supported WWW/USD", "WWW/USD",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "params", "error"),
    [
        ("book", {"depth": 20}, "Subscription depth not supported"),
        ("ohlc", {"interval": 7}, "Subscription ohlc interval not supported"),
        ("ticker", {"event_trigger": "never"}, "Event trigger not supported"),
        ("level9", {}, "Unsupported event"),
        ("executions", {}, "Private data and trading are unavailable on this endpoint"),
    ],
)
async def test_what_is_not_offered_is_refused(
    nursery: trio.Nursery, channel: str, params: dict[str, object], error: str
) -> None:
    answer = await talking(nursery, lambda it: it.subscribe(channel, "BTC/USDT", **params))

    assert (answer["success"], answer["error"]) == (False, error)


async def test_one_symbol_has_one_candle_interval_on_a_connection(
    nursery: trio.Nursery,
) -> None:
    def subscribe(talk: Talk) -> list[Any]:
        return [
            talk.subscribe("ohlc", "BTC/USDT", interval=interval).get("error")
            for interval in (1, 5, 1)
        ]

    assert await talking(nursery, subscribe) == [
        None,
        "Already subscribed to one ohlc interval on this symbol",
        "Already subscribed",
    ]


async def test_malformed_words_are_refused_and_a_ping_is_answered(
    nursery: trio.Nursery,
) -> None:
    def talk_badly(talk: Talk) -> tuple[Any, Any, Any]:
        talk.ws.send("{nonsense")
        malformed = talk.hear_until(lambda it: it.get("method") == "error")
        talk.say("ping")
        pong = talk.hear_until(lambda it: it.get("method") == "pong")
        return malformed, pong, talk.ask("ping", why="not")

    malformed, pong, refused = await talking(nursery, talk_badly)

    assert (malformed["error"], malformed["success"]) == ("Malformed request", False)
    assert (pong["method"], pong["time_in"][-1]) == ("pong", "Z")
    assert refused["success"] is False


@pytest.mark.parametrize("depth", [10, 25, 100])
async def test_every_book_update_matches_its_checksum(
    nursery: trio.Nursery, depth: int
) -> None:
    def follow(talk: Talk) -> tuple[int, set[bool]]:
        talk.subscribe("book", "BTC/USDT", "ETH/USDT", depth=depth)
        books = {"BTC/USDT": Rebuilt(depth), "ETH/USDT": Rebuilt(depth)}
        until, count, matches = time.monotonic() + 2.0, 0, set[bool]()
        while time.monotonic() < until:
            row = talk.next_of("book")["data"][0]
            book = books[row["symbol"]]
            book.apply(row)
            matches.add(book.checksum() == row["checksum"])
            count += 1
        return count, matches

    count, matches = await talking(nursery, follow, FAST)

    assert matches == {True}
    assert count > 60


async def test_a_second_reader_joins_the_book_where_it_is(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, FAST)

    def follow(talk: Talk) -> list[bool]:
        talk.subscribe("book", "BTC/USDT")
        book, matches = Rebuilt(10), list[bool]()
        for _ in range(30):
            row = talk.next_of("book")["data"][0]
            book.apply(row)
            matches.append(book.checksum() == row["checksum"])
        return matches

    found: list[list[bool]] = []

    async def follow_later(wait_s: float) -> None:
        await trio.sleep(wait_s)
        found.append(await in_thread(lambda: _talk(simulator, follow)))

    async with trio.open_nursery() as readers:
        for wait_s in (0.0, 0.15, 0.31):
            readers.start_soon(follow_later, wait_s)

    assert [all(it) and len(it) == 30 for it in found] == [True] * 3


async def test_our_codec_reads_and_proves_what_the_simulator_writes(
    nursery: trio.Nursery,
) -> None:
    def follow(talk: Talk) -> tuple[int, set[str]]:
        for channel in ("book", "ticker", "trade", "instrument"):
            talk.say("subscribe", {"channel": channel, "symbol": ["BTC/USDT"]})
        talk.say("subscribe", {"channel": "ohlc", "symbol": ["BTC/USDT"], "interval": 5})
        kept, kinds = KeptBook("BTC/USDT", 10, 2, 5), set[str]()
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            for heard in decode_market(talk.ws.recv(timeout=10), 0.0):
                kinds.add(type(heard).__name__)
                if isinstance(heard, BookHeard) and heard.is_snapshot:
                    kept.take_snapshot(heard.row, 0.0)
                elif isinstance(heard, BookHeard):
                    kept.take_update(heard.row)
        return kept.last_id, kinds

    last_id, kinds = await talking(nursery, follow, FAST)

    assert last_id > 30
    assert kinds >= {
        "Acknowledged", "BookHeard", "BookTop", "Candle", "SystemHeard", "Ticker", "Traded",
    }  # fmt: skip


async def test_trades_come_once_each_and_candles_with_them(nursery: trio.Nursery) -> None:
    def follow(talk: Talk) -> tuple[list[int], list[Any], list[Any]]:
        talk.subscribe("trade", "BTC/USDT")
        talk.subscribe("ohlc", "BTC/USDT", interval=1)
        while len(talk.of("trade")) < 12:
            talk.hear()
        trades = [row for it in talk.of("trade") for row in it["data"]]
        candles = talk.of("ohlc")
        return [row["trade_id"] for row in trades], trades, candles

    ids, trades, candles = await talking(nursery, follow)

    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert {it["side"] for it in trades} <= {"buy", "sell"}
    assert (candles[0]["type"], candles[-1]["type"]) == ("snapshot", "update")
    running = candles[-1]["data"][0]
    assert (running["interval"], running["symbol"]) == (1, "BTC/USDT")
    assert running["low"] <= running["vwap"] <= running["high"]


async def test_a_ticker_by_the_best_price_comes_without_a_trade(
    nursery: trio.Nursery,
) -> None:
    listing = attrs.evolve(QUIET.listings[0], volatility=0.001, trade_chance=0.0)
    config = attrs.evolve(QUIET, listings=(listing,))

    def follow(talk: Talk) -> list[Any]:
        talk.subscribe("ticker", "BTC/USDT", event_trigger="bbo")
        for _ in range(4):
            talk.next_of("ticker")
        return [it["data"][0] for it in talk.of("ticker")]

    rows = await talking(nursery, follow, config)

    assert len({it["bid"] for it in rows}) >= 3
    assert {it["last"] for it in rows} == {rows[0]["last"]}


async def test_instruments_carry_the_filters(nursery: trio.Nursery) -> None:
    def ask(talk: Talk) -> Any:
        talk.subscribe("instrument")
        return talk.next_of("instrument")

    frame = await talking(nursery, ask)
    pair = frame["data"]["pairs"][0]

    assert (frame["type"], pair["symbol"], pair["status"]) == (
        "snapshot", "BTC/USDT", "online",
    )  # fmt: skip
    assert (pair["price_increment"], pair["qty_increment"], pair["cost_min"]) == (
        Decimal("0.01"), Decimal("0.00001"), 5,
    )  # fmt: skip


async def test_hearts_beat_after_a_subscription_though_its_data_is_silent(
    nursery: trio.Nursery,
) -> None:
    simulator = await start(nursery, QUIET)

    def follow(talk: Talk) -> tuple[int, int]:
        talk.subscribe("trade", "BTC/USDT")
        talk.next_of("trade")
        Rest(simulator.endpoints).ask(
            "POST",
            "/simulator/faults",
            json={"kind": "silence", "symbol": "BTC/USDT", "duration_s": 30},
        )
        talk.next_of("heartbeat")
        before = len(talk.of("trade"))
        for _ in range(2):
            talk.next_of("heartbeat")
        return before, len(talk.of("trade"))

    before, after = await in_thread(lambda: _talk(simulator, follow))

    assert before == after


async def test_a_shutdown_is_announced_as_maintenance(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)

    def follow(talk: Talk) -> Any:
        talk.hear()
        Rest(simulator.endpoints).ask(
            "POST", "/simulator/faults", json={"kind": "server_shutdown", "delay_s": 0.2}
        )
        told = talk.next_of("status")
        with pytest.raises(ConnectionClosed):
            talk.hear_until(lambda _: False)
        return told

    told = await in_thread(lambda: _talk(simulator, follow))

    assert told["data"] == [
        {"version": "2.0.10", "system": "maintenance", "api_version": "v2"}
    ]


async def test_who_wants_nothing_is_cut_after_its_minute(nursery: trio.Nursery) -> None:
    config = attrs.evolve(QUIET, kraken_limits=KrakenLimits(idle_s=0.3))

    def wait(talk: Talk) -> int:
        with pytest.raises(ConnectionClosed) as closed:
            talk.hear_until(lambda _: False)
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code

    assert await talking(nursery, wait, config) == 1001


async def test_too_many_words_are_refused(nursery: trio.Nursery) -> None:
    config = attrs.evolve(QUIET, kraken_limits=KrakenLimits(messages_1s=3))

    def chatter(talk: Talk) -> Any:
        for _ in range(4):
            talk.say("ping")
        return talk.hear_until(lambda it: it.get("success") is False)

    assert (await talking(nursery, chatter, config))["error"] == "Exceeded msg rate"


async def test_who_connects_too_often_is_kept_out_for_a_while(
    nursery: trio.Nursery,
) -> None:
    limits = KrakenLimits(connects_max=2, connects_s=60, connects_ban_s=0.5)
    simulator = await start(nursery, attrs.evolve(QUIET, kraken_limits=limits))

    def connect() -> int:
        try:
            with public_socket(simulator.endpoints) as ws:
                ws.recv(timeout=10)
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    codes = [await in_thread(connect) for _ in range(4)]
    await trio.sleep(0.6)

    assert codes == [101, 101, 429, 429]
    assert await in_thread(connect) == 101


async def test_a_flood_writes_tickers_of_every_symbol_flat_out(
    nursery: trio.Nursery,
) -> None:
    def drink(talk: Talk) -> tuple[int, set[str], int]:
        talk.subscribe("ticker", "BTC/USDT", "ETH/USDT")
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            talk.next_of("ticker")
        rows = [it["data"][0] for it in talk.of("ticker")]
        prices = {it["last"] for it in rows if it["symbol"] == "BTC/USDT"}
        return len(rows), {it["symbol"] for it in rows}, len(prices)

    config = attrs.evolve(CONFIG, flood_frames_per_s=0.0)
    count, symbols, prices = await talking(nursery, drink, config)

    assert count > 500
    assert (symbols, prices >= 64) == ({"BTC/USDT", "ETH/USDT"}, True)


async def test_what_is_unsubscribed_comes_no_more(nursery: trio.Nursery) -> None:
    def follow(talk: Talk) -> tuple[Any, Any, int]:
        talk.subscribe("trade", "BTC/USDT")
        talk.subscribe("ticker", "BTC/USDT")
        talk.next_of("trade")
        ended = talk.ask("unsubscribe", channel="trade", symbol=["BTC/USDT"])
        before = len(talk.of("trade"))
        for _ in range(5):
            talk.next_of("ticker")
        again = talk.ask("unsubscribe", channel="trade", symbol=["BTC/USDT"])
        return ended, again, len(talk.of("trade")) - before

    ended, again, more = await talking(nursery, follow)

    assert (ended["success"], ended["result"]["channel"]) == (True, "trade")
    assert (again["error"], more) == ("Subscription Not Found", 0)


async def test_rest_knows_a_pair_by_each_of_its_names(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)
    rest = Rest(simulator.endpoints)

    def ask() -> list[Any]:
        names = ("XBTUSDT", "XBT/USDT", "BTC/USDT", "xbtusdt", "ABCUSD")
        return [rest.public("Depth", pair=name, count=1) for name in names]

    answers = await in_thread(ask)

    assert [list(it.get("result", {})) for it in answers] == [["XBTUSDT"]] * 4 + [[]]
    assert answers[-1]["error"] == ["EQuery:Unknown asset pair"]


async def test_the_new_names_are_told_on_demand(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, CONFIG)
    rest = Rest(simulator.endpoints)

    def ask() -> tuple[Any, Any]:
        old, new = rest.public("AssetPairs"), rest.public("AssetPairs", assetVersion=1)
        return old["result"], new["result"]

    old, new = await in_thread(ask)

    assert {key: it["base"] for key, it in old.items()} == {
        "XBTUSDT": "XXBT",
        "ETHUSDT": "XETH",
    }
    assert {key: it["base"] for key, it in new.items()} == {
        "BTC/USDT": "BTC",
        "ETH/USDT": "ETH",
    }


async def test_candles_end_with_the_running_one(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, QUIET)
    rest = Rest(simulator.endpoints)

    def ask() -> tuple[Any, Any]:
        whole = rest.public("OHLC", pair="XBTUSDT", interval=15)["result"]
        since = whole["last"]
        return whole, rest.public("OHLC", pair="XBTUSDT", interval=15, since=since)[
            "result"
        ]

    whole, newer = await in_thread(ask)
    rows = whole["XBTUSDT"]

    assert (len(rows), whole["last"]) == (720, rows[-2][0])
    assert [it[0] for it in newer["XBTUSDT"]] == [rows[-1][0]]
    assert rows[-1][0] % 900 == 0
