"""The public feed over a scripted venue: what is asked for, kept, fetched and had anew."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio
import trio.abc
from trio_websocket import WebSocketConnection

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Channel,
    PassedOver,
    PricesReplaced,
    StreamMessage,
    Subscription,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
    Traded,
)
from actors.ports import MarketStream
from adapters.coinbase import feed_books
from adapters.coinbase.codec.feed import newest_of
from adapters.coinbase.stream import CoinbaseStream
from adapters.errors import (
    ConnectionLost,
    LocalProtocolError,
    NotListed,
    RemoteProtocolError,
)
from adapters.websocket_server import frame as framed
from tests.adapters.coinbase_script import Answer, Asked, HttpDesk, Said, nothing, opened
from tests.adapters.peers import dial_peer, dial_raw, shake_hands

BOOK = Subscription("BTC/USD", Channel.BOOK)
TOP = Subscription("BTC/USD", Channel.BOOK_TOP)
TICKER = Subscription("BTC/USD", Channel.TICKER)
TRADES = Subscription("BTC/USD", Channel.TRADES)
WHOLE = {
    "type": "snapshot",
    "product_id": "BTC-USD",
    "bids": [["100.00", "2"], ["99.00", "1"]],
    "asks": [["101.00", "3"]],
}


def changes(*rows: list[str]) -> dict[str, Any]:
    return {
        "type": "l2update",
        "product_id": "BTC-USD",
        "changes": rows,
        "time": "2026-08-25T03:35:57.300000Z",
    }


def match(trade_id: int, kind: str = "match") -> dict[str, Any]:
    return {
        "type": kind,
        "trade_id": trade_id,
        "side": "sell",
        "size": "0.1",
        "price": "100.5",
        "product_id": "BTC-USD",
        "sequence": trade_id * 10,
        "time": "2026-08-25T03:35:57.198335Z",
    }


def heartbeat(last_trade_id: int) -> dict[str, Any]:
    return {
        "type": "heartbeat",
        "sequence": 1,
        "last_trade_id": last_trade_id,
        "product_id": "BTC-USD",
        "time": "2026-08-25T03:35:57.198335Z",
    }


@attrs.define
class Feed:
    """The venue's side of the connection."""

    stream: MarketStream
    desk: HttpDesk
    connection: WebSocketConnection
    ends: int = 0

    async def command(self) -> dict[str, Any]:
        with trio.fail_after(2):
            return json.loads(await self.connection.get_message())

    async def say(self, *frames: dict[str, Any] | str) -> None:
        for frame in frames:
            is_text = isinstance(frame, str)
            text = frame if is_text else json.dumps(frame, separators=(",", ":"))
            await self.connection.send_message(text)

    async def hear(self, *frames: dict[str, Any] | str) -> list[StreamMessage]:
        """Say frames, then return what they were heard as, without what is passed over."""
        self.ends += 1
        end = f"end {self.ends}"
        await self.say(*frames, {"type": end})
        heard: list[StreamMessage] = []
        with trio.fail_after(5):
            while True:
                for message in await self.stream.receive():
                    if message == PassedOver(f"type {end!a}"):
                        return heard
                    if not isinstance(message, PassedOver):
                        heard.append(message)


@asynccontextmanager
async def feed(
    nursery: trio.Nursery, wanted: Sequence[Subscription], answer: Answer = nothing
) -> AsyncGenerator[Feed, None]:
    connected = trio.Event()
    taken: list[WebSocketConnection] = []

    async def talk(connection: WebSocketConnection) -> None:
        taken.append(connection)
        connected.set()
        await trio.sleep_forever()

    dial = dial_peer(nursery, talk)
    async with (
        opened(nursery, answer, dial=dial) as (desk, coinbase),
        coinbase.market.open_stream() as stream,
    ):
        await connected.wait()
        found = Feed(stream, desk, taken[0])
        if wanted:
            await stream.subscribe(wanted)
            await found.command()
        yield found


def named(command: dict[str, Any]) -> dict[str, list[str]]:
    return {each["name"]: each["product_ids"] for each in command["channels"]}


async def test_a_product_is_subscribed_with_its_heartbeat(nursery: trio.Nursery) -> None:
    async with feed(nursery, []) as found:
        await found.stream.subscribe([TICKER, TRADES, BOOK, TOP])
        command = await found.command()
        assert command["type"] == "subscribe"
        assert named(command) == {
            "heartbeat": ["BTC-USD"],
            "level2_batch": ["BTC-USD"],
            "matches": ["BTC-USD"],
            "ticker": ["BTC-USD"],
        }
        await found.stream.unsubscribe([BOOK, TICKER])
        command = await found.command()
        assert (command["type"], named(command)) == ("unsubscribe", {"ticker": ["BTC-USD"]})
        await found.stream.unsubscribe([TOP, TRADES])
        assert named(await found.command()) == {
            "heartbeat": ["BTC-USD"],
            "level2_batch": ["BTC-USD"],
            "matches": ["BTC-USD"],
        }


async def test_of_many_prices_that_came_together_the_newest_is_told_and_the_rest_counted(
    nursery: trio.Nursery,
) -> None:
    price = {
        "type": "ticker",
        "product_id": "BTC-USD",
        "price": "1",
        "best_bid": "1",
        "best_ask": "2",
        "volume_24h": "3",
        "time": "2026-08-25T03:35:57.198335Z",
    }

    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        said = [price | {"price": f"{number}.5"} for number in range(200)]
        texts = [json.dumps(each, separators=(",", ":")) for each in said]
        await stream.send_all(b"".join(framed(text.encode()) for text in texts))
        await trio.sleep_forever()

    async with (
        opened(nursery, nothing, dial=dial_raw(nursery, talk)) as (_, coinbase),
        coinbase.market.open_stream() as stream,
    ):
        replaced, ticker = await stream.receive()
        assert replaced == PricesReplaced(199)
        assert isinstance(ticker, Ticker)
        assert ticker.last == Decimal("199.5")
        nursery.cancel_scope.cancel()


def test_only_frames_of_prices_give_way_to_newer_ones() -> None:
    named = [
        newest_of(f'{{"type":"{kind}","product_id":"BTC-USD","price":"1"}}')
        for kind in ("ticker", "match", "l2update", "heartbeat", "tickers")
    ]
    assert named == ["BTC-USD", "", "", "", ""]
    assert not newest_of('{"type":"ticker","price":"1"}')
    assert not newest_of(b'{"type":"ticker","product_id":"BTC-USD"}')


async def test_what_cannot_be_asked_for_is_refused_here(nursery: trio.Nursery) -> None:
    async with feed(nursery, []) as found:
        with pytest.raises(NotListed):
            await found.stream.subscribe([attrs.evolve(TICKER, symbol="XYZ/USD")])
        with pytest.raises(LocalProtocolError, match="candles"):
            await found.stream.subscribe([Subscription("BTC/USD", Channel.CANDLES, "1m")])


async def test_acknowledgements_are_counted_and_errors_are_refusals(
    nursery: trio.Nursery,
) -> None:
    ack = {"type": "subscriptions", "channels": [{"name": "ticker_1000"}]}
    error = {"type": "error", "message": "Failed to subscribe", "reason": "why"}
    async with feed(nursery, [TICKER]) as found:
        assert await found.hear(ack, ack, error) == [
            SubscriptionAccepted(1),
            SubscriptionAccepted(2),
            SubscriptionRefused(None, 0, "Failed to subscribe: why"),
        ]


async def test_what_was_refused_with_a_product_that_is_gone_is_asked_for_again(
    nursery: trio.Nursery,
) -> None:
    """The venue refuses a whole command for one of its products."""
    other = attrs.evolve(TICKER, symbol="ETH/USD")
    reason = "ETH-USD is not a valid product"
    error = {"type": "error", "message": "Failed to subscribe", "reason": reason}
    async with feed(nursery, [TICKER, other]) as found:
        (refused,) = await found.hear(error)
        assert isinstance(refused, SubscriptionRefused)
        assert refused.symbol == "ETH/USD"
        assert named(await found.command()) == {
            "heartbeat": ["BTC-USD"],
            "ticker": ["BTC-USD"],
        }


async def test_a_frame_that_cannot_be_read_is_told_and_the_next_one_heard(
    nursery: trio.Nursery,
) -> None:
    ticker = {
        "type": "ticker",
        "product_id": "BTC-USD",
        "price": "100",
        "best_bid": "99",
        "best_ask": "101",
        "volume_24h": "5",
    }
    async with feed(nursery, [TICKER]) as found:
        with pytest.raises(RemoteProtocolError):
            await found.hear("garbage")
        (heard,) = await found.hear(ticker)
        assert isinstance(heard, Ticker)
        assert heard.exchange_ms == 0


async def test_a_book_is_numbered_from_its_snapshot_on(nursery: trio.Nursery) -> None:
    async with feed(nursery, [BOOK]) as found:
        whole, first, second = await found.hear(
            WHOLE, changes(["buy", "100.00", "0"]), changes(["sell", "100.50", "1"])
        )
        assert isinstance(whole, BookSnapshot)
        assert isinstance(first, BookDelta)
        assert isinstance(second, BookDelta)
        assert (whole.last_id, whole.bids[0]) == (1, (Decimal(100), Decimal(2)))
        assert (first.first_id, first.last_id, first.bids) == (
            2,
            2,
            ((Decimal(100), Decimal(0)),),
        )
        assert (second.first_id, second.last_id) == (3, 3)


async def test_the_best_prices_are_told_when_they_change_only(
    nursery: trio.Nursery,
) -> None:
    async with feed(nursery, [TOP]) as found:
        tops = await found.hear(
            WHOLE, changes(["buy", "98.00", "7"]), changes(["buy", "100.50", "0.5"])
        )
        assert [
            (top.bid, top.bid_base, top.ask) for top in tops if isinstance(top, BookTop)
        ] == [
            (100, 2, 101),
            (Decimal("100.50"), Decimal("0.5"), 101),
        ]
        assert len(tops) == 2


async def test_who_comes_later_is_given_the_book_as_it_is(nursery: trio.Nursery) -> None:
    async with feed(nursery, [TOP]) as found:
        await found.hear(WHOLE, changes(["buy", "100.50", "0.5"]))
        await found.stream.subscribe([BOOK])
        whole, *_ = await found.hear()
        assert isinstance(whole, BookSnapshot)
        assert (whole.last_id, whole.bids[0][0], len(whole.bids)) == (
            2,
            Decimal("100.5"),
            3,
        )


async def test_a_book_whose_prices_cross_is_had_anew_with_a_higher_number(
    nursery: trio.Nursery,
) -> None:
    async with feed(nursery, [BOOK]) as found:
        await found.hear(WHOLE)
        assert await found.hear(changes(["buy", "101.00", "1"])) == []
        left, joined = await found.command(), await found.command()
        assert (left["type"], joined["type"]) == ("unsubscribe", "subscribe")
        assert named(joined) == {"level2_batch": ["BTC-USD"]}
        assert await found.hear(changes(["buy", "99.50", "1"])) == []
        (whole,) = await found.hear(WHOLE)
        assert isinstance(whole, BookSnapshot)
        assert whole.last_id == 3


async def test_a_book_that_stays_broken_rests_and_is_asked_for_again(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_books, "RESYNCS_S", 2.0)
    crossed = {**WHOLE, "bids": [["101.00", "1"]]}
    async with feed(nursery, [BOOK]) as found:
        for _ in range(feed_books.RESYNCS_MAX):
            await found.hear(crossed)
            await found.command()
            await found.command()
        assert await found.hear(crossed, WHOLE, heartbeat(1)) == []
        await trio.sleep(2.1)
        assert await found.hear(heartbeat(1)) == []
        assert (await found.command())["type"] == "unsubscribe"
        (whole,) = await found.hear(WHOLE)
        assert isinstance(whole, BookSnapshot)


@pytest.mark.parametrize(
    ("frame", "is_doubted"),
    [
        (
            {"type": "l2update", "product_id": "BTC-USD", "changes": [["buy", "NaN", "1"]]},
            1,
        ),
        (
            {"type": "l2update", "product_id": "ETH-USD", "changes": [["buy", "NaN", "1"]]},
            0,
        ),
        ({"type": "match", "product_id": "BTC-USD", "price": "NaN"}, 0),
        ("half of a fra", 1),
    ],
)
async def test_a_frame_that_cannot_be_read_breaks_the_book_it_may_be_about(
    nursery: trio.Nursery, frame: dict[str, Any] | str, is_doubted: int
) -> None:
    async with feed(nursery, [BOOK]) as found:
        await found.hear(WHOLE)
        with pytest.raises(RemoteProtocolError):
            await found.hear(frame)
        await found.hear(heartbeat(1))
        assert isinstance(found.stream, CoinbaseStream)
        assert found.stream.books.resyncs == is_doubted


async def test_a_book_that_stands_still_while_somebody_trades_is_had_anew(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.coinbase.feed_book.SILENT_S", 0.05)
    async with feed(nursery, [BOOK]) as found:
        await found.hear(WHOLE, heartbeat(5), heartbeat(5))
        await trio.sleep(0.1)
        await found.hear(heartbeat(5))  # nobody traded: a quiet market
        await found.hear(heartbeat(6))
        await trio.sleep(0.1)
        await found.hear(heartbeat(6))
        assert (await found.command())["type"] == "unsubscribe"


async def test_a_snapshot_that_does_not_come_ends_the_connection(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.coinbase.feed_book.SNAPSHOT_S", 0.05)
    async with feed(nursery, [BOOK]) as found:
        await found.hear(heartbeat(5))
        await trio.sleep(0.1)
        with pytest.raises(ConnectionLost, match="no snapshot of the book of BTC/USD"):
            await found.hear(heartbeat(5))


async def test_numbers_of_a_book_go_on_over_connections(nursery: trio.Nursery) -> None:
    async def talk(connection: WebSocketConnection) -> None:
        await connection.get_message()
        await connection.send_message(json.dumps(WHOLE))
        await trio.sleep_forever()

    numbers: list[int] = []
    async with opened(nursery, dial=dial_peer(nursery, talk)) as (_, coinbase):
        for _ in range(2):
            async with coinbase.market.open_stream() as stream:
                await stream.subscribe([BOOK])
                (whole,) = await stream.receive()
                assert isinstance(whole, BookSnapshot)
                numbers.append(whole.last_id)
    assert numbers == [1, 2]


async def test_a_snapshot_of_more_than_a_mebibyte_is_heard(nursery: trio.Nursery) -> None:
    bids = [[f"{100 - n / 100_000:.5f}", "0.12345678"] for n in range(50_000)]
    frame = {**WHOLE, "bids": bids}
    assert len(json.dumps(frame)) > 1.2 * 2**20
    async with feed(nursery, [BOOK]) as found:
        (whole,) = await found.hear(frame)
        assert isinstance(whole, BookSnapshot)
        assert len(whole.bids) == 50_000


def trades_by_rest(asked: Asked) -> Said:
    """Answer with the trades before the number asked for, newest first."""
    before = int(asked.all("after")[0])
    limit = int(asked.all("limit")[0])
    return Said([match(number) for number in range(before - 1, before - 1 - limit, -1)])


def ids(heard: Sequence[StreamMessage]) -> list[int]:
    return [each.trade_id for each in heard if isinstance(each, Traded)]


async def test_the_match_before_the_subscription_is_not_told(nursery: trio.Nursery) -> None:
    async with feed(nursery, [TRADES]) as found:
        assert ids(await found.hear(match(7, "last_match"), match(8), match(8))) == [8]


async def test_trades_that_the_feed_dropped_are_fetched_in_order(
    nursery: trio.Nursery,
) -> None:
    async with feed(nursery, [TRADES], trades_by_rest) as found:
        heard = await found.hear(match(7, "last_match"), match(8), match(12), match(13))
        assert ids(heard) == [8, 9, 10, 11, 12, 13]
        (asked,) = found.desk.of("GET", "/products/BTC-USD/trades")
        assert asked.params == [("limit", "3"), ("after", "12")]


async def test_a_heartbeat_that_knows_more_for_two_beats_fetches_it(
    nursery: trio.Nursery,
) -> None:
    async with feed(nursery, [TRADES], trades_by_rest) as found:
        assert ids(await found.hear(match(7, "last_match"), heartbeat(8))) == []
        assert ids(await found.hear(match(8), heartbeat(9))) == [8]
        assert ids(await found.hear(heartbeat(9))) == [9]
        assert ids(await found.hear(heartbeat(9), match(10))) == [10]


async def test_trades_that_cannot_be_fetched_are_left_out_and_asked_for_once(
    nursery: trio.Nursery,
) -> None:
    async with feed(nursery, [TRADES]) as found:
        heard = await found.hear(match(7, "last_match"), match(9), match(11))
        assert ids(heard) == [9, 11]
        assert len(found.desk.of("GET", "/products/BTC-USD/trades")) == 1
