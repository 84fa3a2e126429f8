"""Kraken's market stream over a scripted venue: refusals, broken books, candles."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
import trio
import trio.abc
from trio_websocket import WebSocketConnection

from actors.messages import (
    BookDelta,
    BookSnapshot,
    BookTop,
    Candle,
    Channel,
    PassedOver,
    PricesReplaced,
    StreamMessage,
    Subscription,
    SubscriptionAccepted,
    SubscriptionRefused,
    Ticker,
)
from actors.ports import MarketStream
from adapters.errors import ConnectionLost, NotListed, RemoteProtocolError
from adapters.kraken import Endpoints, open_kraken
from adapters.kraken.codec.book import KeptBook
from adapters.kraken.codec.frames import BookRow, LevelRow
from adapters.kraken.codec.market import newest_of
from adapters.websocket_busy import open_busy_websocket
from adapters.websocket_server import frame
from tests.adapters.binance_desk import StillClock
from tests.adapters.peers import Desk, Talk, dial_peer, dial_raw, http, shake_hands

NAMES = ("BTC/USD", "ETH/USD", "WWW/USD")
BTC, ETH, WWW = (Subscription(name, Channel.TICKER) for name in NAMES)
BOOK = Subscription("BTC/USD", Channel.BOOK)
CANDLES = Subscription("BTC/USD", Channel.CANDLES, "1m")
TICKER = (
    '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":65843.7,'
    '"bid_qty":12.31628629,"ask":65843.8,"ask_qty":0.31232000,"last":65843.7,'
    '"volume":4182.59447976,"trades":7,"timestamp":"2026-10-03T20:58:33.794283Z"}]}'
)


def listed(line: str, _headers: str) -> bytes:
    assert "/0/public/AssetPairs" in line
    pairs = {
        name: {
            "altname": name.replace("/", ""),
            "base": name[:3],
            "quote": "USD",
            "pair_decimals": 1,
            "lot_decimals": 8,
        }
        for name in NAMES
    }
    return http(200, json.dumps({"error": [], "result": pairs}))


@asynccontextmanager
async def streaming(
    nursery: trio.Nursery, talk: Talk
) -> AsyncGenerator[MarketStream, None]:
    """Open a stream to a peer that talks so; the symbols are those of `NAMES`."""
    desk = Desk(listed)
    await nursery.start(desk.serve)
    async with (
        open_kraken(
            Endpoints("ws://venue.test/v2", "ws://venue.test/auth", desk.origin),
            clock=StillClock(),
            dial=dial_peer(nursery, talk),
        ) as kraken,
        kraken.market.open_stream() as stream,
    ):
        yield stream


class Session:
    """What the test hears, and what the venue was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def command(self, peer: WebSocketConnection) -> dict[str, Any]:
        """Return the next command of the client."""
        found = json.loads(await peer.get_message())
        self.asked.append(found)
        return found


async def run(
    nursery: trio.Nursery, talk: Talk, wanted: Sequence[Subscription], *, messages: int
) -> list[StreamMessage]:
    """Return the first messages that are not passed over; errors end it."""
    heard: list[StreamMessage] = []
    async with streaming(nursery, talk) as stream:
        await stream.subscribe(wanted)
        with trio.fail_after(5):
            await trio.lowlevel.checkpoint()
            while len(heard) < messages:
                heard += [
                    message
                    for message in await stream.receive()
                    if not isinstance(message, PassedOver)
                ]
    return heard


async def test_of_many_prices_that_came_together_the_newest_is_told_and_the_rest_counted(
    nursery: trio.Nursery,
) -> None:
    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        frames = [frame(TICKER.replace("65843.7", f"{n}.5").encode()) for n in range(200)]
        await stream.send_all(b"".join(frames))
        await trio.sleep_forever()

    desk = Desk(listed)
    await nursery.start(desk.serve)
    dial = dial_raw(nursery, talk)
    async with (
        open_kraken(
            Endpoints("ws://venue.test/v2", "ws://venue.test/auth", desk.origin),
            clock=StillClock(),
            dial=dial,
            open_socket=open_busy_websocket,
        ) as kraken,
        kraken.market.open_stream() as stream,
    ):
        await stream.subscribe([BTC])
        replaced, ticker = await stream.receive()
        assert replaced == PricesReplaced(199)
        assert isinstance(ticker, Ticker)
        assert ticker.last == Decimal("199.5")
        nursery.cancel_scope.cancel()


def test_only_frames_of_one_price_give_way_to_newer_ones() -> None:
    row = '{"symbol":"BTC/USD","last":1}'
    named = [
        newest_of(TICKER),
        newest_of(f'{{"channel":"ticker","data":[{row},{row}]}}'),
        newest_of(f'{{"channel":"trade","data":[{row}]}}'),
        newest_of('{"channel":"heartbeat"}'),
        newest_of(TICKER.encode()),
    ]
    assert named == ["BTC/USD", "", "", "", ""]


def ack(command: dict[str, Any], symbol: str) -> str:
    params = command["params"]
    return json.dumps(
        {
            "method": command["method"],
            "req_id": command["req_id"],
            "success": True,
            "result": {"channel": params["channel"], "symbol": symbol},
        }
    )


def refusal(command: dict[str, Any], error: str, **more: str) -> str:
    return json.dumps(
        {
            "method": command["method"],
            "req_id": command["req_id"],
            "success": False,
            "error": error,
            **more,
        }
    )


@pytest.mark.parametrize("is_named", [True, False])
async def test_a_refused_symbol_costs_the_others_nothing(
    nursery: trio.Nursery, is_named: bool
) -> None:
    """Some refusals name no symbol: the one that nobody acknowledged is meant."""

    async def talk(peer: WebSocketConnection) -> None:
        command = await session.command(peer)
        more = {"symbol": "WWW/USD"} if is_named else {}
        await peer.send_message(ack(command, "BTC/USD"))
        await peer.send_message(refusal(command, "Currency pair not supported", **more))
        await peer.send_message(ack(command, "ETH/USD"))
        await peer.send_message(TICKER)
        await trio.sleep(1)

    session = Session()
    heard = await run(nursery, talk, [BTC, ETH, WWW], messages=4)
    refused = [each for each in heard if isinstance(each, SubscriptionRefused)]
    assert refused == [SubscriptionRefused(1, 0, "Currency pair not supported", "WWW/USD")]
    assert heard.count(SubscriptionAccepted(1)) == 2
    assert isinstance(heard[-1], Ticker)
    assert session.asked == [
        {
            "method": "subscribe",
            "req_id": 1,
            "params": {
                "channel": "ticker",
                "symbol": list(NAMES),
                "event_trigger": "bbo",
                "snapshot": True,
            },
        }
    ]


async def test_a_refusal_of_the_connection_is_nobody_s_in_particular(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await session.command(peer)
        await peer.send_message(
            '{"error":"Malformed request","method":"error","success":false}'
        )
        await trio.sleep(1)

    session = Session()
    heard = await run(nursery, talk, [BTC], messages=1)
    assert heard == [SubscriptionRefused(0, 0, "Malformed request")]


async def test_ticker_and_best_prices_are_one_stream_told_to_whoever_wants_them(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await session.command(peer)
        await peer.send_message(TICKER)
        await trio.sleep(1)

    session = Session()
    tops = Subscription("BTC/USD", Channel.BOOK_TOP)
    assert [type(each) for each in await run(nursery, talk, [BTC, tops], messages=2)] == [
        Ticker,
        BookTop,
    ]
    (top,) = await run(nursery, talk, [tops], messages=1)
    assert isinstance(top, BookTop)
    assert (str(top.bid_base), str(top.ask_base)) == ("12.31628629", "0.31232000")
    assert len(session.asked) == 2


def book(kind: str, bid: str, ask: str, checksum: int | None = None) -> str:
    """Return a book frame of one level on each side, with its true checksum or another."""
    digits = "".join(
        price.replace(".", "").lstrip("0") + quantity.replace(".", "").lstrip("0")
        for price, quantity in ((ask, "1.00000000"), (bid, "2.00000000"))
    )
    true = zlib.crc32(digits.encode())
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD",'
        f'"bids":[{{"price":{bid},"qty":2.00000000}}],'
        f'"asks":[{{"price":{ask},"qty":1.00000000}}],'
        f'"checksum":{true if checksum is None else checksum}}}]}}'
    )


ASKS = """45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911
45290.2 0.15890660 45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000
45297.5 0.09945542 45299.5 0.18772827"""
BIDS = """45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000
45280.3 1.54592586 45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000
45277.3 1.54602737 45276.6 0.15445238"""


def test_the_documented_book_has_the_documented_checksum() -> None:
    """docs.kraken.com, "Spot Websockets (v2) Book Checksum"."""

    def rows(text: str) -> list[LevelRow]:
        words = iter(text.split())
        return [LevelRow(Decimal(price), Decimal(next(words))) for price in words]

    kept = KeptBook("BTC/USD", 10)
    kept.take_snapshot(BookRow("BTC/USD", rows(BIDS), rows(ASKS), 3310070434), 0.0)
    assert kept.is_proven


@pytest.mark.parametrize("broken", [("100.5", "101.0", 1), ("-1.0", "101.0"), ("0", "9")])
async def test_a_broken_book_begins_anew_and_nothing_unproven_is_told(
    nursery: trio.Nursery, broken: Any
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await session.command(peer)
        await peer.send_message(book("snapshot", "100.0", "101.0"))
        await peer.send_message(book("update", "100.0", "101.0"))
        await peer.send_message(book("update", *broken))
        await peer.send_message(book("update", "100.6", "101.0"))  # of a book that broke
        ended, begun = await session.command(peer), await session.command(peer)
        await peer.send_message(ack(ended, "BTC/USD"))
        await peer.send_message(ack(begun, "BTC/USD"))
        await peer.send_message(book("snapshot", "100.7", "101.0"))
        await trio.sleep(1)

    session = Session()
    heard = await run(nursery, talk, [BOOK], messages=4)
    told = [each for each in heard if isinstance(each, (BookSnapshot, BookDelta))]
    assert [(type(each).__name__, each.last_id) for each in told] == [
        ("BookSnapshot", 1),
        ("BookDelta", 2),
        ("BookSnapshot", 3),
    ]
    assert [str(price) for price, _ in told[-1].bids] == ["100.7"]
    assert [each["method"] for each in session.asked] == [
        "subscribe",
        "unsubscribe",
        "subscribe",
    ]


async def test_a_book_that_is_asked_for_anew_goes_on_counting(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        for _ in range(2):
            while (await session.command(peer))["method"] != "subscribe":
                pass
            await peer.send_message(book("snapshot", "100.0", "101.0"))
        await trio.sleep(1)

    session = Session()
    told: list[StreamMessage] = []
    async with streaming(nursery, talk) as stream:
        await stream.subscribe([BOOK])
        with trio.fail_after(3):
            told += await stream.receive()
            await stream.unsubscribe([BOOK])
            await stream.subscribe([BOOK])
            told += await stream.receive()
    assert [each.last_id for each in told if isinstance(each, BookSnapshot)] == [1, 2]


async def test_a_book_that_breaks_again_and_again_is_the_connection_s_fault(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await session.command(peer)
        while True:
            await peer.send_message(book("snapshot", "100.0", "101.0", checksum=1))
            await session.command(peer)
            await session.command(peer)

    session = Session()
    with pytest.raises(ConnectionLost, match="broke 6 times in 60 s"):
        await run(nursery, talk, [BOOK], messages=1)


def candle(minute: int, close: str, *, kind: str = "update") -> str:
    return (
        f'{{"channel":"ohlc","type":"{kind}","data":[{{"symbol":"BTC/USD","open":100.0,'
        f'"high":110.0,"low":90.0,"close":{close},"trades":3,"volume":1.5,"vwap":100.0,'
        f'"interval_begin":"2026-10-03T20:{minute:02d}:00.000000000Z","interval":1}}]}}'
    )


async def test_a_candle_is_over_when_a_later_one_comes(nursery: trio.Nursery) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await session.command(peer)
        await peer.send_message(candle(58, "101.0", kind="snapshot"))
        await peer.send_message(candle(58, "102.0"))
        await peer.send_message(candle(59, "103.0"))
        await peer.send_message(candle(58, "104.0"))  # of one that is over
        await trio.sleep(1)

    session = Session()
    heard = await run(nursery, talk, [CANDLES], messages=4)
    told = [each for each in heard if isinstance(each, Candle)]
    assert [(str(each.close), each.is_closed) for each in told] == [
        ("101.0", False),
        ("102.0", False),
        ("102.0", True),
        ("103.0", False),
    ]
    assert (told[0].close_ms - told[0].open_ms, str(told[0].volume_quote)) == (
        59_999,
        "150.00",
    )


async def test_an_unreadable_frame_is_told_and_the_next_one_heard(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        await peer.get_message()
        await peer.send_message("garbage")
        await peer.send_message(TICKER)
        await trio.sleep(1)

    async with streaming(nursery, talk) as stream:
        await stream.subscribe([BTC])
        with pytest.raises(RemoteProtocolError):
            await stream.receive()
        (heard,) = await stream.receive()
        with pytest.raises(NotListed):
            await stream.subscribe([Subscription("NO/USD", Channel.TICKER)])
    assert isinstance(heard, Ticker)


async def test_what_is_no_more_wanted_is_unsubscribed_once_nobody_wants_it(
    nursery: trio.Nursery,
) -> None:
    async def talk(peer: WebSocketConnection) -> None:
        for _ in range(3):
            await session.command(peer)
        done.set()
        await trio.sleep(1)

    session, done = Session(), trio.Event()
    tops = Subscription("BTC/USD", Channel.BOOK_TOP)

    async with streaming(nursery, talk) as stream:
        await stream.subscribe([BTC, tops, BOOK])
        await stream.unsubscribe([BTC])  # the best prices still need the ticker
        await stream.unsubscribe([tops])
        with trio.fail_after(3):
            await done.wait()
    assert [(each["method"], each["params"]["channel"]) for each in session.asked] == [
        ("subscribe", "ticker"),
        ("subscribe", "book"),
        ("unsubscribe", "ticker"),
    ]
