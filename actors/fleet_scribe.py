"""Say every transition at once, and see to it that the ledger has it too.

The supervisor never waits for its audience: it calls `report`, which logs the line and
queues the row. While the journal is down the rows wait, the oldest dropped and counted
past ROWS_MAX; what is left when the tree has ended goes into the ledger directly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Fact, Supervised
from actors.messages.supervision import Event, Transition
from actors.records import JournalDown, JournalWish, Receipt, Record, Recorded

ROWS_MAX = 20_000  # ten thousand bots starting are as many rows
ROWS_AT_ONCE = 64
RETRY_S = 0.5


@attrs.define(eq=False)
class Scribe:
    """Turns transitions into log lines and rows."""

    say: Callable[[Transition], None]
    dropped: int = 0
    _rows: deque[Fact] = attrs.Factory(lambda: deque[Fact](maxlen=ROWS_MAX))
    _wake: trio.Event = attrs.Factory(trio.Event)

    def report(self, transition: Transition) -> None:
        """Take one transition; called by supervisors, never awaited."""
        self.say(transition)
        if transition.event is Event.STARTING and not transition.error:
            return  # the row of what came of it follows
        if len(self._rows) == ROWS_MAX:
            self.dropped += 1
        self._rows.append(_row(transition))
        self._wake.set()

    async def run(self, journal: Mailbox[JournalWish]) -> None:
        """Write rows through the journal until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._rows:
                batch, dropped = tuple(islice(self._rows, ROWS_AT_ONCE)), self.dropped
                if not await _is_written(journal, batch):
                    await trio.sleep(RETRY_S)
                    continue
                for _ in range(len(batch) - (self.dropped - dropped)):
                    self._rows.popleft()

    def left(self) -> tuple[Fact, ...]:
        """Return the rows that the journal never took."""
        return tuple(self._rows)


async def _is_written(journal: Mailbox[JournalWish], rows: tuple[Fact, ...]) -> bool:
    """Record `rows`, however long the journal takes: it serves the wish in its next life.

    Giving up early would write them twice, because nothing makes a transition unique.
    """
    receipt = Receipt[Recorded]()
    await journal.wish(Record(rows, receipt))
    try:
        await receipt.wait()
    except JournalDown:
        return False
    return True


def _row(transition: Transition) -> Supervised:
    return Supervised(
        transition.path,
        transition.incarnation,
        transition.event.value,
        transition.old.value,
        transition.new.value,
        transition.error,
        transition.consecutive,
        int((transition.delay_s or 0) * 1000),
        int(transition.uptime_s * 1000),
        transition.mailbox_depth,
        transition.next,
    )
