"""The connections that are open now: what the fault script can cut, mute or warn."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import trio

from adapters.binance.codec import market_writer
from adapters.simulator.faults import Connection
from adapters.simulator.outbox import Outbox
from adapters.simulator.wire import Wire
from adapters.websocket_server import frame


@attrs.define(eq=False)
class Live:
    """One open connection; what it speaks is known after its first request."""

    wire: Wire
    scope: trio.CancelScope
    kind: Connection | None = None
    outbox: Outbox | None = None
    is_combined: bool = False


class Connections:
    """Every open connection."""

    def __init__(self) -> None:
        self._open: dict[Live, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, live: Live) -> None:
        self._open[live] = None

    def remove(self, live: Live) -> None:
        self._open.pop(live, None)

    def cut(self, kind: str) -> None:
        """End connections of `kind` ("" means all) without a goodbye."""
        for live in self._of(kind):
            live.scope.cancel()

    def mute(self, kind: str) -> None:
        """Let no byte pass any more, while TCP stays."""
        for live in self._of(kind):
            live.wire.is_dead = True

    def announce_shutdown(self, kind: str, now_ms: int) -> None:
        """Send serverShutdown as each kind of connection wraps it."""
        event = market_writer.encode_shutdown(now_ms)
        combined = market_writer.combined(market_writer.SHUTDOWN_STREAM, event)
        for live in self._of(kind):
            if live.outbox is None:
                continue
            if live.kind == "ws_api":
                live.outbox.answer(frame(f'{{"event":{event}}}'.encode()))
            else:
                live.outbox.answer(
                    frame((combined if live.is_combined else event).encode())
                )

    def _of(self, kind: str) -> Iterator[Live]:
        return iter([live for live in self._open if kind in {"", live.kind}])
