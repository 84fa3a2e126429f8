"""Our reading of frames says what another library's does, however the bytes are cut."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wsproto import WSConnection
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from adapters.errors import ConnectionLost
from adapters.sockets import Address, UpgradeRefused
from adapters.websocket_frames import Frames
from adapters.websocket_server import frame
from tests.adapters.frames_desk import SIZE_MAX, Message, Theirs, connected

Piece = str | bytes | list[str] | None  # a list is a message in fragments, None a ping

long_texts = st.integers(0, 70_000).map(lambda size: "x" * size)
pieces = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.text(min_size=120, max_size=130),
        long_texts,
        st.binary(max_size=20),
        st.lists(st.text(max_size=10), min_size=2, max_size=4),
        st.none(),
    ),
    max_size=20,
)
cuts = st.lists(st.integers(1, 200), min_size=1, max_size=60)


def wire(server: WSConnection, piece: Piece) -> bytes:
    match piece:
        case None:
            return server.send(Ping(b"?"))
        case str():
            return server.send(TextMessage(piece))
        case bytes():
            return server.send(BytesMessage(piece))
        case _:
            last = len(piece) - 1
            return server.send(Ping(b"!")).join(  # control frames between fragments
                server.send(TextMessage(part, message_finished=number == last))
                for number, part in enumerate(piece)
            )


def fed(client: Frames | Theirs, data: bytes, sizes: Sequence[int]) -> list[Message]:
    """Return what `client` hears of `data`, cut into these sizes over and over."""
    heard: list[Message] = []
    number = 0
    while data:
        size = sizes[number % len(sizes)]
        part, data, number = data[:size], data[size:], number + 1
        if isinstance(client, Theirs):
            client.take(part)
        elif not client.is_over:
            heard += client.take(part)
    return client.heard if isinstance(client, Theirs) else heard


@given(pieces, cuts)
def test_every_message_arrives_once_and_in_order(
    sent: Sequence[Piece], sizes: Sequence[int]
) -> None:
    server, client = connected()
    data = b"".join(wire(server, piece) for piece in sent)
    whole = ["".join(each) if isinstance(each, list) else each for each in sent]
    assert fed(client, data, sizes) == [each for each in whole if each is not None]
    server.receive_data(client.to_write())
    answers = [event.payload for event in server.events() if isinstance(event, Pong)]
    pings = [[b"?"] if each is None else [b"!"] * (len(each) - 1)
             for each in sent if each is None or isinstance(each, list)]  # fmt: skip
    assert answers == [payload for payloads in pings for payload in payloads]


@given(pieces, cuts, st.integers(0, 2**32), st.integers(1, 4))
def test_damaged_streams_are_read_as_another_library_reads_them(
    sent: Sequence[Piece], sizes: Sequence[int], seed: int, wounds: int
) -> None:
    server, _ = connected()
    data = bytearray(b"".join(wire(server, piece) for piece in sent))
    chance = random.Random(seed)
    for _ in range(wounds if data else 0):
        data[chance.randrange(min(len(data), 300))] ^= 1 << chance.randrange(8)
    assert_same(bytes(data), sizes)


@given(st.binary(max_size=300), cuts)
@example(b"\xff\xff\xff\xff garbage", [1])
@example(b"\x81\x02\xc3\x28", [4])
@example(b"\x01\x01a\x81\x01b", [6])
@example(b"\x80\x01a", [3])
@example(b"\x88\x01a", [3])
@example(b"\x88\x00\x81\x01a", [5])
@example(b"\x81\x81....a", [2])
@example(b"\x89\x7e\x00\x7e" + bytes(126), [9])
@example(b"\x81\xff" + bytes(8), [1])
def test_garbage_is_judged_as_another_library_judges_it(
    data: bytes, sizes: Sequence[int]
) -> None:
    assert_same(data, sizes)


def assert_same(data: bytes, sizes: Sequence[int]) -> None:
    """Compare what is heard before the end; what follows here ends whatever was begun.

    wsproto itself knows no message that is too big.
    """
    (_, ours), theirs, end = connected(), Theirs(), b"\xff" * (SIZE_MAX + 100)
    heard = fed(ours, data, sizes)
    is_over = ours.is_over
    heard += fed(ours, end, [len(end)])
    theirs_heard = fed(theirs, data + end, [len(data + end)])
    assert ours.is_over
    assert theirs.close_code is not None or "1009" in ours.close_text()
    if "1009" in ours.close_text():
        assert heard == theirs_heard[: len(heard)]
    else:
        assert heard == theirs_heard
    assert not is_over or theirs_is_over(data) or "1009" in ours.close_text()


def theirs_is_over(data: bytes) -> bool:
    theirs = Theirs()
    theirs.take(data)
    return theirs.close_code is not None


def test_what_came_before_a_goodbye_is_heard_and_what_came_after_is_not() -> None:
    server, client = connected()
    data = frame(b"one") + server.send(CloseConnection(1001, "moving")) + frame(b"two")
    assert client.take(data) == ["one"]
    assert client.is_over
    assert client.close_text() == "closed with code 1001 'moving'"
    server.receive_data(client.to_write())
    assert [event.code for event in server.events() if isinstance(event, CloseConnection)]


@pytest.mark.parametrize(
    ("size", "is_taken"), [(SIZE_MAX, True), (SIZE_MAX + 1, False), (2**62, False)]
)
def test_a_message_is_refused_by_its_header_when_it_is_too_big(
    size: int, is_taken: bool
) -> None:
    _, client = connected()
    client.take(b"\x81\x7f" + size.to_bytes(8, "big"))
    assert client.is_over is not is_taken
    assert ("1009" in client.close_text()) is not is_taken


def test_fragments_may_not_be_too_big_together() -> None:
    server, client = connected()
    half = "x" * (SIZE_MAX // 2 + 1)
    data = server.send(TextMessage(half, message_finished=False))
    assert client.take(data + server.send(TextMessage(half))) == []
    assert "1009" in client.close_text()


def test_text_that_is_none_ends_the_connection_as_1007() -> None:
    _, client = connected()
    assert client.take(frame(b"good") + b"\x81\x02\xc3\x28") == ["good"]
    assert client.is_over
    assert "1007" in client.close_text()


def test_nothing_is_said_after_a_goodbye() -> None:
    _, client = connected()
    client.close()
    client.close()
    with pytest.raises(ConnectionLost, match="1000"):
        client.text("too late")


def test_a_refused_upgrade_says_how_long_whatever_else_it_says() -> None:
    client = Frames.to(Address.of("wss://venue.test"), (), SIZE_MAX)
    with pytest.raises(UpgradeRefused) as caught:
        client.answered(b"HTTP/1.1 429 No\r\nX: y\r\nRETRY-AFTER:  9 \r\n\r\n")
    assert caught.value.retry_after_s == 9.0
