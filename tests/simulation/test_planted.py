"""A simulation that finds no planted bug proves nothing: each is found, as what it is."""

from __future__ import annotations

import os

from tests.simulation.gate import SEARCHES, SEEDS_MAX, Found, find_all
from tests.simulation.planted import PLANTS

# As the plan of the simulation and the issue name them.
NAMED = {
    "send_before_journal", "new_id_on_timeout", "blind_resend", "one_not_found_is_failure",
    "no_dedupe", "no_fsync", "not_found_after_2_s", "exits_flip", "stop_not_resized",
    "released_on_unknown", "halt_not_durable", "cancel_assumed_done", "two_incarnations",
    "stale_command",
}  # fmt: skip


def test_every_bug_that_is_named_is_planted_and_looked_for() -> None:
    assert PLANTS.keys() >= NAMED
    assert SEARCHES.keys() == PLANTS.keys()


def test_every_planted_bug_is_found() -> None:
    found = list(find_all(os.cpu_count() or 1))
    assert [each.plant for each in found] == list(PLANTS)
    assert all(0 < each.seed <= SEEDS_MAX for each in found), _table(found)


def _table(found: list[Found]) -> str:
    return "\n".join(each.line() for each in found)
