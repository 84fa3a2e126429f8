"""What any WebSocket of ours is, whichever library carries its frames.

`websocket` and `websocket_busy` are the two kinds; a venue is given the one to open for
its public market data.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final, Protocol, TypeVar, cast
from urllib.parse import urlsplit

import attrs
import trio

from adapters.errors import ConnectionLost, RateLimited, VenueError
from adapters.streams import Dial, WatchedStream, certificate_trouble, dial

MESSAGE_SIZE_MAX: Final = 16 * 2**20  # a whole-book snapshot must fit
UNSENT_MAX: Final = 256
GOODBYE_S: Final = 1.0
UNANSWERED_S: Final = 0.1  # for a goodbye to leave
REJECTED_S: Final = 60.0  # a refusal that does not say how long it holds

T = TypeVar("T")

Message = str | bytes
NewestOf = Callable[[Message], str]  # whose newest price a message is; "": it is not one


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

    @property
    def replaced(self) -> int:
        """How many messages that nobody had taken were replaced by newer ones."""
        ...

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

    Where messages come faster than they are taken, one that `newest_of` names may take the
    place of the one before it; `Socket.replaced` counts.

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
        newest_of: NewestOf | None = None,
    ) -> AbstractAsyncContextManager[Socket]: ...


@attrs.frozen
class Address:
    """A WebSocket's URL taken apart."""

    is_secure: bool
    host: str
    port: int
    resource: str  # path and query

    @staticmethod
    def of(url: str) -> Address:
        parts = urlsplit(url)
        is_secure = parts.scheme == "wss"
        resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        port = parts.port or (443 if is_secure else 80)
        return Address(is_secure, parts.hostname or "", port, resource)


async def connect(
    url: str,
    timing: Timing,
    dial: Dial,
    upgrade: Callable[[WatchedStream, Address], Awaitable[T]],
) -> tuple[WatchedStream, T]:
    """Return an open stream and what `upgrade` made of it; all that within `connect_s`.

    Raises:
      ConnectionLost: could not connect, or not in time.
    """
    address = Address.of(url)
    host = address.host
    try:
        with trio.fail_after(timing.connect_s):
            inner = await dial(host, address.port, address.is_secure)
            stream = WatchedStream(inner)
            async with AsyncExitStack() as unless_open:
                unless_open.push_async_callback(trio.aclose_forcefully, stream)
                upgraded = await upgrade(stream, address)
                unless_open.pop_all()
            return stream, upgraded
    except trio.TooSlowError as error:
        text = f"could not connect to {host} within {timing.connect_s:g} s"
        raise ConnectionLost(text) from error
    except (OSError, trio.BrokenResourceError) as error:
        raise ConnectionLost(
            f"could not connect to {host}: {certificate_trouble(error) or error}"
        ) from error


def goodbye_scope(*, is_deaf: bool = False) -> trio.CancelScope:
    """Return how long a goodbye may take from now on, whoever is cancelled.

    Once we are cancelled nobody reads any more, so no answer can come; none is heard by
    the deaf, either.
    """
    now_s = trio.current_time()
    is_cancelled = trio.current_effective_deadline() == -math.inf
    within_s = UNANSWERED_S if is_cancelled or is_deaf else GOODBYE_S
    return trio.CancelScope(deadline=now_s + within_s, shield=True)


async def leave(
    close: Callable[[], Awaitable[None]], stream: trio.abc.Stream, scope: trio.CancelScope
) -> None:
    """Say goodbye by `close` within `scope`, and close the stream in any case (I-25)."""
    try:
        with scope:
            await close()
    finally:
        with trio.move_on_after(GOODBYE_S, shield=True):
            await trio.aclose_forcefully(stream)


async def is_alive(pong: trio.Event, stream: WatchedStream, pong_s: float) -> bool:
    """Return whether the pong comes, however late, while any byte comes in time.

    A pong waits its turn behind data; data is a sign of life too.
    """
    while True:
        since_s = trio.current_time()
        with trio.move_on_after(pong_s):
            await pong.wait()
        if pong.is_set():
            return True
        if stream.heard_s <= since_s:
            return False


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the errors of a group and of the groups in it."""
    found: list[BaseException] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found += leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            found.append(error)
    return found


def the_one(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error that ended a block, or all where they are several."""
    errors = leaves(group)
    if len(errors) == 1 or all(isinstance(error, VenueError) for error in errors):
        return errors[0]
    return group
