"""Which ledger is whose, whatever the owners were when it was begun.

A ledger of real money must not be forgotten because a second owner joined, or the only
other one left: then an owner's ledger is no longer where a new one would be. It is known by
its accounts, which are written in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from adapters.files import StateUnusable
from adapters.sqlite.ledger import Ledger
from adapters.state import default_ledger, found_ledgers

ACCOUNT = "account "  # begins the names of these rows in a ledger's meta table


def ledger_places(folder: Path, prints: Mapping[str, Collection[str]]) -> dict[str, Path]:
    """Return where the ledger of each owner is, or will be.

    `prints` are the fingerprints of each owner's accounts; one owner alone has all.

    Raises:
      StateUnusable: one ledger holds accounts of two owners, or one owner's are in two.
    """
    is_only = len(prints) == 1
    new = {owner: default_ledger(folder, owner, is_only=is_only) for owner in prints}
    held = {path: _prints_in(path, new.values()) for path in found_ledgers(folder)}
    places: dict[str, Path] = {}
    for owner, own in prints.items():
        found = [path for path, there in held.items() if not there.isdisjoint(own)]
        if len(found) > 1:
            raise StateUnusable(
                f"{found[0]} and {found[1]} both hold accounts of {owner or 'one owner'}:"
                " one owner has one ledger, so give an account back to its former owner"
            )
        places[owner] = found[0] if found else new[owner]
    _refuse_shared(places)
    return places


def _prints_in(path: Path, new: Collection[Path]) -> set[str]:
    """Return the accounts in a ledger; one that cannot be read is the one who opens it.

    Raises:
      StateUnusable: it cannot be read, and nobody would open it at this place.
    """
    try:
        with Ledger(path) as ledger:
            meta = ledger.meta()
    except StateUnusable:
        if path in new:
            return set()  # the same will be said when it is opened, of its owner alone
        raise
    return {print_ for name, print_ in meta.items() if name.startswith(ACCOUNT)}


def _refuse_shared(places: Mapping[str, Path]) -> None:
    owners: dict[Path, str] = {}
    for owner, path in places.items():
        if path in owners:
            raise StateUnusable(
                f"{path} holds accounts of {owners[path]} and of {owner}: owners share no"
                " ledger; give these accounts one owner, or choose another state"
            )
        owners[path] = owner
