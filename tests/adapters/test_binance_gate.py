"""The gate: one budget and one ban, which outlive the process and are everybody's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.binance.gate import CONNECTS_MAX, PIECE, SHARE, Gate
from adapters.errors import RateLimited
from adapters.spent import Memory, RamMemory
from adapters.spent_file import SpentFile

MINUTE_MS = 1_700_000_040_000  # where a minute of the venue begins


@attrs.define
class Clock:
    awake: float = 1000.0
    wall_ms: int = MINUTE_MS

    def now_ms(self) -> int:
        return self.wall_ms

    def awake_s(self) -> float:
        return self.awake

    def elapsed_s(self) -> float:
        return self.awake

    def move(self, seconds: float) -> None:
        self.awake += seconds
        self.wall_ms += round(seconds * 1000)

    def reboot(self, down_s: float) -> None:
        self.awake, self.wall_ms = 5.0, self.wall_ms + round(down_s * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path) -> SpentFile:
    return SpentFile(tmp_path / "binance.limits")


def life(clock: Clock, tmp_path: Path, *, weight_limit: int = 6000) -> Gate:
    """Return the gate of one more process; those before it were killed, or still live."""
    memory = SpentFile(tmp_path / "binance.limits")
    return Gate(clock, memory, weight_limit=weight_limit)


def sure_life(clock: Clock, tmp_path: Path, *, weight_limit: int = 6000) -> Gate:
    gate = life(clock, tmp_path, weight_limit=weight_limit)
    gate.be_sure()
    return gate


def spend_all(gate: Gate, weight: int) -> int:
    """Ask until the gate says no; return what was spent."""
    spent = 0
    while True:
        try:
            gate.enter(weight)
        except RateLimited:
            return spent
        spent += weight


def test_the_gate_opens_again_when_the_time_is_over(clock: Clock) -> None:
    gate = Gate(clock)
    gate.close("banned", retry_after_s=30)
    clock.move(29.5)
    with pytest.raises(RateLimited, match="banned") as caught:
        gate.enter(1)
    assert caught.value.retry_after_s == 0.5
    clock.move(0.5)
    gate.enter(1)


def test_a_shorter_ban_does_not_shorten_a_longer_one(clock: Clock) -> None:
    gate = Gate(clock)
    gate.close("banned", retry_after_s=300)
    gate.close("slow down", retry_after_s=5)
    assert gate.closed_until_s == clock.awake + 300


def test_urgent_requests_pass_the_budget_but_not_the_ban(clock: Clock) -> None:
    gate = Gate(clock, weight_limit=10)
    gate.enter(9)
    with pytest.raises(RateLimited):
        gate.enter(1)
    gate.enter(0, is_urgent=True)
    gate.close("banned", retry_after_s=None)
    clock.move(59)
    with pytest.raises(RateLimited):
        gate.enter(0, is_urgent=True)


def test_the_budget_is_that_of_the_venue_s_own_minute(clock: Clock) -> None:
    gate = Gate(clock, weight_limit=10)
    gate.align(MINUTE_MS + 50_000)
    gate.enter(9)
    clock.move(9)
    with pytest.raises(RateLimited) as caught:
        gate.enter(9)
    assert caught.value.retry_after_s == pytest.approx(1)
    clock.move(1)
    gate.enter(9)
    assert gate.used == 9


def test_an_answer_does_not_know_of_questions_that_are_still_out(clock: Clock) -> None:
    gate = Gate(clock)
    with gate.asking(250):
        gate.heard("40")
    assert gate.used == 290
    gate.heard("300")
    assert gate.used == 300


def test_connections_have_a_budget(clock: Clock) -> None:
    gate = Gate(clock)
    for _ in range(CONNECTS_MAX):
        gate.connect(0)
        clock.move(1)
    with pytest.raises(RateLimited) as caught:
        gate.connect(0)
    assert caught.value.retry_after_s == 150
    clock.move(150)
    gate.connect(0)


def test_a_ban_holds_for_the_next_process_and_for_those_beside_it(
    clock: Clock, tmp_path: Path
) -> None:
    beside = life(clock, tmp_path)
    life(clock, tmp_path).close("banned for a while", retry_after_s=120)
    clock.move(119)
    for gate in (beside, life(clock, tmp_path)):
        with pytest.raises(RateLimited, match="banned for a while") as caught:
            gate.enter(0, is_urgent=True)
        assert caught.value.retry_after_s == pytest.approx(1)
    clock.move(1)
    life(clock, tmp_path).enter(0, is_urgent=True)


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000])
def test_a_step_of_the_wall_clock_lifts_no_ban(
    clock: Clock, tmp_path: Path, step_ms: int
) -> None:
    life(clock, tmp_path).close("banned", retry_after_s=120)
    clock.wall_ms += step_ms
    clock.move(100)
    assert life(clock, tmp_path).closed_until_s == clock.awake + 20


def test_a_ban_survives_a_reboot_by_the_wall_clock(clock: Clock, tmp_path: Path) -> None:
    life(clock, tmp_path).close("banned", retry_after_s=600)
    clock.reboot(down_s=200)
    assert life(clock, tmp_path).closed_until_s == pytest.approx(clock.awake + 400)
    clock.move(400)
    life(clock, tmp_path).enter(0, is_urgent=True)


def test_a_loop_of_kills_does_not_spend_a_window_twice(
    clock: Clock, tmp_path: Path
) -> None:
    spent = 0
    for _ in range(500):
        gate = sure_life(clock, tmp_path, weight_limit=1000)
        for _ in range(4):
            try:
                gate.enter(7)
            except RateLimited:
                break
            spent += 7
        clock.move(0.1)  # and SIGKILL: nothing is given back
    assert 0 < spent <= 1000 * SHARE
    clock.move(60)
    assert spend_all(sure_life(clock, tmp_path, weight_limit=1000), 7) > 0


def test_what_a_process_leaves_unspent_is_there_for_the_next(
    clock: Clock, tmp_path: Path
) -> None:
    for _ in range(100):
        gate = sure_life(clock, tmp_path, weight_limit=1000)
        gate.enter(1)
        gate.leave()
    rest = spend_all(sure_life(clock, tmp_path, weight_limit=1000), 1)
    assert 800 - PIECE <= rest <= 800


def test_two_processes_share_one_budget(clock: Clock, tmp_path: Path) -> None:
    gates = [sure_life(clock, tmp_path, weight_limit=1000) for _ in range(2)]
    spent = 0
    for turn in range(1000):
        try:
            gates[turn % 2].enter(3)
        except RateLimited:
            continue
        spent += 3
    assert 1000 * SHARE - 2 * PIECE - 6 <= spent <= 1000 * SHARE


def test_connections_count_over_processes(clock: Clock, tmp_path: Path) -> None:
    for _ in range(CONNECTS_MAX):
        life(clock, tmp_path).connect(2)
    with pytest.raises(RateLimited, match="connections"):
        life(clock, tmp_path).connect(2)
    life_of_a_simulator = Gate(clock, RamMemory(), remembers_connects=False)
    life_of_a_simulator.connect(2)


@pytest.mark.parametrize("content", [None, b"", b"\x00" * 40, b"[]", b'{"weight":"x"}'])
def test_a_memory_that_is_lost_is_no_answer_until_the_venue_gives_one(
    clock: Clock, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "binance.limits"
    if content is not None:
        path.write_bytes(content)
    gate = life(clock, tmp_path)
    assert gate.is_unsure
    gate.enter(1, is_urgent=True)  # killed before the venue answers
    gate = life(clock, tmp_path)
    assert gate.is_unsure
    gate.heard("5900")
    assert not gate.is_unsure
    assert not life(clock, tmp_path).is_unsure
    with pytest.raises(RateLimited):
        life(clock, tmp_path).enter(20)


def test_the_file_is_ours_alone_and_a_disk_that_fails_stops_nothing(
    clock: Clock, tmp_path: Path
) -> None:
    gate = sure_life(clock, tmp_path)
    assert stat.S_IMODE((tmp_path / "binance.limits").stat().st_mode) == 0o600
    (tmp_path / "binance.new").mkdir()  # nothing can be written there any more
    gate.close("banned", retry_after_s=60)
    with pytest.raises(RateLimited, match="banned"):
        gate.enter(1)


def test_another_process_that_sleeps_with_the_lock_is_not_waited_for(
    clock: Clock, tmp_path: Path
) -> None:
    import fcntl  # noqa: PLC0415 -- as the other process has it

    gate = sure_life(clock, tmp_path)
    holder = os.open(tmp_path / "binance.lock", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    gate.close("banned", retry_after_s=60)
    os.close(holder)
    assert life(clock, tmp_path).closed_until_s == clock.awake + 60


@given(st.data())
def test_no_history_of_lives_and_kills_sends_more_than_the_limit(
    data: st.DataObject,
) -> None:
    clock, memory = Clock(), RamMemory()
    sent: dict[int, int] = {}
    gate = Gate(clock, memory, weight_limit=600)
    for _ in range(data.draw(st.integers(1, 60))):
        match data.draw(st.sampled_from(["ask", "ask", "ask", "kill", "wait", "hear"])):
            case "kill":
                gate = Gate(clock, memory, weight_limit=600)
            case "wait":
                clock.move(data.draw(st.floats(0, 40)))
            case "hear":
                gate.heard(sent.get(minute(clock), 0))
            case _:
                weight = data.draw(st.sampled_from([1, 2, 20, 250]))
                try:
                    gate.enter(weight)
                except RateLimited:
                    continue
                sent[minute(clock)] = sent.get(minute(clock), 0) + weight
    assert max(sent.values(), default=0) <= 600 * SHARE


def minute(clock: Clock) -> int:
    return clock.now_ms() // 60_000


def check_is_memory(memory: Memory) -> Memory:
    return memory


def test_the_file_is_a_memory(memory: SpentFile) -> None:
    assert check_is_memory(memory).look() is None
