"""What the check of a chain says of rows whose numbers, hashes or times are wrong."""

from __future__ import annotations

import attrs

from actors.ports_store import Row
from adapters.sqlite.checks import CHAIN_START, link
from tests.simulation.chain import chain_violations
from tests.simulation.clocks import Step
from tests.simulation.disk import DiskRow

UNIX_MS = 1_790_000_000_000


def ledger(*times_ms: tuple[int, int]) -> list[DiskRow]:
    """Return rows stamped by wall clock, after `UNIX_MS`, and by the waking one."""
    chain, rows = CHAIN_START, list[DiskRow]()
    for wall_ms, awake_ms in times_ms:
        row = Row("told", None, "dawn", "main", "", UNIX_MS + wall_ms, awake_ms, b"[]")
        chain = link(chain, row)
        rows.append(DiskRow(row, chain, 0))
    return rows


def judged(rows: list[DiskRow], *steps: Step) -> list[str]:
    return [each.partition(":")[0] for each in chain_violations(rows, steps)]


def test_times_that_go_on_or_stand_still_are_not_blamed() -> None:
    assert judged(ledger((0, 1000), (500, 1500), (500, 1500), (900, 1900))) == []


def test_a_time_that_goes_back_is_seen() -> None:
    assert judged(ledger((0, 1000), (500, 1500), (499, 1600))) == ["I-22"]


def test_a_time_that_goes_back_where_the_clock_was_stepped_is_not_blamed() -> None:
    rows = ledger((0, 1000), (500, 1500), (-3000, 2000), (-2000, 3000))
    assert judged(rows, Step(1.7, -4000)) == []
    assert judged(rows, Step(1.7, -4000), Step(1.8, 60_000), Step(2.5, 1000)) == []


def test_a_step_at_another_time_or_a_smaller_one_excuses_nothing() -> None:
    rows = ledger((0, 1000), (500, 1500), (-3000, 2000))
    assert judged(rows, Step(0.5, -4000)) == ["I-22"]
    assert judged(rows, Step(2.5, -4000)) == ["I-22"]
    assert judged(rows, Step(1.7, -300)) == ["I-22"]
    assert judged(rows, Step(1.7, 4000)) == ["I-22"]


def test_a_row_that_was_changed_taken_out_or_moved_is_seen() -> None:
    rows = ledger((0, 1000), (500, 1500), (900, 1900))
    changed = attrs.evolve(rows[1], row=attrs.evolve(rows[1].row, bot="dusk"))
    assert judged([rows[0], changed, rows[2]]) == ["I-22"]
    assert judged([rows[0], rows[2]]) == ["I-22"]
