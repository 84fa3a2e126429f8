"""What is said of the disk under the ledger: bad at once, good after a while (D-2)."""

from __future__ import annotations

import pytest

from actors.messages import LedgerState
from actors.pure.ledger_health import LedgerHealth

MB = 1_000_000


def test_all_is_well_before_anything_was_seen() -> None:
    assert LedgerHealth().state(0.0) == LedgerState()


def test_a_refusal_counts_at_once_and_exits_need_not_ask() -> None:
    health = LedgerHealth()
    health.refused("the disk is full", 10.0)
    state = health.state(10.0)
    assert state == LedgerState("the ledger refuses: the disk is full", takes_rows=False)


def test_rows_taken_end_it_only_after_a_while() -> None:
    health = LedgerHealth()
    health.refused("full", 10.0)
    health.took()
    assert [bool(health.state(at_s).safe_because) for at_s in (10.1, 12.9, 13.1)] == [
        True,
        True,
        False,
    ]


def test_time_alone_ends_no_refusal() -> None:
    health = LedgerHealth()
    health.refused("full", 10.0)
    assert health.state(1000.0).safe_because


def test_a_commit_that_takes_long_is_a_disk_that_does_not_answer() -> None:
    health = LedgerHealth(busy_since_s=10.0)
    assert health.state(10.9) == LedgerState()
    assert health.state(11.1) == LedgerState("the disk does not answer", takes_rows=False)


@pytest.mark.parametrize(
    ("free_mb", "is_low", "is_short"),
    [
        (201, False, False),
        (199, True, False),
        (51, True, False),
        (49, True, True),
        (59, True, True),  # so much is not yet more than before
        (61, True, False),
        (239, True, False),
        (241, False, False),
    ],
)
def test_room_is_judged_with_a_margin(
    free_mb: int, *, is_low: bool, is_short: bool
) -> None:
    seen = LedgerHealth()
    for each in SEQUENCE[: SEQUENCE.index(free_mb) + 1]:
        seen.saw(each * MB)
    assert (seen.is_low, seen.is_short) == (is_low, is_short)


SEQUENCE = [201, 199, 51, 49, 59, 61, 239, 241]


def test_too_little_room_is_safe_mode_and_the_ledger_still_takes_rows() -> None:
    health = LedgerHealth()
    health.saw(12 * MB)
    said = "12 MB are free where the ledger is, below 50 MB"
    assert health.state(0.0) == LedgerState(said)
