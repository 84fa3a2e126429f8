"""What SQLite's errors mean to whoever writes the ledger."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Final

from actors.ports_store import StoreCorrupt
from adapters.files import StateUnusable

PRIMARY: Final = 0xFF  # extended result codes keep the primary one in the low byte


def as_os_error(error: sqlite3.Error, path: Path) -> OSError:
    """Return the error as one line about the file, of the kind the port promises."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # the memory that readers share cannot grow
        text = f"{path} cannot be used: the disk is full, or fails ({error})"
        return OSError(errno.ENOSPC, text)
    match code & PRIMARY:
        case sqlite3.SQLITE_FULL:
            return OSError(errno.ENOSPC, f"{path} cannot grow: the disk is full")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return OSError(errno.EBUSY, f"{path} is locked by another program")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_FORMAT:
            return StoreCorrupt(_damaged(path, str(error)))
        case sqlite3.SQLITE_CONSTRAINT:
            return StoreCorrupt(_damaged(path, f"another program wrote in it: {error}"))
        case _:
            return OSError(errno.EIO, f"{path} cannot be used: {error}")


def unusable(error: sqlite3.Error, path: Path) -> StateUnusable:
    """Return why a ledger cannot be opened."""
    said = as_os_error(error, path)
    what = said.strerror or str(said)
    if said.errno == errno.ENOSPC:
        what += "; make room on it"
    return StateUnusable(what)


def damaged(path: Path, what: str) -> StateUnusable:
    """Return that the ledger is damaged: it is kept, and nothing trades on it (D-4)."""
    return StateUnusable(_damaged(path, what))


def _damaged(path: Path, what: str) -> str:
    return (
        f"{path} is damaged ({what}): it is kept as it is and nothing trades on it; "
        "`shoal salvage` puts a new one of what can be read in its place"
    )
