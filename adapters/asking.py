"""Questions on one connection, answered by number, with a deadline for each.

An answer that does not come in time is a `ConnectionLost`: nobody knows. When the
connection ends, everybody who still waits is told so at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs
import trio

from adapters.errors import ConnectionLost
from adapters.sockets import Socket

Answer = TypeVar("Answer")


@attrs.define(eq=False)
class Waiting(Generic[Answer]):
    """One question that is out."""

    answered: trio.Event = attrs.Factory(trio.Event)
    answer: Answer | None = None
    lost: str = ""


@attrs.define(eq=False)
class Asking(Generic[Answer]):
    """Who asks; somebody else receives and hands over what came."""

    socket: Socket
    reply_s: float
    lost: str = ""  # why the connection ended
    unread: int = 0  # answers that nobody waited for
    _waiting: dict[int, Waiting[Answer]] = attrs.Factory(dict[int, Waiting[Answer]])
    _asked: int = 0

    async def ask(self, encode: Callable[[int], str]) -> Answer:
        """Send what `encode` makes of a number, once, and return its answer.

        Raises:
          ConnectionLost: no answer; anything may have become of the request.
        """
        if self.lost:
            raise ConnectionLost(self.lost)
        self._asked += 1
        request_id, waiting = self._asked, Waiting[Answer]()
        self._waiting[request_id] = waiting
        try:
            with trio.move_on_after(self.reply_s):
                await self.socket.send(encode(request_id))
                await waiting.answered.wait()
        finally:
            self._waiting.pop(request_id, None)
        if waiting.answer is None:
            raise ConnectionLost(waiting.lost or f"no answer within {self.reply_s:g} s")
        return waiting.answer

    def deliver(self, request_id: object, answer: Answer) -> None:
        """Give an answer to whoever asked."""
        waiting = self._waiting.get(request_id) if isinstance(request_id, int) else None
        if waiting is None:
            self.unread += 1
            return
        waiting.answer = answer
        waiting.answered.set()

    def end(self, reason: str) -> None:
        """Tell everybody who waits that no answer will come."""
        self.lost = self.lost or reason
        for waiting in self._waiting.values():
            waiting.lost = self.lost
            waiting.answered.set()
