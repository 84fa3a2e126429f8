"""What a life of `orders` costs to begin on a long ledger: seconds, and memory on top.

The ledger holds round trips of a bot, bought and sold at the market, ten facts each.
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

ORDERS = 100_000
AT_ONCE = 500  # round trips written in one commit


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
    return Row(kind_of(type(fact)), None, "dawn", "main", "BTC/USDT", 0, 0, encode(fact))


async def _write(store: SqliteStore, orders: int) -> None:
    for first in range(0, orders // 2, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, orders // 2))
        facts = (fact for n in numbers for side in Side for fact in _order(n, side))
        await store.append([_row(fact) for fact in facts])


async def _recalled(orders: int) -> tuple[float, int, int]:
    """Return seconds, facts, and bytes that the process has more afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder) / "ledger.db")
        await _write(store, orders)
        journal = Mailbox[JournalWish]("journal")
        reader = Reader("orders:main", Mailbox[Told]("orders:main"), READS, account="main")
        run = partial(run_journal, journal, store, Outlets([reader]), clock=Clock())
        async with trio.open_nursery() as nursery:
            await nursery.start(run)
            before, begun_s = resident(), time.perf_counter()
            replay = await fold(journal, "orders:main", Gate().apply)
            took_s = time.perf_counter() - begun_s
            more = resident() - before
            nursery.cancel_scope.cancel()
        await store.close()
    return took_s, replay.seq, more


def figures(pace: Pace) -> list[Figure]:
    """Measure the beginning of a life on a ledger with many orders."""
    orders = 2_000 if pace.is_smoke else ORDERS
    took_s, facts, more = trio.run(_recalled, orders)
    rate = f"{orders:,} orders, {facts:,} facts"
    return [
        Figure("recall of `orders` at a start", rate, f"{took_s:.1f} s"),
        Figure("memory that it takes", rate, f"{more / 2**20:.0f} MB"),
    ]
