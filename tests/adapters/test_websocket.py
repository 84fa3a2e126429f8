"""Every end of a WebSocket is told in our words, and in time."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
import trio
import trio.abc
import trio.testing
import trustme
from trio_websocket import WebSocketConnection

import adapters.websocket
import adapters.websocket_busy
from adapters.errors import ConnectionLost, RateLimited
from adapters.sockets import Message, OpenSocket, Timing
from adapters.websocket import open_websocket
from adapters.websocket_batch import BatchedClient
from adapters.websocket_busy import RECEIVE_SIZE, open_busy_websocket
from adapters.websocket_server import frame
from tests.adapters.peers import Raw, dial_peer, dial_raw, shake_hands

URL = "ws://venue.test/stream"


Read = Callable[[BatchedClient], Awaitable[None]]


@pytest.fixture(params=[open_websocket, open_busy_websocket])
def open_socket(request: pytest.FixtureRequest) -> OpenSocket:
    """Return each of the two kinds of socket in turn."""
    return request.param


async def echo(connection: WebSocketConnection) -> None:
    while True:
        await connection.send_message(await connection.get_message())


async def test_what_is_sent_comes_back(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    async with open_socket(URL, dial=dial_peer(nursery, echo)) as socket:
        await socket.send("one")
        await socket.send("two")
        assert [await socket.receive(), await socket.receive()] == ["one", "two"]


async def test_a_close_is_told_with_its_code(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    async def leave(connection: WebSocketConnection) -> None:
        await connection.aclose(1001, "maintenance")

    async with open_socket(URL, dial=dial_peer(nursery, leave)) as socket:
        with pytest.raises(ConnectionLost, match="1001 'maintenance'"):
            await socket.receive()


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"", "closed with code 1005"),
        (b"\x03\xe8", "closed with code 1000"),
        (b"\x03\xf4full", "closed with code 1012 'full'"),
        (b"\x10\xe1" + "zu spät".encode(), "closed with code 4321 'zu sp\\xe4t'"),
        (b"\x03\xe7", "closed with code 1002"),  # 999 may not be said
        (b"\x03", "closed with code 1002"),
    ],
)
async def test_whatever_is_said_at_a_close_is_told(
    open_socket: OpenSocket, nursery: trio.Nursery, payload: bytes, text: str
) -> None:
    async def leave(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await stream.send_all(bytes((0x88, len(payload))) + payload)
        await trio.sleep_forever()

    async with open_socket(URL, dial=dial_raw(nursery, leave)) as socket:
        with pytest.raises(ConnectionLost) as caught:
            await socket.receive()
        assert str(caught.value).startswith(text)
    nursery.cancel_scope.cancel()


async def test_sending_on_an_ended_connection_is_told(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    async def leave(connection: WebSocketConnection) -> None:
        await connection.aclose()

    async with open_socket(URL, dial=dial_peer(nursery, leave)) as socket:
        with pytest.raises(ConnectionLost):
            await socket.receive()
        with pytest.raises(ConnectionLost):
            await socket.send("too late")


async def hang_up(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.aclose()


async def talk_garbage(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.send_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n" * 10)
    await trio.sleep_forever()


async def answer_200(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
    await trio.sleep_forever()


async def answer_503(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
    await trio.sleep_forever()


async def wrong_accept(stream: trio.abc.Stream) -> None:
    await stream.receive_some()
    await stream.send_all(
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
        b"connection: upgrade\r\nsec-websocket-accept: bm90IGl0\r\n\r\n"
    )
    await trio.sleep_forever()


@pytest.mark.parametrize(
    "talk", [hang_up, talk_garbage, answer_200, answer_503, wrong_accept]
)
async def test_a_failed_handshake_is_a_lost_connection_at_once(
    open_socket: OpenSocket, talk: Raw, nursery: trio.Nursery
) -> None:
    with trio.fail_after(2), pytest.raises(ConnectionLost):
        async with open_socket(URL, dial=dial_raw(nursery, talk)):
            raise AssertionError("nobody is there")
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [(429, b"retry-after: 7\r\n", 7.0), (418, b"", 60.0), (403, b"", 60.0)],
)
async def test_a_forbidden_upgrade_says_how_long(
    open_socket: OpenSocket,
    status: int,
    headers: bytes,
    wait_s: float,
    nursery: trio.Nursery,
) -> None:
    async def refuse(stream: trio.abc.Stream) -> None:
        await stream.receive_some()
        await stream.send_all(
            b"HTTP/1.1 %d No\r\ncontent-length: 2\r\n%s\r\nno" % (status, headers)
        )
        await trio.sleep_forever()

    with pytest.raises(RateLimited) as caught:
        async with open_socket(URL, dial=dial_raw(nursery, refuse)):
            raise AssertionError("nobody is there")
    assert caught.value.retry_after_s == wait_s
    nursery.cancel_scope.cancel()


async def test_connecting_has_a_deadline(
    open_socket: OpenSocket, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    async def say_nothing(stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    began_s = trio.current_time()
    with pytest.raises(ConnectionLost, match="within 10 s"):
        async with open_socket(URL, dial=dial_raw(nursery, say_nothing)):
            raise AssertionError("nobody is there")
    assert trio.current_time() - began_s == pytest.approx(10)
    nursery.cancel_scope.cancel()


async def test_a_dead_host_is_a_lost_connection(open_socket: OpenSocket) -> None:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    with pytest.raises(ConnectionLost, match="could not connect"):
        async with open_socket(f"ws://127.0.0.1:{port}/"):
            raise AssertionError("nobody is there")


async def sleep(_: WebSocketConnection) -> None:
    await trio.sleep_forever()


async def test_pings_that_are_not_answered_end_the_connection(
    open_socket: OpenSocket, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    frozen = trio.CancelScope()

    async def freeze(stream: trio.abc.Stream) -> None:
        """Shake hands, then neither read nor write again, TCP open."""
        await shake_hands(stream)
        with frozen:
            await trio.sleep_forever()

    async with open_socket(URL, dial=dial_raw(nursery, freeze)) as socket:
        began_s = trio.current_time()
        with pytest.raises(ConnectionLost, match="no pong within 10 s"):
            await socket.receive()
        assert trio.current_time() - began_s == pytest.approx(40)
    frozen.cancel()


async def test_answered_pings_keep_a_quiet_connection(
    open_socket: OpenSocket, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    async with open_socket(URL, dial=dial_peer(nursery, sleep)) as socket:
        with trio.move_on_after(600) as waiting:
            await socket.receive()
        assert waiting.cancelled_caught
    nursery.cancel_scope.cancel()


async def test_a_peer_that_never_says_goodbye_is_left_within_a_second(
    open_socket: OpenSocket, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    heard_end = trio.Event()

    async def ignore_the_goodbye(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        while await stream.receive_some():
            pass
        heard_end.set()

    async with open_socket(URL, dial=dial_raw(nursery, ignore_the_goodbye)):
        began_s = trio.current_time()
    assert trio.current_time() - began_s == pytest.approx(1)
    with trio.fail_after(1):
        await heard_end.wait()


async def test_cancelling_closes_the_socket_quickly(
    open_socket: OpenSocket, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    began_s = trio.current_time()
    with trio.move_on_after(5):
        async with open_socket(URL, dial=dial_peer(nursery, sleep)) as socket:
            await socket.receive()
    assert trio.current_time() - began_s < 5.5
    nursery.cancel_scope.cancel()


async def test_a_message_that_is_too_big_ends_the_connection(
    open_socket: OpenSocket, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (adapters.websocket, adapters.websocket_busy):
        monkeypatch.setattr(kind, "MESSAGE_SIZE_MAX", 1000)

    async def shout(connection: WebSocketConnection) -> None:
        await connection.send_message("x" * 1001)
        await trio.sleep(1)

    async with open_socket(URL, dial=dial_peer(nursery, shout)) as socket:
        with pytest.raises(ConnectionLost, match="1009"):
            await socket.receive()


async def test_garbage_frames_end_the_connection(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    async def babble(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await stream.send_all(b"\xff\xff\xff\xff garbage")
        await trio.sleep(0.5)

    async with open_socket(URL, dial=dial_raw(nursery, babble)) as socket:
        with trio.fail_after(2), pytest.raises(ConnectionLost):
            await socket.receive()


async def test_an_error_in_the_block_passes_as_it_is(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    with pytest.raises(KeyError, match="ours"):
        async with open_socket(URL, dial=dial_peer(nursery, sleep)):
            raise KeyError("ours")
    nursery.cancel_scope.cancel()


async def test_writes_are_spaced_where_the_venue_counts_them(
    open_socket: OpenSocket, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    heard_s: list[float] = []

    async def listen(connection: WebSocketConnection) -> None:
        while True:
            await connection.get_message()
            heard_s.append(trio.current_time())

    timing = Timing(write_gap_s=0.3)
    dial = dial_peer(nursery, listen)
    async with open_socket(URL, timing=timing, dial=dial) as socket:
        for _ in range(4):
            await socket.send("SUBSCRIBE")
        await trio.sleep(2)
    gaps = [later - sooner for sooner, later in pairwise(heard_s)]
    assert gaps == pytest.approx([0.3, 0.3, 0.3])


async def test_a_certificate_nobody_vouches_for_is_refused(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] -- its stub names an optional library
    listeners = await trio.open_ssl_over_tcp_listeners(0, context, host="127.0.0.1")

    async def wait(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await stream.do_handshake()

    nursery.start_soon(trio.serve_listeners, wait, listeners)
    transport = listeners[0].transport_listener
    assert isinstance(transport, trio.SocketListener)
    port = transport.socket.getsockname()[1]
    with pytest.raises(ConnectionLost, match="could not connect"):
        async with open_socket(f"wss://127.0.0.1:{port}/"):
            raise AssertionError("it must not be trusted")
    nursery.cancel_scope.cancel()


async def test_a_flood_that_nobody_takes_waits_in_the_network_and_none_of_it_is_lost(
    open_socket: OpenSocket, nursery: trio.Nursery
) -> None:
    count, sent = 400, 0
    size = 100_000

    async def flood(stream: trio.SocketStream) -> None:
        nonlocal sent
        await shake_hands(stream)
        for number in range(count):
            await stream.send_all(frame(b"%d" % number + b"x" * size))
            sent += 1
        await trio.sleep_forever()

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, flood, listeners)
    port = listeners[0].socket.getsockname()[1]
    async with open_socket(f"ws://127.0.0.1:{port}/") as socket:
        await trio.sleep(0.5)
        assert 0 < sent < count, "the sender waits"
        for number in range(count):
            assert await socket.receive() == f"{number}{'x' * size}"
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("count", [1, 16])  # full reads
async def test_prices_that_wait_in_the_network_are_not_told_one_read_after_the_other(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("adapters.websocket_busy.NEAR_S", 1)  # however busy the machine

    def first(message: Message) -> str:
        return str(message[:1])

    price = "p" * 1024
    one = frame(price.encode())
    many = one * (RECEIVE_SIZE // len(one) + 1)

    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await stream.send_all(many * count + frame(b"price, the newest"))
        await trio.sleep_forever()

    dial = dial_raw(nursery, talk)
    async with open_busy_websocket(URL, dial=dial, newest_of=first) as socket:
        with trio.fail_after(20):
            assert await socket.receive_all() == ["price, the newest"]
    nursery.cancel_scope.cancel()


async def test_a_connection_that_nobody_reads_any_more_is_left_at_once(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    library_reads: Read = getattr(BatchedClient, "_reader_task")  # noqa: B009 -- not ours

    async def read_a_little(connection: BatchedClient) -> None:
        with trio.move_on_after(0.1):
            await library_reads(connection)

    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await trio.sleep_forever()

    monkeypatch.setattr(BatchedClient, "_reader_task", read_a_little)
    async with open_websocket("ws://venue.test", dial=dial_raw(nursery, talk)):
        await trio.sleep(0.2)
        left_s = trio.current_time()
    assert trio.current_time() - left_s < 0.5
