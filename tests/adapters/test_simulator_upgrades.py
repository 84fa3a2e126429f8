"""A WebSocket may begin on a connection that has served requests before (RFC 9110 7.8)."""

from __future__ import annotations

import socket

import trio

from tests.adapters.simulator_desk import CONFIG, in_thread, start

UPGRADE = (
    b"GET /stream HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TIME = b"GET /api/v3/time HTTP/1.1\r\nHost: here\r\n\r\n"


def heads(port: int, *requests: bytes) -> list[bytes]:
    """Send requests on one connection; return the first line of each answer."""
    found: list[bytes] = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        for request in requests:
            wire.sendall(request)
            found.append(wire.recv(65_536).split(b"\r\n")[0])
    return found


async def test_an_upgrade_after_a_request_is_served(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, CONFIG)
    port = simulator.endpoints.port

    found = await in_thread(lambda: heads(port, TIME, TIME, UPGRADE))

    assert [it[:12] for it in found] == [b"HTTP/1.1 200", b"HTTP/1.1 200", b"HTTP/1.1 101"]


async def test_requests_sent_ahead_are_answered_in_turn(nursery: trio.Nursery) -> None:
    simulator = await start(nursery, CONFIG)
    port = simulator.endpoints.port

    def ask() -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
            wire.sendall(TIME + TIME + b"GET /x HTTP/1.1\r\nHost: h\r\n")
            wire.sendall(b"Connection: close\r\n\r\n")
            received = b""
            while more := wire.recv(65_536):
                received += more
        return received

    received = await in_thread(ask)

    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.count(b"HTTP/1.1 404 Not Found") == 1
