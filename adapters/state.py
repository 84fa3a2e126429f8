"""Where a run keeps its ledger, and where the newest one is to be found.

A run in mode "sim" is a new venue and so has a new ledger; paper and live keep one each,
and none is ever shared between modes (S-15).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from adapters.files import prepare_folder, write_private

LEDGER: Final = "ledger.db"
CURRENT: Final = "current"  # names the folder of the newest run


def run_folder(state: Path, mode: str, execution: str) -> Path:
    """Return the folder of this run's ledger, made or found."""
    name = mode
    if mode == "sim":
        name = f"sim-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{execution}"
    return prepare_folder(state / name)


def remember_run(state: Path, folder: Path) -> None:
    """Say that the newest ledger is the one in `folder`."""
    write_private(state / CURRENT, folder.name.encode())


def locks_folder() -> Path:
    """Return where every shoal of this user looks for the locks of accounts."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "shoal"


def newest_ledger(state: Path) -> Path | None:
    """Return the ledger of the newest run, or None when there has been none."""
    try:
        name = (state / CURRENT).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    path = state / Path(name).name / LEDGER
    return path if path.exists() else None
