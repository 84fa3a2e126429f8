"""A long ledger is recalled in parts; nothing is missing between them, or told twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.journal import NEXT_S, PAGE_ROWS
from actors.mailbox import Mailbox
from actors.messages import BotPaused, Fact
from actors.outlets import Reader
from actors.ports_store import Row
from actors.pure.facts import encode, kind_of
from actors.records import fold, recall
from adapters.sqlite.inline import InlineStore
from tests.actors.ledger_room import open_room, settle

MANY = 2 * PAGE_ROWS + 5
PAUSED = BotPaused("dawn", "main", "")
READS: frozenset[type[Fact]] = frozenset({BotPaused})


async def fill(folder: Path, count: int) -> None:
    """Let earlier runs have recorded so much."""
    row = Row(kind_of(BotPaused), None, "dawn", "main", "", 0, 0, encode(PAUSED))
    ledger = InlineStore(folder / "ledger.db")
    await ledger.append([row] * count)
    await ledger.close()


async def test_a_page_ends_where_the_next_begins(tmp_path: Path) -> None:
    await fill(tmp_path, MANY)
    async with open_room(tmp_path, "bot:dawn", reads=READS) as room:
        pages = [await recall(room.journal, "bot:dawn")]
        while not pages[-1].is_last:
            pages.append(await recall(room.journal, "bot:dawn", pages[-1].seq))
    assert [len(page.facts) for page in pages] == [PAGE_ROWS, PAGE_ROWS, 5]
    assert [page.seq for page in pages] == [PAGE_ROWS, 2 * PAGE_ROWS, MANY]


@pytest.mark.parametrize("count", [0, 1, PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1])
async def test_every_fact_is_recalled_once(tmp_path: Path, count: int) -> None:
    await fill(tmp_path, count)
    async with open_room(tmp_path, "bot:dawn", reads=READS) as room:
        taken: list[Fact] = []
        replay = await fold(room.journal, "bot:dawn", taken.append)
    assert (len(taken), replay.seq) == (count, count)


@pytest.mark.parametrize(
    ("scope", "end"), [({"bot": "dusk"}, 103), ({"account": "spare"}, 8), ({}, 4)]
)
async def test_a_page_may_hold_nothing_of_a_reader_and_not_be_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: dict[str, str], end: int
) -> None:
    """How many rows one job looks at is bounded, whoever they are of."""
    monkeypatch.setattr("actors.journal.PAGE_ROWS", 4)
    theirs = BotPaused("dusk", "spare", "")
    async with open_room(tmp_path, "bot:dawn") as room:
        await room.record(*[PAUSED] * 50, theirs, *[PAUSED] * 50, theirs, PAUSED)
        room.outlets.add(Reader("it", Mailbox[Any]("it"), READS, **scope))
        first = await recall(room.journal, "it")
        taken: list[Fact] = []
        replay = await fold(room.journal, "it", taken.append)
    assert (first.seq, first.is_last) == (end, end == 103)
    assert (taken.count(theirs), len(taken), replay.seq) == (2, 2 if scope else 103, 103)


async def test_whoever_began_a_recall_ends_it_before_another_goes_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Page by page in turn, all would be ready at the end, and late at once."""
    await fill(tmp_path, MANY)
    names = [f"bot:{number}" for number in range(3)]
    pages: list[str] = []
    async with open_room(tmp_path, *names, reads=READS) as room:

        async def read(name: str) -> None:
            seq, is_last = 0, False
            while not is_last:
                page = await recall(room.journal, name, seq)
                seq, is_last = page.seq, page.is_last
                pages.append(name)

        async with trio.open_nursery() as nursery:
            for name in names:
                nursery.start_soon(read, name)
    assert pages == [name for name in dict.fromkeys(pages) for _ in range(3)]


async def test_a_reader_that_ended_between_two_pages_holds_up_others_for_a_moment(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await fill(tmp_path, MANY)
    async with open_room(tmp_path, "bot:dawn", "bot:dusk", reads=READS) as room:
        await recall(room.journal, "bot:dawn")
        await settle()
        begun_s = trio.current_time()
        await recall(room.journal, "bot:dusk")
    assert trio.current_time() - begun_s <= NEXT_S


async def test_what_is_recorded_between_two_pages_is_heard_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """R-32, D-5: it stands in a later page or in the mailbox, or in both."""
    between = attrs.evolve(PAUSED, reason="between")
    await fill(tmp_path, MANY)
    async with open_room(tmp_path, "bot:dawn", reads=READS) as room:
        mailbox = room.mailboxes["bot:dawn"]
        await recall(room.journal, "bot:dawn")
        mailbox.rearm()
        taken: list[Fact] = []

        def take(fact: Fact) -> None:
            if len(taken) in {0, MANY - 1}:
                room.nursery.start_soon(room.record, between)
            taken.append(fact)

        replay = await fold(room.journal, "bot:dawn", take)
        await settle()
        while (told := mailbox.receive_nowait()) is not None:
            taken += [fact for fact in [replay.fresh(told)] if fact is not None]
    assert len(taken) == MANY + 2
    assert taken.count(between) == 2
