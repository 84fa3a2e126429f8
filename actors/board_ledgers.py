"""The journals that the board follows: the house's, and one for each of several owners.

[board_ledgers] --Recall (wish)-> journals
journals        --Told (facts)--> [board_ledgers]

Each ledger has numbers of its own. The house's must answer, as it must for every actor; an
owner's journal that is down is asked again and holds up nobody's screen. What it tells
meanwhile is held until the recall says where to begin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Fact, Told
from actors.records import (
    JournalDown,
    JournalWish,
    Recall,
    Recalled,
    Receipt,
    Replay,
    recall_all,
)

OWNERS_S = 5.0  # that the first look waits for the owners' journals
AGAIN_S = 5.0
HELD_MAX = 65_536  # facts of one journal; a gap after that ends the board's life


@attrs.define(eq=False)
class Ledgers:
    """What was heard of each journal, in one life of the board."""

    reader: str
    house: Mailbox[JournalWish]
    owners: Mapping[str, Mailbox[JournalWish]]  # by the journal's name
    fold: Callable[[str, Recalled], None]  # called with what a ledger held, in parts
    hear: Callable[[str, Fact, Told], None]  # called with what came since
    replays: dict[str, Replay] = attrs.Factory(dict[str, Replay])
    _held: dict[str, deque[Told]] = attrs.Factory(dict[str, deque[Told]])
    _all_known: trio.Event = attrs.Factory(trio.Event)

    @property
    def recorded(self) -> int:
        """How many facts are known of, in all ledgers."""
        return sum(replay.seq for replay in self.replays.values())

    async def begin(self) -> None:
        """Recall the house.

        Raises:
          JournalDown: its journal does not answer.
        """
        name = self.house.name
        await recall_all(self.house, self.reader, lambda page: self._learn(name, page))

    async def follow(self, nursery: trio.Nursery) -> None:
        """Recall the owners; wait a moment for them, and go on in `nursery`."""
        for name in self.owners:
            nursery.start_soon(self._recall, name)
        with trio.move_on_after(OWNERS_S if self.owners else 0.0):
            await self._all_known.wait()

    def take(self, told: Told) -> None:
        """Take a fact, or hold it until its journal has been recalled.

        Raises:
          FactGap: a fact was lost on the way to us.
        """
        replay = self.replays.get(told.teller)
        if replay is None:
            self._held.setdefault(told.teller, deque(maxlen=HELD_MAX)).append(told)
            return
        fact = replay.fresh(told)
        if fact is not None:
            self.hear(told.teller, fact, told)

    async def _recall(self, name: str) -> None:
        """Ask once, for however long; a journal that died with it is asked again.

        Asking again while it is down would have its next life read the ledger as often.
        """
        seq = 0
        while True:
            receipt = Receipt[Recalled]()
            await self.owners[name].wish(Recall(self.reader, receipt, seq))
            try:
                recalled = await receipt.wait()
            except JournalDown:
                await trio.sleep(AGAIN_S)
                continue
            seq = recalled.seq
            if self._learn(name, recalled):
                return

    def _learn(self, name: str, recalled: Recalled) -> bool:
        """Fold the next of a ledger; tell whether that was all of it."""
        self.fold(name, recalled)
        if not recalled.is_last:
            return False
        self.replays[name] = Replay(recalled.seq)
        for told in self._held.pop(name, ()):
            self.take(told)
        if self.replays.keys() >= self.owners.keys():
            self._all_known.set()
        return True
