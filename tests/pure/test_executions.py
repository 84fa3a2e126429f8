"""In which parts of the past executions are looked for: the nearest first."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actors.pure.executions import STRETCH_MS, stretches

DAY_MS = 86_400_000


def test_a_young_order_is_looked_for_since_it_was_placed() -> None:
    assert list(stretches(0, 0, 5_000)) == [0]
    assert list(stretches(0, 4_000, 5_000)) == [4_000, 0]


def test_an_old_one_in_ever_longer_stretches() -> None:
    ago_ms = [DAY_MS - since_ms for since_ms in stretches(0, 0, DAY_MS)]
    assert ago_ms == [STRETCH_MS, 8 * STRETCH_MS, 64 * STRETCH_MS, DAY_MS]


@given(st.integers(0, DAY_MS * 400), st.integers(0, DAY_MS * 400))
def test_they_go_back_and_end_where_it_was_placed(moved_ms: int, now_ms: int) -> None:
    found = list(stretches(0, moved_ms, now_ms))
    assert found[-1] == 0
    assert all(later > earlier for later, earlier in pairwise(found))
    assert len(found) < 12
