"""The circuit breaker as arithmetic: every time is a number we choose."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.pure.breaker import Breaker, Exhausted, Policy, State, Wait

RETRY = Policy(on_exhausted="retry")


def after(failures: int, policy: Policy, *, jitter: float = 0.0) -> Breaker:
    """Return the breaker after so many lives that failed at once."""
    breaker = Breaker(policy)
    for _ in range(failures):
        breaker, _ = breaker.starting().ready().failed(0.0, jitter)
    return breaker


def decision(failures: int, policy: Policy, *, jitter: float = 0.0) -> Wait | Exhausted:
    before = after(failures - 1, policy)
    return before.starting().ready().failed(0.0, jitter)[1]


@pytest.mark.parametrize(("failure", "wait_s"), [(1, 0.125), (2, 0.25)])
def test_the_first_failures_wait_half_of_a_doubling_backoff_at_least(
    failure: int, wait_s: float
) -> None:
    assert decision(failure, Policy()) == Wait(wait_s)


@pytest.mark.parametrize(("failure", "wait_s"), [(1, 0.25), (2, 0.5)])
def test_jitter_stretches_a_backoff_to_its_whole_length(
    failure: int, wait_s: float
) -> None:
    assert decision(failure, Policy(), jitter=1.0) == Wait(wait_s)


@pytest.mark.parametrize("failure", range(3, 10))
def test_the_circuit_is_open_from_the_third_failure_to_the_ninth(failure: int) -> None:
    breaker = after(failure, Policy())
    assert (breaker.state, decision(failure, Policy())) == (State.OPEN, Wait(60.0))


def test_jitter_stretches_an_open_circuit_by_a_tenth() -> None:
    assert decision(3, Policy(), jitter=1.0) == Wait(66.0)


def test_the_start_after_an_open_circuit_is_half_open() -> None:
    assert after(3, Policy()).starting().state is State.HALF_OPEN


def test_the_start_after_a_backoff_is_an_ordinary_one() -> None:
    assert after(2, Policy()).starting().state is State.STARTING


def test_a_failed_probe_opens_the_circuit_again() -> None:
    breaker, _ = after(3, Policy()).starting().failed(0.0, 0.0)
    assert (breaker.state, breaker.consecutive) == (State.OPEN, 4)


@pytest.mark.parametrize("then", ["stop", "escalate"])
def test_the_tenth_failure_in_a_row_is_the_last(then: str) -> None:
    policy = Policy(on_exhausted=then)  # pyright: ignore[reportArgumentType] -- a literal
    assert decision(10, policy) == Exhausted(None, policy.on_exhausted)


@pytest.mark.parametrize("failure", [10, 11, 500])
def test_an_exhausted_feed_is_tried_once_each_reset_for_ever(failure: int) -> None:
    breaker = after(failure, RETRY)
    assert (breaker.state, decision(failure, RETRY)) == (
        State.FAILED,
        Exhausted(60.0, "retry"),
    )


def test_the_retry_of_an_exhausted_feed_is_half_open() -> None:
    assert after(10, RETRY).starting().state is State.HALF_OPEN


def test_without_a_circuit_breaker_the_waits_only_grow_to_their_bound() -> None:
    policy = Policy(circuit_breaker=False)
    waits = [decision(failure, policy, jitter=1.0) for failure in range(1, 10)]
    assert waits == [Wait(s) for s in (0.25, 0.5, 1, 2, 4, 5, 5, 5, 5)]


def test_without_a_circuit_breaker_the_tenth_failure_still_ends_it() -> None:
    assert after(10, Policy(circuit_breaker=False)).state is State.FAILED


def test_a_huge_count_does_not_overflow_the_doubling() -> None:
    policy = Policy(circuit_breaker=False, max_consecutive=10_000)
    assert decision(9_999, policy, jitter=1.0) == Wait(5.0)


def test_a_start_alone_forgets_nothing() -> None:
    assert after(2, Policy()).starting().ready().consecutive == 2


@pytest.mark.parametrize(
    ("health_s", "units", "left"), [(60.0, 3, 0), (59.9, 3, 2), (60.0, 2, 2), (1e9, 0, 2)]
)
def test_failures_are_forgotten_after_a_minute_and_three_units(
    health_s: float, units: int, left: int
) -> None:
    breaker = after(2, Policy()).starting().ready()
    assert breaker.healthy(health_s=health_s, units=units).consecutive == left


def test_an_actor_that_is_not_ready_proves_nothing() -> None:
    breaker = after(2, Policy()).starting()
    assert breaker.healthy(health_s=1e9, units=1000).consecutive == 2


def test_an_operator_forgives_everything() -> None:
    assert after(10, Policy()).reset().consecutive == 0


def test_the_next_try_is_a_moment_on_the_callers_clock() -> None:
    breaker, _ = after(2, Policy()).starting().failed(1000.0, 0.5)
    assert breaker.next_try_s == pytest.approx(1063.0)


def test_a_life_has_no_next_try() -> None:
    assert after(3, Policy()).starting().next_try_s is None


@pytest.mark.parametrize(
    "numbers", [{"threshold": 0}, {"reset_s": 0}, {"max_consecutive": 0}, {"max_s": -1}]
)
def test_numbers_that_mean_nothing_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Policy(**numbers)  # pyright: ignore[reportArgumentType] -- wrong on purpose


lives = st.tuples(
    st.floats(0, 200),  # seconds in RUNNING
    st.integers(0, 6),  # units of work
    st.floats(0, 1, exclude_max=True),  # jitter
    st.booleans(),  # was it ever ready
)
policies = st.builds(
    Policy,
    circuit_breaker=st.just(value=True),
    threshold=st.integers(1, 5),
    reset_s=st.floats(1, 100),
    max_consecutive=st.integers(1, 12),
    on_exhausted=st.sampled_from(["stop", "retry", "escalate"]),
)


def starts_s(policy: Policy, history: list[tuple[float, int, float, bool]]) -> list[float]:
    """Return when lives began, obeying the breaker through this history."""
    breaker, now_s, starts = Breaker(policy), 0.0, list[float]()
    for health_s, units, jitter, is_ready in history:
        starts.append(now_s)
        breaker = breaker.starting()
        if is_ready:
            now_s += health_s
            breaker = breaker.ready().healthy(health_s=health_s, units=units)
        breaker, _ = breaker.failed(now_s, jitter)
        if breaker.next_try_s is None:
            break
        now_s = breaker.next_try_s
    return starts


@given(policies, st.lists(lives, min_size=1, max_size=60))
def test_no_history_gives_more_starts_in_a_window_than_the_threshold(
    policy: Policy, history: list[tuple[float, int, float, bool]]
) -> None:
    starts = starts_s(policy, history)
    window_s = min(policy.reset_s, policy.healthy_s)
    crowded = [
        begin
        for begin in starts
        if sum(begin <= at < begin + window_s for at in starts) > policy.threshold
    ]
    assert crowded == []


@given(policies, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=60))
def test_no_run_of_failures_gives_more_starts_than_the_maximum(
    policy: Policy, jitters: list[float]
) -> None:
    history = [(1e9, 0, jitter, True) for jitter in jitters]
    starts = starts_s(policy, history)
    assert policy.on_exhausted == "retry" or len(starts) <= policy.max_consecutive


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=30))
def test_exhausted_or_open_an_actor_never_starts_before_its_reset(
    jitters: list[float],
) -> None:
    starts = starts_s(RETRY, [(0.0, 0, jitter, False) for jitter in jitters])
    gaps = [late - early for early, late in pairwise(starts[2:])]
    assert all(60 - 1e-6 <= gap <= 66 + 1e-6 for gap in gaps)
