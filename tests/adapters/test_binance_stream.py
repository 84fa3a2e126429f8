"""Market and private streams over a scripted venue; the gate; the clock's offset."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest
import trio
import trio.abc
from trio_websocket import WebSocketConnection

from actors.messages import (
    BalancesHeard,
    Channel,
    PricesReplaced,
    PrivateStreamEnded,
    Subscription,
    SubscriptionAccepted,
    Traded,
    VenueBalance,
    VenueClosing,
    VenueReject,
)
from adapters.binance import Binance
from adapters.binance.codec import envelope, market_writer, private, rest, streams
from adapters.errors import (
    ConnectionLost,
    NotListed,
    RateLimited,
    RemoteProtocolError,
    VenueRefused,
)
from adapters.sockets import OpenSocket, Socket
from adapters.websocket import open_websocket
from adapters.websocket_busy import open_busy_websocket
from adapters.websocket_server import frame
from tests.adapters.binance_desk import BUY, KEY, NOW_MS, SECRET, Sealed, opened
from tests.adapters.peers import Talk, dial_peer, dial_raw, http, shake_hands
from tests.words import candle

BTC_TRADES = Subscription("BTC/USDT", Channel.TRADES)
TRADE = (
    '{"e":"trade","E":1700000000000,"s":"BTCUSDT","t":7,"p":"100.5","q":"0.1"'
    ',"T":1700000000000,"m":false,"M":true}'
)
KEYS = (Sealed(KEY), Sealed(SECRET))


def nothing(_line: str, _headers: str) -> bytes:
    return http(200, "{}")


async def test_a_subscription_is_asked_for_acknowledged_and_heard(
    nursery: trio.Nursery,
) -> None:
    async def talk(connection: WebSocketConnection) -> None:
        command = streams.decode_command(await connection.get_message())
        asked.append((command.method, command.params, connection.path))
        await connection.send_message(market_writer.encode_ack(command.id))
        await connection.send_message(market_writer.combined("btcusdt@trade", TRADE))
        await connection.send_message("garbage")
        await connection.send_message(
            market_writer.combined("!serverShutdown", market_writer.encode_shutdown(NOW_MS))
        )
        await trio.sleep(1)

    asked: list[object] = []
    async with (
        opened(nursery, nothing, dial=dial_peer(nursery, talk)) as (_, binance),
        binance.market.open_stream() as stream,
    ):
        await stream.subscribe([BTC_TRADES])
        assert list(await stream.receive()) == [SubscriptionAccepted(1)]
        (trade,) = await stream.receive()
        assert isinstance(trade, Traded)
        with pytest.raises(RemoteProtocolError):  # and the stream goes on
            await stream.receive()
        assert list(await stream.receive()) == [VenueClosing()]
    assert asked == [("SUBSCRIBE", ("btcusdt@trade",), "/stream")]


async def test_public_data_comes_by_the_socket_that_was_given_and_nothing_else_does(
    nursery: trio.Nursery,
) -> None:
    async def talk(connection: WebSocketConnection) -> None:
        await connection.get_message()

    urls: list[str] = []

    def noted(url: str, **how: Any) -> AbstractAsyncContextManager[Socket]:
        urls.append(url)
        return open_websocket(url, **how)

    dial = dial_peer(nursery, talk)
    async with opened(nursery, nothing, dial=dial, open_socket=noted) as (_, binance):
        async with binance.market.open_stream():
            pass
        async with binance.trading(*KEYS).open_orders_connection():
            pass
    assert urls == ["ws://venue.test/stream"]


@pytest.mark.parametrize("open_socket", [open_websocket, open_busy_websocket])
async def test_of_many_prices_that_came_together_the_newest_is_told_and_the_rest_counted(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        top = '{"u":%d,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}'
        said = [market_writer.combined("btcusdt@bookTicker", top % n) for n in range(200)]
        said.insert(1, market_writer.combined("btcusdt@trade", TRADE))
        await stream.send_all(b"".join(frame(each.encode()) for each in said))
        await trio.sleep_forever()

    dial = dial_raw(nursery, talk)
    async with (
        opened(nursery, nothing, dial=dial, open_socket=open_socket) as (_, binance),
        binance.market.open_stream() as stream,
    ):
        heard = await stream.receive()
        assert heard[0] == PricesReplaced(199)
        assert [getattr(each, "update_id", type(each)) for each in heard[1:]] == [
            Traded,
            199,
        ]


async def test_subscriptions_go_in_batches_and_never_twice(nursery: trio.Nursery) -> None:
    async def talk(connection: WebSocketConnection) -> None:
        while True:
            command = streams.decode_command(await connection.get_message())
            asked.append((command.method, len(command.params)))

    asked: list[tuple[str, int]] = []
    wanted = [BTC_TRADES, Subscription("BTC/USDT", Channel.TICKER)]
    async with (
        opened(nursery, nothing, dial=dial_peer(nursery, talk)) as (_, binance),
        binance.market.open_stream() as stream,
    ):
        await stream.subscribe(wanted)
        await stream.subscribe(wanted)
        await stream.unsubscribe(wanted[:1])
        await stream.unsubscribe(wanted[:1])
        await trio.sleep(0.5)
    assert asked == [("SUBSCRIBE", 2), ("UNSUBSCRIBE", 1)]


async def test_an_unknown_symbol_is_named_and_ends_nothing(nursery: trio.Nursery) -> None:
    async def talk(connection: WebSocketConnection) -> None:
        await connection.get_message()

    async with (
        opened(nursery, nothing, dial=dial_peer(nursery, talk)) as (_, binance),
        binance.market.open_stream() as stream,
    ):
        with pytest.raises(NotListed, match="DOGE/USDT"):
            await stream.subscribe([Subscription("DOGE/USDT", Channel.TICKER)])


HELD = BalancesHeard((VenueBalance("BTC", Decimal("1.00000000"), Decimal("0E-8")),), NOW_MS)


def saying(events: Sequence[str]) -> Talk:
    async def talk(connection: WebSocketConnection) -> None:
        request = envelope.decode_request(await connection.get_message())
        assert request.method == "userDataStream.subscribe.signature"
        assert request.params["apiKey"] == KEY
        answer = envelope.encode_answer(request.id, {"subscriptionId": 3})
        await connection.send_message(answer)
        for event in events:
            await connection.send_message(event)
        await trio.sleep(1)

    return talk


async def test_the_private_stream_is_subscribed_by_signature_and_heard(
    nursery: trio.Nursery,
) -> None:
    talk = saying(
        [
            private.wrap_event('{"e":"balanceUpdate","E":1}'),
            private.wrap_event(private.encode_position(HELD.balances, NOW_MS)),
            private.wrap_event('{"e":"executionReport"}'),
            private.wrap_event(private.encode_stream_end(NOW_MS)),
            private.wrap_event(market_writer.encode_shutdown(NOW_MS)),
        ]
    )
    dial = dial_peer(nursery, talk)
    async with (
        opened(nursery, nothing, dial=dial) as (_, binance),
        binance.trading(*KEYS).open_private() as stream,
    ):
        assert list(await stream.receive()) == [HELD]
        with pytest.raises(RemoteProtocolError):
            await stream.receive()
        (ended,) = await stream.receive()
        assert isinstance(ended, PrivateStreamEnded)
        with pytest.raises(ConnectionLost, match="shutdown"):
            await stream.receive()


async def test_a_refused_private_subscription_is_told(nursery: trio.Nursery) -> None:
    async def talk(connection: WebSocketConnection) -> None:
        request = envelope.decode_request(await connection.get_message())
        refusal = envelope.encode_refusal(request.id, 401, -2015, "Invalid API-key, IP")
        await connection.send_message(refusal)
        await trio.sleep(1)

    async with opened(nursery, nothing, dial=dial_peer(nursery, talk)) as (_, binance):
        with pytest.raises(VenueRefused, match="-2015") as caught:
            async with binance.trading(*KEYS).open_private():
                raise AssertionError("it was refused")
        assert caught.value.code == "-2015"


async def test_many_questions_ask_for_the_symbols_once(nursery: trio.Nursery) -> None:
    body = rest.encode_klines([])
    async with opened(nursery, lambda _l, _h: http(200, body)) as (desk, binance):
        async with trio.open_nursery() as asking:
            for _ in range(5):
                asking.start_soon(_ask_candles, binance)
        infos = [line for line in desk.requests if "exchangeInfo" in line]
        assert (len(infos), len(desk.requests)) == (1, 6)


async def _ask_candles(binance: Binance) -> None:
    assert list(await binance.market.candles("BTC/USDT", "1m", limit=5)) == []


async def test_a_symbol_that_is_gone_is_not_listed(nursery: trio.Nursery) -> None:
    gone = rest.encode_fault(-1121, "Invalid symbol.")
    async with opened(nursery, lambda _l, _h: http(400, gone)) as (_, binance):
        with pytest.raises(NotListed):
            await binance.market.ticker("BTC/USDT")


async def test_a_candle_is_final_by_a_later_one_and_never_by_our_clock(
    nursery: trio.Nursery,
) -> None:
    """R-26: our clock is minutes ahead, and nobody has measured that yet."""
    minute = NOW_MS // 60_000
    body = rest.encode_klines([candle(minute - 4, 100), candle(minute - 3, 101)])
    async with opened(nursery, lambda _l, _h: http(200, body)) as (_, binance):
        candles = await binance.market.candles("BTC/USDT", "1m", limit=5)
        assert [each.is_closed for each in candles] == [True, False]


async def test_the_offset_is_the_one_of_the_quickest_round_trip(
    nursery: trio.Nursery,
) -> None:
    said = iter([NOW_MS + 900, NOW_MS + 1300, NOW_MS + 1200])

    def answer(_line: str, _headers: str) -> bytes:
        return http(200, rest.encode_time(next(said)))

    async with opened(nursery, answer) as (_, binance):
        offset_ms, round_trip_ms = await binance.market.measure_offset()
        assert 880 <= offset_ms <= 1300
        assert 0 <= round_trip_ms < 200
        assert binance.trading(*KEYS).now_ms() == NOW_MS + offset_ms


async def test_a_timestamp_the_venue_refuses_measures_the_offset_anew(
    nursery: trio.Nursery,
) -> None:
    """R-29: else a clock gone astray costs every signed request until the routine."""

    def answer(line: str, _headers: str) -> bytes:
        if "/time" in line:
            return http(200, rest.encode_time(NOW_MS - 8000))
        text = "Timestamp for this request was 1000ms ahead of the server's time."
        return http(400, rest.encode_fault(-1021, text))

    async with opened(nursery, answer) as (_, binance):
        trading = binance.trading(*KEYS)
        with pytest.raises(VenueRefused):
            await trading.balances()
        assert trading.now_ms() == pytest.approx(NOW_MS - 8000, abs=200)


async def test_an_order_refused_for_its_timestamp_measures_the_offset_anew(
    nursery: trio.Nursery,
) -> None:
    def answer(line: str, _headers: str) -> bytes:
        if "/time" in line:
            return http(200, rest.encode_time(NOW_MS + 6000))
        return http(400, rest.encode_fault(-1021, "outside of the recvWindow."))

    async with opened(nursery, answer) as (_, binance):
        trading = binance.trading(*KEYS)
        assert isinstance(await trading.place(BUY), VenueReject)
        assert trading.now_ms() == pytest.approx(NOW_MS + 6000, abs=200)


async def test_our_own_budget_stops_questions_before_the_venue_does(
    nursery: trio.Nursery,
) -> None:
    def answer(_line: str, _headers: str) -> bytes:
        return http(200, rest.encode_klines([]), "X-MBX-USED-WEIGHT-1M: 89\r\n")

    async with opened(nursery, answer, limit=100) as (desk, binance):
        await _ask_candles(binance)
        count = len(desk.requests)
        with pytest.raises(RateLimited):
            await _ask_candles(binance)
        assert len(desk.requests) == count


async def test_a_forbidden_upgrade_closes_the_gate_for_everybody(
    nursery: trio.Nursery,
) -> None:
    async def refuse(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(
            b"HTTP/1.1 418 No\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n"
        )
        await trio.sleep_forever()

    async with opened(nursery, nothing, dial=dial_raw(nursery, refuse)) as (desk, binance):
        with pytest.raises(RateLimited):
            async with binance.market.open_stream():
                raise AssertionError("it was refused")
        count = len(desk.requests)
        with pytest.raises(RateLimited, match="418"):
            await binance.market.ticker("BTC/USDT")
        assert len(desk.requests) == count
