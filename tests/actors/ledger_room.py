"""A real journal on a real ledger, and mailboxes for whoever a test brings to life."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from actors.journal import run_journal
from actors.journal_watch import JournalWatch
from actors.mailbox import Mailbox
from actors.messages import Fact, Told
from actors.outlets import Outlets, Reader
from actors.ports_store import Query, Row, Stored, StoredRow
from actors.pure.facts import decode, kind_of
from actors.records import JournalWish, record
from adapters.sqlite.inline import InlineStore

F = TypeVar("F")


class RunClock:
    """Every clock is the run's own."""

    def now_ms(self) -> int:
        return int(trio.current_time() * 1000)

    def awake_s(self) -> float:
        return trio.current_time()

    def elapsed_s(self) -> float:
        return trio.current_time()


@attrs.define(eq=False)
class Disk:
    """A ledger whose disk can be told to fail, or to take its time."""

    ledger: InlineStore
    error: OSError | None = None
    slow_s: float = 0.0
    refuses: type[Fact] | None = None  # a kind of fact that it does not take, once

    async def append(self, rows: Sequence[Row]) -> Stored:
        if self.slow_s:
            await trio.sleep(self.slow_s)
        if self.refuses is not None and kind_of(self.refuses) in [it.kind for it in rows]:
            self.refuses = None
            await trio.lowlevel.checkpoint()
            raise OSError(28, "no space left on device")
        if self.error is not None:
            await trio.lowlevel.checkpoint()
            raise self.error
        return await self.ledger.append(rows)

    async def read(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        return await self.ledger.read(query)


@attrs.define(eq=False)
class Room:
    """What the stage would own."""

    disk: Disk
    nursery: trio.Nursery
    outlets: Outlets
    mailboxes: Mapping[str, Mailbox[Any]]
    journal: Mailbox[JournalWish] = attrs.Factory(lambda: Mailbox[JournalWish]("journal"))
    watch: Callable[[], JournalWatch] = JournalWatch
    journal_scope: trio.CancelScope = attrs.Factory(trio.CancelScope)

    async def start_journal(self) -> None:
        """Begin a life of the journal."""
        self.journal.rearm()
        self.journal_scope = trio.CancelScope()

        async def live(  # noqa: ASYNC128 -- the actor's own body calls started()
            *, task_status: trio.TaskStatus[None]
        ) -> None:
            with self.journal_scope:
                await run_journal(
                    self.journal,
                    self.disk,
                    self.outlets,
                    clock=RunClock(),
                    watch=self.watch,
                    task_status=task_status,
                )

        await self.nursery.start(live)

    async def start(self, mailbox: Mailbox[Any], run: Any) -> trio.CancelScope:
        """Begin a life as a supervisor does; cancelling the scope is its sudden end."""
        mailbox.rearm()
        scope = trio.CancelScope()

        async def live(  # noqa: ASYNC128 -- the actor's own body calls started()
            *, task_status: trio.TaskStatus[None]
        ) -> None:
            with scope:
                await run(task_status=task_status)

        await self.nursery.start(live)
        await settle()
        return scope

    async def record(self, *facts: Fact) -> None:
        """Make facts durable, and let everybody hear of them."""
        await record(self.journal, *facts)
        await settle()

    async def recorded(self, *kinds: type[F]) -> list[F]:
        """Return the facts of these kinds in the ledger, in order."""
        names = [kind_of(kind) for kind in kinds]  # type: ignore[arg-type]  # facts all
        _, rows = await self.disk.ledger.read(Query(names))
        facts = [decode(row.kind, row.body) for row in rows]
        return [fact for fact in facts if isinstance(fact, kinds)]


async def settle() -> None:
    """Let everybody do what can be done without time going by."""
    await wait_all_tasks_blocked()


def taken(mailbox: Mailbox[Any]) -> list[Any]:
    """Return what was delivered to a mailbox that nobody reads, but facts."""
    messages: list[Any] = []
    while (message := mailbox.receive_nowait()) is not None:
        if not isinstance(message, Told):
            messages.append(message)
    return messages


@asynccontextmanager
async def open_room(
    folder: Path, *readers: str, reads: frozenset[type[Fact]] | None = None
) -> AsyncGenerator[Room]:
    """Open a room whose `readers` ("orders:main") are told `reads`, or every fact."""
    ledger = InlineStore(folder / "ledger.db")
    mailboxes = {name: Mailbox[Any](name) for name in readers}
    kinds = frozenset(get_args(Fact)) if reads is None else reads
    outlets = Outlets([Reader(name, box, kinds) for name, box in mailboxes.items()])
    try:
        async with trio.open_nursery() as nursery:
            room = Room(Disk(ledger), nursery, outlets, mailboxes)
            await room.start_journal()
            yield room
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(1, shield=True):
            await ledger.close()
