"""Reconnecting: five attempts, 1 s to 30 s, and a count that only health resets (R-27)."""

from __future__ import annotations

import pytest

from actors.pure.reconnect import Reconnect, ReconnectPolicy

POLICY = ReconnectPolicy(jitter=0.0)


def waits(policy: ReconnectPolicy, count: int, *, unit: float = 0.5) -> list[float | None]:
    """Return the waits after `count` failures to connect in a row."""
    reconnect, found = Reconnect(policy), list[float | None]()
    for _ in range(count):
        reconnect, delay_s = reconnect.lost(0.0, unit)
        found.append(delay_s)
    return found


def test_five_attempts_double_from_one_second_and_then_all_are_spent() -> None:
    assert waits(POLICY, 6) == [1.0, 2.0, 4.0, 8.0, 16.0, None]


def test_the_longest_wait_is_thirty_seconds() -> None:
    assert waits(ReconnectPolicy(attempts=8, jitter=0.0), 8)[4:] == [16.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize(("unit", "first_s"), [(0.0, 0.9), (0.5, 1.0), (1.0, 1.1)])
def test_waits_are_spread_by_ten_percent(unit: float, first_s: float) -> None:
    assert waits(ReconnectPolicy(), 1, unit=unit) == [pytest.approx(first_s)]


@pytest.mark.parametrize(("healthy_s", "attempt"), [(59.9, 4), (60.0, 1)])
def test_only_sixty_healthy_seconds_reset_the_count(healthy_s: float, attempt: int) -> None:
    reconnect = Reconnect(POLICY, attempt=3).connected(100.0)
    reconnect, _ = reconnect.lost(100.0 + healthy_s, 0.5)
    assert reconnect.attempt == attempt


def test_a_connection_that_is_closed_at_once_spends_attempts() -> None:
    reconnect, delays = Reconnect(POLICY), list[float | None]()
    for now_s in range(6):
        reconnect = reconnect.connected(float(now_s))
        reconnect, delay_s = reconnect.lost(now_s + 0.1, 0.5)
        delays.append(delay_s)
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, None]


def test_health_before_a_failure_to_connect_counts_once() -> None:
    reconnect, _ = Reconnect(POLICY).connected(0.0).lost(100.0, 0.5)
    reconnect, delay_s = reconnect.lost(300.0, 0.5)  # it never connected again
    assert (reconnect.attempt, delay_s) == (2, 2.0)


def test_the_venues_own_wait_is_kept() -> None:
    _, delay_s = Reconnect(POLICY).lost(0.0, 0.5, at_least_s=120.0)
    assert delay_s == 120.0
