"""The ledger on a real disk, with its real thread."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import attrs
import pytest
import trio

from actors.ports_store import Query, Row, StoreCorrupt
from adapters.files import StateUnusable
from adapters.sqlite.ledger import Ledger
from adapters.sqlite.reading import Reading, values, where
from adapters.sqlite.store import SqliteStore
from adapters.sqlite.writer import LedgerFile


def row(number: int, *, key: str | None = None, bot: str = "dawn", size: int = 0) -> Row:
    body = b'{"exchange":"binance","reason":"%d%s"}' % (number, b"x" * size)
    return Row("exchange_disconnected", key, bot, "main", "BTC/USDT", 1000, 2000, body)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path)
    yield store
    await store.close()


async def read_all(store: SqliteStore, after: int = 0) -> list[int]:
    _, rows = await store.read(Query(["exchange_disconnected"], after=after))
    return [each.seq for each in rows]


async def test_rows_are_numbered_without_gap_in_the_order_given(store: SqliteStore) -> None:
    await store.append([row(1)])
    stored = await store.append([row(2), row(3)])

    assert (stored.seqs, stored.are_new) == ((2, 3), (True, True))


async def test_a_known_key_keeps_its_first_number(store: SqliteStore) -> None:
    await store.append([row(1, key="a"), row(2)])
    stored = await store.append([row(3, key="a"), row(4, key="b"), row(5, key="b")])

    assert (stored.seqs, stored.are_new) == ((1, 3, 3), (False, True, False))


async def test_rows_come_back_as_they_were_written(store: SqliteStore) -> None:
    await store.append([row(1), row(2, bot="dusk"), row(3)])
    seq, rows = await store.read(Query(["exchange_disconnected"], "dawn", "main"))

    assert (seq, [(each.seq, each.wall_ms, each.body) for each in rows]) == (
        3,
        [(1, 1000, row(1).body), (3, 1000, row(3).body)],
    )


async def test_a_page_ends_early_and_the_next_one_goes_on(store: SqliteStore) -> None:
    await store.append([row(n, bot="dusk" if n % 2 else "dawn") for n in range(1, 8)])
    query = Query(["exchange_disconnected"], "dusk", rows_max=3)

    first = await store.read(query)
    second = await store.read(attrs.evolve(query, after=5))

    assert (first[0], [each.seq for each in first[1]]) == (7, [1, 3, 5])
    assert (second[0], [each.seq for each in second[1]]) == (7, [7])


@pytest.mark.parametrize(
    ("bot", "plan"), [("dawn", "SEARCH facts USING INDEX idx_facts_bot"), (None, "SEARCH")]
)
def test_no_page_sorts_the_ledger(tmp_path: Path, bot: str | None, plan: str) -> None:
    """A recall would take the square of its length."""
    file = LedgerFile(tmp_path / "ledger.db", {})
    query = Query(["a", "b"], bot, "main", 7, rows_max=10)
    asked = (
        "EXPLAIN QUERY PLAN SELECT seq FROM facts"  # noqa: S608 -- only question marks
        f" WHERE {where(query)} ORDER BY seq LIMIT ?"
    )
    (said,) = [row[3] for row in file.connection.execute(asked, (*values(query), 10))]
    file.close()
    assert said.startswith(plan)


@pytest.mark.parametrize(("bot", "ends"), [(None, [8, 16, 21]), ("dusk", [21])])
async def test_a_page_says_how_far_it_looked(
    store: SqliteStore, bot: str | None, ends: list[int]
) -> None:
    """The rows of a bot may lie far apart: only those are looked at."""
    other = attrs.evolve(row(1), account="other")
    await store.append([other if n % 10 else row(n, bot="dusk") for n in range(1, 22)])
    query = Query(["exchange_disconnected"], bot, "main", rows_max=9, looks_max=8)
    seqs, found = [0], list[int]()
    while seqs[-1] < 21:
        seq, rows = await store.read(attrs.evolve(query, after=seqs[-1]))
        seqs.append(seq)
        found += [each.seq for each in rows]
    assert (seqs[1:], found) == (ends, [10, 20])


@pytest.mark.parametrize("bot", [None, "dawn"])
def test_a_page_is_no_more_work_in_a_ledger_ten_times_as_long(
    tmp_path: Path, bot: str | None
) -> None:
    """A commit waits behind it; none of these rows is of its account."""
    query = Query(["exchange_disconnected"], bot, "other", rows_max=10, looks_max=50)
    file = LedgerFile(tmp_path / "ledger.db", {})
    steps: list[int] = []
    for rows in (100, 900):
        file.append([row(number, bot="dawn") for number in range(rows)])
        steps.append(steps_of(lambda: Reading(file.connection, query, file.path), file))
    file.close()
    assert steps[0] == steps[1]


def steps_of(call: Callable[[], Reading], file: LedgerFile) -> int:
    """Return how many instructions SQLite takes for it."""
    taken: list[None] = []
    file.connection.set_progress_handler(lambda: taken.append(None), 1)
    call()
    file.connection.set_progress_handler(None, 1)
    return len(taken)


async def test_a_long_reading_comes_whole_and_appends_pass_it(store: SqliteStore) -> None:
    for _ in range(5):
        await store.append([row(number) for number in range(2000)])
    order: list[str] = []

    async def read() -> None:
        assert await read_all(store) == list(range(1, 10_001))
        order.append("read")

    async def append() -> None:
        await store.append([row(1)])
        order.append("appended")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(append)

    assert order == ["appended", "read"]


async def test_a_cancelled_reading_leaves_the_store_usable(store: SqliteStore) -> None:
    for _ in range(3):
        await store.append([row(number) for number in range(2000)])
    with trio.move_on_after(0.001):
        await read_all(store)

    assert len(await read_all(store)) == 6000


async def test_a_cancelled_append_waits_until_the_disk_has_answered(
    store: SqliteStore,
) -> None:
    answers: list[object] = []
    async with trio.open_nursery() as nursery:

        async def append() -> None:
            answers.append(await store.append([row(1)]))

        nursery.start_soon(append)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert (len(answers), await read_all(store)) == (1, [1])


async def test_the_epoch_is_random_and_lasts(path: Path, tmp_path: Path) -> None:
    epochs: list[str] = []
    for each in (path, path, tmp_path / "other.db"):
        store = await SqliteStore.open(each)
        epochs.append(store.epoch)
        await store.close()

    assert (epochs[0] == epochs[1], epochs[0] == epochs[2], len(epochs[0])) == (
        True,
        False,
        16,
    )


def modes_in(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


async def test_files_are_private_even_under_a_lax_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        store = await SqliteStore.open(path)
        await store.append([row(1)])
        modes = modes_in(path.parent)
        await store.close()
    finally:
        os.umask(before)

    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "ledger.db-shm"), 0o600)


def test_a_ledger_made_readable_by_others_is_closed_again(path: Path) -> None:
    LedgerFile(path, {}).close()
    path.chmod(0o644)
    LedgerFile(path, {}).close()

    assert modes_in(path.parent) == {"ledger.db": 0o600}


def test_commits_wait_for_the_disk_and_tables_are_strict(path: Path) -> None:
    file = LedgerFile(path, {})
    ask = file.connection.execute

    settings = {
        name: ask(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    }
    strict = ask("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    tables = {name: bool(flag) for name, flag in strict if not name.startswith("sqlite_")}
    file.close()

    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }
    assert tables == {"facts": True, "meta": True}


class Snapshot:
    """A reader that holds its read transaction open."""

    def __init__(self, path: Path) -> None:
        mode = f"file:{path}?mode=ro"
        self.connection = sqlite3.connect(mode, uri=True, isolation_level=None)
        self.connection.execute("BEGIN")
        assert self.count() == 1

    def count(self) -> int:
        found = self.connection.execute("SELECT count(*) FROM facts")
        return int(found.fetchone()[0])

    def close(self) -> None:
        self.connection.execute("COMMIT")
        self.connection.close()


async def test_a_reader_holding_a_transaction_does_not_block_the_writer(
    store: SqliteStore, path: Path
) -> None:
    """R-06: the reader's snapshot is held open during all appends."""
    await store.append([row(0)])
    reader = Snapshot(path)
    slowest_s = 0.0
    began_s = time.monotonic()
    while time.monotonic() - began_s < 2:
        before_s = time.monotonic()
        await store.append([row(number, size=400) for number in range(20)])
        slowest_s = max(slowest_s, time.monotonic() - before_s)

    assert (reader.count(), slowest_s < 1) == (1, True)
    reader.close()


async def test_the_wal_is_carried_over_while_appends_go_on(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite.store.CHECKPOINT_COMMITS", 50)
    for number in range(500):
        await store.append([row(number, size=3000)])

    assert os.stat(f"{path}-wal").st_size < 3_000_000  # 10 MB without checkpoints


def test_a_full_disk_refuses_and_does_not_poison_later_appends(path: Path) -> None:
    """R-31, with a real SQLITE_FULL: the file may not grow beyond a page count."""
    file = LedgerFile(path, {})
    pages = file.connection.execute("PRAGMA page_count").fetchone()[0]
    file.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    file.append([row(1, key="a")])
    with pytest.raises(OSError, match="disk is full"):
        file.append([row(2, key="b"), row(3, key="c", size=100_000)])
    file.connection.execute("PRAGMA max_page_count = 1000000")
    stored = file.append([row(4, key="a"), row(5, key="c"), row(6, key="b")])
    file.close()

    assert (stored.seqs, stored.are_new) == ((1, 2, 3), (False, True, True))


def test_a_ledger_locked_by_another_program_refuses_and_recovers(path: Path) -> None:
    file = LedgerFile(path, {})
    file.connection.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OSError, match="locked by another program"):
        file.append([row(1)])
    other.execute("ROLLBACK")
    other.close()
    stored = file.append([row(1)])
    file.close()

    assert stored.seqs == (1,)


async def test_rows_of_another_program_are_corruption(
    store: SqliteStore, path: Path
) -> None:
    await store.append([row(1)])
    change(
        "INSERT INTO facts SELECT seq + 1, kind, NULL, bot, account, symbol, wall_ms,"
        " awake_ms, body, chain FROM facts"
    )(path)

    with pytest.raises(StoreCorrupt, match="another program wrote in it"):
        await store.append([row(2)])


async def test_a_disk_that_does_not_answer_is_a_timeout_and_stays_bounded(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite.store.ANSWER_S", 0.05)
    monkeypatch.setattr("adapters.sqlite.store.JOBS_MAX", 3)
    stuck = threading.Event()

    def hang(_: LedgerFile) -> None:
        stuck.wait(10)

    said: list[str] = []
    for _ in range(4):
        with pytest.raises(TimeoutError) as raised:
            await store.ask(hang)
        said.append(str(raised.value).rpartition(": ")[2])
    stuck.set()

    assert said == ["the disk did not answer within 0.05 s"] * 3 + [
        "the disk still does not answer"
    ]


async def test_close_finishes_what_was_asked_before(path: Path) -> None:
    store = await SqliteStore.open(path)
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(store.append, [row(number)])
        await trio.testing.wait_all_tasks_blocked()
        await store.close()

    with Ledger(path) as ledger:
        assert (ledger.last_seq(), store.thread.is_alive()) == (5, False)


async def test_a_closed_store_takes_nothing(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.close()
    await store.close()

    with pytest.raises(trio.ClosedResourceError):
        await store.append([row(1)])


def test_a_store_whose_loop_has_ended_lets_its_thread_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite.store.ANSWER_S", 0.01)
    monkeypatch.setattr("adapters.sqlite.store.GOODBYE_S", 0.01)
    is_over = threading.Event()
    threads: list[threading.Thread] = []

    def hang(_: LedgerFile) -> None:
        is_over.wait(10)

    async def leave_while_the_disk_hangs() -> None:
        store = await SqliteStore.open(path)
        threads.append(store.thread)
        with suppress(TimeoutError):
            await store.ask(hang)
        await store.close()

    trio.run(leave_while_the_disk_hangs)
    is_over.set()
    threads[0].join(5)

    assert not threads[0].is_alive()


Spoil = Callable[[Path], None]


def spoil_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = os.urandom(4096 * 4)
    path.write_bytes(content)


def spoil_header(path: Path) -> None:
    path.write_bytes(b"not a database, " * 1000)


def change(sql: str) -> Spoil:
    def spoil(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.execute(sql)
        connection.commit()
        connection.close()

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_pages, "is damaged"),
        (spoil_header, "is damaged"),
        (change("DELETE FROM facts WHERE seq = 2"), "1 rows are missing"),
        (change("UPDATE facts SET body = 'x' WHERE seq = 2"), "row 2 is not what was"),
        (change("PRAGMA user_version = 99"), "written by a newer Shoal"),
        (change("PRAGMA application_id = 7"), "not a ledger of Shoal"),
    ],
)
def test_a_ledger_that_cannot_be_trusted_is_refused_in_one_line_and_kept(
    path: Path, spoil: Spoil, said: str
) -> None:
    file = LedgerFile(path, {})
    file.append([row(number, size=500) for number in range(50)])
    file.close()
    spoil(path)
    before = path.read_bytes()

    with pytest.raises(StateUnusable, match=said) as refused:
        trio.run(SqliteStore.open, path)
    assert ("\n" in str(refused.value), path.read_bytes() == before) == (False, True)


async def test_facts_of_a_kind_from_a_newer_shoal_are_refused(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.append([row(1), Row("margin_called", None, "", "", "", 1, 2, b"{}")])
    await store.close()

    with pytest.raises(StateUnusable, match=r"'margin_called', written by a newer Shoal"):
        await SqliteStore.open(path)


async def test_somebody_elses_database_is_refused(path: Path) -> None:
    change("CREATE TABLE notes (text TEXT)")(path)

    with pytest.raises(StateUnusable, match="not a ledger of Shoal"):
        await SqliteStore.open(path)


async def test_a_ledger_of_another_mode_is_refused(path: Path) -> None:
    await (await SqliteStore.open(path, identity={"mode": "paper"})).close()

    with pytest.raises(StateUnusable, match="is the ledger of mode paper, not live"):
        await SqliteStore.open(path, identity={"mode": "live"})


async def test_an_account_that_is_in_the_ledger_under_another_name_is_refused(
    path: Path,
) -> None:
    await (await SqliteStore.open(path, identity={"account main": "a"})).close()

    with pytest.raises(
        StateUnusable, match=r"\[accounts.new\] as main: call it main again"
    ):
        await SqliteStore.open(path, identity={"account other": "b", "account new": "a"})
    store = await SqliteStore.open(path, identity={"account main": "a"})
    await store.close()
    assert not {"account new", "account other"} & store.meta.keys()


async def test_a_ledger_that_had_let_an_account_be_renamed_opens_under_either_name(
    path: Path,
) -> None:
    """It did so before: what it holds may be of one, or of the other."""
    both = {"account main": "a", "account new": "a"}
    for identity in (both, {"account main": "a"}, {"account new": "a"}):
        store = await SqliteStore.open(path, identity=identity)
        await store.close()
        assert both.items() <= store.meta.items()


async def test_a_folder_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StateUnusable, match="cannot be used: No such file"):
        await SqliteStore.open(tmp_path / "nowhere" / "ledger.db")
