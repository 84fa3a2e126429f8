"""The WS-API connection that carries orders: one writer, and answers matched by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from adapters.asking import Asking
from adapters.binance.codec.envelope import Answer, decode_answer, encode_request
from adapters.errors import ConnectionLost, RemoteProtocolError
from adapters.sockets import Socket

REPLY_S: Final = 10.0  # the venue's own limit on handling a request


@attrs.define(eq=False)
class OrderSocket:
    """Ask on an open WS-API connection; somebody runs `serve` meanwhile."""

    _socket: Socket
    _asking: Asking[Answer] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._asking = Asking[Answer](self._socket, REPLY_S)

    @property
    def lost(self) -> str:
        """Why the connection ended; "" while it lives."""
        return self._asking.lost

    @property
    def unread(self) -> int:
        """How many frames answered nobody."""
        return self._asking.unread

    async def ask(self, method: str, params: Mapping[str, object]) -> Answer:
        """Send one request once and return its answer.

        Raises:
          ConnectionLost: no answer; anything may have become of the request.
        """
        return await self._asking.ask(
            lambda request_id: encode_request(request_id, method, params)
        )

    async def serve(self) -> None:
        """Give answers to those who asked, until the connection ends.

        Raises:
          ConnectionLost: it ended.
        """
        try:
            while True:
                self._deliver(await self._socket.receive())
        except ConnectionLost as error:
            self.end(str(error))
            raise

    def end(self, reason: str) -> None:
        """Tell everybody who waits that no answer will come."""
        self._asking.end(reason)

    def _deliver(self, text: str | bytes) -> None:
        try:
            answer = decode_answer(text)
        except RemoteProtocolError:
            self._asking.unread += 1  # whose it was cannot be known: that one times out
            return
        self._asking.deliver(answer.id, answer)
