"""Limits of a venue that tells no counts: bans, connections, counters that drain."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from adapters.errors import RateLimited
from adapters.limits import Bucket, Limits
from adapters.spent_file import SpentFile

BUCKET = Bucket(level_max=15, drain_per_s=0.5)


@attrs.define
class Clock:
    awake: float = 1000.0
    wall_ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.wall_ms

    def awake_s(self) -> float:
        return self.awake

    def elapsed_s(self) -> float:
        return self.awake

    def move(self, seconds: float) -> None:
        self.awake += seconds
        self.wall_ms += round(seconds * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def life(clock: Clock, tmp_path: Path) -> Limits:
    """Return the limits of one more process; those before it were killed."""
    return Limits(clock, SpentFile(tmp_path / "kraken.limits"))


def test_a_counter_lets_so_many_through_and_then_one_by_one(clock: Clock) -> None:
    limits = Limits(clock)
    for _ in range(15):
        limits.enter("key", BUCKET, 1)
    with pytest.raises(RateLimited) as caught:
        limits.enter("key", BUCKET, 1)
    assert caught.value.retry_after_s == 2
    clock.move(2)
    limits.enter("key", BUCKET, 1)
    assert limits.wait_s("key", BUCKET, 2) == 4
    limits.enter("another", BUCKET, 15)


def test_a_counter_survives_the_process(clock: Clock, tmp_path: Path) -> None:
    sent = 0
    for _ in range(300):
        limits = life(clock, tmp_path)
        try:
            limits.enter("key", BUCKET, 1)
            sent += 1
        except RateLimited:
            clock.move(0.1)
    assert sent == 14  # of 28.6 s


def test_a_lost_memory_counts_as_spent_once_and_not_for_ever(
    clock: Clock, tmp_path: Path
) -> None:
    assert life(clock, tmp_path).wait_s("key", BUCKET, 1) == 2
    clock.move(2)
    limits = life(clock, tmp_path)
    assert limits.wait_s("key", BUCKET, 15) == 28
    clock.move(30)
    assert life(clock, tmp_path).wait_s("key", BUCKET, 15) == 0
    assert life(clock, tmp_path).wait_s("a pair never traded before", BUCKET, 15) == 0


def test_the_venue_s_word_fills_a_counter(clock: Clock) -> None:
    limits = Limits(clock)
    limits.fill("key", BUCKET)
    assert limits.wait_s("key", BUCKET, 1) == 2


def test_cancels_are_counted_and_never_held_back(clock: Clock) -> None:
    limits = Limits(clock)
    for _ in range(3):
        limits.count("key", BUCKET, 8)
    assert limits.wait_s("key", BUCKET, 1) == 20
    limits.fill("key", BUCKET)  # it is above its limit already
    assert limits.wait_s("key", BUCKET, 1) == 20
    for _ in range(90):
        limits.count("key", BUCKET, 8)
    assert limits.wait_s("key", BUCKET, 1) == 92  # which has an end


def test_drained_counters_are_forgotten(clock: Clock, tmp_path: Path) -> None:
    limits = life(clock, tmp_path)
    clock.move(60)
    for number in range(1000):
        limits.count(f"pair {number}", BUCKET, 1)
    assert len(limits.spent().levels) == 500
    clock.move(60)
    limits.count("key", BUCKET, 1)
    assert set(limits.spent().levels) == {"key"}


def test_a_ban_closes_everything(clock: Clock, tmp_path: Path) -> None:
    life(clock, tmp_path).close("locked out", retry_after_s=900)
    clock.move(899)
    limits = life(clock, tmp_path)
    with pytest.raises(RateLimited, match="locked out"):
        limits.enter("key", BUCKET, 1)
    with pytest.raises(RateLimited, match="locked out"):
        limits.connect()
    clock.move(1)
    limits.check_open()


def test_connections_have_a_budget_in_a_rolling_window(clock: Clock) -> None:
    limits = Limits(clock, connects_max=3, connects_s=600)
    for _ in range(3):
        limits.connect()
        clock.move(100)
    with pytest.raises(RateLimited) as caught:
        limits.connect()
    assert caught.value.retry_after_s == 300
    clock.move(300)
    limits.connect()


def test_a_lockout_is_remembered_and_never_assumed(clock: Clock, tmp_path: Path) -> None:
    lockout = Bucket(level_max=900, drain_per_s=1, is_assumed_full=False)
    limits = life(clock, tmp_path)
    assert limits.wait_s("lockout", lockout, 900) == 0
    limits.fill("lockout", lockout)
    clock.move(100)
    assert life(clock, tmp_path).wait_s("lockout", lockout, 900) == 800
    clock.move(800)
    assert life(clock, tmp_path).wait_s("lockout", lockout, 900) == 0
