"""How an actor speaks to the journal: record facts and wait for the disk, or recall.

any actor --Record, Recall--> [journal] --Told--> readers

Waiting for the journal closes no cycle: the journal waits for nobody. A wish that is
still queued when the journal dies is served by its next life, even where the waiter has
given up meanwhile: a fact happened, whether or not somebody waits to hear that it is
durable. Whoever got JournalDown therefore knows nothing about the disk, and asks again
with the same facts: their keys make that harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs
import trio

from actors.mailbox import Mailbox
from actors.messages import Fact, LedgerState, Told

RECORD_S = 5.0  # longest wait for a durable acknowledgement
RECALL_S = 20.0  # of one page; all pages of a life share the `start_s` of its seat

Result = TypeVar("Result")


class JournalDown(Exception):
    """The journal died or refused before it could say that the facts are durable."""


class Unacknowledged(JournalDown):
    """The journal was silent for too long: the facts may still become durable."""


class FactGap(Exception):
    """A fact told to this reader is missing; only a new recall can mend that."""


@attrs.define(eq=False)
class Receipt(Generic[Result]):
    """The place where an answer will be put. One waiter, one answer."""

    _result: Result | None = None
    _error: str | None = None
    _waited: trio.Event | None = None  # made by the waiter: most are never waited for

    def resolve(self, result: Result) -> None:
        """Answer; an answer after the first is ignored."""
        if not self._is_answered:
            self._result = result
            self._wake()

    def fail(self, error: str) -> None:
        """Answer that there will be no answer."""
        if not self._is_answered:
            self._error = error
            self._wake()

    @property
    def is_good(self) -> bool:
        """Whether the answer is there."""
        return self._result is not None

    @property
    def is_failed(self) -> bool:
        """Whether it is certain that there will be none."""
        return self._error is not None

    async def wait(self) -> Result:
        """Return the answer.

        Raises:
          JournalDown: the journal died first, or could not write.
        """
        if self._is_answered:
            await trio.lowlevel.checkpoint()
        else:
            self._waited = trio.Event()
            await self._waited.wait()
        if self._result is None:
            raise JournalDown(self._error or "")
        return self._result

    @property
    def _is_answered(self) -> bool:
        return self._result is not None or self._error is not None

    def _wake(self) -> None:
        if self._waited is not None:
            self._waited.set()


@attrs.frozen
class Recorded:
    """What became of the facts: the sequence number of each, and which were new.

    A fact whose key was recorded before keeps its first number and is not told again.
    """

    seqs: tuple[int, ...]
    are_new: tuple[bool, ...]


@attrs.frozen
class Recalled:
    """The next facts of a reader, in order, as of `seq`; it skips told facts up to it."""

    seq: int
    facts: tuple[Fact, ...]
    at_ms: tuple[int, ...] = ()  # our wall clock when each was recorded
    is_last: bool = attrs.field(kw_only=True)  # False: there may be more, after `seq`
    ledger: LedgerState = attrs.Factory(LedgerState)  # later, changes only are told


@attrs.frozen
class Record:
    """Make these facts durable in one commit, then tell them."""

    facts: tuple[Fact, ...]
    receipt: Receipt[Recorded]
    can_wait: bool = False  # a moment, for company: nothing is done because of them


@attrs.frozen
class Recall:
    """Answer with what `reader` (a name on the wiring table) reads, after a number.

    A page at a time, so that a long ledger takes no more memory than a short one (R-32).
    """

    reader: str
    receipt: Receipt[Recalled]
    after: int = 0


JournalWish = Record | Recall


@attrs.define(eq=False)
class Replay:
    """Joins what was recalled with what is told: each fact once, in order, none missing.

    Begin with `Replay(recalled.seq)` and pass every Told of this life through `fresh`.
    """

    seq: int  # the last one known, recalled or told
    ledger: LedgerState = attrs.Factory(LedgerState)  # as of the recall

    def fresh(self, told: Told) -> Fact | None:
        """Return the fact, or None when the recall held it already.

        Raises:
          FactGap: a fact between the last one known and this one was never told.
        """
        if told.seq <= self.seq:
            return None
        if told.previous_seq > self.seq:
            raise FactGap(f"told {told.seq} after {told.previous_seq}, knew {self.seq}")
        self.seq = told.seq
        return told.fact


async def record(journal: Mailbox[JournalWish], *facts: Fact) -> Recorded:
    """Return once `facts` are on the disk.

    Raises:
      JournalDown: the journal died, or could not write.
      Unacknowledged: it was silent for RECORD_S.
    """
    receipt = Receipt[Recorded]()
    with trio.move_on_after(RECORD_S):
        await journal.wish(Record(facts, receipt))
        return await receipt.wait()
    raise Unacknowledged(f"no durable acknowledgement within {RECORD_S:g} s")


async def recall(journal: Mailbox[JournalWish], reader: str, after: int = 0) -> Recalled:
    """Return the next facts that `reader` reads, as of a sequence number.

    Raises:
      JournalDown: the journal died, could not read, or was silent for RECALL_S.
    """
    receipt = Receipt[Recalled]()
    with trio.move_on_after(RECALL_S):
        await journal.wish(Recall(reader, receipt, after))
        return await receipt.wait()
    raise JournalDown(f"no recall for {reader} within {RECALL_S:g} s")


async def fold(
    journal: Mailbox[JournalWish], reader: str, take: Callable[[Fact], object]
) -> Replay:
    """Pass what `reader` reads to `take`, keep none of it, return where telling goes on.

    Raises:
      JournalDown: as for `recall`.
    """

    def take_each(recalled: Recalled) -> None:
        for fact in recalled.facts:
            take(fact)

    return await recall_all(journal, reader, take_each)


async def recall_all(
    journal: Mailbox[JournalWish], reader: str, take: Callable[[Recalled], object]
) -> Replay:
    """Pass what `reader` reads to `take`, page by page; return where telling goes on.

    Raises:
      JournalDown: as for `recall`.
    """
    seq = 0
    while True:
        recalled = await recall(journal, reader, seq)
        take(recalled)
        seq = recalled.seq
        if recalled.is_last:
            return Replay(seq, recalled.ledger)


async def note(journal: Mailbox[JournalWish], *facts: Fact) -> bool:
    """Record facts that no order depends on; return whether they are durable."""
    try:
        await record(journal, *facts)
    except JournalDown:
        await trio.lowlevel.checkpoint()
        return False
    return True


async def post(journal: Mailbox[JournalWish], *facts: Fact) -> Receipt[Recorded]:
    """Hand over facts that nothing depends on; they share the next commit.

    Nobody waits for the disk: the receipt tells later what became of them.
    """
    receipt = Receipt[Recorded]()
    await journal.wish(Record(facts, receipt, can_wait=True))
    return receipt
