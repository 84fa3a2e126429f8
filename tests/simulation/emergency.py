"""The emergency file on the simulated disk: in place, whole or not there, fsync or lost.

Implements `actors.ports_disk.EmergencyFile` as `adapters.emergency_file` does: a thread of
its own does one job after the other, and goes on when nobody waits any more.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

import attrs
import trio

from actors.messages import Attempted
from actors.pure.fact_record import unpack
from tests.simulation.loop import call_at
from tests.simulation.network import Owner

WRITE_S: Final = (0.0002, 0.003)
HUNG_S: Final = (1.0, 20.0)


class Platter(Protocol):
    """What `tests.simulation.disk.Disk` is to this file."""

    chance: Any
    blocks: Blocks

    def strikes(self, kind: Any) -> bool: ...


@attrs.define
class Blocks:
    """The file as it is on the platter, and as the operating system has it."""

    records: list[bytes] = attrs.Factory(list[bytes])
    written_s: list[float] = attrs.Factory(list[float])  # when each was on its way there
    synced: int = 0  # records that a power loss leaves
    written: int = 0  # ever
    attempts: set[str] = attrs.Factory(set[str])  # client order ids, ever

    def append(self, record: bytes) -> None:
        facts = unpack(record)
        found = [each.client_order_id for each in facts if isinstance(each, Attempted)]
        self.attempts.update(found)
        self.records.append(record)
        self.written_s.append(trio.current_time())
        self.written += 1

    def clear(self, count: int) -> bool:
        if len(self.records) != count:
            return False
        self.records.clear()
        self.written_s.clear()
        return True

    def written_s_of(self, order_id: str) -> float | None:
        """Return when an attempt that a power loss leaves was written, if it is there."""
        attempt = b'["attempted",'
        for record, at_s in zip(self.records[: self.synced], self.written_s, strict=False):
            if attempt in record and order_id.encode() in record:
                return at_s
        return None

    def process_died(self, *, is_power_lost: bool) -> None:
        """Keep what the operating system had; after a power loss what was synced."""
        if is_power_lost:
            del self.records[self.synced :], self.written_s[self.synced :]
        self.synced = len(self.records)


@attrs.define(eq=False)
class _Job:
    call: Callable[[], Any]
    done: trio.Event = attrs.Factory(trio.Event)
    answer: Any = None
    error: OSError | None = None


class SimEmergencyFile:
    """The file as one process has it open; one job after the other, as its thread."""

    def __init__(self, platter: Platter, owner: Owner) -> None:
        self._platter, self._owner = platter, owner
        self._jobs = deque[_Job]()  # the first is under way

    async def append(self, record: bytes) -> None:
        await self._ask(_Job(lambda: self._platter.blocks.append(record)))

    async def read(self) -> Sequence[bytes]:
        return await self._ask(_Job(lambda: tuple(self._platter.blocks.records)))

    async def clear(self, count: int) -> bool:
        return await self._ask(_Job(lambda: self._platter.blocks.clear(count)))

    def _begin(self, job: _Job) -> None:
        platter, now_s = self._platter, trio.current_time()
        took_s = platter.chance.uniform(*WRITE_S)
        if platter.strikes("disk_slow"):
            took_s = platter.chance.uniform(0.05, 1.5)
        elif platter.strikes("disk_stuck"):
            took_s = platter.chance.uniform(*HUNG_S)
        call_at(now_s + took_s / 2, partial(self._do, job, now_s + took_s))

    def _do(self, job: _Job, synced_s: float) -> None:
        if self._owner.is_dead:
            return
        if self._platter.strikes("disk_error"):
            job.error = OSError(errno.EIO, "the disk cannot write")
            self._done(job)
            return
        job.answer = job.call()
        call_at(synced_s, partial(self._sync, job))

    def _sync(self, job: _Job) -> None:
        if not self._owner.is_dead:
            self._platter.blocks.synced = len(self._platter.blocks.records)
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
        self._jobs.append(job)
        if len(self._jobs) == 1:
            self._begin(job)
        await job.done.wait()
        if job.error is not None:
            raise job.error
        return job.answer


class SimSpace:
    """Room on the simulated disk: none while it is full (`actors.ports_disk.Space`)."""

    def __init__(self, is_full: Callable[[], bool]) -> None:
        self._is_full = is_full

    async def free_bytes(self) -> int:
        await trio.lowlevel.checkpoint()
        return 0 if self._is_full() else 10**12
