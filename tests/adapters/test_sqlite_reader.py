"""A reader of another process that holds the ledger blocks no commit, no checkpoint (R-06).

SHOAL_READER_S=60 holds it for a minute.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import trio

from actors.ports_store import Row
from adapters.sqlite.store import SqliteStore
from adapters.sqlite.writer import CHECKPOINT_COMMITS

READER_S = float(os.environ.get("SHOAL_READER_S", "2"))
READER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("BEGIN")
db.execute("SELECT count(*) FROM facts").fetchone()
print("held", flush=True)
sys.stdin.read()
"""
FAR_BELOW_A_LOCK_S = 2.0  # SQLite's busy_timeout here is five


def row(number: int) -> Row:
    return Row("bot_paused", f"k{number}", "dawn", "main", "", 1, 1, b"{}")


def test_commits_go_on_while_another_process_reads(tmp_path: Path) -> None:
    path, slowest_s, number = tmp_path / "ledger.db", 0.0, 0

    async def main() -> None:
        nonlocal slowest_s, number
        store = await SqliteStore.open(path)
        await store.append([row(-1)])
        command = [sys.executable, "-c", READER, str(path)]
        with subprocess.Popen(  # noqa: ASYNC220, S603 -- a test that starts one process of its own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as reader:
            assert reader.stdout is not None
            assert reader.stdout.readline() == b"held\n"
            until_s = time.monotonic() + READER_S
            while time.monotonic() < until_s or number <= CHECKPOINT_COMMITS:
                begun_s = time.monotonic()
                await store.append([row(number)])
                slowest_s = max(slowest_s, time.monotonic() - begun_s)
                number += 1
            assert reader.poll() is None
            reader.kill()
        await store.close()

    trio.run(main)
    print(f"{number} commits beside a reader, the slowest {slowest_s * 1000:.1f} ms")  # noqa: T201 -- what -s is for
    assert slowest_s < FAR_BELOW_A_LOCK_S
