"""The journal: durable first, told in order, recalled whole, through all its lives."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest
import trio

from actors.journal import run_journal
from actors.journal_rows import LedgerCorrupt
from actors.mailbox import Mailbox
from actors.messages import (
    BotPaused,
    BotResumed,
    ExchangeDisconnected,
    Fact,
    FleetStarted,
    Signal,
    SignalGenerated,
    SignalType,
    Told,
)
from actors.outlets import Outlets, Reader
from actors.ports_store import Query, Row, StoreCorrupt, Stored, StoredRow
from actors.pure.facts import decode
from actors.records import (
    JournalDown,
    JournalWish,
    Recall,
    Recalled,
    Receipt,
    Record,
    Recorded,
    Replay,
    note,
    recall,
    record,
)
from adapters.sqlite.inline import InlineStore

PAUSES = frozenset({BotPaused, BotResumed})


@attrs.define
class Clock:
    """Ours."""

    ms: int = 1_000

    def now_ms(self) -> int:
        return self.ms

    def awake_s(self) -> float:
        return 2.5

    def elapsed_s(self) -> float:
        return 2.5


@attrs.define(eq=False)
class Disk:
    """A real ledger whose disk can be told to be slow or to fail."""

    ledger: InlineStore
    wait_s: float = 0.0
    errors: list[OSError] = attrs.Factory(list[OSError])
    stores_anyway: bool = False
    batches: list[int] = attrs.Factory(list[int])

    async def append(self, rows: Sequence[Row]) -> Stored:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 60):
            await trio.sleep(self.wait_s)
            if self.errors:
                if self.stores_anyway:
                    await self.ledger.append(rows)
                raise self.errors.pop(0)
            self.batches.append(len(rows))
            return await self.ledger.append(rows)
        raise AssertionError

    async def read(self, query: Query) -> tuple[int, Sequence[StoredRow]]:
        return await self.ledger.read(query)


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    ledger = InlineStore(tmp_path / "ledger.db")
    yield Disk(ledger)
    await ledger.close()


@attrs.define(eq=False)
class House:
    """What belongs to the stage and outlives the journal's lives."""

    disk: Disk
    mailbox: Mailbox[JournalWish]
    outlets: Outlets
    dawn: Mailbox[Told]
    everybody: Mailbox[Told]
    said: list[str] = attrs.Factory(list[str])

    def life(self) -> Any:
        return partial(
            run_journal,
            self.mailbox,
            self.disk,
            self.outlets,
            clock=Clock(),
            say=self.said.append,
        )


@pytest.fixture
def house(disk: Disk) -> House:
    dawn: Mailbox[Told] = Mailbox("bot:dawn")
    everybody: Mailbox[Told] = Mailbox("board")
    outlets = Outlets(
        [
            Reader("bot:dawn", dawn, PAUSES, bot="dawn"),
            Reader("board", everybody, PAUSES),
        ]
    )
    return House(disk, Mailbox("journal"), outlets, dawn, everybody)


def paused(bot: str = "dawn", reason: str = "") -> BotPaused:
    return BotPaused(bot, "main", reason)


def stored_pause(at_ms: int) -> Row:
    body = b'{"bot":"dawn","account":"main","reason":""}'
    return Row("bot_paused", None, "dawn", "main", "", at_ms, 2, body)


def heard(mailbox: Mailbox[Told]) -> list[Told]:
    told: list[Told] = []
    while (message := mailbox.receive_nowait()) is not None:
        told.append(message)
    return told


async def test_a_receipt_comes_after_the_disk(
    house: House, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house.disk.wait_s = 1
    await nursery.start(house.life())
    before_s = trio.current_time()
    recorded = await record(house.mailbox, paused())

    assert (recorded, trio.current_time() - before_s) == (Recorded((1,), (True,)), 1)
    nursery.cancel_scope.cancel()


async def test_facts_are_told_with_their_number_and_the_one_before(
    house: House, nursery: trio.Nursery
) -> None:
    await nursery.start(house.life())
    await record(house.mailbox, paused(), paused("dusk"), BotResumed("dawn", "main"))
    await trio.testing.wait_all_tasks_blocked()

    assert heard(house.dawn) == [
        Told(1, 0, paused(), 1_000),
        Told(3, 1, BotResumed("dawn", "main"), 1_000),
    ]
    assert [(told.seq, told.previous_seq) for told in heard(house.everybody)] == [
        (1, 0),
        (2, 1),
        (3, 2),
    ]
    nursery.cancel_scope.cancel()


async def test_a_fact_known_before_is_not_told_again(
    house: House, nursery: trio.Nursery
) -> None:
    house.outlets.add(Reader("stage", house.dawn, frozenset({FleetStarted})))
    await nursery.start(house.life())
    started = FleetStarted("run-1", "sim", (), "0.1.0")
    await record(house.mailbox, started)
    again = await record(house.mailbox, started)

    assert (again, len(heard(house.dawn))) == (Recorded((1,), (False,)), 1)
    nursery.cancel_scope.cancel()


async def test_wishes_gather_while_a_commit_is_under_way(
    house: House, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    house.disk.wait_s = 1
    await nursery.start(house.life())
    async with trio.open_nursery() as senders:
        senders.start_soon(record, house.mailbox, paused())
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(50):
            senders.start_soon(partial(record, house.mailbox, paused(), paused()))

    assert house.disk.batches == [1, 64, 36]
    nursery.cancel_scope.cancel()


async def test_a_recall_holds_what_its_reader_reads_and_no_more(
    house: House, nursery: trio.Nursery
) -> None:
    await nursery.start(house.life())
    await record(house.mailbox, paused(), paused("dusk"), ExchangeDisconnected("x", "eof"))

    assert await recall(house.mailbox, "bot:dawn") == Recalled(
        3, (paused(),), (1_000,), is_last=True
    )
    nursery.cancel_scope.cancel()


async def test_an_unknown_reader_is_refused(house: House, nursery: trio.Nursery) -> None:
    await nursery.start(house.life())

    with pytest.raises(JournalDown, match="no reader is called bot:nobody"):
        await recall(house.mailbox, "bot:nobody")
    nursery.cancel_scope.cancel()


class Half(float):
    """A number of a class that JSON does not know."""


@pytest.mark.parametrize("strength", [float("nan"), Half(0.5)])
async def test_a_fact_that_cannot_be_written_harms_only_its_own_record(
    house: House,
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
    strength: float,
) -> None:
    house.disk.wait_s = 1
    await nursery.start(house.life())
    signal = Signal(SignalType.BUY, strength, 0.5, ())
    bad = Receipt[Recorded]()
    good = Receipt[Recorded]()
    await house.mailbox.wish(
        Record((paused(), SignalGenerated("dawn", "A/B", signal, Decimal(1), 1, 0)), bad)
    )
    await house.mailbox.wish(Record((paused(),), good))

    assert await good.wait() == Recorded((1,), (True,))
    with pytest.raises(JournalDown, match="cannot be written: "):
        await bad.wait()
    nursery.cancel_scope.cancel()


async def test_a_full_disk_refuses_with_its_reason_and_the_journal_lives_on(
    house: House, nursery: trio.Nursery
) -> None:
    full = OSError(errno.ENOSPC, "the disk is full")
    house.disk.errors = [full, full]
    await nursery.start(house.life())
    for _ in range(2):
        with pytest.raises(JournalDown, match=r"^the disk is full$"):
            await record(house.mailbox, paused())
    recorded = await record(house.mailbox, paused())
    await trio.testing.wait_all_tasks_blocked()

    assert (recorded.seqs, [told.seq for told in heard(house.dawn)]) == ((1,), [1])
    assert house.said == [
        "refuses: the disk is full · SAFE mode: nothing new is begun, exits go on",
        "writes again · 2 commits were refused",
    ]
    nursery.cancel_scope.cancel()


async def test_rows_stored_by_a_failed_append_are_told_with_the_next(
    house: House, nursery: trio.Nursery
) -> None:
    """SQLite may report an I/O error for a commit that a recovery then finds whole."""
    house.disk.errors = [OSError(errno.EIO, "I/O error")]
    house.disk.stores_anyway = True
    await nursery.start(house.life())
    with pytest.raises(JournalDown):
        await record(house.mailbox, paused(reason="one"))
    await record(house.mailbox, paused(reason="two"))
    await trio.testing.wait_all_tasks_blocked()

    assert [(each.seq, each.previous_seq) for each in heard(house.dawn)] == [(1, 0), (2, 1)]
    nursery.cancel_scope.cancel()


async def test_a_damaged_ledger_is_a_broken_invariant(house: House) -> None:
    house.disk.errors = [StoreCorrupt("ledger.db is damaged")]
    receipt = Receipt[Recorded]()
    await house.mailbox.wish(Record((paused(),), receipt))
    with pytest.RaisesGroup(pytest.RaisesExc(LedgerCorrupt, match="is damaged")):
        await house.life()()

    with pytest.raises(JournalDown, match="is damaged"):
        await receipt.wait()


async def test_a_defect_in_a_commit_fails_its_receipts_too(house: House) -> None:
    house.disk.wait_s = -1  # trio refuses to sleep so short: any error that is no OSError
    receipt = Receipt[Recorded]()
    await house.mailbox.wish(Record((paused(),), receipt))
    with pytest.RaisesGroup(ValueError):
        await house.life()()

    with pytest.raises(JournalDown, match="ended before the disk answered"):
        await receipt.wait()


async def test_a_row_that_cannot_be_read_is_a_broken_invariant(house: House) -> None:
    row = Row("bot_paused", None, "dawn", "main", "", 1, 2, b'{"bot":"dawn","until":7}')
    await house.disk.ledger.append([row])

    with pytest.RaisesGroup(
        pytest.RaisesExc(LedgerCorrupt, match="row 1: bot_paused"), flatten_subgroups=True
    ):
        async with trio.open_nursery() as nursery:
            await nursery.start(house.life())
            await house.mailbox.wish(Recall("bot:dawn", Receipt[Recalled]()))


async def test_when_the_journal_dies_every_receipt_in_its_hands_fails(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    house.disk.wait_s = 1
    house.disk.errors = [TimeoutError("the disk did not answer")]
    receipts = [Receipt[Recorded]() for _ in range(3)]
    asked = Receipt[Recalled]()
    for receipt in receipts:
        await house.mailbox.wish(Record((paused(),), receipt))
    await house.mailbox.wish(Recall("bot:dawn", asked))
    with pytest.RaisesGroup(TimeoutError):
        await house.life()()

    for receipt in receipts:
        with pytest.raises(JournalDown, match="the disk did not answer"):
            await receipt.wait()
    assert (await asked.wait()).facts == ()


async def test_a_recall_in_hand_fails_when_the_journal_is_cancelled(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> Any:
        await trio.sleep_forever()

    asked = Receipt[Recalled]()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.life())
        monkeypatch.setattr(house.disk.ledger, "read", never)
        await house.mailbox.wish(Recall("bot:dawn", asked))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    with pytest.raises(JournalDown, match="the journal ended before it had recalled"):
        await asked.wait()


async def test_a_cancelled_journal_still_answers_the_commit_under_way(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    house.disk.wait_s = 1
    receipt = Receipt[Recorded]()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.life())
        await house.mailbox.wish(Record((paused(),), receipt))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert await receipt.wait() == Recorded((1,), (True,))
    assert [told.seq for told in heard(house.dawn)] == [1]


async def test_wishes_queued_at_a_death_are_served_by_the_next_life(house: House) -> None:
    receipt = Receipt[Recorded]()
    await house.mailbox.wish(Record((paused(),), receipt))
    house.mailbox.rearm()
    async with trio.open_nursery() as nursery:
        await nursery.start(house.life())
        recorded = await receipt.wait()
        nursery.cancel_scope.cancel()

    assert recorded == Recorded((1,), (True,))


async def test_the_next_life_tells_what_was_committed_and_not_told(house: House) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(house.life())
        await record(house.mailbox, paused(reason="one"))
        nursery.cancel_scope.cancel()
    await house.disk.ledger.append([stored_pause(at_ms=7)])
    async with trio.open_nursery() as nursery:
        await nursery.start(house.life())
        await record(house.mailbox, paused(reason="three"))
        nursery.cancel_scope.cancel()

    told = [(each.seq, each.previous_seq, each.at_ms) for each in heard(house.dawn)]
    assert told == [(1, 0, 1_000), (2, 1, 7), (3, 2, 1_000)]


async def test_a_first_life_tells_nothing_of_what_recalls_hold(house: House) -> None:
    await house.disk.ledger.append([stored_pause(at_ms=1)])
    async with trio.open_nursery() as nursery:
        await nursery.start(house.life())
        recalled = await recall(house.mailbox, "bot:dawn")
        await record(house.mailbox, paused())
        nursery.cancel_scope.cancel()

    (told,) = heard(house.dawn)
    assert (recalled.seq, told.seq) == (1, 2)
    assert Replay(recalled.seq).fresh(told) == paused()


async def test_no_receipt_is_silent_for_longer_than_the_deadline(
    house: House, autojump_clock: trio.testing.MockClock
) -> None:
    with pytest.raises(JournalDown, match="no durable acknowledgement within 5 s"):
        await record(house.mailbox, paused())
    with pytest.raises(JournalDown, match="no recall for bot:dawn within 20 s"):
        await recall(house.mailbox, "bot:dawn")


@attrs.define(eq=False)
class Storm:
    """Writers, a slow disk, and a journal and a reader that die at random moments."""

    house: House
    random: Random
    is_over: trio.Event = attrs.Factory(trio.Event)
    seen: list[int] = attrs.Factory(list[int])
    deaths: int = 0

    async def write(self) -> None:
        for number in range(40):
            await trio.sleep(self.random.random() * 0.05)
            fact = paused(self.random.choice(["dawn", "dusk"]), str(number))
            while not await note(self.house.mailbox, fact):
                pass

    async def read(self) -> None:
        self.house.dawn.rearm()
        recalled = await recall(self.house.mailbox, "bot:dawn")
        numbers = [number_of(fact) for fact in recalled.facts]
        assert numbers[: len(self.seen)] == self.seen
        self.seen = numbers
        replay = Replay(recalled.seq)
        while True:
            if (fact := replay.fresh(await self.house.dawn.receive())) is not None:
                self.seen.append(number_of(fact))

    async def live_and_die(self, life: Any, life_s: float) -> None:
        while not self.is_over.is_set():
            with trio.move_on_after(self.random.random() * life_s):
                await life()
            self.deaths += 1
        await life()


def number_of(fact: Fact) -> int:
    assert isinstance(fact, BotPaused)
    return int(fact.reason)


@pytest.mark.parametrize("seed", range(12))
async def test_recall_and_told_join_without_gap_or_repetition_through_any_deaths(
    house: House, seed: int, autojump_clock: trio.testing.MockClock
) -> None:
    house.disk.wait_s = 0.01
    storm = Storm(house, Random(seed))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(storm.live_and_die, house.life(), 0.3)
        nursery.start_soon(storm.live_and_die, storm.read, 0.2)
        await storm.write()
        storm.is_over.set()
        await trio.sleep(10)
        nursery.cancel_scope.cancel()

    _, rows = await house.disk.ledger.read(Query(["bot_paused"], "dawn"))
    written = [number_of(decode(row.kind, row.body)) for row in rows]
    assert (storm.seen, storm.deaths > 5, len(set(written)) > 10) == (written, True, True)
