"""A real journal with real mailboxes around one trading actor; time is the test's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import attrs
import trio
from trio.testing import wait_all_tasks_blocked

from actors import bot, positions, risk
from actors.journal import COMPANY_S, run_journal
from actors.mailbox import Mailbox
from actors.messages import Fact, Told, Wanted
from actors.outlets import Outlets, Reader
from actors.ports_store import Query
from actors.pure.client_order_id import IntentIds
from actors.pure.facts import decode, kind_of
from actors.records import JournalWish, record
from adapters.sqlite.inline import InlineStore
from tests.actors.ledger_room import Disk

F = TypeVar("F")


class StillClock:
    def now_ms(self) -> int:
        return 1_700_000_000_000

    def awake_s(self) -> float:
        return trio.current_time()

    def elapsed_s(self) -> float:
        return trio.current_time()


@attrs.define(eq=False)
class Floor:
    """What the stage owns; actors come and go."""

    disk: Disk
    nursery: trio.Nursery
    journal: Mailbox[JournalWish]
    bot: Mailbox[Any]
    risk: Mailbox[Any]
    positions: Mailbox[Any]
    orders: Mailbox[Any]
    board: Mailbox[Any]
    wanted: list[Wanted] = attrs.Factory(list[Wanted])
    lives: int = 0
    outlets: Outlets = attrs.Factory(Outlets)
    journal_scope: trio.CancelScope = attrs.Factory(trio.CancelScope)

    def __attrs_post_init__(self) -> None:
        self.outlets.add(Reader("bot:dawn", self.bot, bot.READS, bot="dawn"))
        for mailbox, reads in ((self.risk, risk.READS), (self.positions, positions.READS)):
            self.outlets.add(Reader(mailbox.name, mailbox, reads, account="main"))

    def ids(self, actor: str) -> Callable[[], IntentIds]:
        def begin() -> IntentIds:
            self.lives += 1
            return IntentIds("e", "r", actor, self.lives)

        return begin

    async def start(self, mailbox: Mailbox[Any], run: Any) -> trio.CancelScope:
        """Begin a life as a supervisor does; cancelling the scope is its sudden end."""
        mailbox.rearm()
        scope = trio.CancelScope()

        async def live(*, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC128  # the actor calls it
            with scope:
                await run(task_status=task_status)

        await self.nursery.start(live)
        await wait_all_tasks_blocked()
        return scope

    async def start_journal(self) -> None:
        """Begin a life of the journal; `journal_scope` ends it."""
        run = partial(
            run_journal,
            self.journal,
            self.disk,
            self.outlets,
            clock=StillClock(),
            say=lambda _text: None,
        )
        self.journal_scope = await self.start(self.journal, run)

    async def record(self, *facts: Fact) -> None:
        """Make facts durable, and let everybody hear of them."""
        await record(self.journal, *facts)
        await wait_all_tasks_blocked()

    async def recorded(self, kind: type[F]) -> list[F]:
        """Return the facts of one kind in the ledger, in order."""
        await trio.sleep(2 * COMPANY_S)  # what can wait has been committed then
        name = kind_of(kind)  # pyright: ignore[reportArgumentType]  # every fact has a kind
        _, rows = await self.disk.read(Query([name]))
        facts = [decode(row.kind, row.body) for row in rows]
        return [fact for fact in facts if isinstance(fact, kind)]

    def taken(self, mailbox: Mailbox[Any]) -> list[Any]:
        """Return the wishes and shows delivered to a mailbox that nobody reads."""
        messages: list[Any] = []
        while (message := mailbox.receive_nowait()) is not None:
            if not isinstance(message, Told):
                messages.append(message)
        return messages


@asynccontextmanager
async def open_floor(folder: Path) -> AsyncGenerator[Floor]:
    ledger = InlineStore(folder / "ledger.db")
    try:
        async with trio.open_nursery() as nursery:
            floor = Floor(
                Disk(ledger),
                nursery,
                Mailbox("journal"),
                Mailbox("bot:dawn"),
                Mailbox("risk:main"),
                Mailbox("positions:main"),
                Mailbox("orders:main", wishes_max=4),
                Mailbox("board"),
            )
            await floor.start_journal()
            yield floor
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(1, shield=True):
            await ledger.close()
