"""Messages that came in one read are taken together, each once and in order."""

from __future__ import annotations

from collections.abc import Sequence

import trio
import trio.abc
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)

from adapters.binance.codec import market_writer
from adapters.errors import RemoteProtocolError
from adapters.websocket import open_websocket
from adapters.websocket_batch import BatchedConnection
from adapters.websocket_server import frame
from tests.adapters.binance_desk import opened
from tests.adapters.peers import dial_raw, http, shake_hands

TRADE = (
    '{"e":"trade","E":1700000000000,"s":"BTCUSDT","t":7,"p":"100.5","q":"0.1"'
    ',"T":1700000000000,"m":false,"M":true}'
)
GOOD = frame(market_writer.combined("btcusdt@trade", TRADE).encode())

Piece = str | bytes | list[str] | None  # a list is a message in fragments, None a ping

pieces = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.binary(max_size=20),
        st.lists(st.text(max_size=10), min_size=2, max_size=4),
        st.none(),
    ),
    max_size=20,
)


def nothing(_line: str, _headers: str) -> bytes:
    return http(200, "{}")


def connected() -> tuple[WSConnection, BatchedConnection]:
    server, client = WSConnection(ConnectionType.SERVER), BatchedConnection()
    server.receive_data(client.send(Request(host="venue", target="/")))
    assert [type(event) for event in server.events()] == [Request]
    client.receive_data(server.send(AcceptConnection()))
    assert [type(event) for event in client.events()] == [AcceptConnection]
    return server, client


def wire(server: WSConnection, piece: Piece) -> bytes:
    match piece:
        case None:
            return server.send(Ping())
        case str():
            return server.send(TextMessage(piece))
        case bytes():
            return server.send(BytesMessage(piece))
        case _:
            last = len(piece) - 1
            return b"".join(
                server.send(TextMessage(part, message_finished=number == last))
                for number, part in enumerate(piece)
            )


class Library:
    """Takes events as trio-websocket does, and messages as `WebSocket` does."""

    def __init__(self, client: BatchedConnection) -> None:
        self.client = client
        self.heard: list[str | bytes] = []
        self.pings = 0
        self._parts: list[str | bytes | bytearray] = []

    def take(self, data: bytes) -> None:
        self.client.receive_data(data)
        for event in self.client.events():
            if isinstance(event, (TextMessage, BytesMessage)):
                self._parts.append(event.data)
                if event.message_finished:
                    self._hear()
            self.pings += isinstance(event, Ping)

    def _hear(self) -> None:
        parts, self._parts = self._parts, []
        texts = [part for part in parts if isinstance(part, str)]
        others = [part for part in parts if not isinstance(part, str)]
        self.heard.append("".join(texts) if texts else b"".join(others))
        self.heard += self.client.take_rest()


@given(pieces, st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_every_message_arrives_once_and_in_order(
    sent: Sequence[Piece], cuts: Sequence[int]
) -> None:
    server, client = connected()
    library, data = Library(client), b"".join(wire(server, piece) for piece in sent)
    for size in cuts:
        library.take(data[:size])
        data = data[size:]
    library.take(data)
    whole = ["".join(each) if isinstance(each, list) else each for each in sent]
    assert library.heard == [each for each in whole if each is not None]
    assert library.pings == sent.count(None)


def test_what_came_before_a_close_is_heard_before_it() -> None:
    server, client = connected()
    client.receive_data(
        b"".join(server.send(TextMessage(text)) for text in "abc")
        + server.send(Pong())
        + server.send(CloseConnection(1001))
    )
    seen = [type(event) for event in client.events()]
    assert seen == [TextMessage, Pong, CloseConnection]
    assert client.take_rest() == ["b", "c"]


async def test_one_read_is_one_batch(nursery: trio.Nursery) -> None:
    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await stream.send_all(b"".join(frame(b"%d" % number) for number in range(500)))

    async with open_websocket("ws://venue.test/", dial=dial_raw(nursery, talk)) as socket:
        assert await socket.receive() == "0"
        assert await socket.receive() == "1"
        first = await socket.receive_all()
    assert list(first) == [str(number) for number in range(2, 500)]


async def test_a_bad_frame_costs_none_of_those_that_came_with_it(
    nursery: trio.Nursery,
) -> None:
    async def talk(stream: trio.abc.Stream) -> None:
        await shake_hands(stream)
        await stream.send_all(GOOD + GOOD + frame(b"garbage") + GOOD)

    async with (
        opened(nursery, nothing, dial=dial_raw(nursery, talk)) as (_, binance),
        binance.market.open_stream() as stream,
    ):
        heard: list[str] = []
        while len(heard) < 4:
            try:
                heard += [type(each).__name__ for each in await stream.receive()]
            except RemoteProtocolError:
                heard.append("bad")
    assert heard == ["Traded", "Traded", "bad", "Traded"]
