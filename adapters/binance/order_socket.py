"""The WS-API connection that carries orders: one writer, and answers matched by id.

An answer that does not come within the deadline is `None`: nobody knows. When the
connection ends, every request still waiting is told so at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs
import trio

from adapters.binance.codec.envelope import Answer, decode_answer, encode_request
from adapters.errors import ConnectionLost, RemoteProtocolError
from adapters.sockets import Socket

REPLY_S: Final = 10.0  # the venue's own limit on handling a request


@attrs.define(eq=False)
class _Waiting:
    answered: trio.Event = attrs.Factory(trio.Event)
    answer: Answer | None = None
    lost: str = ""


@attrs.define(eq=False)
class OrderSocket:
    """Ask on an open WS-API connection; somebody runs `serve` meanwhile."""

    _socket: Socket
    _waiting: dict[int, _Waiting] = attrs.Factory(dict[int, _Waiting])
    _asked: int = 0
    unread: int = 0  # frames that answered nobody
    lost: str = ""  # why the connection ended

    async def ask(self, method: str, params: Mapping[str, object]) -> Answer:
        """Send one request once and return its answer.

        Raises:
          ConnectionLost: no answer; anything may have become of the request.
        """
        if self.lost:
            raise ConnectionLost(self.lost)
        self._asked += 1
        request_id, waiting = self._asked, _Waiting()
        self._waiting[request_id] = waiting
        try:
            with trio.move_on_after(REPLY_S):
                await self._socket.send(encode_request(request_id, method, params))
                await waiting.answered.wait()
        finally:
            self._waiting.pop(request_id, None)
        if waiting.answer is None:
            raise ConnectionLost(waiting.lost or f"no answer within {REPLY_S:g} s")
        return waiting.answer

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
        self.lost = self.lost or reason
        for waiting in self._waiting.values():
            waiting.lost = self.lost
            waiting.answered.set()

    def _deliver(self, text: str | bytes) -> None:
        try:
            answer = decode_answer(text)
        except RemoteProtocolError:
            self.unread += 1  # whose it was cannot be known; that request times out
            return
        waiting = self._waiting.get(answer.id) if isinstance(answer.id, int) else None
        if waiting is None:
            self.unread += 1
            return
        waiting.answer = answer
        waiting.answered.set()
