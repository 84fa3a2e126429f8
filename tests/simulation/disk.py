"""A simulated disk under the journal: rows, explicit fsync, power loss, and bad days.

`Disk` outlives processes; `SimStore` is what one process has opened (the `Store` of
`actors.ports_store`, with the meaning of `adapters.sqlite.store.SqliteStore`): one writer,
transactions whole or not at all, unique keys, numbers without gap, a hash over each row
and all before.
"""

from __future__ import annotations

import errno
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Literal

import attrs
import trio

from actors.ports_store import Query, Row, Stored, StoredRow
from adapters.sqlite.checks import CHAIN_START, Link, link
from adapters.sqlite.store import ANSWER_S, JOBS_MAX
from tests.simulation.emergency import Blocks, SimEmergencyFile, SimSpace
from tests.simulation.loop import call_at
from tests.simulation.network import Owner
from tests.simulation.trace import Trace

COMMIT_S: Final = (0.0003, 0.004)
READ_S: Final = (0.0002, 0.002)

DiskKind = Literal["disk_full", "disk_error", "disk_slow", "disk_stuck"]


@attrs.frozen
class DiskFault:
    """A bad stretch of the disk."""

    kind: DiskKind
    at_s: float
    duration_s: float
    chance: float = 1.0


@attrs.frozen
class DiskRow:
    row: Row
    chain: Link
    venue_ms: int  # the time by the venue's clock when it was on its way to the disk
    skew_ms: int = 0  # of it, by which that clock was ahead for a while


class Disk:
    """What is on the platter, and what only the operating system has."""

    def __init__(self, seed: int, trace: Trace, *, is_synced: bool = True) -> None:
        self.trace = trace
        self.venue_ms: Callable[[], int] = lambda: 0
        self.skew_ms: Callable[[], int] = lambda: 0
        self.rows: list[DiskRow] = []
        self.visible = (
            0  # rows that a reader sees: committed, and acknowledged or recovered
        )
        self.synced = 0  # rows that a power loss leaves
        self.durable_s: list[float] = []  # when each of those rows became visible
        self.fault: DiskFault | None = None
        self.struck: Counter[str] = Counter()
        self.lost_rows = 0
        self.chance = random.Random(f"{seed}/disk")
        self.epoch = f"{self.chance.getrandbits(64):016x}"
        self.keys: dict[str, int] = {}
        self.blocks = Blocks()  # of the emergency file
        self._is_synced = is_synced  # False plants the bug "no fsync"
        self._fault_ends_s = 0.0
        self._boundaries: list[int] = []  # ends of transactions not synced yet

    def write(self, rows: Sequence[Row]) -> Stored:
        """Hand a transaction to the operating system."""
        seqs: list[int] = []
        are_new: list[bool] = []
        for row in rows:
            seq = self.keys.get(row.key) if row.key is not None else None
            are_new.append(seq is None)
            if seq is None:
                last = self.rows[-1].chain if self.rows else CHAIN_START
                chain = link(last, row)
                self.rows.append(DiskRow(row, chain, self.venue_ms(), self.skew_ms()))
                seq = chain[0]
                self.trace.note(f"row {seq} {row.kind} {row.body.decode()}")
                if row.key is not None:
                    self.keys[row.key] = seq
            seqs.append(seq)
        self._boundaries.append(len(self.rows))
        return Stored(tuple(seqs), tuple(are_new))

    def found(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        """Return up to which number it looked, and what it found."""
        kinds, looks, rows = query.kinds and set(query.kinds), 0, list[StoredRow]()
        for at in range(query.after, self.visible):
            if len(rows) == query.rows_max:
                break
            if looks == query.looks_max:
                return at, rows
            stored = self.rows[at]
            each = stored.row
            if query.bot not in {None, each.bot}:
                continue
            looks += 1
            is_meant = kinds is None or each.kind in kinds
            if is_meant and query.account in {None, each.account}:
                rows.append(StoredRow(stored.chain[0], each.wall_ms, each.kind, each.body))
        return self.visible, rows

    def sync(self) -> None:
        """Make everything written survive a power loss."""
        self._show()
        if self._is_synced:
            self.synced = self.visible
            self._boundaries.clear()

    def process_died(self, *, is_power_lost: bool) -> None:
        """Keep what the operating system had; after a power loss only a prefix of it."""
        if is_power_lost:
            kept = self.chance.choice([self.synced, *self._boundaries])
            self.lost_rows += len(self.rows) - kept
            for lost in self.rows[kept:]:
                if lost.row.key is not None:
                    self.keys.pop(lost.row.key, None)
            del self.rows[kept:], self.durable_s[kept:]
        self._show()
        self.synced = self.visible
        self._boundaries.clear()
        self.blocks.process_died(is_power_lost=is_power_lost)
        self.trace.note(f"disk {self.visible} rows survived, power lost {is_power_lost}")

    def _show(self) -> None:
        self.visible = len(self.rows)
        new = self.visible - len(self.durable_s)
        self.durable_s += [trio.current_time()] * new

    def begin(self, fault: DiskFault) -> None:
        """Let the disk have a bad time; it ends by itself."""
        self.fault, self._fault_ends_s = fault, trio.current_time() + fault.duration_s

    def is_at(self, kind: DiskKind) -> bool:
        """Tell whether the disk is in this bad stretch."""
        fault = self.fault
        is_over = trio.current_time() > self._fault_ends_s
        return fault is not None and fault.kind == kind and not is_over

    def strikes(self, kind: DiskKind) -> bool:
        """Tell whether the disk has this fault for this job."""
        fault = self.fault
        if fault is None or not self.is_at(kind):
            return False
        if self.chance.random() >= fault.chance:
            return False
        self.struck[kind] += 1
        return True


@attrs.define(eq=False)
class _Job:
    call: Callable[[], Any]
    is_write: bool
    done: trio.Event = attrs.Factory(trio.Event)
    answer: Any = None
    error: OSError | None = None


class SimStore:
    """The ledger as one process has it open; one job after the other, as its thread."""

    def __init__(self, disk: Disk, owner: Owner) -> None:
        self._disk = disk
        self._owner = owner
        self._jobs = deque[_Job]()  # the first is under way
        self.emergency = SimEmergencyFile(disk, owner)
        self.space = SimSpace(lambda: disk.is_at("disk_full"))

    async def append(self, rows: Sequence[Row]) -> Stored:
        return await self._ask(_Job(lambda: self._disk.write(rows), is_write=True))

    async def read(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        return await self._ask(_Job(lambda: self._disk.found(query), is_write=False))

    def _begin(self, job: _Job) -> None:
        """Let it take its time; nothing is done any more when the process is dead."""
        disk, chance, now_s = self._disk, self._disk.chance, trio.current_time()
        if not job.is_write:
            call_at(now_s + chance.uniform(*READ_S), partial(self._read, job))
            return
        took_s = chance.uniform(*COMMIT_S)
        if disk.strikes("disk_slow"):
            took_s = chance.uniform(0.05, 4.5)
        elif disk.strikes("disk_stuck"):
            took_s = chance.uniform(ANSWER_S, 2 * ANSWER_S)
        written_s = now_s + took_s * chance.random()
        call_at(written_s, partial(self._write, job, now_s + took_s))

    def _read(self, job: _Job) -> None:
        if not self._owner.is_dead:
            job.answer = job.call()
            self._done(job)

    def _write(self, job: _Job, synced_s: float) -> None:
        if self._owner.is_dead:
            return
        if self._disk.strikes("disk_full"):
            job.error = OSError(errno.ENOSPC, "the disk is full")
        elif self._disk.strikes("disk_error"):
            job.error = OSError(errno.EIO, "the disk cannot write")
        else:
            job.answer = job.call()
            call_at(synced_s, partial(self._sync, job))
            return
        self._done(job)

    def _sync(self, job: _Job) -> None:
        if not self._owner.is_dead:
            self._disk.sync()
            self._disk.trace.note(f"disk {self._disk.visible} rows")
            self._done(job)

    def _done(self, job: _Job) -> None:
        job.done.set()
        self._jobs.popleft()
        if self._jobs:
            self._begin(self._jobs[0])

    async def _ask(self, job: _Job) -> Any:
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._owner.is_dead:
            raise OSError(errno.EIO, "this process is dead")
        if len(self._jobs) > JOBS_MAX:
            raise TimeoutError("the disk still does not answer")
        self._jobs.append(job)
        if len(self._jobs) == 1:
            self._begin(job)
        with trio.move_on_after(ANSWER_S, shield=True):
            await job.done.wait()
            if job.error is not None:
                raise job.error
            return job.answer
        raise TimeoutError(f"the disk did not answer within {ANSWER_S:g} s")
