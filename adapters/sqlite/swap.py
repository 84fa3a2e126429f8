"""Put a salvaged ledger in the place of the damaged one, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from adapters.files import sync_folder

NEW: Final = ".salvaged"  # a whole ledger that waits to take its place


def swap_in(path: Path) -> None:
    """Let the salvaged ledger beside `path` take its place, if there is one.

    The old WAL goes first: SQLite would play it into the new file. Cut short in between,
    the salvaged ledger still waits, so whoever opens `path` next goes on from here.
    """
    new = path.with_name(f"{path.name}{NEW}")
    if not new.exists():
        return
    sync_folder(path.parent)
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    sync_folder(path.parent)
    new.replace(path)
    sync_folder(path.parent)
