"""The local order book: bridging a snapshot, gaps, and what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages import BookDelta, BookSnapshot
from actors.pure.book import BUFFER_MAX, Book, BookStep

Levels = tuple[tuple[Decimal, Decimal], ...]


def levels(*pairs: tuple[int, int]) -> Levels:
    return tuple((Decimal(price), Decimal(base)) for price, base in pairs)


def delta(first_id: int, last_id: int, bids: Levels = (), asks: Levels = ()) -> BookDelta:
    return BookDelta("binance", "BTC/USDT", first_id, last_id, bids, asks, 0)


def snapshot(last_id: int, bids: Levels = (), asks: Levels = ()) -> BookSnapshot:
    return BookSnapshot("binance", "BTC/USDT", last_id, bids, asks, 0.0)


def book() -> Book:
    return Book("binance", "BTC/USDT")


def test_a_snapshot_that_ends_where_the_first_change_begins_bridges() -> None:
    """WIRE 2.5: nine of ten recorded snapshots end exactly at a change's last id."""
    here = book()
    here.apply(delta(11, 15, bids=levels((100, 2))))
    step = here.load(snapshot(10, bids=levels((99, 1))))
    assert (step, here.last_id, here.is_bridged) == (BookStep.APPLIED, 15, True)


def test_a_snapshot_strictly_inside_a_change_bridges() -> None:
    here = book()
    here.apply(delta(5, 9))
    here.apply(delta(10, 15, bids=levels((100, 2))))
    step = here.load(snapshot(12, bids=levels((100, 1), (99, 1))))
    assert step is BookStep.APPLIED
    assert here.best(5, 0.0).bids == levels((100, 2), (99, 1))


def test_changes_that_the_snapshot_holds_are_dropped() -> None:
    here = book()
    here.apply(delta(5, 9, bids=levels((100, 7))))
    here.load(snapshot(9, bids=levels((100, 1))))
    assert here.best(5, 0.0).bids == levels((100, 1))


def test_a_snapshot_older_than_the_first_change_is_refused_and_the_changes_are_kept() -> (
    None
):
    here = book()
    here.apply(delta(11, 15))
    assert here.load(snapshot(9)) is BookStep.GAP
    assert here.load(snapshot(12)) is BookStep.APPLIED


def test_a_gap_unsyncs_the_book_until_another_snapshot_bridges() -> None:
    here = book()
    here.load(snapshot(10))
    here.apply(delta(11, 12))
    assert here.apply(delta(14, 15)) is BookStep.GAP
    assert (here.is_synced, here.gaps) == (False, 1)
    assert here.apply(delta(16, 17)) is BookStep.BUFFERED
    assert here.load(snapshot(14)) is BookStep.APPLIED
    assert here.last_id == 17


def test_a_gap_among_the_buffered_changes_keeps_all_that_follow_it() -> None:
    here = book()
    for first, last in ((11, 12), (14, 15), (16, 17)):
        here.apply(delta(first, last))
    assert here.load(snapshot(10)) is BookStep.GAP
    assert here.load(snapshot(14)) is BookStep.APPLIED
    assert here.last_id == 17


def test_a_change_told_again_changes_nothing() -> None:
    here = book()
    here.load(snapshot(10))
    here.apply(delta(11, 12, bids=levels((100, 1))))
    here.apply(delta(13, 13, bids=levels((100, 5))))
    assert here.apply(delta(11, 12, bids=levels((100, 1)))) is BookStep.OLD
    assert here.best(1, 0.0).bids == levels((100, 5))


def test_removing_an_unknown_level_is_normal() -> None:
    here = book()
    here.load(snapshot(10, bids=levels((100, 1))))
    assert here.apply(delta(11, 11, bids=levels((90, 0)))) is BookStep.APPLIED
    assert here.best(5, 0.0).bids == levels((100, 1))


def test_the_best_levels_come_first_on_both_sides() -> None:
    here = book()
    bids, asks = levels((98, 1), (100, 1), (99, 1)), levels((103, 1), (101, 1), (102, 1))
    here.load(snapshot(10, bids, asks))
    best = here.best(2, 1.5)
    assert best.bids == levels((100, 1), (99, 1))
    assert best.asks == levels((101, 1), (102, 1))
    assert (best.last_id, best.received_s) == (10, 1.5)


def test_an_empty_level_of_a_snapshot_is_no_level() -> None:
    here = book()
    here.load(snapshot(10, bids=levels((100, 0), (99, 1))))
    assert here.best(5, 0.0).bids == levels((99, 1))


def test_changes_that_no_snapshot_comes_for_are_dropped_oldest_first_and_counted() -> None:
    here = book()
    for number in range(1, BUFFER_MAX + 4):
        here.apply(delta(number, number))
    assert (len(here.buffer), here.dropped, here.buffer[0].first_id) == (BUFFER_MAX, 3, 4)


@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), max_size=3),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_wherever_the_snapshot_falls_the_book_ends_the_same(
    changes: Sequence[Sequence[tuple[int, int]]], data: st.DataObject
) -> None:
    """Each change spans two ids; a snapshot may fall between them or inside one."""
    whole = book()
    whole.load(snapshot(0))
    deltas = [
        delta(2 * n + 1, 2 * n + 2, bids=levels(*pairs)) for n, pairs in enumerate(changes)
    ]
    at = data.draw(st.integers(0, len(deltas)))
    is_inside = at < len(deltas) and data.draw(st.booleans())
    for each in deltas[:at]:
        whole.apply(each)
    begun = whole.best(99, 0.0)
    late = book()
    for each in deltas:
        late.apply(each)
    last_id = 2 * at + 1 if is_inside else 2 * at  # what is inside is not in `begun` yet
    assert late.load(snapshot(last_id, begun.bids)) is BookStep.APPLIED
    for each in deltas[at:]:
        whole.apply(each)
    assert late.best(99, 0.0).bids == whole.best(99, 0.0).bids


@pytest.mark.parametrize("last_id", [10, 11, 12])
def test_a_snapshot_without_any_change_yet_waits_for_one_that_fits(last_id: int) -> None:
    here = book()
    here.load(snapshot(last_id))
    assert here.apply(delta(11, 13)) is BookStep.APPLIED
