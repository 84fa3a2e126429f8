"""Let many messages that came in one read be taken at once, not one for each wake-up.

trio-websocket hands each message through a channel with a turn of the event loop, which
costs more than the message. So only the first message of a read takes that way; those that
came with it lie here until it is taken. Fragments and control frames pass as ever.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

import trio
import trio.abc
from trio_websocket import WebSocketConnection
from wsproto import ConnectionType, WSConnection
from wsproto.events import BytesMessage, Event, TextMessage

Message = str | bytes


class BatchedClient(WebSocketConnection):
    """The library's client connection, over a wire that it cannot be given otherwise."""

    def __init__(self, stream: trio.abc.Stream, **settings: Any) -> None:
        self._batched = BatchedConnection()
        self.is_deaf = False  # nobody reads any more
        self.goodbye = trio.CancelScope()  # while we wait for the answer to it
        super().__init__(cast("trio.SocketStream", stream), self._batched, **settings)

    async def shake_hands(self, nursery: trio.Nursery) -> None:
        """Begin to read, and return once the upgrade is through."""
        nursery.start_soon(self._read)  # as the library's wrap_client_stream does
        await self._open_handshake.wait()

    async def _read(self) -> None:
        try:
            await self._reader_task()
        finally:
            self.is_deaf = True
            self.goodbye.cancel()

    async def get_messages(self) -> list[Message]:
        """Return the messages that came together, at least one.

        Raises:
          ConnectionClosed: the connection has ended.
        """
        first = await self.get_message()
        return [first, *self._batched.take_rest()]


class BatchedConnection(WSConnection):
    """The client's end of one connection, as trio-websocket drives it."""

    def __init__(self) -> None:
        super().__init__(ConnectionType.CLIENT)
        self._told = 0  # whole messages that took the library's way
        self._taken = 0
        self._is_within = False  # a message of several fragments
        self._with: dict[int, list[Message]] = {}  # what came with the n-th of them

    def events(self) -> Generator[Event, None, None]:
        """Yield what was received, but for the messages that came with another one."""
        first: Event | None = None
        batch: list[Message] = []
        for event in super().events():
            if isinstance(event, (TextMessage, BytesMessage)):
                is_whole = event.message_finished and not self._is_within
                self._is_within = not event.message_finished
                if is_whole and first is not None:
                    batch.append(_plain(event.data))
                    continue
                if is_whole:
                    first = event
                    continue
            if first is not None:
                yield self._tell(first, batch)
                first, batch = None, []
            if isinstance(event, (TextMessage, BytesMessage)) and event.message_finished:
                self._told += 1
            yield event
        if first is not None:
            yield self._tell(first, batch)

    def take_rest(self) -> list[Message]:
        """Return what came with the message just taken from the library, in order."""
        self._taken += 1
        return self._with.pop(self._taken, [])

    def _tell(self, first: Event, batch: list[Message]) -> Event:
        self._told += 1
        if batch:
            self._with[self._told] = batch
        return first


def _plain(data: str | bytes | bytearray) -> Message:
    return data if isinstance(data, str) else bytes(data)
