"""Facts that can wait share a commit; those that cannot are never held up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.journal import COMPANY_S, GOODBYE_S, run_journal
from actors.mailbox import Mailbox
from actors.messages import BotPaused, BotResumed
from actors.outlets import Outlets
from actors.ports_store import Row, Stored
from actors.records import JournalWish, post, record
from adapters.sqlite.inline import InlineStore
from tests.actors.trading_floor import StillClock

PAUSED = BotPaused("dawn", "main", "lunch")
RESUMED = BotResumed("dawn", "main")


@attrs.define(eq=False)
class Counted:
    """A real ledger that counts its commits and notes when they were."""

    ledger: InlineStore
    commits: list[tuple[float, int]] = attrs.Factory(list[tuple[float, int]])

    async def append(self, rows: Sequence[Row]) -> Stored:
        self.commits.append((trio.current_time(), len(rows)))
        return await self.ledger.append(rows)

    async def read(self, *args: Any, **named: Any) -> Any:
        return await self.ledger.read(*args, **named)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Counted]:
    ledger = InlineStore(tmp_path / "ledger.db")
    yield Counted(ledger)
    await ledger.close()


async def open_journal(store: Counted, nursery: trio.Nursery) -> Mailbox[JournalWish]:
    mailbox: Mailbox[JournalWish] = Mailbox("journal")
    run = partial(run_journal, mailbox, store, Outlets(), clock=StillClock())
    await nursery.start(run)
    return mailbox


async def test_a_posted_fact_shares_the_commit_of_one_that_cannot_wait(
    store: Counted, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journal = await open_journal(store, nursery)
    begun_s = trio.current_time()
    receipt = await post(journal, PAUSED)
    recorded = await record(journal, RESUMED)
    assert (store.commits, recorded.seqs) == ([(begun_s, 2)], (2,))
    assert (await receipt.wait()).seqs == (1,)


async def test_alone_a_posted_fact_waits_a_moment_and_no_longer(
    store: Counted, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journal = await open_journal(store, nursery)
    begun_s = trio.current_time()
    first = await post(journal, PAUSED)
    await trio.sleep(COMPANY_S / 2)
    second = await post(journal, RESUMED)
    await second.wait()
    assert first.is_good
    assert store.commits == [(pytest.approx(begun_s + COMPANY_S), 2)]


async def test_a_fact_that_cannot_wait_is_committed_at_once(
    store: Counted, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journal = await open_journal(store, nursery)
    begun_s = trio.current_time()
    await record(journal, PAUSED)
    assert trio.current_time() == begun_s


async def test_many_posted_facts_do_not_wait(
    store: Counted, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journal = await open_journal(store, nursery)
    begun_s = trio.current_time()
    receipts = [await post(journal, PAUSED, RESUMED) for _ in range(32)]
    await receipts[-1].wait()
    assert trio.current_time() == begun_s


async def test_what_waits_for_company_is_committed_when_the_life_ends(
    store: Counted, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journal = await open_journal(store, nursery)
    receipt = await post(journal, PAUSED)
    await trio.sleep(COMPANY_S / 2)
    nursery.cancel_scope.cancel()
    with trio.CancelScope(shield=True, deadline=trio.current_time() + GOODBYE_S):
        await receipt.wait()
    assert receipt.is_good
