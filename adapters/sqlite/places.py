"""Which ledger is whose, whatever the owners were when it was begun.

A ledger of real money must not be forgotten because a second owner joined, or the only
other one left: then an owner's ledger is no longer where a new one would be. It is known by
its accounts, which are written in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from adapters.files import StateUnusable
from adapters.sqlite.checks import ACCOUNT
from adapters.sqlite.ledger import Ledger
from adapters.state import default_ledger, found_ledgers

Prints = Mapping[str, str]  # of accounts: the fingerprint of each, by its name


def ledger_places(folder: Path, prints: Mapping[str, Prints]) -> dict[str, Path]:
    """Return where the ledger of each owner is, or will be.

    `prints` are the fingerprints of each owner's accounts; one owner alone has all.

    Raises:
      StateUnusable: one ledger holds accounts of two owners, or one owner's are in two.
    """
    is_only = len(prints) == 1
    new = {owner: default_ledger(folder, owner, is_only=is_only) for owner in prints}
    held = {path: _prints_in(path, new.values()) for path in found_ledgers(folder)}
    known = {print_ for own in prints.values() for print_ in own.values()}
    places: dict[str, Path] = {}
    for owner, own in prints.items():
        found = [path for path, there in held.items() if _are_shared(there, own)]
        found = found or [
            path for path, there in held.items() if _has_new_key(there, own, known)
        ]
        if len(found) > 1:
            raise StateUnusable(
                f"{found[0]} and {found[1]} both hold accounts of {owner or 'one owner'}:"
                " one owner has one ledger, so give an account back to its former owner"
            )
        places[owner] = found[0] if found else new[owner]
    _refuse_shared(places)
    return places


def _are_shared(there: Prints, own: Prints) -> bool:
    return not set(there.values()).isdisjoint(own.values())


def _has_new_key(there: Prints, own: Prints, known: Collection[str]) -> bool:
    """Tell of a ledger with an account of this name whose key nobody has any more."""
    return any(name in own and print_ not in known for name, print_ in there.items())


def _prints_in(path: Path, new: Collection[Path]) -> Prints:
    """Return the accounts in a ledger; one that cannot be read is the one who opens it.

    Raises:
      StateUnusable: it cannot be read, and nobody would open it at this place.
    """
    try:
        with Ledger(path) as ledger:
            meta = ledger.meta()
    except StateUnusable:
        if path in new:
            return {}  # the same will be said when it is opened, of its owner alone
        raise
    accounts = (each for each in meta.items() if each[0].startswith(ACCOUNT))
    return {name.removeprefix(ACCOUNT): print_ for name, print_ in accounts}


def _refuse_shared(places: Mapping[str, Path]) -> None:
    owners: dict[Path, str] = {}
    for owner, path in places.items():
        if path in owners:
            raise StateUnusable(
                f"{path} holds accounts of {owners[path]} and of {owner}: owners share no"
                " ledger; give these accounts one owner, or choose another state"
            )
        owners[path] = owner
