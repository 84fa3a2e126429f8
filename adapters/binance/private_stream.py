"""One account's user-data stream: a WS-API connection subscribed by signature.

The listenKey is gone since 2026-02-20; every event arrives wrapped on this socket.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.messages import PassedOver, PrivateMessage, VenueClosing
from adapters.binance.codec.envelope import (
    Answer,
    decode_answer,
    decode_subscribed,
    encode_request,
)
from adapters.binance.codec.private import decode_user_event
from adapters.binance.gate import TOO_MANY_ORDERS, Gate
from adapters.binance.sign import Signer
from adapters.binance.venue import Venue
from adapters.errors import (
    ConnectionLost,
    RateLimited,
    RemoteProtocolError,
    VenueRefused,
)
from adapters.sockets import Socket

SUBSCRIBED_S: Final = 10.0
CONNECT_WEIGHT: Final = 2
SUBSCRIBE_WEIGHT: Final = 2


@attrs.define(eq=False)
class BinancePrivateStream:
    """Implements `PrivateStream`."""

    _socket: Socket
    _venue: Venue
    _unread: list[str | bytes] = attrs.Factory(list[str | bytes])  # newest first

    async def receive(self) -> Sequence[PrivateMessage]:
        """Return what the events say that came together; some say nothing to us.

        Raises:
          ConnectionLost: the connection ended, or the venue announced that it will.
          RemoteProtocolError: an event could not be read; reconcile, then go on.
        """
        while True:
            if self._unread:
                await trio.lowlevel.checkpoint()
            else:
                self._unread = list(await self._socket.receive_all())[::-1]
            heard = self._hear()
            if heard:
                return heard

    def _hear(self) -> list[PrivateMessage]:
        """Return what was received; a bad event is left to the next call, if it can be."""
        heard: list[PrivateMessage] = []
        while self._unread:
            try:
                said = self._said_in(self._unread[-1])
            except (ConnectionLost, RemoteProtocolError):
                if heard:
                    break
                self._unread.pop()
                raise
            self._unread.pop()
            heard += said
        return heard

    def _said_in(self, text: str | bytes) -> list[PrivateMessage]:
        if not decode_answer(text).is_event:
            return []
        said: list[PrivateMessage] = []
        for message in decode_user_event(text, self._venue.symbols):
            if isinstance(message, VenueClosing):
                raise ConnectionLost("the venue announced its shutdown")
            if not isinstance(message, PassedOver):
                said.append(message)
        return said


@asynccontextmanager
async def open_private_stream(
    venue: Venue, signer: Signer
) -> AsyncGenerator[BinancePrivateStream, None]:
    """Connect and subscribe for the length of the block.

    Raises:
      VenueError: could not connect, or the venue refused the subscription.
    """
    await venue.know_symbols()
    weight = CONNECT_WEIGHT + SUBSCRIBE_WEIGHT
    async with venue.socket(venue.endpoints.ws_api_url, weight=weight) as socket:
        params = signer.params(venue.stamped({}))
        await socket.send(
            encode_request("subscribe", "userDataStream.subscribe.signature", params)
        )
        await _subscribed(socket, venue)
        yield BinancePrivateStream(socket, venue)


async def _subscribed(socket: Socket, venue: Venue) -> None:
    with trio.move_on_after(SUBSCRIBED_S):
        while True:
            answer = decode_answer(await socket.receive())
            if not answer.is_event:
                break
        if answer.error is None:
            decode_subscribed(bytes(answer.result))
            return
        forbidden = close_gate(venue.gate, answer, venue.now_ms())
        await venue.mend_clock(str(answer.error.code))
        raise forbidden or VenueRefused(str(answer.error.code), answer.error.msg[:200])
    raise ConnectionLost(f"no answer to the subscription within {SUBSCRIBED_S:g} s")


def close_gate(gate: Gate, answer: Answer, now_ms: int) -> RateLimited | None:
    """Close the gate when a WS-API answer forbids requests; its time is absolute."""
    if answer.status not in {418, 429}:
        return None
    if answer.error is not None and answer.error.code == TOO_MANY_ORDERS:
        return None
    return gate.close(
        f"WS-API: status {answer.status}, the venue forbids requests",
        retry_after_s=answer.retry_after_s(now_ms),
    )
