"""The ledger in a process that is killed, or whose disk is full (R-06, R-31)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from actors.ports_store import Query
from adapters.sqlite.ledger import Ledger
from adapters.sqlite.store import SqliteStore

ROOT = Path(__file__).parents[2]

WRITER = """
import sys, trio
from pathlib import Path
from actors.ports_store import Row
from adapters.sqlite.store import SqliteStore

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    number = 0
    while True:
        rows = [
            Row("exchange_disconnected", f"k{number + i}", "b", "a", "s", 1, 2,
                b'{"exchange":"binance","reason":"%d"}' % (number + i))
            for i in range(number % 7 + 1)
        ]
        stored = await store.append(rows)
        number += len(rows)
        sys.stdout.write(f"{stored.seqs[-1]}\\n")
        sys.stdout.flush()

trio.run(main)
"""

FULL_DISK = """
import resource, signal, sys, trio
from pathlib import Path
from actors.ports_store import Row
from adapters.sqlite.store import SqliteStore

def row(size):
    body = b'{"exchange":"binance","reason":"%s"}' % (b"x" * size)
    return Row("exchange_disconnected", None, "b", "a", "s", 1, 2, body)

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    await store.append([row(10)])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limit[1]))
    try:
        await store.append([row(1_000_000), row(10)])
    except OSError as error:
        print("refused", type(error).__name__)
    stored = await store.append([row(20)])
    print("went on", stored.seqs)
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    stored = await store.append([row(1_000_000)])
    print("has room again", stored.seqs)
    await store.close()

trio.run(main)
"""


def spawn(script: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 -- ourselves
        [sys.executable, "-c", script, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("after_s", [0.05, 0.21, 0.47])
def test_kill_9_keeps_every_acknowledged_row_and_the_numbers_gapless(
    tmp_path: Path, after_s: float
) -> None:
    path = tmp_path / "ledger.db"
    with spawn(WRITER, path) as child:
        assert child.stdout
        first = child.stdout.readline()
        time.sleep(after_s)
        child.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in (first + child.stdout.read()).split()]

    with Ledger(path) as ledger:
        kept = [row.seq for row in ledger.rows()]
        assert ledger.verify() == len(kept)
    assert kept == list(range(1, len(kept) + 1))
    assert kept[-1] >= acknowledged[-1] > 1


async def test_a_killed_writers_ledger_is_opened_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with spawn(WRITER, path) as child:
        assert child.stdout
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
    store = await SqliteStore.open(path)
    last, rows = await store.read(Query(["exchange_disconnected"]))
    await store.close()

    assert len(rows) == last > 0


def test_a_full_disk_refuses_one_append_and_takes_the_next(tmp_path: Path) -> None:
    with spawn(FULL_DISK, tmp_path / "ledger.db") as child:
        said, _ = child.communicate(timeout=30)

    assert said.splitlines() == [
        "refused OSError",
        "went on (2,)",
        "has room again (3,)",
    ]
