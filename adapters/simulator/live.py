"""The connections that are open now: what the fault script can cut, mute or warn."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import trio

from adapters.simulator.dialect import Session
from adapters.simulator.faults import Connection
from adapters.simulator.outbox import Outbox
from adapters.simulator.wire import Wire


@attrs.define(eq=False)
class Live:
    """One open connection; what it speaks is known after its first request."""

    wire: Wire
    scope: trio.CancelScope
    kind: Connection | None = None
    outbox: Outbox | None = None
    session: Session | None = None


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
        """Tell clients in their venue's words that their connections will be closed."""
        for live in self._of(kind):
            if live.outbox is not None and live.session is not None:
                live.outbox.answer(live.session.shutdown_notice(now_ms))

    def _of(self, kind: str) -> Iterator[Live]:
        return iter([live for live in self._open if kind in {"", live.kind}])
