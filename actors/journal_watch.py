"""What the journal tells of its disk: to `orders`, so that entries end, and to people.

[journal] --asks--> space
[watch]   --LedgerState (latest)--> orders
[watch]   --Alarmed (latest)------> board

It never waits for anybody but the disk, and for that in a task of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from math import inf
from typing import Any

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Alarmed
from actors.messages.ledger import LedgerState
from actors.ports_disk import Space
from actors.pure.ledger_health import LedgerHealth, SpaceLimits

TURN_S = 0.5  # between looks at what the journal is doing
LOOK_EVERY_S = 5.0  # between looks at the room that is left
LOOK_S = 2.0  # longest look: a disk that hangs is told by the commit that hangs


@attrs.define(eq=False)
class JournalWatch:
    """Sees what one life of the journal sees of the disk; tells changes only."""

    actor: str = "journal"
    space: Space | None = None
    limits: SpaceLimits = attrs.Factory(SpaceLimits)
    orders: Iterable[Mailbox[Any]] = ()  # of every account
    board: Mailbox[Any] | None = None
    health: LedgerHealth = attrs.Factory(
        lambda self: LedgerHealth(self.limits), takes_self=True
    )
    _told: LedgerState | None = None  # None: whatever a life before has told
    _is_shown: bool | None = None  # the alarm of low space; None: the same
    _look_s: float = -inf

    async def keep(self) -> None:
        """Look at the disk, and tell what changed, until cancelled."""
        while True:
            if trio.current_time() >= self._look_s:
                await self.look()
            self.tell()
            await trio.sleep(TURN_S)

    async def look(self) -> None:
        """See how much room is left, if the disk says so in time."""
        self._look_s = trio.current_time() + LOOK_EVERY_S
        await trio.lowlevel.checkpoint()
        if self.space is not None:
            with suppress(OSError), trio.move_on_after(LOOK_S):
                self.health.saw(await self.space.free_bytes())

    def began(self) -> None:
        """Take that a commit is under way."""
        self.health.busy_since_s = trio.current_time()

    def refused(self, why: str) -> None:
        """Take that it failed, and say so at once."""
        self.health.busy_since_s = inf
        self.health.refused(why, trio.current_time())
        self.tell()

    def took(self) -> None:
        """Take that it is on the disk."""
        self.health.busy_since_s = inf
        self.health.took()

    def down(self) -> None:
        """Say that nobody takes rows until the journal's next life."""
        self._post(LedgerState("the journal is down", takes_rows=False))

    def tell(self) -> LedgerState:
        """Post what changed since it was last told; return what holds.

        Whoever begins a life is answered with it, for the life before heard the post.
        """
        state = self.health.state(trio.current_time())
        self._post(state)
        self._show()
        return state

    def _post(self, state: LedgerState) -> None:
        if state != self._told:
            self._told = state
            for orders in self.orders:
                orders.latest(LedgerState, state)

    def _show(self) -> None:
        """Show people that room is getting short, and that it is not any more."""
        if self.health.is_low == self._is_shown:
            return
        self._is_shown = is_low = self.health.is_low
        if self.board is not None:
            text = f"{self.health.room}{': make room' if is_low else ''}"
            alarm = Alarmed(self.actor, "low_space", "", text, is_over=not is_low)
            self.board.latest((Alarmed, self.actor, alarm.code, ""), alarm)
