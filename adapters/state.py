"""Where a run keeps its ledger, and where the newest one is to be found.

A run in mode "sim" is a new venue and so has a new ledger; paper and live keep one each,
and none is ever shared between modes (S-15), or between owners.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from adapters.files import StateUnusable, prepare_folder, write_private

LEDGER: Final = "ledger.db"
CURRENT: Final = "current"  # names the folder of the newest run
HOUSE: Final = "house"  # folder of what is no single owner's, where there are several
OWNERS: Final = "owners"  # folder of their folders


def run_folder(state: Path, mode: str, execution: str) -> Path:
    """Return the folder of this run's ledger, made or found."""
    name = mode
    if mode == "sim":
        name = f"sim-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{execution}"
    return prepare_folder(state / name)


def emergency_path(ledger: Path, account: str) -> Path:
    """Return the emergency file of one account, beside its ledger."""
    return ledger.with_name(f"emergency-{account}")


def default_ledger(folder: Path, owner: str, *, is_only: bool) -> Path:
    """Return where a new ledger lies: of the house ("") or of one of several owners."""
    if is_only:
        return folder / LEDGER
    return folder / (f"{OWNERS}/{owner}" if owner else HOUSE) / LEDGER


def found_ledgers(folder: Path) -> Sequence[Path]:
    """Return every ledger that an owner has in the folder of a mode."""
    return [
        path
        for path in (folder / LEDGER, *sorted(folder.glob(f"{OWNERS}/*/{LEDGER}")))
        if path.exists()
    ]


def remember_run(
    state: Path, folder: Path, ledgers: Mapping[str, Path] | None = None
) -> None:
    """Say that the newest run is the one in `folder`, and whose ledger is where.

    The folder's name is the first line. Unless its only ledger lies there, a line follows
    for each: its owner, "" for the house, and its path in the folder. What is there
    already is not written anew: a full disk keeps nobody from going on.

    Raises:
      StateUnusable: it cannot be written.
    """
    lines = [folder.name]
    if ledgers and ledgers != {"": folder / LEDGER}:
        lines += [f"{name}\t{path.relative_to(folder)}" for name, path in ledgers.items()]
    path, content = state / CURRENT, "\n".join(lines).encode()
    try:
        if not path.exists() or path.read_bytes() != content:
            write_private(path, content)
    except OSError as error:
        raise StateUnusable(f"{path} cannot be written: {error.strerror}") from error


def locks_folder() -> Path:
    """Return where every shoal of this user looks for the locks of accounts."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "shoal"


def limits_file(exchange: str, place: str) -> Path:
    """Return where every shoal of this user remembers what it asked of one venue.

    `place` is "" for the venue itself, whichever of its hosts is meant.

    Raises:
      StateUnusable: there is no such place.
    """
    name = f"{exchange}-{quote(place, safe='')[:100]}.limits"
    return prepare_folder(locks_folder()) / name


def nonce_file(exchange: str, account: str) -> Path:
    """Return where the highest nonce of an account's key is remembered (R-30).

    Raises:
      StateUnusable: there is no such place.
    """
    return prepare_folder(locks_folder()) / f"{exchange}-{account}.nonce"


def newest_ledgers(state: Path) -> dict[str, Path]:
    """Return the ledgers of the newest run by owner, "" first; {} when there are none."""
    try:
        name, *lines = (state / CURRENT).read_text("utf-8").strip().split("\n")
    except (OSError, UnicodeDecodeError):
        return {}
    folder = state / Path(name).name
    named = [line.partition("\t") for line in lines] or [("", "\t", LEDGER)]
    ledgers = {owner: folder / path for owner, _, path in named}
    return {owner: path for owner, path in ledgers.items() if path.exists()}


def newest_ledger(state: Path) -> Path | None:
    """Return the ledger of the newest run, of several the house's; None for none."""
    return next(iter(newest_ledgers(state).values()), None)
