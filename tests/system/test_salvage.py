"""A real fleet whose ledger was damaged goes on with what could be read of it (R-31)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from actors.messages import Attempted
from adapters.sqlite.ledger import Ledger
from adapters.state import newest_ledger
from tests.system.processes import (
    PATIENCE_S,
    ROOT,
    disagreements,
    running_sim,
    start_fleet,
    write_live_fleet,
)

PAGE = 4096


def test_after_a_salvage_only_what_was_lost_is_missing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running_sim() as sim:
        file = write_live_fleet(tmp_path, sim, bots=2)
        assert (
            start_fleet(file, "--live", "--for", "3", log=log).wait(timeout=PATIENCE_S) == 0
        )
        path = newest_ledger(tmp_path / "var")
        assert path is not None
        before = attempts(path)
        damage_a_page_of_rows(path)

        assert (
            start_fleet(file, "--live", "--for", "3", log=log).wait(timeout=PATIENCE_S) == 2
        )
        assert "`shoal salvage` puts a new one" in log.read_text()
        said = salvage(file)

        assert (
            start_fleet(file, "--live", "--for", "4", log=log).wait(timeout=PATIENCE_S) == 0
        )
        lost = before - attempts(path)
        assert "unreadable" in said
        assert 0 < len(lost) < len(before)
        left = disagreements(sim, tmp_path / "var", settled_s=0)
        assert {each for each in left if not is_explained(each, lost)} == set()


def is_explained(difference: str, lost: set[str]) -> bool:
    """Tell whether it is about a lost order, or one whose fills alone say that it ended."""
    order_id = difference.partition(" ")[0].strip(":")
    return order_id in lost or difference.endswith("None here, FILLED there")


def attempts(path: Path) -> set[str]:
    with Ledger(path) as ledger:
        facts = [row.fact for row in ledger.rows()]
    return {fact.client_order_id for fact in facts if isinstance(fact, Attempted)}


def damage_a_page_of_rows(path: Path) -> None:
    """Overwrite the page that holds the middle one of the attempts."""
    with Ledger(path) as ledger:
        rows = [row for row in ledger.rows() if isinstance(row.fact, Attempted)]
        middle = rows[len(rows) // 2].seq
        (chain,) = ledger.connection.execute(
            "SELECT chain FROM facts WHERE seq = ?", (middle,)
        ).fetchone()
    content = bytearray(path.read_bytes())
    while (found := content.find(chain)) >= 0:  # a page given up may hold it, too
        begin = found // PAGE * PAGE
        content[begin : begin + PAGE] = b"\x2a" * PAGE
    path.write_bytes(content)


def salvage(file: Path) -> str:
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "actors", "salvage", str(file)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return done.stdout
