"""Which orders want a person: nobody has said for long what became of them (R-02)."""

from __future__ import annotations

import pytest

from actors.messages import Acknowledged, Fact, OutcomeUnknown
from actors.pure.books import Books
from actors.pure.unsettled import long_unknown
from tests.words import SYMBOL, attempted, intended

UNKNOWN = OutcomeUnknown("dawn", "main", SYMBOL, "c1", "time-out")
OPEN = Acknowledged("dawn", "main", SYMBOL, "c1", "v1")


@pytest.mark.parametrize(
    ("then", "age_s", "is_long"),
    [
        ([UNKNOWN], 30, False),
        ([UNKNOWN], 31, True),
        ([], 60, False),
        ([], 61, True),  # its sender never said a word
        ([OPEN], 3600, False),
    ],
)
def test_an_order_that_nobody_speaks_of_wants_a_person(
    then: list[Fact], age_s: int, is_long: bool
) -> None:
    books = Books()
    for fact in (intended(), attempted(attempt_ms=0), *then):
        books.apply(fact)
    assert bool(long_unknown(books, age_s * 1000)) is is_long
