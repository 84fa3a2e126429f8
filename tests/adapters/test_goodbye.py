"""Both sockets leave nothing open, whatever becomes of their goodbye (I-25)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio
import trio.abc
from trio.testing import MockClock

from adapters.sockets import OpenSocket
from adapters.websocket import WebSocket, open_websocket
from adapters.websocket_busy import BusySocket, open_busy_websocket
from tests.adapters.peers import dial_raw, shake_hands

KINDS = [(open_websocket, WebSocket), (open_busy_websocket, BusySocket)]


class Broken(Exception):
    """The goodbye did not work."""


async def break_off(_socket: Any) -> None:
    await trio.lowlevel.checkpoint()
    raise Broken


async def never(_socket: Any) -> None:
    await trio.sleep_forever()


async def left_s(open_socket: OpenSocket) -> float:
    """Open and leave a connection; return after how long the other side saw it closed."""
    closed_s: list[float] = []

    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        with suppress(trio.BrokenResourceError):
            while await stream.receive_some():
                pass
        closed_s.append(trio.current_time())

    began_s = trio.current_time()  # of mock time: nothing but the goodbye takes any
    async with trio.open_nursery() as nursery:
        with suppress(Broken):
            async with open_socket("ws://venue.test/", dial=dial_raw(nursery, talk)):
                await trio.lowlevel.checkpoint()
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return closed_s[0] - began_s


@pytest.mark.parametrize(("open_socket", "kind"), KINDS)
async def test_a_connection_whose_goodbye_fails_is_closed_all_the_same(
    open_socket: OpenSocket,
    kind: type[Any],
    monkeypatch: pytest.MonkeyPatch,
    autojump_clock: MockClock,
) -> None:
    monkeypatch.setattr(kind, "close", break_off)
    assert await left_s(open_socket) == 0


@pytest.mark.parametrize(("open_socket", "kind"), KINDS)
async def test_a_goodbye_that_hangs_is_cut_short(
    open_socket: OpenSocket,
    kind: type[Any],
    monkeypatch: pytest.MonkeyPatch,
    autojump_clock: MockClock,
) -> None:
    monkeypatch.setattr(kind, "close", never)
    assert await left_s(open_socket) == pytest.approx(1.0)
