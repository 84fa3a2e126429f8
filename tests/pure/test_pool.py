"""Subscriptions on the fewest connections; nobody moves without need."""

from __future__ import annotations

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from actors.pure.pool import emptied, spread

NAMES = st.sets(st.integers(0, 60).map(str), max_size=60)
STEPS = st.lists(NAMES, min_size=1, max_size=12)


def walk(steps: list[set[str]], subscriptions_max: int) -> dict[int, set[str]]:
    """Follow a changing demand as the pool does, without ever merging."""
    shares: dict[int, set[str]] = {}
    for wanted in steps:
        shares = spread(wanted, shares, subscriptions_max=subscriptions_max)
        shares = {number: share for number, share in shares.items() if share}
    return shares


def test_the_first_connection_is_filled_before_another_opens() -> None:
    assert spread("abcde", {}, subscriptions_max=2) == {
        1: {"a", "b"},
        2: {"c", "d"},
        3: {"e"},
    }


def test_what_is_new_goes_to_the_fullest_with_room() -> None:
    carried = {1: {"a"}, 2: {"b", "c"}, 3: {"d", "e", "f"}}
    shares = spread("abcdefg", carried, subscriptions_max=3)
    assert shares == {1: {"a"}, 2: {"b", "c", "g"}, 3: {"d", "e", "f"}}


def test_a_connection_that_nobody_needs_is_left_empty() -> None:
    assert spread("a", {1: {"a"}, 2: {"b"}}, subscriptions_max=1) == {1: {"a"}, 2: set()}


def test_the_emptiest_moves_to_where_there_is_room() -> None:
    shares = {1: {"a", "b"}, 2: {"c", "d", "e"}, 3: {"f"}}
    assert emptied(shares, subscriptions_max=3) == (3, {1: {"f"}})


def test_a_full_pool_is_left_alone() -> None:
    assert emptied({1: {"a", "b"}, 2: {"c"}}, subscriptions_max=2) is None


@given(STEPS, st.integers(1, 9))
def test_each_is_carried_once_and_no_connection_is_over_its_limit(
    steps: list[set[str]], subscriptions_max: int
) -> None:
    shares = walk(steps, subscriptions_max)
    carried = sorted(each for share in shares.values() for each in share)
    assert carried == sorted(steps[-1])
    assert all(len(share) <= subscriptions_max for share in shares.values())


@given(STEPS, NAMES, st.integers(1, 9))
def test_nobody_moves_when_the_demand_changes(
    steps: list[set[str]], wanted: set[str], subscriptions_max: int
) -> None:
    before = walk(steps, subscriptions_max)
    after = spread(wanted, before, subscriptions_max=subscriptions_max)
    for number, share in before.items():
        assert share & wanted <= after[number]


@given(STEPS, st.integers(1, 9))
def test_merging_ends_with_the_fewest_connections_that_the_limit_allows(
    steps: list[set[str]], subscriptions_max: int
) -> None:
    shares = walk(steps, subscriptions_max)
    while (found := emptied(shares, subscriptions_max=subscriptions_max)) is not None:
        number, moves = found
        gone = shares.pop(number)
        assert gone == {each for moved in moves.values() for each in moved}
        for other, moved in moves.items():
            shares[other] |= moved
    assert len(shares) == ceil(len(steps[-1]) / subscriptions_max)
