"""Facts as rows of the ledger, and back: what cannot be read is a broken invariant."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from actors.errors import BrokenInvariant
from actors.messages import Fact
from actors.ports_store import Row, StoredRow
from actors.pure.facts import UnreadableFact, decode, encode, key_of, kind_of

DECODE_ROWS = 256  # rows decoded before others get a turn


class LedgerCorrupt(BrokenInvariant):
    """The ledger is damaged, or holds what this version cannot read."""


def row_of(fact: Fact, wall_ms: int, awake_ms: int) -> Row:
    """Return what is stored of a fact.

    Raises:
      ValueError, TypeError, OverflowError: it cannot be written.
    """
    return Row(
        kind=kind_of(type(fact)),
        key=key_of(fact),
        bot=getattr(fact, "bot", ""),
        account=getattr(fact, "account", ""),
        symbol=getattr(fact, "symbol", ""),
        wall_ms=wall_ms,
        awake_ms=awake_ms,
        body=encode(fact),
    )


def decoded(row: StoredRow) -> Fact:
    """Return the fact in a row.

    Raises:
      LedgerCorrupt: a newer Shoal wrote it, or it is damaged.
    """
    try:
        return decode(row.kind, row.body)
    except UnreadableFact as error:
        raise LedgerCorrupt(f"row {row.seq}: {error}") from error


async def decoded_in_turns(rows: Sequence[StoredRow]) -> tuple[Fact, ...]:
    """Return the facts without starving anybody: a board's recall may be long."""
    facts: list[Fact] = []
    for start in range(0, len(rows), DECODE_ROWS):
        facts += [decoded(row) for row in rows[start : start + DECODE_ROWS]]
        await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()
    return tuple(facts)
