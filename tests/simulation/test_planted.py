"""A simulation that finds no planted bug proves nothing: each is found, as what it is.

Nor does one that finds it where it is not: without the bug the same schedule is clean.
"""

from __future__ import annotations

import os
import re
from inspect import Parameter, signature
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest

from tests.simulation import gate
from tests.simulation.gate import SEARCHES, SEEDS_MAX, Found, find_again, find_all
from tests.simulation.planted import PLANTS
from tests.simulation.schedule import Schedule

KEYWORD_ONLY = Parameter.KEYWORD_ONLY
POSITIONAL_OR_KEYWORD = Parameter.POSITIONAL_OR_KEYWORD
DOCS = Path(__file__).parents[2] / "docs/reliability.md"

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


def test_what_is_planted_takes_what_it_replaces_takes() -> None:
    """Else every call of it would raise, and the bug would only be a crash."""
    patches = [each for several in PLANTS.values() for each in several]
    odd = [name for place, name, instead in patches if not _fits(place, name, instead)]
    assert odd == []


def _fits(place: Any, name: str, instead: Any) -> bool:
    original = getattr(place, name)
    if not isinstance(original, FunctionType):
        return True
    given = signature(original).parameters.values()
    named = {each.name: None for each in given if each.kind is KEYWORD_ONLY}
    rest = [each for each in given if each.kind is POSITIONAL_OR_KEYWORD]
    try:
        signature(instead).bind(*rest, **named)
    except TypeError:
        return False
    return True


def test_the_table_of_the_docs_is_that_of_the_gate() -> None:
    row = re.compile(r"^\|[^|]+\| `(\w+)` \| (\d+) \| (I-\d+) \|$", re.MULTILINE)
    rows = {name: (int(seed), kind) for name, seed, kind in row.findall(DOCS.read_text())}
    assert {name: seed for name, (seed, _) in rows.items()} == {
        name: search.seed for name, search in SEARCHES.items()
    }
    assert all(kind in SEARCHES[name].invariants for name, (_, kind) in rows.items())


def test_every_planted_bug_is_found_and_nothing_without_it() -> None:
    found = list(find_all(os.cpu_count() or 1, find_again))
    assert [each.plant for each in found] == list(PLANTS)
    assert all(0 < each.seed <= SEEDS_MAX for each in found), _table(found)
    assert not any(each.false_alarm for each in found), _table(found)


def test_a_seed_that_breaks_something_without_the_bug_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "simulate", _always_twice)
    alarm = f"seed {SEARCHES['blind_resend'].seed}: I-1: 7 leaves twice"
    assert find_again("blind_resend") == Found("blind_resend", 0, "", alarm)


def test_a_bug_is_not_found_as_an_invariant_whose_name_begins_alike() -> None:
    search = SEARCHES["blind_resend"]
    assert search.told_in(["I-10: 7 filled after rejected", "I-1: 7 leaves twice"]) == (
        "I-1: 7 leaves twice"
    )
    assert search.told_in(["I-10: 7 filled after rejected"]) == ""


def _always_twice(_schedule: Schedule) -> SimpleNamespace:
    return SimpleNamespace(violations=["I-1: 7 leaves twice"])


def _table(found: list[Found]) -> str:
    return "\n".join(each.line() for each in found)
