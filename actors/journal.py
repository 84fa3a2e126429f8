"""The journal: the only writer to the ledger, and the only teller of facts.

any actor --Record--> [journal] --rows--> store
any actor --Recall--> [journal] --Told--> readers
                      [journal] --LedgerState, Alarmed (latest)--> orders, board

It waits for the disk and for nobody else, so whoever waits for it closes no cycle. While
one commit is under way the wishes behind it gather into the next one: under load the
batches grow by themselves. Only records that nothing is done because of wait a moment for
company, so that a signal shares the commit of its order instead of standing in its way.

A full disk or an I/O error refuses the records in hand and the journal lives on. A ledger
that is damaged is a broken invariant. When a life ends, every receipt in its hands fails;
what is still queued in the mailbox is served by the next life. That life begins by telling
what the one before committed and did not tell, so a reader's chain of `previous_seq` has
no gap across lives; a fact told by both is skipped by its number.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import assert_never

import attrs
import trio

from actors.journal_rows import LedgerCorrupt, decoded, decoded_in_turns, row_of
from actors.journal_watch import JournalWatch
from actors.mailbox import Mailbox
from actors.outlets import Outlets, Reader
from actors.ports import WallClock
from actors.ports_store import Query, Row, Store, StoreCorrupt, Stored, StoredRow
from actors.pure.facts import KINDS, kind_of
from actors.records import JournalWish, Recall, Recalled, Record, Recorded

BATCH_FACTS_MAX = 64  # D-1; one record may hold more and is still one commit
PAGE_ROWS = 4096  # of one answer to a recall
LOOKS = 2  # at rows for each that a page may hold: a commit waits behind the search
NEXT_S = 0.5  # in which whoever got a page asks for the next one, if it still lives
COMPANY_S = 0.02  # longest wait for company of a record that can wait
GOODBYE_S = 2.0  # for what still waits for company when a life ends


async def run_journal(
    mailbox: Mailbox[JournalWish],
    store: Store,
    outlets: Outlets,
    *,
    clock: WallClock,
    say: Callable[[str], None] = lambda _: None,
    watch: Callable[[], JournalWatch] = JournalWatch,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Commit records, tell facts and answer recalls until cancelled.

    Ready once everything committed is told. `say` hears when the disk refuses and when
    it takes rows again; `watch` begins to tell `orders` and people of the disk.

    Raises:
      LedgerCorrupt: no restart can mend the ledger.
      TimeoutError: the disk does not answer.
    """
    life = _Life(mailbox, store, outlets, clock, say, watch())
    await life.catch_up()
    await life.watch.look()  # whoever recalls asks how the disk is
    async with trio.open_nursery() as nursery:
        nursery.start_soon(life.answer_recalls)
        nursery.start_soon(life.watch.keep)
        task_status.started()
        try:
            while True:
                await life.take()
                if life.is_due():
                    await life.commit(life.batch())
        finally:
            life.watch.down()
            with trio.move_on_after(GOODBYE_S, shield=True):
                await life.commit(life.batch())


@attrs.define(eq=False)
class _Life:
    """One life of the journal, and how often the disk has refused in a row."""

    mailbox: Mailbox[JournalWish]
    store: Store
    outlets: Outlets
    clock: WallClock
    say: Callable[[str], None]
    watch: JournalWatch
    refusals: int = 0
    gathered: list[Record] = attrs.Factory(list[Record])
    due_s: float = math.inf  # when the gathered ones are committed at the latest
    recalls: deque[Recall] = attrs.Factory(deque[Recall])  # of readers that begin a life
    recalled: trio.Event = attrs.Factory(trio.Event)

    async def take(self) -> None:
        """Take what is in the mailbox; wait for it no longer than the gathered may."""
        message = None
        if self.gathered:
            with trio.move_on_at(self.due_s):
                message = await self.mailbox.receive()
        else:
            message = await self.mailbox.receive()
        while message is not None:
            match message:
                case Record():
                    self._gather(message)
                case Recall():
                    self._queue(message)
                case _:
                    assert_never(message)
            message = None if self._is_full() else self.mailbox.receive_nowait()

    def _queue(self, recall: Recall) -> None:
        if recall.after:
            self.recalls.appendleft(recall)
        else:
            self.recalls.append(recall)
        self.recalled.set()

    def _gather(self, record: Record) -> None:
        wait_s = COMPANY_S if record.can_wait else 0.0
        self.due_s = min(self.due_s, trio.current_time() + wait_s)
        self.gathered.append(record)

    def is_due(self) -> bool:
        """Tell whether the gathered records must not wait any longer."""
        return trio.current_time() >= self.due_s or self._is_full()

    def _is_full(self) -> bool:
        return sum(len(each.facts) for each in self.gathered) >= BATCH_FACTS_MAX

    def batch(self) -> Sequence[Record]:
        """Return what was gathered, to be committed."""
        batch, self.gathered, self.due_s = self.gathered, [], math.inf
        return batch

    async def commit(self, batch: Sequence[Record]) -> None:
        """Make the batch durable, answer its receipts, tell what is new."""
        if not batch:
            await trio.lowlevel.checkpoint()
            return
        try:
            records, rows = self._rows(batch)
            self.watch.began()
            stored = await self.store.append(rows)
        except StoreCorrupt as error:
            _fail(batch, reason(error))
            raise LedgerCorrupt(reason(error)) from error
        except TimeoutError as error:  # the rows may be stored later: catch up, then tell
            _fail(batch, reason(error))
            raise
        except OSError as error:
            self._refuse(batch, reason(error))
            await trio.lowlevel.checkpoint()
        else:
            self._took_rows()
            _resolve(records, stored)
            await trio.lowlevel.cancel_shielded_checkpoint()  # who waited goes first
            await self._tell(records, stored, rows[0].wall_ms if rows else 0)
        finally:
            _fail(batch, "the journal ended before the disk answered")

    async def catch_up(self) -> None:
        """Tell what was committed and not told: by a life that ended in between."""
        told_seq = self.outlets.told_seq
        if told_seq is None:  # nobody has recalled yet: recalls will hold it all
            self.outlets.told_seq, _ = await self._read(Query(()))
            return
        seq, rows = await self._read(Query(sorted(KINDS), after=told_seq))
        for row in rows:
            self.outlets.tell(row.seq, decoded(row), row.wall_ms)
        self.outlets.told_seq = seq

    async def answer_recalls(self) -> None:
        """Answer one recall after the other: ten thousand waiting need no task each.

        Whoever has begun finishes first, or all would be ready at the end, at once.
        """
        try:
            while True:
                await self.recalled.wait()
                self.recalled = trio.Event()
                while self.recalls:
                    await self.answer(self.recalls.popleft())
        finally:
            for recall in self.recalls:
                recall.receipt.fail("the journal ended before it had recalled")

    async def answer(self, recall: Recall) -> None:
        """Read the next of what a reader reads; what is told waits in its mailbox."""
        try:
            reader = self.outlets.reader(recall.reader)
            if reader is None:
                recall.receipt.fail(f"no reader is called {recall.reader}")
                await trio.lowlevel.checkpoint()
                return
            told_seq = self.outlets.told_seq or 0  # what comes after it is told from now on
            seq, rows = await self._read(_page(reader, recall.after))
            facts = await decoded_in_turns(rows)
            at_ms = tuple(row.wall_ms for row in rows)
            seq = rows[-1].seq if len(rows) == PAGE_ROWS else seq
            is_last = seq >= told_seq
            ledger = self.watch.tell()
            recall.receipt.resolve(
                Recalled(seq, facts, at_ms, is_last=is_last, ledger=ledger)
            )
            if not is_last:
                await self._hear_next()
        except TimeoutError as error:
            recall.receipt.fail(reason(error))
            raise
        except OSError as error:
            recall.receipt.fail(reason(error))
            await trio.lowlevel.checkpoint()
        finally:
            recall.receipt.fail("the journal ended before it had recalled")

    async def _hear_next(self) -> None:
        """Let whoever got a page ask for the next one before it is the turn of others."""
        self.recalled = trio.Event()
        with trio.move_on_after(NEXT_S):
            await self.recalled.wait()

    async def _tell(self, records: Sequence[Record], stored: Stored, wall_ms: int) -> None:
        """Tell the new facts in order; out of the ledger where rows lie in between.

        Rows lie in between when an append was reported as failed and was stored after all.
        """
        facts = (fact for record in records for fact in record.facts)
        told = zip(stored.seqs, stored.are_new, facts, strict=True)
        new = [(seq, fact) for seq, is_new, fact in told if is_new]
        if new and new[0][0] - 1 != self.outlets.told_seq:
            await self.catch_up()
            return
        for seq, fact in new:
            self.outlets.tell(seq, fact, wall_ms)
        await trio.lowlevel.checkpoint()

    async def _read(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        try:
            return await self.store.read(query)
        except StoreCorrupt as error:
            raise LedgerCorrupt(reason(error)) from error

    def _rows(self, batch: Sequence[Record]) -> tuple[list[Record], list[Row]]:
        """Return the records that can be written, and their rows; refuse the others."""
        wall_ms, awake_ms = self.clock.now_ms(), int(self.clock.awake_s() * 1000)
        records: list[Record] = []
        rows: list[Row] = []
        for record in batch:
            try:
                rows += [row_of(fact, wall_ms, awake_ms) for fact in record.facts]
            except (ValueError, TypeError, OverflowError) as error:
                record.receipt.fail(f"it cannot be written: {error}")
            else:
                records.append(record)
        return records, rows

    def _refuse(self, batch: Sequence[Record], why: str) -> None:
        self.refusals += 1
        self.watch.refused(why)
        _fail(batch, why)
        if self.refusals == 1:
            self.say(f"refuses: {why} · SAFE mode: nothing new is begun, exits go on")

    def _took_rows(self) -> None:
        self.watch.took()
        if self.refusals:
            self.say(f"writes again · {self.refusals} commits were refused")
            self.refusals = 0


def reason(error: OSError) -> str:
    """Return what the error says, without its number."""
    return error.strerror or str(error)


def _page(reader: Reader, after: int) -> Query:
    """Return the query of the next that a reader reads."""
    kinds = sorted(kind_of(each) for each in reader.kinds)
    looks_max = LOOKS * PAGE_ROWS
    return Query(kinds, reader.bot, reader.account, after, PAGE_ROWS, looks_max)


def _resolve(records: Sequence[Record], stored: Stored) -> None:
    """Give each record its own part of the answer."""
    start = 0
    for record in records:
        part = slice(start, start := start + len(record.facts))
        record.receipt.resolve(Recorded(stored.seqs[part], stored.are_new[part]))


def _fail(batch: Sequence[Record], why: str) -> None:
    """Fail the receipts that have no answer yet."""
    for record in batch:
        record.receipt.fail(why)
