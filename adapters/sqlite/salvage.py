"""Make a whole ledger out of what can be read of a damaged one (R-31, D-4).

The damaged files are copied into a folder of their own first and never changed. Rows that
can be read are written again, in their order and under the same epoch, so that orders at
the exchange stay ours; what was lost of their lives is booked by the first reconciliation.
A row about an order whose beginning is lost is dropped: nobody could own it.

A salvage that is cut short leaves the old ledger in its place, or the new one whole; one
that the disk has no room for leaves everything as it was.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import attrs

from actors.messages import (
    Acknowledged,
    Attempted,
    Ended,
    Fact,
    Filled,
    Intended,
    LedgerSalvaged,
    OutcomeUnknown,
)
from actors.ports_store import Row
from actors.pure.facts import UnreadableFact, decode, encode, kind_of
from adapters.files import StateUnusable, prepare_folder, sync_folder
from adapters.sqlite.checks import check_chain, check_pages
from adapters.sqlite.faults import as_os_error
from adapters.sqlite.ledger import Ledger
from adapters.sqlite.schema import connect, version_of
from adapters.sqlite.swap import NEW, swap_in
from adapters.sqlite.writer import LedgerFile

ROWS: Final = 500  # asked for at once; a range that cannot be read is asked for in halves
ROW_BYTES_MIN: Final = 64  # of a row and its hash: bounds how many a file can hold
WAL_BYTES: Final = 8_000_000  # of the new ledger, between two times that it is carried over
ROW_QUERY: Final = (
    "SELECT seq, kind, key, bot, account, symbol, wall_ms, awake_ms, body FROM facts"
    " WHERE seq BETWEEN ? AND ? ORDER BY seq"
)


@attrs.frozen
class Salvaged:
    """What became of a damaged ledger."""

    kept: int  # rows in the new one
    lost: int  # numbers in between that cannot be read
    dropped: int  # rows of orders whose beginning is lost
    quarantine: Path


def salvage(path: Path, now_ms: int) -> Salvaged:
    """Put a whole ledger in the place of the damaged one at `path`.

    Raises:
      StateUnusable: it is whole, not even its epoch can be read, or the folder cannot be
        written.
    """
    if _is_whole(path):
        raise StateUnusable(f"{path} is whole: there is nothing to salvage")
    quarantine = _free_name(path)
    building = path.with_name(f"{path.name}.building")
    try:
        _copy(path, quarantine)
        meta, rows, lost = _read(quarantine / path.name)
        kept, dropped = _owned(rows)
        fact = LedgerSalvaged(len(kept), lost, dropped, quarantine.name)
        body, kind = encode(fact), kind_of(LedgerSalvaged)
        kept.append(Row(kind, None, "", "", "", now_ms, 0, body))
        _build(building, meta, kept)
    except OSError as error:
        _remove(building)
        shutil.rmtree(quarantine, ignore_errors=True)
        raise StateUnusable(
            f"{path} cannot be salvaged: {error.strerror}; nothing was changed{_room(path)}"
        ) from error
    try:
        building.replace(path.with_name(f"{path.name}{NEW}"))
        swap_in(path)
    except OSError as error:
        raise StateUnusable(f"{path} cannot be salvaged: {error.strerror}") from error
    return Salvaged(len(kept) - 1, lost, dropped, quarantine)


def _build(building: Path, meta: dict[str, str], rows: Sequence[Row]) -> None:
    """Write a ledger of these rows into one file, and prove that they are all in it.

    Raises:
      OSError: they are not: the disk is full, or gave back something else.
    """
    _remove(building)
    try:
        file = LedgerFile(building, meta)
        try:
            for start in range(0, len(rows), ROWS):
                file.append(rows[start : start + ROWS])
                file.checkpoint()  # a WAL of all rows would take their room twice
        finally:
            file.close()
        with closing(connect(building)) as connection:
            # Closing is silent about what it had no room to carry over; this is not.
            modes = connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            check_pages(connection, building)
            last, _ = check_chain(connection, building)
    except sqlite3.Error as error:
        raise as_os_error(error, building) from error
    except StateUnusable as error:
        raise OSError(errno.EIO, str(error)) from error
    if modes != [("delete",)] or building.with_name(f"{building.name}-wal").exists():
        raise OSError(errno.EIO, f"{building} could not be finished")
    if last != len(rows):
        raise OSError(errno.EIO, f"{building} has {last} of {len(rows)} rows")


def _room(path: Path) -> str:
    """Return how much room is missing for a copy and a new ledger, if that is the fault."""
    files = (path, path.with_name(f"{path.name}-wal"))
    wanted = WAL_BYTES + 2 * sum(file.stat().st_size for file in files if file.exists())
    missing = wanted - shutil.disk_usage(path.parent).free
    return f": free {missing / 1e6:.0f} MB there, then try again" if missing > 0 else ""


def _is_whole(path: Path) -> bool:
    """Tell whether every page, row and hash is as it was written, and can be understood."""
    try:
        with Ledger(path) as ledger:
            rows = ledger.verify()
            return sum(1 for _ in ledger.rows()) == rows
    except StateUnusable:
        return False


def _free_name(path: Path) -> Path:
    """Return a folder beside the ledger that does not exist yet."""
    names = (path.with_name(f"damaged-{number}") for number in range(1, 1000))
    return next(name for name in names if not name.exists())


def _copy(path: Path, folder: Path) -> None:
    """Copy the ledger's files into a new folder."""
    prepare_folder(folder)
    for suffix in ("", "-wal"):
        source = path.with_name(f"{path.name}{suffix}")
        if source.exists():
            shutil.copyfile(source, folder / source.name)
    sync_folder(path.parent)


def _read(path: Path) -> tuple[dict[str, str], list[tuple[int, Row]], int]:
    """Return meta, the readable rows, and how many numbers between them are missing."""
    try:
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA cell_size_check = ON")
            version_of(connection, path)
            meta = dict(connection.execute("SELECT name, value FROM meta"))
            last = path.stat().st_size // ROW_BYTES_MIN + ROWS
            rows = list(_rows(connection, 1, max(last, _told_last(connection))))
    except sqlite3.Error as error:
        raise StateUnusable(
            f"{path}: not even its tables can be read ({error}); 'sqlite3 {path} .recover'"
            " is what is left to try"
        ) from error
    if "epoch" not in meta:
        raise StateUnusable(f"{path} does not tell its epoch: its orders cannot be known")
    return meta, rows, (rows[-1][0] - len(rows) if rows else 0)


def _told_last(connection: sqlite3.Connection) -> int:
    with suppress(sqlite3.Error):
        (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM facts").fetchone()
        return int(last)
    return 0


def _rows(
    connection: sqlite3.Connection, first: int, last: int
) -> Iterator[tuple[int, Row]]:
    """Yield what can be read of a range: whole, else of its halves, down to one row."""
    pending = [
        (start, min(start + ROWS - 1, last)) for start in range(first, last + 1, ROWS)
    ]
    pending.reverse()
    while pending:
        first, last = pending.pop()
        try:
            found = connection.execute(ROW_QUERY, (first, last)).fetchall()
            rows = [(seq, _row(*values)) for seq, *values in found]
        except (sqlite3.Error, UnreadableFact, UnicodeError, TypeError, AttributeError):
            if first < last:
                middle = (first + last) // 2
                pending += [(middle + 1, last), (first, middle)]
            continue
        yield from rows


def _row(
    kind: str,
    key: str | None,
    bot: str,
    account: str,
    symbol: str,
    wall_ms: int,
    awake_ms: int,
    body: str,
) -> Row:
    row = Row(kind, key, bot, account, symbol, wall_ms, awake_ms, body.encode())
    decode(row.kind, row.body)  # what cannot be read now could not be read at the start
    return row


def _owned(rows: Sequence[tuple[int, Row]]) -> tuple[list[Row], int]:
    """Return the rows whose order, if they are about one, has its beginning among them."""
    intents: set[str] = set()
    orders: set[str] = set()
    kept: list[Row] = []
    for _, row in rows:
        fact = decode(row.kind, row.body)
        if _is_owned(fact, intents, orders):
            kept.append(row)
    return kept, len(rows) - len(kept)


def _is_owned(fact: Fact, intents: set[str], orders: set[str]) -> bool:
    match fact:
        case Intended(intent_id=intent_id):
            intents.add(intent_id)
        case Attempted(intent_id=intent_id, client_order_id=order_id):
            if intent_id not in intents:
                return False
            orders.add(order_id)
        case Acknowledged() | OutcomeUnknown() | Filled() | Ended():
            return fact.client_order_id in orders
        case _:
            pass
    return True


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
