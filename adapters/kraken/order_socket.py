"""The private connection that carries orders: one writer, answers matched by number.

A token lives on while its connection has a private subscription, so this one has the
cheapest: balances without a snapshot. A ping each quarter of a minute keeps it from idling.

Source: docs.kraken.com, WebSocket v2 "ping", "balances", "add_order", 2026-05-27.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs
import trio

from adapters.asking import Asking
from adapters.errors import ConnectionLost, RemoteProtocolError
from adapters.kraken.codec.commands import encode_ping
from adapters.kraken.codec.private import Answer, decode_private, encode_request
from adapters.sockets import Socket

REPLY_S: Final = 10.0
PING_S: Final = 15.0


@attrs.define(eq=False)
class OrderSocket:
    """Ask on an open private connection; somebody runs `serve` meanwhile."""

    _socket: Socket
    _token: str = attrs.field(repr=False)
    _beside: Callable[[OrderSocket], Awaitable[None]] | None = None  # while it lives
    _asking: Asking[Answer] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._asking = Asking[Answer](self._socket, REPLY_S)

    @property
    def lost(self) -> str:
        """Why the connection ended; "" while it lives."""
        return self._asking.lost

    async def ask(self, method: str, params: Mapping[str, object]) -> Answer:
        """Send one request once, with the token, and return its answer.

        Raises:
          ConnectionLost: no answer; anything may have become of the request.
        """
        whole = {**params, "token": self._token}
        return await self._asking.ask(lambda number: encode_request(number, method, whole))

    async def serve(self) -> None:
        """Give answers to those who asked, until the connection ends.

        Raises:
          ConnectionLost: it ended, or the venue does not take the token any more.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_alive)
            if self._beside is not None:
                nursery.start_soon(self._accompany, self._beside)
            lost = await self._receive()
            self.end(str(lost))
            nursery.cancel_scope.cancel()
        raise lost

    def end(self, reason: str) -> None:
        """Tell everybody who waits that no answer will come; others go another way."""
        self._asking.end(reason)

    async def _receive(self) -> ConnectionLost:
        try:
            while True:
                self._deliver(await self._socket.receive())
        except ConnectionLost as error:
            await trio.lowlevel.checkpoint()
            return error

    async def _keep_alive(self) -> None:
        """Keep the token and the connection alive, or drop the connection."""
        params = {"channel": "balances", "snapshot": False}
        try:
            answer = await self.ask("subscribe", params)
            why = answer.error
            while not why:
                await trio.sleep(PING_S)
                await self._asking.ask(encode_ping)
        except ConnectionLost as error:
            why = str(error)
        await self._socket.end(why)

    async def _accompany(self, beside: Callable[[OrderSocket], Awaitable[None]]) -> None:
        try:
            await beside(self)
        except ConnectionLost as error:
            await self._socket.end(str(error))

    def _deliver(self, text: str | bytes) -> None:
        try:
            heard = decode_private(text)
        except RemoteProtocolError:
            self._asking.unread += 1  # whose it was cannot be known: that one times out
            return
        if isinstance(heard, Answer):
            self._asking.deliver(heard.request_id, heard)
