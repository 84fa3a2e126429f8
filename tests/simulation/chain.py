"""See that a ledger is one chain, and that its times go on (I-22).

Rows are stamped by two clocks: the machine's wall clock and the one that only runs while it
is awake. The wall clock may go back where the schedule stepped it, by as much, and nowhere
else; a new process begins with the same clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from adapters.sqlite.checks import CHAIN_START, link
from tests.simulation.clocks import Step
from tests.simulation.disk import DiskRow

ROUNDED_MS: Final = 2  # of two clocks


def chain_violations(rows: Sequence[DiskRow], steps: Iterable[Step]) -> list[str]:
    """Return where numbers, hashes or times do not follow from the row before."""
    chain, said = CHAIN_START, list[str]()
    for number, each in enumerate(rows, 1):
        chain = link(chain, each.row)
        if each.chain != chain or chain[0] != number:
            said.append(f"I-22: row {number} breaks the chain")
            break
    back = [step for step in steps if step.by_ms < 0]
    for before, after in pairwise(rows):
        if after.row.wall_ms < before.row.wall_ms:
            said += _unexplained(before, after, back)
    return said


def _unexplained(before: DiskRow, after: DiskRow, back: Sequence[Step]) -> list[str]:
    """Return that time goes back, unless the clock was stepped back by as much."""
    since_ms, until_ms = before.row.awake_ms, after.row.awake_ms
    stepped_ms = sum(
        step.by_ms
        for step in back
        if since_ms - ROUNDED_MS <= step.awake_s * 1000 <= until_ms + ROUNDED_MS
    )
    by_ms = after.row.wall_ms - before.row.wall_ms
    if by_ms >= stepped_ms - ROUNDED_MS and stepped_ms:
        return []
    number, kind = after.chain[0], after.row.kind
    return [
        f"I-22: row {number}, {kind}, is {-by_ms} ms before the one before it;"
        f" the clock was stepped by {stepped_ms} ms"
    ]
