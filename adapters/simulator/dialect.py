"""What every venue's dialect is to the server: the exchange in one venue's own words.

The server accepts connections, keeps time and lets things go wrong; what is said on a
connection, what it costs and what a refusal looks like is the dialect's business alone.

    server -> step, beat          -> Dialect -> frames into the readers' outboxes
    door   -> respond, session    -> Doors   -> Exchange (the same for every venue)
    replay -> play                -> Player  -> the market as it was recorded
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import attrs
import trio

from actors.messages import BookSnapshot
from adapters.simulator.exchange import Exchange
from adapters.simulator.faults import Connection
from adapters.simulator.http_server import HttpAnswer, HttpRequest
from adapters.simulator.outbox import Outbox
from adapters.websocket_server import ServerSocket


@attrs.frozen
class SimulatorEndpoints:
    """Where a client of this simulator connects."""

    url: str  # market data
    rest_url: str
    ws_api_url: str  # private events, and orders where the venue takes them there
    port: int


class Dialect(Protocol):
    """One venue over one exchange; it outlives the server's lives."""

    @property
    def exchange(self) -> Exchange: ...

    @property
    def hurried(self) -> trio.Event:
        """Set when a beat must not wait for the full second; then there is a new one."""
        ...

    def flush(self) -> None:
        """Tell the clients whatever has happened since the last call."""
        ...

    def step(self, dt_s: float) -> None:
        """Let the synthetic markets move on by one step, and tell it."""
        ...

    def beats_until_due(self, number: int) -> int:
        """Return how many beats of 100 ms after beat `number` there is something to do."""
        ...

    def beat(self, now_ms: int, number: int) -> None:
        """Do and publish what comes by the clock."""
        ...


class Session(Protocol):
    """One client on one WebSocket."""

    async def serve(self, socket: ServerSocket) -> None:
        """Take what the client says until the connection ends, or deserves to."""
        ...

    def shutdown_notice(self, now_ms: int) -> bytes:
        """Return the frame that says that the venue goes away soon."""
        ...


@attrs.frozen
class Visit:
    """How a WebSocket client came in."""

    kind: Connection
    path: str  # with its query
    address: str  # of the client: limits are per address


class Doors(Protocol):
    """Where a venue's clients come in."""

    @property
    def connection_s(self) -> float:
        """How long one WebSocket lives at most; `inf` where the venue sets no end."""
        ...

    @property
    def is_pinging(self) -> bool:
        """Whether the venue sends ping frames and cuts who does not answer them."""
        ...

    def kind_of(self, path: str) -> Connection | None:
        """Return what a WebSocket upgrade of `path` opens; None when it is not served."""
        ...

    async def respond(self, request: HttpRequest) -> HttpAnswer | None:
        """Answer one REST request; None cuts the connection without an answer."""
        ...

    def session(self, visit: Visit, outbox: Outbox, nursery: trio.Nursery) -> Session:
        """Welcome a WebSocket client; `nursery` is the connection's own."""
        ...


class Line(Protocol):
    """One line of a session file."""

    @property
    def ts(self) -> str: ...

    @property
    def dir(self) -> str: ...

    @property
    def raw(self) -> str: ...


@attrs.frozen
class Survey:
    """What a recorded session is about, and where its market begins."""

    path: Path
    symbol: str  # as the exchange keys it, "BTCUSDT"
    price: str
    start_ms: int
    snapshot: BookSnapshot | None = None  # the first that was recorded


class Player(Protocol):
    """Plays recorded lines as the market of one venue."""

    @property
    def has_readers(self) -> trio.Event:
        """Set for good by the first subscription."""
        ...

    def play(self, session: Survey, line: Line) -> None:
        """Let one recorded line happen now.

        Raises:
          BadRecording: the line is none.
        """
        ...

    async def wait_room(self, symbol: str) -> None:
        """Return when the slowest reader of `symbol` can take more."""
        ...


@attrs.frozen
class Opened:
    """One venue, open for business."""

    dialect: Dialect
    doors: Doors
    player: Callable[[tuple[Survey, ...]], Player] | None = None
    refuse: Callable[[Visit], HttpAnswer | None] | None = None  # instead of a handshake


@attrs.frozen
class Venue:
    """How a venue is opened, found, and read from a file."""

    open: Callable[[Exchange], Opened]
    endpoints: Callable[[str, str], tuple[str, str, str]]
    # of ("s" or "", "host:port"): market data, REST, private
    survey: Callable[[Path], Survey] | None = None  # None: no recording is understood
