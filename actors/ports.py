"""What actors need from the world, as Protocols. The stage introduces the adapters.

Every coroutine here may take as long as the network; deadlines are the caller's, except
where a docstring says that an answer is bounded. Errors are those of `adapters.errors`
seen from here as `VenueError` and its children.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from actors.messages import (
    BookSnapshot,
    Candle,
    Instrument,
    OrderRequest,
    PrivateMessage,
    StreamMessage,
    StreamTerms,
    Subscription,
    Ticker,
    VenueAck,
    VenueBalance,
    VenueFill,
    VenueOrder,
    VenueReject,
    VenueReplaced,
    VenueUnknown,
)
from actors.messages.board import Asked
from actors.messages.supervision import ActorState


class VenueError(Exception):
    """Something went wrong between us and a venue; the text says what and whose fault."""


class ConnectionLost(VenueError):
    """The other side went away, or could not be reached. Start again to reconnect."""


class RemoteProtocolError(VenueError):
    """The venue sent something its own documentation forbids."""


class RateLimited(VenueError):
    """The venue, or our own budget, forbids requests for a while."""

    def __init__(self, text: str, *, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class VenueRefused(VenueError):
    """The venue answered a query with an error of its own."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class NotListed(VenueError):
    """The venue does not have this symbol; nothing else is wrong."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"{symbol!a} is not a symbol of this venue")
        self.symbol = symbol


class Archived(VenueError):
    """All that the venue still knows of an order is that it ended unfilled, long ago."""


class WallClock(Protocol):
    def now_ms(self) -> int:
        """Return Unix milliseconds of this machine's wall clock."""
        ...

    def awake_s(self) -> float:
        """Return seconds since boot without time asleep (CLOCK_MONOTONIC)."""
        ...

    def elapsed_s(self) -> float:
        """Return seconds since boot with time asleep (CLOCK_BOOTTIME)."""
        ...


class MarketStream(Protocol):
    """One open market-data connection. One task receives; one task sends."""

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for these.

        Raises:
          NotListed: of one symbol; then none of `subscriptions` was asked for.
          ConnectionLost: the connection ended.
        """
        ...

    async def unsubscribe(self, subscriptions: Sequence[Subscription]) -> None: ...

    async def receive(self) -> Sequence[StreamMessage]:
        """Return what arrived, at least one message.

        Raises:
          ConnectionLost: the connection ended, or its pings were not answered.
          RemoteProtocolError: a frame could not be read; the caller counts and goes on.
        """
        ...


class Market(Protocol):
    """The public side of one venue: streams, and REST for what streams do not tell."""

    @property
    def terms(self) -> StreamTerms: ...

    def open_stream(self) -> AbstractAsyncContextManager[MarketStream]: ...

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return every tradable symbol of the venue by canonical name."""
        ...

    async def ticker(self, symbol: str) -> Ticker: ...

    async def candles(self, symbol: str, timeframe: str, *, limit: int) -> Sequence[Candle]:
        """Return the newest candles, oldest first; the last may still be open."""
        ...

    async def book(self, symbol: str) -> BookSnapshot:
        """Return a snapshot deep enough to bridge the diff stream."""
        ...

    async def measure_offset(self) -> tuple[int, int]:
        """Measure and keep venue time minus ours; return (offset_ms, round_trip_ms)."""
        ...


class PrivateStream(Protocol):
    async def receive(self) -> Sequence[PrivateMessage]:
        """Return what arrived, at least one message.

        Raises:
          ConnectionLost: the connection ended, or its pings were not answered.
          RemoteProtocolError: an event could not be read; reconcile, then go on.
        """
        ...


class Trading(Protocol):
    """The private side of one account at one venue. Nothing here retries an order."""

    @property
    def forgets_canceled(self) -> bool:
        """Whether the venue no longer knows an order that was cancelled unfilled."""
        ...

    def open_private(self) -> AbstractAsyncContextManager[PrivateStream]: ...

    def open_orders_connection(
        self,
    ) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]]]:
        """Connect the socket that carries orders.

        The value is a coroutine function that serves the socket until it ends, then
        raises ConnectionLost. While it is not connected, `place` and `cancel` go by REST.
        """
        ...

    async def place(self, request: OrderRequest) -> VenueAck | VenueReject | VenueUnknown:
        """Send one order once. Bounded: answers UNKNOWN after the reply deadline."""
        ...

    async def cancel(
        self, symbol: str, client_order_id: str
    ) -> VenueAck | VenueReject | VenueUnknown:
        """Ask for a cancel once. The final state is read back by the caller (R-08)."""
        ...

    async def replace(self, client_order_id: str, request: OrderRequest) -> VenueReplaced:
        """Cancel an order nothing of which was executed, and place another, in one request.

        The venue places nothing unless it cancelled; having cancelled, it may still refuse
        the new order. Bounded as `place` is.
        """
        ...

    async def order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """Return the order, or None when the venue says that it does not exist.

        Raises:
          Archived: it ended unfilled.
          VenueError: no answer; that says nothing about the order (R-01).
        """
        ...

    async def open_orders(self, symbols: Sequence[str]) -> Sequence[VenueOrder]: ...

    async def past_orders(self, symbol: str, *, since_ms: int) -> Sequence[VenueOrder]: ...

    async def fills(self, symbol: str, *, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's executions on `symbol`, oldest first, paged to the end."""
        ...

    async def balances(self) -> Sequence[VenueBalance]: ...

    def now_ms(self) -> int:
        """Return our clock corrected to the venue's."""
        ...


class Random(Protocol):
    """Randomness by port, so that a seed can replay a run."""

    def random(self) -> float:
        """Return a float in [0, 1)."""
        ...


class Operator(Protocol):
    """What an operator may do with the tree of actors; refused with False, never waits.

    Raises:
      LookupError: no actor has the name.
    """

    def states(self) -> Sequence[ActorState]: ...

    def start(self, name: str) -> bool: ...

    def stop(self, name: str) -> bool: ...

    def crash(self, name: str) -> bool: ...


class Desk(Protocol):
    """Where operators of this machine are heard, a 0600 socket (S-5)."""

    async def serve(self, ask: Callable[[Asked], Awaitable[Mapping[str, Any]]]) -> None:
        """Pass on what each operator asks, and return the answer."""
        ...
