"""Stand between a fleet and its exchange's market data, and say things in its name.

The library is not the one that Shoal is written with: what passes here passes the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import attrs
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import Server, ServerConnection, serve


@attrs.define(eq=False)
class Forger:
    """A WebSocket proxy; what the exchange last said of each stream is kept."""

    upstream: str
    server: Server | None = None
    heard: list[str] = attrs.Factory(list[str])
    connections: list[ServerConnection] = attrs.Factory(list[ServerConnection])
    opened: int = 0

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/stream"

    def say(self, frame: str | bytes) -> None:
        """Send a frame of our own to the fleet."""
        with suppress(ConnectionClosed):
            self.connections[-1].send(frame)

    def last(self, words: str) -> str:
        """Return the last frame of the exchange that has these words in it."""
        return next(frame for frame in reversed(self.heard) if words in frame)

    def serve(self, connection: ServerConnection) -> None:
        """Carry frames both ways until one side ends."""
        self.connections.append(connection)
        self.opened += 1
        query = connection.request.path.partition("?")[2] if connection.request else ""
        url = f"{self.upstream}?{query}" if query else self.upstream
        with connect(url, max_size=None, compression=None) as exchange:
            back = threading.Thread(target=self._answer, args=(connection, exchange))
            back.start()
            with suppress(ConnectionClosed):
                for frame in exchange:
                    if isinstance(frame, str):
                        self.heard = [*self.heard[-200:], frame]
                    connection.send(frame)
            connection.close()
            back.join()

    def _answer(self, connection: ServerConnection, exchange: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            for frame in connection:
                exchange.send(frame)
        exchange.close()


@contextmanager
def forging(upstream: str) -> Generator[Forger]:
    """Run a proxy in front of `upstream` on a free port."""
    forger = Forger(upstream)
    with serve(forger.serve, "127.0.0.1", 0, compression=None, max_size=None) as server:
        forger.server = server
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield forger
        finally:
            server.shutdown()
            for connection in forger.connections:
                connection.close()
            thread.join()
