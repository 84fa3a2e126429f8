"""Look into the ledgers that nobody opens any more: what is held there nobody guards.

An owner whose bots have all left `bots.toml` has no group, no journal and no actor.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from actors.messages import Alarmed, Corrected, PositionClosed
from actors.pure.abandoned import Abandoned
from actors.pure.facts import kind_of
from actors.pure.order_sheet import ORDER_FACTS
from adapters.files import StateUnusable
from adapters.sqlite.ledger import Ledger
from adapters.state import found_ledgers

KINDS: Final = [kind_of(kind) for kind in (*ORDER_FACTS, PositionClosed, Corrected)]


def abandoned_alarms(folder: Path, opened: Collection[Path]) -> list[Alarmed]:
    """Return an alarm for each account that holds something in another ledger than these.

    One that cannot be read is one, too: nobody knows what it holds.
    """
    alarms: list[Alarmed] = []
    for path in found_ledgers(folder):
        if path in opened:
            continue
        abandoned = Abandoned(frozenset())
        try:
            with Ledger(path) as ledger:
                for row in ledger.rows(kinds=KINDS):
                    abandoned.apply(row.fact)
        except StateUnusable as error:
            alarms.append(Alarmed("board", "abandoned", str(path), str(error)))
        alarms += abandoned.alarms("board")
    return alarms
