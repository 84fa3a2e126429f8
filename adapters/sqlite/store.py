"""The store on a thread of its own: rows in by a queue, one wake-up back for each answer.

journal --append, read--> [thread] --answers--> journal

A commit is never abandoned half known: a cancelled `append` stays until the thread has
answered. Readings go by a second connection and in pieces, and appends pass between two of
them; how long one takes is bounded where the query says at how many rows it may look.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import attrs
import outcome
import trio

from actors.ports_store import Query, Row, Stored, StoredRow
from adapters.sqlite.writer import CHECKPOINT_COMMITS, LedgerFile

ANSWER_S: Final = 8.0  # longest wait for the disk; far above any healthy one
GOODBYE_S: Final = 5.0
IDLE_S: Final = 0.5  # without work for so long, the thread carries the WAL over
JOBS_MAX: Final = 16  # unanswered at once, far above what one journal asks

T = TypeVar("T")


@attrs.define(eq=False)
class _Job(Generic[T]):
    call: Callable[[LedgerFile], T]
    done: trio.Event = attrs.Factory(trio.Event)
    answer: outcome.Outcome[T] | None = None

    def result(self) -> T:
        """Return what the call returned, or raise what it raised."""
        if self.answer is None:
            raise RuntimeError("asked for a result before it was there")
        return self.answer.unwrap()


class SqliteStore:
    """The ledger for one journal (`actors.ports_store.Store`). `open` it, `close` it."""

    def __init__(
        self, path: Path, identity: Mapping[str, str], clean: Callable[[bytes], bytes]
    ) -> None:
        self.path = path
        self._clean = clean
        self.epoch = ""
        self.meta: Mapping[str, str] = {}
        self._token = trio.lowlevel.current_trio_token()
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._unanswered = 1  # the opening
        self._is_closed = False
        self._has_ended = trio.Event()
        self._reading = trio.Lock()
        self._opening: _Job[Mapping[str, str]] = _Job(lambda file: file.meta)
        self.thread = threading.Thread(
            target=self._serve, args=(path, identity), name="ledger", daemon=True
        )

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        identity: Mapping[str, str] | None = None,
        clean: Callable[[bytes], bytes] = bytes,
    ) -> SqliteStore:
        """Return the store of the ledger at `path`, made or found, and checked.

        `identity` ({"mode": "sim"}) is written into a new ledger and must fit a found one.
        `clean` takes secrets out of a row's JSON.

        Raises:
          StateUnusable: the ledger cannot be used; the text is one line for people.
        """
        store = cls(path, identity or {}, clean)
        store.thread.start()
        try:
            await store._opening.done.wait()
            store.meta = store._opening.result()
            store.epoch = store.meta["epoch"]
        finally:
            if not store.epoch:
                store._jobs.put(None)
        return store

    async def append(self, rows: Sequence[Row]) -> Stored:
        """Commit `rows` in one transaction; they are on the disk when it returns.

        A cancellation waits for the answer, so that no commit is half known.

        Raises:
          OSError: nothing of `rows` was stored (disk full, I/O error).
          TimeoutError: no answer for ANSWER_S; the rows may be stored later.
          StoreCorrupt: the ledger is damaged.
        """
        return await self.ask(
            lambda file: file.append([self._cleaned(row) for row in rows])
        )

    async def read(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        """Return the number up to which it looked, and the rows up to it, in order.

        Raises:
          OSError: as for `append`.
        """
        async with self._reading:
            reading = await self.ask(lambda file: file.read(query))
            rows, reading.first = reading.first, []  # the file keeps its last reading
            try:
                while not reading.is_finished:
                    rows += await self.ask(lambda _: reading.more())
            finally:
                if not reading.is_finished:
                    self._put(_Job(lambda _: reading.close()))
        return reading.seq, rows

    def _cleaned(self, row: Row) -> Row:
        body = self._clean(row.body)
        return row if body is row.body else attrs.evolve(row, body=body)

    async def close(self) -> None:
        """Let the thread finish what it was given, then close the file."""
        if not self._is_closed:
            self._is_closed = True
            self._jobs.put(None)
        with trio.move_on_after(GOODBYE_S, shield=True):
            await self._has_ended.wait()
            self.thread.join(1.0)  # it has nothing left to do but to return (I-25)

    async def ask(self, call: Callable[[LedgerFile], T]) -> T:
        """Return what `call` returns on the thread that owns the file."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._is_closed:
            raise trio.ClosedResourceError(f"{self.path} is closed")
        if self._unanswered >= JOBS_MAX:
            raise TimeoutError(f"{self.path}: the disk still does not answer")
        job: _Job[T] = _Job(call)
        self._put(job)
        with trio.move_on_after(ANSWER_S, shield=True):
            await job.done.wait()
            return job.result()
        raise TimeoutError(f"{self.path}: the disk did not answer within {ANSWER_S:g} s")

    def _put(self, job: _Job[Any]) -> None:
        self._unanswered += 1
        self._jobs.put(job)

    def _serve(self, path: Path, identity: Mapping[str, str]) -> None:
        """Open the file and do one job after the other. This is the thread."""
        opened = outcome.capture(LedgerFile, path, identity)
        if isinstance(opened, outcome.Error):
            self._answer(self._opening, opened)
            return
        file = opened.value
        self._answer(self._opening, outcome.Value(file.meta))
        while (job := self._next_job(file)) is not None:
            self._answer(job, outcome.capture(job.call, file))
            if file.commits >= CHECKPOINT_COMMITS:
                file.checkpoint()
        file.close()
        self._wake(self._has_ended.set)

    def _next_job(self, file: LedgerFile) -> _Job[Any] | None:
        """Return the next job; carry the WAL over in a quiet moment before it."""
        if not file.commits:
            return self._jobs.get()
        try:
            return self._jobs.get(timeout=IDLE_S)
        except queue.Empty:
            file.checkpoint()
            return self._jobs.get()

    def _answer(self, job: _Job[Any], answer: outcome.Outcome[Any]) -> None:
        job.answer = answer
        self._wake(lambda: self._answered(job))

    def _answered(self, job: _Job[Any]) -> None:
        self._unanswered -= 1
        job.done.set()

    def _wake(self, call: Callable[[], object]) -> None:
        with suppress(trio.RunFinishedError):  # nobody is left to hear it
            self._token.run_sync_soon(call)
