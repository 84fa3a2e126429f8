"""What a life of `orders` costs to begin on a long ledger: seconds, memory, others' waits.

The ledger holds round trips of a bot, bought and sold at the market, ten facts each, and
between them nine times as many samples of prices, as a bot that trades now and then has.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import attrs
import trio

from actors.journal import run_journal
from actors.mailbox import Mailbox
from actors.messages import (
    Acknowledged,
    Ended,
    Fact,
    Filled,
    OrderStatus,
    PriceUpdated,
    Purpose,
    Side,
    Told,
)
from actors.orders import READS
from actors.outlets import Outlets, Reader
from actors.ports_store import Row
from actors.pure.facts import encode, kind_of
from actors.pure.order_gate import Gate
from actors.records import JournalWish, fold
from adapters.sqlite.store import SqliteStore
from tests.bench.journal_latency import Clock, intended
from tests.bench.processes import Pace
from tests.bench.table import Figure
from tests.memory import resident

ORDERS = 20_000
SAMPLES = 9  # of prices, for each fact of an order
AT_ONCE = 50  # round trips written in one commit
BETWEEN_S = 0.01  # two commits, while the life begins


def _order(number: int, side: Side) -> Iterator[Fact]:
    """Return the life of one order that is filled at once."""
    begun, attempted = intended(number)
    purpose = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
    yield attrs.evolve(begun, side=side, purpose=purpose)
    yield attempted
    order_id, where = attempted.client_order_id, ("dawn", "main")
    yield Acknowledged(*where, "BTC/USDT", order_id, str(number))
    yield Filled(
        *where,
        "binance",
        "BTC/USDT",
        order_id,
        f"t{number}{side.value}",
        side,
        begun.price,
        begun.base,
        Decimal("0.99"),
        "USDT",
        False,
        attempted.attempt_ms,
    )
    yield Ended(*where, "BTC/USDT", order_id, OrderStatus.FILLED, begun.base)


def _row(fact: Fact) -> Row:
    account = getattr(fact, "account", "")
    return Row(kind_of(type(fact)), None, "dawn", account, "BTC/USDT", 0, 0, encode(fact))


PRICE = Decimal("64251.01")
SAMPLE = _row(PriceUpdated("dawn", "BTC/USDT", PRICE, PRICE, PRICE, PRICE, 0, "binance"))


async def _write(store: SqliteStore, orders: int) -> None:
    for first in range(0, orders // 2, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, orders // 2))
        facts = (fact for n in numbers for side in Side for fact in _order(n, side))
        rows = ((_row(fact), *[SAMPLE] * SAMPLES) for fact in facts)
        await store.append([row for some in rows for row in some])


async def _commit(store: SqliteStore, waits_s: list[float]) -> None:
    """Commit a row now and then, as an order that cannot wait does."""
    while True:
        begun_s = time.perf_counter()
        await store.append([SAMPLE])
        waits_s.append(time.perf_counter() - begun_s)
        await trio.sleep(BETWEEN_S)


@attrs.frozen
class Begun:
    """What the beginning of a life took."""

    took_s: float
    rows: int
    more: int  # bytes that the process has afterwards
    waits_s: list[float]  # of each commit meanwhile


async def _recalled(orders: int) -> Begun:
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder) / "ledger.db")
        await _write(store, orders)
        journal = Mailbox[JournalWish]("journal")
        reader = Reader("orders:main", Mailbox[Told]("orders:main"), READS, account="main")
        run = partial(run_journal, journal, store, Outlets([reader]), clock=Clock())
        async with trio.open_nursery() as nursery:
            await nursery.start(run)
            waits_s: list[float] = []
            before, begun_s = resident(), time.perf_counter()
            nursery.start_soon(_commit, store, waits_s)
            replay = await fold(journal, "orders:main", Gate().apply)
            took_s = time.perf_counter() - begun_s
            more = resident() - before
            nursery.cancel_scope.cancel()
        await store.close()
    return Begun(took_s, replay.seq, more, waits_s)


def figures(pace: Pace) -> list[Figure]:
    """Measure the beginning of a life on a ledger with many orders."""
    orders = 2_000 if pace.is_smoke else ORDERS
    begun = trio.run(_recalled, orders)
    rate = f"{orders:,} orders, {begun.rows:,} rows"
    longest_ms = 1000 * max(begun.waits_s)
    return [
        Figure("recall of `orders` at a start", rate, f"{begun.took_s:.1f} s"),
        Figure("memory that it takes", rate, f"{begun.more / 2**20:.0f} MB"),
        Figure("longest commit meanwhile", rate, f"{longest_ms:.0f} ms"),
    ]
