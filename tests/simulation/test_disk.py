"""The simulated disk keeps what SQLite keeps, and loses what a power loss loses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
import trio

from actors.ports_store import Row
from tests.simulation.disk import Disk, DiskFault, SimStore
from tests.simulation.network import Owner
from tests.simulation.seeding import run_seeded
from tests.simulation.trace import Trace

T = TypeVar("T")


def row(key: str) -> Row:
    return Row("kind", key, "dawn", "main", "BTC/USDT", 1, 1, b"{}")


def with_disk(
    body: Callable[[Disk, SimStore], Awaitable[T]], *, is_synced: bool = True
) -> T:
    async def main() -> T:
        disk = Disk(1, Trace(), is_synced=is_synced)
        store = SimStore(disk, Owner("p"))
        return await body(disk, store)

    return run_seeded(main, 1)


def test_what_was_acknowledged_survives_a_power_loss() -> None:
    async def body(disk: Disk, store: SimStore) -> int:
        await store.append([row("a"), row("b")])
        disk.process_died(is_power_lost=True)
        return disk.visible

    assert with_disk(body) == 2


def test_without_fsync_a_power_loss_takes_acknowledged_rows() -> None:
    async def body(disk: Disk, store: SimStore) -> int:
        for number in range(20):
            await store.append([row(str(number))])
        disk.process_died(is_power_lost=True)
        return disk.visible

    assert with_disk(body, is_synced=False) < 20


def test_a_key_is_stored_once_and_keeps_its_number() -> None:
    async def body(_disk: Disk, store: SimStore) -> tuple[object, ...]:
        first = await store.append([row("a"), row("b")])
        second = await store.append([row("b"), row("c")])
        return first.seqs, second.seqs, second.are_new

    assert with_disk(body) == ((1, 2), (2, 3), (False, True))


def test_a_full_disk_stores_nothing_and_says_so() -> None:
    async def body(disk: Disk, store: SimStore) -> int:
        disk.begin(DiskFault("disk_full", 0.0, 5.0))
        with pytest.raises(OSError, match="full"):
            await store.append([row("a")])
        await trio.sleep(6)
        await store.append([row("a")])
        return disk.visible

    assert with_disk(body) == 1


def test_a_stuck_disk_may_store_the_rows_later() -> None:
    async def body(disk: Disk, store: SimStore) -> int:
        disk.begin(DiskFault("disk_stuck", 0.0, 1.0))
        with pytest.raises(TimeoutError):
            await store.append([row("a")])
        await trio.sleep(10)
        return disk.visible

    assert with_disk(body) == 1


def test_a_dead_process_writes_nothing() -> None:
    async def main() -> int:
        disk, owner = Disk(1, Trace()), Owner("p")
        store = SimStore(disk, owner)
        owner.is_dead = True
        with pytest.raises(OSError, match="dead"):
            await store.append([row("a")])
        return len(disk.rows)

    assert run_seeded(main, 1) == 0
