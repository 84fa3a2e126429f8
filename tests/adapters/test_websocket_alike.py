"""Both sockets, given the same bytes however cut, hear the same and end alike."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

import trio
import trio.abc
import trio.testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.errors import ConnectionLost
from adapters.sockets import OpenSocket
from adapters.websocket import open_websocket
from adapters.websocket_busy import open_busy_websocket
from adapters.websocket_server import frame
from tests.adapters.peers import dial_raw, shake_hands

CUTS_MAX = 200  # then the rest comes at once
PING, PONG, CLOSE = b"\x89\x01?", b"\x8a\x00", b"\x88\x02\x03\xe9"
FRAGMENTS = b"\x01\x02ab" + PING + b"\x00\x01c" + PONG + b"\x80\x01d"

pieces = st.one_of(
    st.text(max_size=20).map(lambda text: frame(text.encode())),
    st.integers(100, 70_000).map(lambda size: frame(b"x" * size)),
    st.sampled_from([PING, PONG, FRAGMENTS, b"\x82\x01\xff", b"\x02\x01a" + b"\x80\x00"]),
)
streams = st.lists(pieces, max_size=12).map(b"".join)
cuts = st.lists(st.integers(1, 40_000), min_size=1, max_size=10)


async def heard(
    open_socket: OpenSocket, data: bytes, sizes: Sequence[int]
) -> tuple[list[str | bytes], str]:
    """Return the messages of `data`, cut into these sizes over and over, and the end."""
    messages: list[str | bytes] = []
    told = ""

    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        assert isinstance(stream, trio.abc.HalfCloseableStream)
        with suppress(trio.BrokenResourceError):  # whoever heard enough has left
            rest, number = data, 0
            while rest:
                is_many = number > CUTS_MAX
                size = len(rest) if is_many else sizes[number % len(sizes)]
                number += 1
                await stream.send_all(rest[:size])
                rest = rest[size:]
            await stream.send_eof()
            while await stream.receive_some():  # what it is answered is taken
                pass

    async with trio.open_nursery() as nursery:
        async with open_socket("ws://venue.test/", dial=dial_raw(nursery, talk)) as socket:
            try:
                while True:
                    messages += await socket.receive_all()
            except ConnectionLost as error:
                told = str(error)
        nursery.cancel_scope.cancel()
    return messages, told[: len("closed with code 1000")]


def both(data: bytes, sizes: Sequence[int]) -> list[tuple[list[str | bytes], str]]:
    return [
        trio.run(
            heard, each, data, sizes, clock=trio.testing.MockClock(autojump_threshold=0)
        )
        for each in (open_websocket, open_busy_websocket)
    ]


@settings(max_examples=40)
@given(streams, cuts)
@example(frame(b"a") + CLOSE + frame(b"b"), [1])
@example(FRAGMENTS + CLOSE, [3])
@example(b"\x01\x02ab" + CLOSE, [1])
@example(frame(b"cut")[:-1], [2])
@example(b"\x81", [1])
@example(b"\x81\xfe", [1])
@example(frame("ä".encode()[:1]), [1])
def test_both_hear_the_same(data: bytes, sizes: Sequence[int]) -> None:
    theirs, ours = both(data, sizes)
    assert ours == theirs


@settings(max_examples=40)
@given(streams, cuts, st.integers(0, 2**32))
def test_both_bear_the_same_damage(data: bytes, sizes: Sequence[int], seed: int) -> None:
    chance, damaged = random.Random(seed), bytearray(data)
    for _ in range(2 if data else 0):
        damaged[chance.randrange(min(len(data), 200))] ^= 1 << chance.randrange(8)
    (theirs, _), (ours, _) = both(bytes(damaged), sizes)
    assert ours == theirs  # how it ends depends on who looks at a bad frame sooner
