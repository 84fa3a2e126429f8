"""How long a fact takes from `record` to its durable acknowledgement, beside a bare probe.

The probe does the same work with nothing around it: one table, one index, one INSERT and
one synced COMMIT on the loop itself. Both run interleaved in the same process, because the
machine drifts; figures of one run may be compared, figures of two runs may not.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

import trio

from actors.journal import run_journal
from actors.mailbox import Mailbox
from actors.messages import Attempted, Intended, OrderType, Purpose, Side
from actors.outlets import Outlets
from actors.records import JournalWish, record
from adapters.sqlite.store import SqliteStore
from tests.bench.processes import Pace
from tests.bench.table import Figure, compared, spread

RATES = (100, 1_000)  # records a second, each an Intended and an Attempted
ROUNDS = 4


class Clock:
    """The machine's."""

    def now_ms(self) -> int:
        return int(time.time() * 1000)

    def awake_s(self) -> float:
        return time.monotonic()

    def elapsed_s(self) -> float:
        return time.monotonic()


def intended(number: int) -> tuple[Intended, Attempted]:
    """Return what `orders` records before the first byte leaves."""
    name = f"i-{time.monotonic_ns()}-{number}"
    return (
        Intended(
            bot="dawn",
            account="main",
            exchange="binance",
            symbol="BTC/USDT",
            intent_id=name,
            purpose=Purpose.ENTRY,
            side=Side.BUY,
            order_type=OrderType.MARKET,
            base=Decimal("0.02"),
            price=Decimal("50000.10"),
            limit_price=None,
            stop_price=None,
            strategy="ema_cross",
            notes="Bot: dawn | Signal: BUY",
        ),
        Attempted("dawn", "main", "BTC/USDT", name, 1, f"c-{name}", 1_700_000_000_000),
    )


class Probe:
    """The bare work: two rows and one commit, on the loop."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE rows (seq INTEGER PRIMARY KEY, key TEXT, body)"
        )
        self._connection.execute("CREATE UNIQUE INDEX rows_key ON rows (key)")

    def commit(self, number: int) -> None:
        rows = [(f"{time.monotonic_ns()}-{number}-{each}", "x" * 300) for each in "ab"]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO rows (key, body) VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")

    async def write(self, number: int) -> None:
        self.commit(number)
        await trio.lowlevel.checkpoint()


async def paced(
    write: Callable[[int], Awaitable[object]], rate: int, seconds: float
) -> list[float]:
    """Return the latency of each write in us; a late write counts from when it was due."""
    latencies: list[float] = []

    async def one(number: int, due_s: float) -> None:
        await write(number)
        latencies.append((trio.current_time() - due_s) * 1e6)

    async with trio.open_nursery() as nursery:
        start_s = trio.current_time()
        for number in range(int(rate * seconds)):
            due_s = start_s + number / rate
            await trio.sleep_until(due_s)
            nursery.start_soon(one, number, trio.current_time())
    return latencies


async def measured(rate: int, seconds: float) -> tuple[list[float], list[float]]:
    """Return the latencies of the journal and of the probe, interleaved."""
    ours, bare = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder) / "ledger.db")
        probe = Probe(Path(folder) / "probe.db")
        mailbox: Mailbox[JournalWish] = Mailbox("journal")

        async def durable(number: int) -> None:
            await record(mailbox, *intended(number))

        async with trio.open_nursery() as nursery:
            journal = partial(run_journal, mailbox, store, Outlets(), clock=Clock())
            await nursery.start(journal)
            for _ in range(ROUNDS):
                bare += await paced(probe.write, rate, seconds / ROUNDS)
                ours += await paced(durable, rate, seconds / ROUNDS)
            nursery.cancel_scope.cancel()
        await store.close()
    return ours, bare


def figures(pace: Pace) -> list[Figure]:
    """Measure `record` to its durable acknowledgement."""
    found: list[Figure] = []
    for rate in RATES:
        ours, bare = trio.run(measured, rate, pace.seconds(5))
        name = "durable record (FULL), two facts"
        found.append(compared(name, f"{rate:,} records/s", spread(ours), spread(bare)))
    return found
