"""Check that a ledger is whole, and the one we think it is (D-4, I-22, S-15)."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from actors.ports_store import Row
from actors.pure.facts import KINDS
from actors.pure.paper_words import KINDS as PAPER_KINDS
from adapters.files import StateUnusable
from adapters.sqlite.faults import damaged

ACCOUNT: Final = "account "  # begins the names of these rows in a ledger's meta table
CHAINED_ROWS_MAX: Final = 50_000  # checked at each start; the pages of all rows always are

Link = tuple[int, bytes]  # seq of a row, and its hash over itself and all before

KNOWN: Final = KINDS | PAPER_KINDS.keys()  # a paper account keeps its file in the same form
CHAIN_START: Final[Link] = (0, b"")
KINDS_QUERY: Final = """
WITH RECURSIVE found (kind) AS (
    SELECT min(kind) FROM facts
    UNION ALL
    SELECT (SELECT min(kind) FROM facts WHERE facts.kind > found.kind)
    FROM found WHERE found.kind IS NOT NULL
) SELECT kind FROM found WHERE kind IS NOT NULL"""


def link(before: Link, row: Row) -> Link:
    """Return the next row's number and hash."""
    seq = before[0] + 1
    head = (row.kind, row.key, row.bot, row.account, row.symbol, row.wall_ms, row.awake_ms)
    return seq, sha256(before[1] + f"{seq} {head!r}".encode() + row.body).digest()


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StateUnusable unless SQLite finds the file whole."""
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise damaged(path, " ".join(str(said).split())[:120])


def check_rows(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StateUnusable unless numbers have no gap, hashes agree and kinds are known."""
    count, last = connection.execute(
        "SELECT count(*), coalesce(max(seq), 0) FROM facts"
    ).fetchone()
    if count != last:
        raise damaged(path, f"{last - count} rows are missing")
    check_chain(connection, path, after=max(0, last - CHAINED_ROWS_MAX))
    unknown = {kind for (kind,) in connection.execute(KINDS_QUERY)} - KNOWN
    if unknown:
        raise StateUnusable(
            f"{path} holds facts of kind {min(unknown)!r}, written by a newer Shoal:"
            " update Shoal or choose another state"
        )


def check_chain(connection: sqlite3.Connection, path: Path, *, after: int = 0) -> Link:
    """Return the last link, or raise StateUnusable at the first row whose hash is wrong."""
    chain = link_at(connection, after)
    rows = connection.execute(
        "SELECT kind, key, bot, account, symbol, wall_ms, awake_ms, body, chain"
        " FROM facts WHERE seq > ? ORDER BY seq",
        (after,),
    )
    for *head, body, stored in rows:
        chain = link(chain, Row(*head, body=body.encode()))
        if chain[1] != stored:
            raise damaged(path, f"row {chain[0]} is not what was written")
    return chain


def link_at(connection: sqlite3.Connection, seq: int | None = None) -> Link:
    """Return the link of row `seq`, or of the last one."""
    where, values = ("", ()) if seq is None else ("WHERE seq = ?", (seq,))
    query = f"SELECT seq, chain FROM facts {where} ORDER BY seq DESC LIMIT 1"  # noqa: S608 -- no text from outside
    return connection.execute(query, values).fetchone() or CHAIN_START


def identify(
    connection: sqlite3.Connection, path: Path, identity: Mapping[str, str]
) -> dict[str, str]:
    """Return the meta rows, written once; a ledger keeps its epoch and its identity.

    Raises:
      StateUnusable: the ledger belongs to another mode or account, or knows one of the
        accounts by another name.
    """
    _refuse_new_names(connection, path, identity)
    wanted = {"application": "shoal", "epoch": secrets.token_hex(8), **identity}
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", wanted.items())
    connection.execute("COMMIT")
    meta: dict[str, str] = dict(connection.execute("SELECT name, value FROM meta"))
    for name in identity:
        if meta[name] != identity[name]:
            other = _other(name, meta[name], identity[name])
            raise StateUnusable(f"{path} is the ledger of {other}")
    return meta


def _refuse_new_names(
    connection: sqlite3.Connection, path: Path, identity: Mapping[str, str]
) -> None:
    """Raise StateUnusable for an account that is in the ledger under another name.

    Facts are of an account by its name: under a new one nobody would know its positions.
    """
    meta: dict[str, str] = dict(connection.execute("SELECT name, value FROM meta"))
    names = {print_: name for name, print_ in meta.items() if name.startswith(ACCOUNT)}
    for name in identity.keys() - meta.keys():
        was = names.get(identity[name]) if name.startswith(ACCOUNT) else None
        if was is not None:
            new, old = name.removeprefix(ACCOUNT), was.removeprefix(ACCOUNT)
            raise StateUnusable(
                f"{path} knows the account of [accounts.{new}] as {old}: call it {old}"
                f" again; to rename it, flatten it as {old}, then choose another state"
            )


def _other(name: str, found: str, wanted: str) -> str:
    """Return what a ledger is of instead, and what to do: the rest of a sentence."""
    if name.startswith(ACCOUNT):
        return (
            f"another key than {name} has now: put the old key back; to change keys,"
            " flatten the account with the old one, then choose another state"
        )
    return f"{name} {found}, not {wanted}: choose another state"
