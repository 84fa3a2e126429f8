"""One HTTP request: what came back, or whether a byte of it may have left."""

from __future__ import annotations

import pytest
import trio

from adapters.errors import ConnectionLost
from adapters.http import HttpClient, HttpTiming, NotSent
from tests.adapters.peers import Desk, http


async def opened(nursery: trio.Nursery, desk: Desk) -> Desk:
    await nursery.start(desk.serve)
    return desk


async def test_the_answer_comes_whatever_its_status(nursery: trio.Nursery) -> None:
    desk = await opened(nursery, Desk(lambda _l, _h: http(451, "{}", "X-Mbx: 7\r\n")))
    client = HttpClient(desk.origin)
    answer = await client.request("GET", "/x?a=1", headers={"x-mbx-apikey": "k"})
    await client.aclose()
    assert (answer.status, answer.headers["x-mbx"], answer.body) == (451, "7", b"{}")
    assert desk.requests == ["GET /x?a=1 HTTP/1.1"]
    nursery.cancel_scope.cancel()


async def test_a_redirect_is_an_answer_and_not_followed(nursery: trio.Nursery) -> None:
    desk = await opened(
        nursery, Desk(lambda _l, _h: http(302, headers="location: http://evil.test/\r\n"))
    )
    client = HttpClient(desk.origin)
    assert (await client.request("GET", "/")).status == 302
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_proxies_of_the_environment_are_not_used(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    desk = await opened(nursery, Desk(lambda _l, _h: http(200)))
    client = HttpClient(desk.origin)
    assert (await client.request("GET", "/")).status == 200
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    client = HttpClient(f"http://127.0.0.1:{port}")
    with pytest.raises(NotSent):
        await client.request("POST", "/api/v3/order")
    await client.aclose()


@pytest.mark.parametrize("said", [None, b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_a_request_without_a_readable_answer_may_have_been_done(
    said: bytes | None, nursery: trio.Nursery
) -> None:
    desk = await opened(nursery, Desk(lambda _l, _h: said))
    client = HttpClient(desk.origin, HttpTiming(read_s=0.2))
    with pytest.raises(ConnectionLost) as caught:
        await client.request("POST", "/api/v3/order")
    assert not isinstance(caught.value, NotSent)
    assert len(desk.requests) == 1  # no transport retries a POST
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_a_connection_the_venue_closed_while_idle_is_never_a_proof(
    nursery: trio.Nursery,
) -> None:
    answers = iter([http(200), None, http(200)])
    desk = await opened(nursery, Desk(lambda _l, _h: next(answers)))
    client = HttpClient(desk.origin)
    await client.request("POST", "/one")
    with pytest.raises(ConnectionLost) as caught:
        await client.request("POST", "/two")
    assert not isinstance(caught.value, NotSent)
    assert (await client.request("POST", "/three")).status == 200
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_a_body_has_a_bound(nursery: trio.Nursery) -> None:
    desk = await opened(nursery, Desk(lambda _l, _h: http(200, b"x" * 5000)))
    client = HttpClient(desk.origin)
    with pytest.raises(ConnectionLost, match="more than 4999 bytes"):
        await client.request("GET", "/", body_size_max=4999)
    assert len((await client.request("GET", "/", body_size_max=5000)).body) == 5000
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_a_body_without_an_end_is_left(nursery: trio.Nursery) -> None:
    async def pour(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            try:
                while True:
                    await stream.send_all(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            except trio.BrokenResourceError:
                pass

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, pour, listeners)
    client = HttpClient(f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}")
    with trio.fail_after(2), pytest.raises(ConnectionLost, match="more than 100000 bytes"):
        await client.request("GET", "/", body_size_max=100_000)
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_an_answer_that_drips_has_a_deadline(nursery: trio.Nursery) -> None:
    async def drip(stream: trio.SocketStream) -> None:
        async with stream:
            try:
                while True:
                    await stream.send_all(b"HTTP/1.1 200 OK\r\nx: y\r\n"[:1])
                    await trio.sleep(0.05)
            except trio.BrokenResourceError:
                pass

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, drip, listeners)
    port = listeners[0].socket.getsockname()[1]
    client = HttpClient(f"http://127.0.0.1:{port}", HttpTiming(total_s=0.3))
    with pytest.raises(ConnectionLost):
        await client.request("GET", "/")
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_cancelled_requests_do_not_use_the_pool_up(nursery: trio.Nursery) -> None:
    # httpcore#1093: under httpx 0.28.1 on Trio these requests kept their places for ever.
    is_slow = True

    def answer(_line: str, _headers: str) -> bytes | None:
        return b"HTTP/1.1 200 OK\r\n" if is_slow else http(200)

    desk = await opened(nursery, Desk(answer))
    client = HttpClient(desk.origin, HttpTiming(wait_s=0.5))
    for _ in range(20):
        with trio.move_on_after(0.02):
            await client.request("GET", "/slow")
    is_slow = False
    assert (await client.request("GET", "/quick")).status == 200
    await client.aclose()
    nursery.cancel_scope.cancel()


async def test_a_pool_that_gives_nothing_back_is_replaced(nursery: trio.Nursery) -> None:
    is_slow = True

    def answer(_line: str, _headers: str) -> bytes | None:
        return b"HTTP/1.1 200 OK\r\n" if is_slow else http(200)

    async def hold() -> None:
        with pytest.raises(ConnectionLost):
            await client.request("GET", "/slow")

    desk = await opened(nursery, Desk(answer))
    client = HttpClient(desk.origin, HttpTiming(wait_s=0.1, read_s=2))
    async with trio.open_nursery() as holding:
        for _ in range(16):
            holding.start_soon(hold)
        await trio.sleep(0.3)
        with pytest.raises(NotSent, match="no free connection"):
            await client.request("GET", "/one more")
        is_slow = False
        assert (await client.request("GET", "/after")).status == 200
        await client.aclose()
    nursery.cancel_scope.cancel()
