"""What any WebSocket of ours is, whichever library carries its frames.

`websocket` and `websocket_busy` are the two kinds; a venue is given the one to open for
its public market data.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import attrs

from adapters.errors import ConnectionLost, RateLimited, VenueError
from adapters.streams import Dial, dial

REJECTED_S: Final = 60.0  # a refusal that does not say how long it holds

Message = str | bytes


class UpgradeRefused(RateLimited):
    """The venue answered the upgrade with 403 (its firewall), 418 or 429."""

    def __init__(self, status: int, *, retry_after_s: float) -> None:
        text = f"the upgrade was answered with HTTP {status}"
        super().__init__(text, retry_after_s=retry_after_s)
        self.status = status


def refusal(status: int, retry_after: str) -> VenueError:
    """Return the error for an upgrade that was answered with `status`."""
    if status not in {403, 418, 429}:
        return ConnectionLost(f"the upgrade was answered with HTTP {status}")
    is_told = retry_after.isascii() and retry_after.isdigit()
    retry_after_s = float(retry_after) if is_told else REJECTED_S
    return UpgradeRefused(status, retry_after_s=retry_after_s)


@attrs.frozen
class Timing:
    """How long to wait on one connection, and how often to write on it."""

    connect_s: float = 10.0  # TCP, TLS and the HTTP upgrade together
    ping_s: float = 30.0
    pong_s: float = 10.0
    write_gap_s: float = 0.0  # between two messages, where the venue counts them


class Socket(Protocol):
    """An open connection. Any task may send; one task receives."""

    async def send(self, text: str) -> None:
        """Hand `text` to the writer. A cancelled send leaves no half frame behind.

        Raises:
          ConnectionLost: the connection has ended.
        """
        ...

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
          ConnectionLost: the connection has ended; the text says why.
        """
        ...

    async def receive_all(self) -> Sequence[Message]:
        """Return the messages that came together, at least one.

        Raises:
          ConnectionLost: the connection has ended; the text says why.
        """
        ...

    async def end(self, reason: str) -> None:
        """Drop the connection without a goodbye; `receive` raises with this reason."""
        ...


class OpenSocket(Protocol):
    """Connects to a URL (ws:// or wss://) for the length of the block.

    Raises:
      ConnectionLost: could not connect, or not in time; never a bare library error.
      UpgradeRefused: the venue answered the upgrade with 403, 418 or 429.
    """

    def __call__(
        self,
        url: str,
        *,
        timing: Timing | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
        dial: Dial = dial,
    ) -> AbstractAsyncContextManager[Socket]: ...
