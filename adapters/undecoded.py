"""Messages that have come and that nobody has decoded yet: bounded, the oldest first.

Where readers cannot keep up, the newest price of a symbol takes the place of an older one
before either is decoded. Trades, candles and changes of books are never dropped: they make
the reader of the socket wait, and TCP then holds the venue back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import trio

from adapters.sockets import Message, NewestOf

MANY: Final = 64  # messages at once: whoever takes them has fallen behind
SIZE_MAX: Final = 2**20  # bytes, more or less; one message may be larger


def newest_only(messages: Sequence[Message], newest_of: NewestOf) -> list[Message]:
    """Return them in order; of many, without those that a later one replaces."""
    if len(messages) <= MANY:
        return list(messages)
    kept: list[Message] = []
    seen: set[str] = set()
    for message in reversed(messages):
        key = newest_of(message)
        if key:
            if key in seen:
                continue
            seen.add(key)
        kept.append(message)
    kept.reverse()
    return kept


class Undecoded:
    """A heap between one task that reads and one that decodes."""

    def __init__(self, newest_of: NewestOf | None) -> None:
        self.replaced = 0
        self._newest_of = newest_of
        self._messages: list[Message] = []
        self._size = 0
        self._is_over = False
        self._moved = trio.Event()  # something came, was taken, or is over

    def put(
        self, messages: Sequence[Message], size: int, *, is_more_near: bool = False
    ) -> None:
        """Add messages of so many bytes; where prices give way, newer ones may be near."""
        self._messages += messages
        self._size += size
        if not is_more_near or self._newest_of is None:
            self._moved.set()

    def wake(self) -> None:
        """Let what is there be taken: nothing was near."""
        self._moved.set()

    async def take(self) -> list[Message]:
        """Return all there is, once there is something; nothing: it is over."""
        await trio.lowlevel.checkpoint()
        while not self._messages and not self._is_over:
            await self._wait()
        self._thin()
        messages, self._messages, self._size = self._messages, [], 0
        self._moved.set()
        return messages

    def is_full(self) -> bool:
        """Tell whether no more may be added before something was taken."""
        if self._size > SIZE_MAX:
            self._thin()
            self._size = sum(map(len, self._messages))
        return self._size > SIZE_MAX and not self._is_over

    async def taken(self) -> None:
        """Wait until something is taken."""
        self._moved.set()
        await self._wait()

    def end(self) -> None:
        """Let whoever takes know that no more will come."""
        self._is_over = True
        self._moved.set()

    async def _wait(self) -> None:
        self._moved = trio.Event()
        await self._moved.wait()

    def _thin(self) -> None:
        if self._newest_of is not None:
            kept = newest_only(self._messages, self._newest_of)
            self.replaced += len(self._messages) - len(kept)
            self._messages = kept
