"""Binance's market streams: one combined connection, subscribed in batches.

The venue closes a connection that says more than five things a second, pings and pongs
included, so the writer leaves a gap; one frame carries many streams.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import PricesReplaced, StreamMessage, Subscription
from adapters.binance.codec.market import decode_stream
from adapters.binance.codec.streams import encode_command, newest_of, stream_name
from adapters.binance.venue import Venue, stream_url
from adapters.errors import LocalProtocolError, RemoteProtocolError
from adapters.sockets import Socket

STREAMS_MAX: Final = 1024  # of one connection
BATCH: Final = 200  # streams in one command
WRITE_GAP_S: Final = 0.3  # about three commands a second; pings and pongs are the rest


@attrs.define(eq=False)
class BinanceStream:
    """One open market-data connection. One task receives; any may subscribe."""

    _socket: Socket
    _venue: Venue
    _streams: set[str] = attrs.Factory(set[str])
    _commands: int = 0
    _replaced: int = 0  # prices, as far as it was told
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for streams; the acknowledgements come with `receive`.

        Raises:
          ConnectionLost: the connection has ended.
          NotListed: an unknown symbol.
          LocalProtocolError: too many streams for one connection.
        """
        names = [name for name in self._named(subscriptions) if name not in self._streams]
        if len(self._streams) + len(names) > STREAMS_MAX:
            raise LocalProtocolError(f"more than {STREAMS_MAX} streams on one connection")
        self._streams.update(names)
        await self._command("SUBSCRIBE", names)

    async def unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for no more of these streams.

        Raises:
          ConnectionLost: the connection has ended.
        """
        names = [name for name in self._named(subscriptions) if name in self._streams]
        self._streams.difference_update(names)
        await self._command("UNSUBSCRIBE", names)

    async def receive(self) -> Sequence[StreamMessage]:
        """Return what the frames say that came together.

        Raises:
          ConnectionLost: the connection ended, or its pings were not answered.
          RemoteProtocolError: a frame could not be read; the next one may.
        """
        if self._unread:
            await trio.lowlevel.checkpoint()
        else:
            self._unread = list(await self._socket.receive_all())[::-1]
        heard: list[StreamMessage] = []
        if self._socket.replaced > self._replaced:
            heard.append(PricesReplaced(self._socket.replaced - self._replaced))
            self._replaced = self._socket.replaced
        symbols, now_s = self._venue.symbols, trio.current_time()
        while self._unread:
            try:
                heard.append(decode_stream(self._unread[-1], symbols, now_s))
            except RemoteProtocolError:
                if heard:
                    return heard  # the bad one is told by the next call
                self._unread.pop()
                raise
            self._unread.pop()
        return heard

    async def _command(self, method: str, names: Sequence[str]) -> None:
        await trio.lowlevel.checkpoint()
        for first in range(0, len(names), BATCH):
            self._commands += 1
            batch = names[first : first + BATCH]
            await self._socket.send(encode_command(method, batch, self._commands))

    def _named(self, subscriptions: Sequence[Subscription]) -> list[str]:
        return [
            stream_name(wanted, self._venue.name(wanted.symbol)) for wanted in subscriptions
        ]


@asynccontextmanager
async def open_market_stream(venue: Venue) -> AsyncGenerator[BinanceStream, None]:
    """Connect to the combined streams for the length of the block.

    Raises:
      VenueError: could not connect, or could not learn the venue's symbols.
    """
    await venue.know_symbols()
    url = stream_url(venue.endpoints)
    async with venue.socket(
        url, write_gap_s=WRITE_GAP_S, opened=venue.open_socket, newest_of=newest_of
    ) as socket:
        yield BinanceStream(socket, venue)
